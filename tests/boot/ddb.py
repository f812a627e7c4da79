"""usage: ddb.py RUN-KERNEL KERNEL

The kernel's debugger: ways in, commands, and out again.
"""

import functools
import pathlib
import re
import sys
import tempfile

import machine
import tap

run_kernel, kernel = sys.argv[1:]
boot = functools.partial(machine.Machine, run_kernel, kernel)
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20

# What a dump is made of, as "show pageset" lists it.
PARTS = [
    "kernel text",
    "kernel data",
    "UMA",
    "stacks",
    "page array",
    "page tables",
    "message buffer",
    "other",
]


def into_ddb(m):
    """From the shell into the debugger: a function that gives it commands."""
    m.wait_for("# ")
    m.send("ddb\r")
    m.wait_for("db> ")
    return functools.partial(m.command, prompt="db> ")


def pageset(text):
    """The table that show pageset prints."""
    return {
        name: int(size)
        for name, size in re.findall(r"(?m)^([A-Za-z ]+?) +(\d+)$", text)
    }


def account(version):
    """The parts add up to the dump that follows, to the byte."""
    disk = machine.make_disk(work / "disk", 64 * MB)
    with boot(
        "dumpdev=vtbd0",
        f"debug.minidump_version={version}",
        'kern.script="items 20000;user"',
        disks=[disk],
    ) as m:
        m.wait_for("user: ")
        ask = into_ddb(m)
        said = pageset(ask("show pageset"))
        dumped = ask("dump")
    core = machine.dump_of(disk, work / "core")
    parts = [said[name] for name in PARTS]
    assert all(parts), said
    assert sum(parts) == said["minidump"] == core.stat().st_size, said
    # Of 64 bytes each, and little else is.
    assert 20000 * 64 < said["UMA"] < 20000 * 64 + MB, said
    line = ", ".join(f"{name} {said[name] >> 10}" for name in PARTS)
    assert f"dump: KB: {line}\n" in dumped, dumped


tests = tap.Tests()
for number in (1, 3):
    tests.case(f"what a minidump of version {number} is made of", account, number)
tests.run()
