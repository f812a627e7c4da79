"""usage: memory.py RUN-KERNEL KERNEL VMCORE MB

What a dump holds of a memory that is full, and of one in turmoil.  MB is how much
the machine has that is full of mappings.
"""

import functools
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import machine
import postmortem
import tap
from postmortem import MB

run_kernel, kernel, vmcore, mapped_memory = sys.argv[1:]
coroner = postmortem.Coroner(run_kernel, kernel, vmcore)
boot = functools.partial(machine.Machine, run_kernel, kernel)
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

ITEM_MAGIC = 0x5851F42D4C957F2D


def run(*words):
    return subprocess.run(
        [str(word) for word in words], capture_output=True, check=False
    )


def read(core, where, length, *options):
    """Bytes of a dumped memory, None if it is not in the dump."""
    result = run(
        vmcore, "read", "--raw", *options, "-N", kernel, where, length, core
    )
    return result.stdout if result.returncode == 0 else None


def crash(script, *tunables, memory, cpus=2):
    """Run a script that ends in a crash: the console's text, and the dump."""
    disk = machine.make_disk(work / "disk", memory * MB)
    with boot(
        "dumpdev=vtbd0",
        "kern.panic.exit_code=9",
        *tunables,
        f'kern.script="{script}"',
        memory=memory,
        cpus=cpus,
        disks=[disk],
    ) as m:
        assert m.end() == 9, m.text
    core = machine.dump_of(disk, work / "core")
    disk.unlink()
    return m.text, core


def follow_items(core, first, count):
    """Check count items of the list, and that their numbers go down by one."""
    where, number = first, None
    for _ in range(count):
        data = read(core, f"{where:#x}", 24)
        assert data is not None, f"{where:#x} is not in the dump"
        link, this, check = struct.unpack("<3Q", data)
        assert (link ^ this) * ITEM_MAGIC % (1 << 64) == check
        assert number is None or this == number - 1
        where, number = link, this


def check_left_out(core, text):
    """User memory to the page, as it was filled, and what is free."""
    info = json.loads(run(vmcore, "info", "--json", core).stdout)
    left = {row["owner"]: row["pages"] for row in info["left_out"]}
    filled, free = re.search(r"user: (\d+) pages, (\d+) free", text).groups()
    assert left["user"] == int(filled), (left, text)
    assert abs(left["free"] - int(free)) < 64, (left, text)
    assert left["page array"] > 0, left
    memory = sum(left.values()) + info["dumped_pages"]
    assert 0 <= 256 * MB // 4096 - memory < 256, (left, info)


def full_memory(version):
    """Objects are in the dump, what stands for user land is not."""
    text, core = crash(
        "items 50000;user;crash panic",
        f"debug.minidump_version={version}",
        memory=256,
    )
    items = int(re.search(r"items: 50000, the last at (0x\w+)", text)[1], 16)
    user = re.search(r"user: (\d+) pages.* last at (0x\w+)", text)
    assert int(user[1]) > 50000, text
    assert core.stat().st_size < 8 * MB, core.stat()
    follow_items(core, items, 100)
    said = run(vmcore, "read", "-p", "-N", kernel, user[2], 64, core)
    assert b"is not in the dump: a page of user memory" in said.stderr, said
    check_left_out(core, text)
    assert read(core, items, 64) is not None


def mappings(memory):
    """What describes mappings of users is left out and named; all else is there."""
    mapped = memory * 7 // 8
    text, core = crash(f"mapped {mapped * MB};crash panic", memory=memory)
    said = re.search(r"mapped: (\d+) pages in (\d+) address spaces", text)
    pages = int(said[1])
    assert pages == mapped * MB // 4096, text
    assert core.stat().st_size <= min(memory // 128, 48) * MB, core.stat()
    info = json.loads(run(vmcore, "info", "--json", core).stdout)
    left = {row["owner"]: row["pages"] for row in info["left_out"]}
    assert left["user"] == pages, left
    # Nodes of 16 pages and 144 bytes; tables of 512 pages.
    assert left["VM"] >= pages / 16 * 144 / 4096, left
    assert left["user page table"] >= pages / 512, left
    coroner.audit(core)


def same_in_all():
    """The full dump and version 3 hold the same objects."""
    for tunables in (["debug.minidump=0"], ["debug.minidump_version=3"]):
        text, core = crash("items 1000;crash null", *tunables, memory=64)
        items = re.search(r"items: 1000, the last at (0x\w+)", text)[1]
        follow_items(core, int(items, 16), 20)


def storm(kind):
    """All CPUs allocate and free while one of them dies."""
    text, core = crash(
        f"storm 6;sleep 1;crash {kind}", memory=128, cpus=4
    )
    assert "Dump complete" in text, text
    threads = json.loads(
        run(vmcore, "bt", "--json", "-a", "-N", kernel, core).stdout
    )
    states = [thread["state"] for thread in threads]
    assert states.count("crashed") == 1
    assert states.count("running") == 3
    for thread in threads:
        if not thread["name"].startswith("storm"):
            continue
        symbols = [frame["symbol"] for frame in thread["frames"]]
        assert symbols[-2:] == ["fork_exit", "fork_trampoline"], symbols


def many_threads():
    """Threads come and go without leaving anything."""
    with boot(memory=64, cpus=4) as m:
        m.wait_for("# ")
        for _ in range(5):
            m.command("storm 20")
            m.command("storm")
            m.command("sleep 1")
        for _ in range(60):
            m.command("sleep 1")
            left = m.command("ps")
            if "storm" not in left:
                break
        assert "storm" not in left, left
        m.send("exit 0\r")
        assert m.end() == 0


SECRET = 0x7365637265742121


def secrets(tunable, dumped):
    """No byte of what is never dumped is in a minidump."""
    text, core = crash("secret;crash panic", tunable, memory=64)
    places = re.findall(r"secret: \w+ at (0x\w+)", text)
    assert len(places) == 4, text
    data = core.read_bytes()
    for place in places:
        said = run(vmcore, "read", "--raw", "-N", kernel, place, 64, core)
        assert (said.returncode == 0) == dumped, said
        assert dumped or b"keeps out of dumps" in said.stderr, said
        word = struct.pack("<Q", SECRET ^ int(place, 16) + 8)
        assert (word in data) == dumped, place


def drained():
    """The last pages are for those who ask for the reserve.

    Others leave 2 of them, or 3: an item of a page may need another page, for the
    header of its slab.
    """
    with boot(memory=64, cpus=1) as m:
        m.wait_for("# ")
        for _ in range(2):  # it gives back what it took
            m.send("drain\r")
            said = m.wait_for(r"drain: (\d+) pages are left, (\d+) of the")
            assert int(said[1]) in (2, 3) and int(said[2]) == 0, said[0]
        m.send("exit 0\r")
        assert m.end() == 0


tests = tap.Tests()
for number in (1, 3):
    tests.case(f"a memory that is full, version {number}", full_memory, number)
tests.case(
    f"7/8 of {mapped_memory} MB are mapped", mappings, int(mapped_memory)
)
tests.case("objects in a full dump and in version 3", same_in_all)
for setting, holds in (
    ("debug.minidump_version=1", False),
    ("debug.minidump_version=3", False),
    ("debug.minidump=0", True),
):
    tests.case(f"what is never dumped, {setting}", secrets, setting, holds)
for crash_kind in ("panic", "othercpu", "interrupt", "locked"):
    tests.case(f"a storm of allocations, and {crash_kind}", storm, crash_kind)
tests.case("many threads, one after the other", many_threads)
tests.case("all of 64 MB is allocated", drained)
tests.run()
