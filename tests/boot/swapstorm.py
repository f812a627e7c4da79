"""usage: swapstorm.py RUN-KERNEL KERNEL VMCORE STEPS

Storms of address spaces, STEPS for each thread, whose pages go to swap and come
back, on 1 to 8 CPUs, in 64 MB and in 8 GB, while the disk fails.  What can be read
is what was written; what cannot is an error, not a panic.
"""

import re
import sys

import postmortem
import tap
from postmortem import MB, sector_fails

STEPS = int(sys.argv[4])
THREADS = 24  # of 49 pages each, and page tables

# Pages that they can get.
LEFT = 900

# Sectors in blocks that are taken early.
SECTORS = range(4 * 8, 400 * 8, 23 * 8)

coroner = postmortem.Coroner(*sys.argv[1:4])


def fill(m):
    """Leave less memory than the threads have pages."""
    counts = dict(re.findall(r"v_(\w+): (\d+)\n", m.command("sysctl vm.stats")))
    rest = int(counts["free_reserved"]) + LEFT
    free = int(counts["free_count"]) - rest
    assert f"user: {free} pages" in m.command(f"user {4 * free}k untouched")


def storm(m):
    """How many accesses were lost."""
    said = m.command(f"vmstorm {THREADS} {STEPS}")
    found = re.fullmatch(
        rf"vmstorm: {THREADS * STEPS} steps, \d+ faults, \d+ forks"
        r"(?:, (\d+) lost)?\n", said)  # fmt: skip
    assert found, said
    return int(found[1] or 0)


def swapped(m):
    """Pages that went out."""
    said = m.command("sysctl vm.stats.vm.v_laundered")
    return int(said.split()[1])


def bad_blocks(m):
    """How many, and that all others are free again."""
    used, bad = re.search(r"vtbd0 +\d+ +(\d+) +(\d+)\n",
                          m.command("swapinfo")).groups()  # fmt: skip
    assert used == "0", used
    return int(bad)


def survives(cpus, memory, iotype=None, once="on"):
    disk = coroner.disk(size=24 * MB)
    if iotype:
        rules = [sector_fails(iotype, sector, once) for sector in SECTORS]
        disk = coroner.failing(disk, *rules)
    with coroner.boot(disks=[disk], memory=memory, cpus=cpus) as m:
        m.wait_for("# ")
        assert m.command("swapon vtbd0") == ""
        fill(m)
        lost = storm(m)
        assert swapped(m) > 100, m.text
        assert (lost > 0) == (iotype == "read"), lost
        assert (bad_blocks(m) > 0) == (iotype == "write"), m.text
        m.send("exit 3\r")
        assert m.end() == 3


ROWS = {
    "1 CPU, 64 MB": (1, 64),
    "2 CPUs, 64 MB": (2, 64),
    "8 CPUs, 64 MB": (8, 64),
    "8 CPUs, 8 GB": (8, 8192),
    "reads fail once": (2, 64, "read"),
    "reads fail for good": (4, 64, "read", "off"),
    "writes fail once": (2, 64, "write"),
    "writes fail for good": (4, 64, "write", "off"),
}

tests = tap.Tests()
for case, row in ROWS.items():
    tests.case(case, survives, *row)
tests.run()
