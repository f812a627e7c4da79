"""usage: audit.py RUN-KERNEL KERNEL VMCORE

After a storm of allocations and with 300,000 objects, gdb walks all that the
kernel has: nothing is missing in a dump of either version.  Nor does anything lead
to what was freed, after a storm of address spaces on swap.
"""

import re
import struct
import sys

import letter
import postmortem
import tap
from postmortem import MB

coroner = postmortem.Coroner(*sys.argv[1:])

ITEMS = 300000
ITEM_MAGIC = 0x5851F42D4C957F2D

# What the walk must find, at least.
WALKED = {
    "variables": 150,
    "structures": 5000,
    "pages of the image": 130,
    "threads": 10,
    "CPUs": 2,
    "zones": 15,
    "slabs": 4700,
    "items": ITEMS,
    "buckets": 4,
    "large allocations": 3,
    "page tables": 10,
}


def crash(version):
    disk = coroner.disk(size=128 * MB)
    text = coroner.die(
        f"fill 9;storm 6;items {ITEMS};freed;sleep 1;user 32m;crash panic",
        f"debug.minidump_version={version}",
        disks=[disk],
    )
    device = letter.Device(disk)
    device.check()
    assert device.panic_string == "crash: as you asked", device.panic_string
    return text, coroner.dump_of(disk)


def follow_items(core, first):
    """All objects, by a reader that is not ours."""
    dump = letter.Minidump(core.read_bytes())
    where = first
    for number in reversed(range(ITEMS)):
        link, this, check = struct.unpack("<3Q", dump.read(where, 24))
        assert this == number, (hex(where), this, number)
        assert (link ^ this) * ITEM_MAGIC % (1 << 64) == check
        where = link
    assert where == 0


def nothing_is_missing(version):
    text, core = crash(version)
    walked = coroner.audit(core)
    for what, least in WALKED.items():
        assert walked.get(what, 0) >= least, walked
    first = re.search(rf"items: {ITEMS}, the last at (0x\w+)", text)
    follow_items(core, int(first[1], 16))


def nothing_is_stale():
    """Objects came, went to swap and are gone; gdb follows what is left of them."""
    disk = coroner.disk(size=24 * MB)
    text = coroner.die(
        "swapon vtbd0;fill 3;user 56m;vmstorm 24 2000;sleep 1;crash panic",
        disks=[disk], memory=64,
    )  # fmt: skip
    assert re.search("vmstorm: 48000 steps", text), text
    coroner.audit(coroner.dump_of(disk))


tests = tap.Tests()
for number in (1, 3):
    tests.case(f"nothing is missing in version {number}", nothing_is_missing, number)
tests.case("nothing is stale after a storm on swap", nothing_is_stale)
tests.run()
