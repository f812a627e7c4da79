"""usage: disks.py RUN-KERNEL KERNEL VMCORE

Disks that fail in the middle of a dump.  QEMU's blkdebug makes them.  Its states
count writes, or flushes, of which each step of a dump ends in one:

    1 erase the old header   2 the dump   3 both headers
"""

import itertools
import re
import sys

import postmortem
import tap
from postmortem import EIO, MB

ENOSPC = 28
SIZE = 8 * MB

# A dump of several writes.
SCRIPT = "items 60000;crash panic"

coroner = postmortem.Coroner(*sys.argv[1:])


def rule(section, **keys):
    lines = [f'{key} = "{value}"' for key, value in keys.items()]
    return "\n".join([f"[{section}]", *lines, ""])


def fail(**when):
    """Once, by an I/O error if nothing else is said."""
    return rule("inject-error", **{"errno": EIO, "once": "on"} | when)


def on_write(state, errno=EIO):
    """Fail the first write in a state."""
    return fail(event="pwritev", state=state, iotype="write", errno=errno)


def on_flush(state):
    """Fail the flush that ends a state."""
    return fail(event="flush_to_disk", state=state, iotype="flush")


def on_place(state, before_end):
    """Fail the write of the sector that lies so far from the disk's end."""
    sector = (SIZE - before_end) // 512
    return fail(event="pwritev", state=state, iotype="write", sector=sector)


def count(event, limit):
    return "".join(
        rule("set-state", event=event, state=n, new_state=n + 1)
        for n in range(1, limit)
    )


# What fails, and what becomes of the dump that the disk held before: "old" if
# it is still there.  A dump is whole before the last flush: it may be "new".
FAILURES = {
    "the erasing of the old header": (on_write(1), "old"),
    "the flush of that": (on_flush(1), None),
    "the first write of pages": (on_write(2), None),
    "for want of room, the first write of pages": (on_write(2, ENOSPC), None),
    "a write in the middle": (on_place(2, MB // 2), None),
    "the last write of pages": (on_place(2, 2048), None),
    "the flush of the pages": (on_flush(2), None),
    "the first header": (on_write(3), None),
    "the last header": (on_place(3, 512), None),
    "the flush of the headers": (on_flush(3), "new"),
}


def alone(failure, want):
    """A message, and nothing that passes for this dump."""
    disk = coroner.old_disk(SIZE)
    text = coroner.die("crash panic", disks=[coroner.failing(disk, failure)])
    assert "dump: vtbd0: error 5" in text, text
    assert "Dump failed: error 5" in text, text
    assert coroner.dumped(disk) == want, text


def then_another(failure, want):
    """The dump goes to the next disk, all of it."""
    disk = coroner.old_disk(SIZE)
    other = coroner.disk("other")
    text = coroner.die(
        "ps;fill 3;crash panic", disks=[coroner.failing(disk, failure), other]
    )
    assert "dump: vtbd0: error 5" in text, text
    assert "Dump complete" in text, text
    assert re.search(r"dump: now: minidump of \d+ KB to vtbd1\n", text), text
    assert coroner.dumped(disk) == want, text
    assert coroner.dumped(other) == "new", text
    core = coroner.dump_of(other)
    coroner.same_threads(text, core)
    coroner.same_trace(text, core)
    coroner.same_memory(text, core)


def every_write():
    """Fail the first, the second, ... until there are no more of them."""
    for number in itertools.count(1):
        disk = coroner.old_disk(SIZE)
        rules = count("pwritev", number) + on_write(number)
        text = coroner.die(SCRIPT, disks=[coroner.failing(disk, rules)])
        if "Dump complete" in text:
            break
        assert "Dump failed: error 5" in text, text
        assert coroner.dumped(disk) == ("old" if number == 1 else None), text
    assert number > 4, text
    assert coroner.dumped(disk) == "new", text


def no_answer():
    """A disk that takes a kilobyte each second is one that does not answer."""
    disk = coroner.old_disk(SIZE)
    text = coroner.die(SCRIPT, disks=[f"{disk},throttling.bps-write=1024"])
    assert "dump: vtbd0: error 60" in text, text
    assert coroner.dumped(disk) is None


tests = tap.Tests()
for name, (rules, left) in FAILURES.items():
    rules = count("flush_to_disk", 4) + rules
    tests.case(f"{name} fails", alone, rules, left)
    tests.case(f"{name} fails, and there is another disk",
        then_another, rules, left)  # fmt: skip
tests.case("each write fails, one after the other", every_write)
tests.case("a disk that does not answer", no_answer)
tests.run()
