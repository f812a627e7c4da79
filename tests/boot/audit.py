"""usage: audit.py RUN-KERNEL KERNEL VMCORE

After a storm of allocations and with 300,000 objects, gdb walks all that the
kernel has: nothing is missing in a dump of either version.
"""

import os
import pathlib
import re
import struct
import sys
import tempfile

import letter
import machine
import tap

run_kernel, kernel, vmcore = sys.argv[1:]
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20
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
    "buckets": 10,
    "large allocations": 3,
    "page tables": 10,
}


def crash(version):
    disk = machine.make_disk(work / "disk", 128 * MB)
    script = f"fill 9;storm 6;items {ITEMS};freed;sleep 1;user;crash panic"
    with machine.Machine(
        *(run_kernel, kernel, "dumpdev=vtbd0", "kern.panic.exit_code=9"),
        *(f"debug.minidump_version={version}", f'kern.script="{script}"'),
        disks=[disk],
    ) as m:
        assert m.end() == 9, m.text[-2000:]
    device = letter.Device(disk)
    device.check()
    assert device.panic_string == "crash: as you asked", device.panic_string
    return m.text, machine.dump_of(disk, work / f"core.{version}")


def audit(core):
    here = pathlib.Path(__file__).parent
    result = tap.run(
        *(vmcore, "gdb", "-N", kernel, core, "--", "-nx", "-batch"),
        *("-iex", "set width 0", "-x", here / "audit_gdb.py"),
        env={**os.environ, "PYTHONPATH": str(here), "CORE": str(core)},
        timeout=None,
    )
    assert result.status == 0, result
    return result


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
    said = audit(core)
    lacks = re.findall("(?m)^lacks .*", said.out)
    assert not lacks, "\n".join(lacks[:20])
    walked = dict(
        (what, int(count))
        for count, what in re.findall(r"(?m)^walked (\d+) (.*)$", said.out)
    )
    for what, least in WALKED.items():
        assert walked.get(what, 0) >= least, (walked, said.err[-1000:])
    first = re.search(rf"items: {ITEMS}, the last at (0x\w+)", text)
    follow_items(core, int(first[1], 16))


tests = tap.Tests()
for number in (1, 3):
    tests.case(f"nothing is missing in version {number}", nothing_is_missing, number)
tests.run()
