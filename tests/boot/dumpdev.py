"""usage: dumpdev.py RUN-KERNEL KERNEL VMCORE

Where dumps go: what one line says of it at boot and at a panic, and that it is
true; partitions, and what a partition table can do to us.
"""

import functools
import hashlib
import pathlib
import re
import sys
import tempfile

import images
import machine
import tap

run_kernel, kernel, vmcore = sys.argv[1:]
boot = functools.partial(machine.Machine, run_kernel, kernel)
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

KB = 1 << 10
MB = 1 << 20
MEMORY = 64

BROKEN = {"crc": 1}  # a table's header that is not to be believed


def crash(*tunables, disks, cpus=2, **options):
    """Panic: all that was said."""
    with boot(
        *tunables,
        "kern.panic.exit_code=9",
        'kern.script="crash panic"',
        memory=MEMORY,
        cpus=cpus,
        disks=disks,
        **options,
    ) as m:
        assert m.end() == 9, m.text
    return m.text


def announced(text):
    """What is said at boot, which must be what is said at the panic."""
    early, late = re.findall(r"(?m)^dump: (?:after a panic|now): (.*)$", text)
    assert re.sub(r"\d+", "N", early) == re.sub(r"\d+", "N", late), text
    return late


def make_disks(sizes):
    return [
        machine.make_disk(work / f"disk{i}", size)
        for i, size in enumerate(sizes)
    ]


# Disks, tunables, and the line; "to DISK" in it is where the dump must be.
LINES = [
    ("no device", [], [], r"none; dumpdev is not set"),
    ("a disk", [8 * MB], ["dumpdev=vtbd0"], r"minidump of \d+ KB to vtbd0"),
    ("no such disk", [8 * MB], ["dumpdev=vtbd3"], r"none; vtbd3: no such disk"),
    (
        "no disk by that name",
        [],
        ["dumpdev=a-name-that-is-much-longer-than-that-of-any-disk"],
        r"none; a-name-that-is-much-longer-than: no such disk",
    ),
    (
        "too small for anything",
        [256 * KB],
        ["dumpdev=vtbd0"],
        r"none; \d+ KB are needed; vtbd0, 256 KB, is too small",
    ),
    (
        "nothing at all",
        [512],
        ["dumpdev=vtbd0"],
        r"none; \d+ KB are needed; vtbd0, 1 KB, is too small",
    ),
    (
        "all of them too small",
        [256 * KB, 128 * KB],
        ["dumpdev=vtbd0,vtbd1"],
        r"none; \d+ KB are needed; vtbd0, 256 KB, is too small; "
        r"vtbd1, 128 KB, is too small",
    ),
    (
        "the second is large enough",
        [256 * KB, 8 * MB],
        ["dumpdev=vtbd0,vtbd1"],
        r"minidump of \d+ KB to vtbd1; vtbd0, 256 KB, is too small",
    ),
    (
        "the second is there",
        [8 * MB],
        ["dumpdev=vtbd9,vtbd0,vtbd0p1"],
        r"minidump of \d+ KB to vtbd0; vtbd9: no such disk; "
        r"vtbd0p1: no partition table that is whole",
    ),
    (
        "more than there can be",
        [8 * MB],
        ["dumpdev=vtbd0,,a,b,c,d"],
        r"minidump of \d+ KB to vtbd0; a: no such disk; b: no such disk; "
        r"c: no such disk; only the first 4 are used",
    ),
    (
        "a full dump",
        [80 * MB],
        ["dumpdev=vtbd0", "debug.minidump=0"],
        r"full dump of 65\d{3} KB to vtbd0",
    ),
    (
        "no room for a full dump",
        [8 * MB],
        ["dumpdev=vtbd0", "debug.minidump=0"],
        r"minidump of \d+ KB to vtbd0; all memory, \d+ KB, does not fit",
    ),
]


def line(sizes, tunables, want):
    disks = make_disks(sizes)
    text = crash(*tunables, disks=disks)
    said = announced(text)
    assert re.fullmatch(want, said), said
    target = re.search(r"to vtbd(\d)", said)
    assert ("Dump complete" in text) == bool(target), text
    for i, disk in enumerate(disks):
        dump = machine.dump_of(disk, work / "core")
        assert (dump is not None) == bool(target and target[1] == str(i))


def read_only():
    (disk,) = make_disks([8 * MB])
    text = crash("dumpdev=vtbd0", disks=[f"{disk},readonly=on"])
    assert announced(text) == "none; vtbd0: read only", text


SECTORS = [512, 1024, 2048, 4096]


def to_the_sector(sector):
    """The smallest dump on the smallest disk, and on one a sector smaller."""
    on_one_cpu = functools.partial(
        crash, "dumpdev=vtbd0", cpus=1, sector=sector
    )
    text = on_one_cpu(disks=make_disks([256 * KB]))
    assert f"vtbd0: 0 MB, sectors of {sector} bytes\n" in text, text
    need = int(re.search(r"dump: now: none; (\d+) KB", text)[1]) * KB
    (disk,) = make_disks([need])
    text = on_one_cpu(disks=[disk])
    assert "now: minidump of" in text, text
    assert "; owners of pages do not fit; the page array does" in text, text
    assert machine.dump_of(disk, work / "core", sector) is not None
    saved(disk)
    (disk,) = make_disks([need - sector])
    text = on_one_cpu(disks=[disk])
    assert f"now: none; {need // KB} KB are needed" in text, text
    assert not any(disk.read_bytes()), "something was written"


def changed():
    """What a variable that is set makes of it is said at once."""
    disks = make_disks([8 * MB, 80 * MB])
    with boot("dumpdev=vtbd0", memory=MEMORY, disks=disks) as m:
        m.wait_for("# ")
        for variable, want in (
            ("debug.minidump=0", r"minidump .* vtbd0; all memory, .* not fit"),
            ("kern.shutdown.dumpdevname=vtbd1", r"full dump of .* to vtbd1"),
            ("debug.minidump=1", r"minidump of \d+ KB to vtbd1"),
            ("kern.shutdown.dumpdevname=vtbd5", r"none; vtbd5: no such disk"),
            ("kern.shutdown.dumpdevname=", r"none; dumpdev is not set"),
        ):
            said = m.command(f"sysctl {variable}").split("\n")[0]
            assert re.fullmatch(f"dump: after a panic: {want}", said), said


# ---- partitions ----

OTHER = images.some_bytes(40 * KB, seed=1)


def partitions(swap_len=8 * MB, sector=512, **changed):
    """A disk: ufs, swap, ufs; and where its swap partition lies."""
    swap = bytes(swap_len)
    parts = [(images.UFS, OTHER), (images.SWAP, swap), (images.UFS, OTHER)]
    first = 2 + 128 * 128 // sector
    last = first - 1 + (2 * len(OTHER) + len(swap)) // sector
    for table in ("primary", "backup"):
        changed[table] = {"first": first, "last": last} | changed.get(
            table, {}
        )
    disk = work / "parted"
    disk.write_bytes(images.disk(parts, sector, **changed))
    start = first * sector + len(OTHER)
    return disk, start, start + len(swap)


def digest(disk, start, end):
    """Of all but the bytes from start to end."""
    data = disk.read_bytes()
    return hashlib.sha256(data[:start] + data[end:]).hexdigest()


def saved(disk):
    """The dump on a disk, as savecore would take it: the crash it tells of."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    run = tap.run(vmcore, "save", disk, folder)
    assert run.status == 0 and run.out == f"{folder}/vmcore.0\n", run
    info = tap.run(vmcore, "info", "-N", kernel, folder / "vmcore.0").out
    assert re.search(r"(?m)^panic: +crash: as you asked$", info), info


def dump_to_partition(sector, changed):
    """The dump is in the partition, and nowhere else is a byte changed."""
    disk, start, end = partitions(sector=sector, **changed)
    before = digest(disk, start, end)
    text = crash("dumpdev=vtbd0p2", disks=[disk], sector=sector)
    assert re.fullmatch(r"minidump of \d+ KB to vtbd0p2", announced(text)), text
    assert re.search(r"Dumping \d+ out of 63 MB:", text), text
    assert digest(disk, start, end) == before
    # Boot blocks and labels at the partition's start are left alone, too.
    assert not any(disk.read_bytes()[start : start + 64 * KB])
    saved(disk)


def other_sectors(made, used):
    """A disk copied from one with other sectors is left alone."""
    disk, _, _ = partitions(sector=made)
    data = disk.read_bytes()
    disk.write_bytes(bytes(512) + data[512:])  # not even an MBR
    before = digest(disk, 0, 0)
    for name, why in (
        ("vtbd0", "it has partitions, name one of them"),
        ("vtbd0p2", "no partition table that is whole"),
    ):
        text = crash(f"dumpdev={name}", disks=[disk], sector=used)
        assert announced(text) == f"none; {name}: {why}", text
        assert digest(disk, 0, 0) == before


def huge_sectors():
    """Sectors of more than a page: the disk is not used, the next one is."""
    (disk,) = make_disks([8 * MB])
    text = crash("dumpdev=vtbd0", disks=[disk], sector=8192)
    assert "vtbd0: cannot use sectors of 8192 bytes\n" in text, text
    assert announced(text) == "none; vtbd0: no such disk", text
    assert not any(disk.read_bytes()), "something was written"


def entries(*parts):
    return b"".join(images.entry(*part) for part in parts)


# Faults of a partition table or a name, and the message for each.
REFUSED = {
    "a file system": ("vtbd0p1", {}, "not a freebsd-swap partition"),
    "no such partition": ("vtbd0p4", {}, "no such partition"),
    "past the table's end": ("vtbd0p129", {}, "no such partition"),
    "a number too large": ("vtbd0p65537", {}, "no such disk"),
    "partition 0": ("vtbd0p0", {}, "no such disk"),
    "no number": ("vtbd0px", {}, "no such disk"),
    "the whole disk": ("vtbd0", {}, "it has partitions, name one of them"),
    "the whole disk, its table damaged": (
        "vtbd0",
        {"primary": BROKEN, "backup": {"signature": bytes(8)}},
        "it has partitions, name one of them",
    ),
    "the whole disk, of its table the copy": (
        "vtbd0",
        {"primary": {"signature": bytes(8)}, "backup": BROKEN},
        "it has partitions, name one of them",
    ),
    "both tables damaged": (
        "vtbd0p2",
        {"primary": BROKEN, "backup": BROKEN},
        "no partition table that is whole",
    ),
    "both arrays damaged": (
        "vtbd0p2",
        {"primary": {"array_crc": 1}, "backup": {"array_crc": 1}},
        "no partition table that is whole",
    ),
    "an array outside of the disk": (
        "vtbd0p2",
        {
            "primary": {"array_lba": 1 << 60},
            "backup": {"array_lba": (1 << 64) - 1},
        },
        "no partition table that is whole",
    ),
    "more partitions than anybody has": (
        "vtbd0p2",
        {"primary": {"count": 512}, "backup": BROKEN},
        "no partition table that is whole",
    ),
    "on its neighbour": (
        "vtbd0p2",
        {"entries": entries((34, 114, images.UFS), (113, 9000))},
        "the partition overlaps another one",
    ),
    "over the other table": (
        "vtbd0p1",
        {"entries": entries((34, 1 << 40))},
        "the partition is not where partitions can be",
    ),
    "over this table": (
        "vtbd0p1",
        {"entries": entries((1, 9000)), "primary": {"first": 1}},
        "the partitions are in the way of their table",
    ),
}


def refused(name, changed, why):
    """It is said, and the disk stays as it was."""
    disk, _, _ = partitions(**changed)
    before = digest(disk, 0, 0)
    text = crash(f"dumpdev={name}", disks=[disk])
    assert announced(text) == f"none; {name}: {why}", text
    assert digest(disk, 0, 0) == before


def mbr():
    """The disk of an old PC: no partition of it is ours to write to."""
    (disk,) = make_disks([8 * MB])
    data = disk.read_bytes()
    data = images.mbr(63, len(data) // 512 - 63) + data[512:]
    disk.write_bytes(data)
    text = crash("dumpdev=vtbd0", disks=[disk])
    why = "it has an MBR's partitions, which are not used"
    assert announced(text) == f"none; vtbd0: {why}", text
    assert disk.read_bytes() == data


def partition_too_small():
    disk, _, _ = partitions(swap_len=256 * KB)
    before = digest(disk, 0, 0)
    said = announced(crash("dumpdev=vtbd0p2", disks=[disk]))
    assert said.endswith("needed; vtbd0p2, 256 KB, is too small"), said
    assert digest(disk, 0, 0) == before


tests = tap.Tests()
for row_name, *arguments in LINES:
    tests.case(f"one line: {row_name}", line, *arguments)
tests.case("one line: read only", read_only)
for size in SECTORS:
    tests.case(f"one line: to the sector of {size}", to_the_sector, size)
tests.case("one line: variables are set", changed)
for size in SECTORS:
    tests.case(f"a partition, sectors of {size}", dump_to_partition, size, {})
    tests.case(f"a partition by the copy of its table, sectors of {size}",
               dump_to_partition, size, {"primary": BROKEN})
tests.case("no disk: sectors of two pages", huge_sectors)
tests.case("no partition: a table for sectors of 512 on sectors of 4096",
           other_sectors, 512, 4096)
tests.case("no partition: a table for sectors of 4096 on sectors of 512",
           other_sectors, 4096, 512)
tests.case("a partition that is too small", partition_too_small)
tests.case("no partition: those of an MBR", mbr)
for row_name, arguments in REFUSED.items():
    tests.case(f"no partition: {row_name}", refused, *arguments)
tests.run()
