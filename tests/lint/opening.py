"""usage: opening.py TOP

Each source file opens with a comment: what it owns and what it keeps true.
"""

import pathlib
import sys

from tap import Tests

ROOMS = "format dumper kernel libkvm kdebug disk rsp cli examples bench"


def check_room(top, room):
    files = sorted((top / room).rglob("*.[chS]"))
    assert files, "no files found"
    bare = [str(f.relative_to(top)) for f in files if not f.read_text().startswith("/*")]
    assert not bare, "no comment at the start of:\n" + "\n".join(bare)


def main():
    tests = Tests()
    for room in ROOMS.split():
        tests.case(
            f"{room}: files say what they own",
            check_room,
            pathlib.Path(sys.argv[1]),
            room,
        )
    tests.run()


main()
