"""usage: parsers.py TOP

The lists of tests/fuzz tell the truth: each file of the rooms that decode bytes
is in parsers.txt with a fuzz target that there is, and what unreached.txt speaks
of is there.
"""

import pathlib
import re
import sys

from tap import Tests

top = pathlib.Path(sys.argv[1])
sys.path.append(str(top / "tests/fuzz"))

import lists

ROOMS = "format libkvm kdebug disk rsp".split()

# What decodes nothing, or is for hosts that lack a library.
NO_PARSERS = {
    "kdebug/debugfile_none.c", "libkvm/helpcost.c", "libkvm/helper.c",
    "libkvm/members_none.c", "libkvm/nlist_plain.c",
}


def check_complete():
    files = {str(path.relative_to(top)) for room in ROOMS
             for path in (top / room).glob("*.c")}
    missing = sorted(files - set(lists.parsers(top)) - NO_PARSERS)
    assert not missing, "not in tests/fuzz/parsers.txt:\n" + "\n".join(missing)
    gone = sorted(path for path in {*lists.parsers(top), *NO_PARSERS}
                  if not (top / path).is_file())
    assert not gone, "no such files:\n" + "\n".join(gone)


def check_targets():
    for path, target in lists.parsers(top).items():
        assert (top / f"tests/fuzz/fuzz_{target}.c").is_file(), (path, target)


def check_unreached():
    for path, reasons in lists.unreached(top).items():
        assert path in lists.parsers(top), path
        text = (top / path).read_text()
        for function, reason in reasons:
            assert re.search(rf"^{function}\(", text, re.M), (path, function)
            assert reason, (path, function)


def main():
    tests = Tests()
    tests.case("each parser has a fuzz target", check_complete)
    tests.case("the targets are there", check_targets)
    tests.case("what is unreached is there, with a reason", check_unreached)
    tests.run()


main()
