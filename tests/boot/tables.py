"""usage: tables.py RUN-KERNEL KERNEL VMCORE

A page-table entry at each level is what the kernel died of: the dump says so,
and has all that does not lie behind that entry.
"""

import re
import sys

import postmortem
import tap

coroner = postmortem.Coroner(*sys.argv[1:])

RESERVED = "reserved bits in a page-table entry"
NO_TABLE = "page table outside of memory"
NO_PAGE = "mapped page outside of memory"
SELF = "page table that contains itself"

# What is said of an entry by its kind: at level 0, and at those above.  Of
# memory that is mapped once more nothing can be said.
KINDS = {
    "reserved": (RESERVED, RESERVED),
    "beyond": (NO_PAGE, NO_TABLE),
    "device": (NO_PAGE, NO_TABLE),
    "itself": (None, SELF),
    "random": (None, RESERVED),
}

MINIDUMPS = ["debug.minidump_version=1", "debug.minidump_version=3"]
FULL = "debug.minidump=0"
ROOT_LEVEL = 3

KERNBASE = 0xFFFFFFFF80000000


def die(level, kind, tunable):
    disk = coroner.disk(size=80 * postmortem.MB)
    text = coroner.die(
        f"ps;fill 3;corrupt {level} {kind};crash panic",
        tunable,
        disks=[disk],
        memory=64,
    )
    assert "Dump complete" in text, text
    return text, coroner.dump_of(disk)


def check_said(text, level, want):
    """Level and address of an entry; random bits are wrong a level below."""
    said = re.findall(r"dump: anomaly: (.*): level (\d) entry for (\w+)", text)
    where = re.search(r"corrupt: level \d for (\w+)", text)[1]
    if want is None:
        assert not said, text
    elif want == RESERVED and (want, str(level), where) not in said:
        assert (want, str(level - 1), where) in said, text
    else:
        assert (want, str(level), where) in said, text


def below_root(level, kind, tunable):
    """The crashed kernel does not use what lies behind the entry."""
    text, core = die(level, kind, tunable)
    want = KINDS[kind][level > 0]
    check_said(text, level, want)
    coroner.same_threads(text, core)
    coroner.same_trace(text, core)
    coroner.same_memory(text, core)
    if want is not None:
        behind = re.search(r"corrupt: level \d for (\w+)", text)[1]
        assert coroner.read(core, behind, 8) is None


def root(kind, tunable):
    """The kernel map is gone, but not the direct map."""
    text, core = die(ROOT_LEVEL, kind, tunable)
    check_said(text, ROOT_LEVEL, KINDS[kind][1])
    for va, length, want in coroner.fills(text):
        data = coroner.read(core, va, length)
        if int(va, 16) >= KERNBASE:
            assert data is None, va
            continue
        assert data is not None, va
        assert postmortem.checksum(data) == int(want, 16), va


tests = tap.Tests()
for format_tunable in [*MINIDUMPS, FULL]:
    for bad in KINDS:
        for entry_level in range(ROOT_LEVEL):
            tests.case(
                f"level {entry_level}: {bad}, {format_tunable}",
                below_root,
                entry_level,
                bad,
                format_tunable,
            )
        tests.case(
            f"level {ROOT_LEVEL}: {bad}, {format_tunable}",
            root,
            bad,
            format_tunable,
        )
tests.run()
