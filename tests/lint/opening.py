"""usage: opening.py TOP

Each source file opens with a comment: what it owns and what it keeps true.  In the
VM system that comment has a line "Lock:" or "Locks:": which lock guards this, who
takes it, and what comes after it.
"""

import pathlib
import re
import sys

from tap import Tests

ROOMS = "format dumper kernel libkvm kdebug disk rsp cli examples bench"
LOCKED = ["kernel/vm/*.c", "kernel/amd64/pmap*.c"]
LOCK = re.compile(r"^ \* (Lock|Locks): \S", re.M)


def check_room(top, room):
    files = sorted((top / room).rglob("*.[chS]"))
    assert files, "no files found"
    bare = [str(f.relative_to(top)) for f in files if not f.read_text().startswith("/*")]
    assert not bare, "no comment at the start of:\n" + "\n".join(bare)


def names_lock(text):
    head, end, _ = text.partition("*/")
    return end != "" and LOCK.search(head) is not None


def check_names_lock():
    assert names_lock("/*\n * Pages.\n *\n * Lock: vm_mtx.\n */\n")
    assert names_lock("/*\n * Locks: vm map -> vm_mtx.\n */\n")
    assert not names_lock("/*\n * Pages, with the lock held.\n */\n")
    assert not names_lock("/*\n * Lock:\n */\n")
    assert not names_lock("/*\n * Pages.\n */\nint i;\n/*\n * Lock: vm_mtx.\n */\n")


def check_locks(top, pattern):
    files = sorted(top.glob(pattern))
    assert files, "no files found"
    bare = [str(f.relative_to(top)) for f in files if not names_lock(f.read_text())]
    assert not bare, "no line \"Lock:\" in the first comment of:\n" + "\n".join(bare)


def main():
    top = pathlib.Path(sys.argv[1])
    tests = Tests()
    for room in ROOMS.split():
        tests.case(
            f"{room}: files say what they own",
            check_room,
            top,
            room,
        )
    tests.case("a lock counts in the first comment only", check_names_lock)
    for pattern in LOCKED:
        tests.case(f"{pattern}: files name their lock", check_locks, top, pattern)
    tests.run()


main()
