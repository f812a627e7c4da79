"""usage: functions.py TOP

No function is longer than a screen: 50 lines from its brace to the other.
"""

import pathlib
import sys

from tap import Tests

ROOMS = "format dumper kernel libkvm kdebug disk rsp cli examples bench tests"
MAX_LINES = 50


def functions(path):
    """Names and lengths: in our layout a body's braces stand alone."""
    lines = path.read_text().splitlines()
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield lines[start - 1].strip(), number - start - 1
            start = None


def check_room(top, room):
    too_long = []
    nseen = 0
    for path in sorted((top / room).rglob("*.c")):
        for name, length in functions(path):
            nseen += 1
            if length > MAX_LINES:
                too_long.append(f"{path.relative_to(top)}: {name}: {length}")
    assert nseen > 0, "no functions found"
    assert not too_long, "\n".join(too_long)


def main():
    tests = Tests()
    for room in ROOMS.split():
        tests.case(
            f"{room}: no function has more than {MAX_LINES} lines",
            check_room,
            pathlib.Path(sys.argv[1]),
            room,
        )
    tests.run()


main()
