"""usage: bootorder.py TOP

The head of init_main.c lists every SYSINIT, in the order in which they run.
"""

import pathlib
import re
import sys

from tap import Tests

SYSINIT = re.compile(
    r"^SYSINIT\((\w+),\s*SI_SUB_(\w+),\s*SI_ORDER_(\w+),", re.M
)
LISTED = re.compile(r"^ \*\t(\w+)\t+([A-Z]+)\b", re.M)


def values(text, enum):
    """The numbers of an enum's constants, by what follows their prefix."""
    body = re.search(rf"enum {enum} {{(.*?)}}", text, re.S)[1]
    number, found = 0, {}
    for name, value in re.findall(r"SI_[A-Z]+_(\w+)(?: = (\d+))?", body):
        found[name] = number = int(value) if value else number
        number += 1
    return found


def boot_order(top):
    kernel = top / "kernel"
    header = (kernel / "sys/kernel.h").read_text()
    subs = values(header, "sysinit_sub_id")
    orders = values(header, "sysinit_elem_order")
    wanted = {}
    for path in kernel.rglob("*.c"):
        for name, sub, order in SYSINIT.findall(path.read_text()):
            wanted[name] = (subs[sub], orders[order], sub)
    listed = LISTED.findall((kernel / "kern/init_main.c").read_text())
    assert len(wanted) > 5
    assert {name for name, _ in listed} == set(wanted), (listed, wanted)
    keys = [wanted[name][:2] for name, _ in listed]
    assert keys == sorted(keys), listed
    for name, sub in listed:
        assert sub == wanted[name][2], (name, sub)


tests = Tests()
tests.case("init_main.c lists the boot order", boot_order,
           pathlib.Path(sys.argv[1]))
tests.run()
