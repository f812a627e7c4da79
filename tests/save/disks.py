"""usage: disks.py VMCORE

Where vmcore save finds dumps on disks as people have them: slices and bsdlabels,
GEOM's own sectors, partition tables of which parts are lost, and offsets.
"""

import bz2
import gzip
import itertools
import lzma
import os
import re
import shlex
import shutil

import images
from images import (
    FILLER, SWAP, UFS, dump1, dump4, extended_disk, falsify, geom, label,
    mbr_disk, slice_of, some_bytes, table,
)
from scene import CORES, DATA, NO_DUMP, VMCORE, Scene
from tap import Tests, expect, run

GOOD = dump4(DATA)
SECTORS = (512, 1024, 2048, 4096)

tests = Tests()


def wide_table():
    """64 entries of 256 bytes, the second of which has the dump."""
    first = 2 + 64 * 256 // 512
    start = first + len(FILLER) // 512
    entries = images.entry(first, start - 1, UFS).ljust(256, b"\0")
    entries += images.entry(start, start + len(GOOD) // 512 - 1).ljust(256, b"\0")
    wide = {"entry_len": 256, "count": 64}
    parts = [(UFS, FILLER), (SWAP, GOOD)]
    return images.disk(parts, entries=entries, primary=wide, backup=wide)


def far_table():
    """The only header's array is after the partitions, not where it mostly is."""
    array_lba = 2 + 32 + len(GOOD) // 512
    disk = images.disk([(SWAP, GOOD)], primary={"array_lba": array_lba})
    return falsify(disk[:-512] + bytes(512), 1024, bytes(128))


# Name, image, where it says that the dump is.
FOUND = [
    (f"a mirror in sectors of {n}", geom(dump4(DATA, n), n), "") for n in SECTORS
]
FOUND += [
    (f"a slice in sectors of {n}", mbr_disk([(0xA5, dump4(DATA, n))], n), " slice 1")
    for n in SECTORS
]
FOUND += [
    (
        f"a bsdlabel in sectors of {n}",
        mbr_disk([(0x83, FILLER), (0xA5, slice_of(dump4(DATA, n), n))], n),
        " slice 2 partition b",
    )
    for n in SECTORS
]
FOUND += [
    (
        f"a label on a mirror on a partition in sectors of {n}",
        images.disk(
            [
                (UFS, FILLER),
                (SWAP, geom(geom(dump4(DATA, n), n, b"GEOM::LABEL"), n)),
            ],
            n,
        ),
        " partition 2",
    )
    for n in SECTORS
]
FOUND += [
    (
        f"a table in sectors of {n}, the dump in sectors of 512",
        images.disk([(SWAP, GOOD)], n),
        " partition 1",
    )
    for n in SECTORS
]
FOUND += [
    ("version 1 on a mirror", geom(dump1(DATA[:9728])), ""),
    ("a block size of nothing", dump4(DATA, block=0), ""),
    ("a block size of an odd number", dump4(DATA, block=513), ""),
    ("a block size that is not the sector's", dump4(DATA, 4096, block=512), ""),
    ("sectors of 512 with a block size of 4096", dump4(DATA, block=4096), ""),
    ("sectors of 8192", dump4(DATA, 8192), ""),
    ("a slice of Linux's swap", mbr_disk([(0x82, GOOD)]), " slice 1"),
    ("a partition in an extended one", extended_disk(GOOD), " slice 6"),
    ("a label without slices", slice_of(GOOD), " partition b"),
    (
        "a label's unused partition",
        mbr_disk([(0xA5, slice_of(GOOD, kind=0))]),
        " slice 1 partition b",
    ),
    (
        "a label that counts from the disk's start",
        mbr_disk([(0xA5, slice_of(GOOD, raw=63))]),
        " slice 1 partition b",
    ),
    (
        "a label in a GUID partition",
        images.disk(
            [(bytes.fromhex("b47c6e51cf6ed6118ff800022d09712b"), slice_of(GOOD))]
        ),
        " partition 1 partition b",
    ),
    (
        "a copy of the table before a mirror's sector",
        geom(falsify(images.disk([(SWAP, GOOD)]), 512, bytes(512))),
        " partition 1",
    ),
    ("a table whose entries have 256 bytes", wide_table(), " partition 2"),
    ("a table whose array is elsewhere", far_table(), " partition 1"),
    (
        "a copy of the table where the disk once ended",
        falsify(images.disk([(SWAP, GOOD)]), 600, b"?") + bytes(1 << 20),
        " partition 1",
    ),
    (
        "a damaged array, and a copy where the disk once ended",
        falsify(images.disk([(SWAP, GOOD)]), 1024, b"?") + bytes(1 << 20),
        " partition 1",
    ),
]


def check_found(image, where):
    """It is told where, is saved whole, and is not there any more."""
    with Scene(image) as scene:
        result = scene.check()
        expect(result, os.EX_OK)
        assert result.out.startswith(f"{scene.image}{where}: a dump"), result
        assert result.out.count("\n") == 1 and result.err == "", result
        expect(scene.save(), os.EX_OK)
        saved = scene.read("vmcore.0")
        assert saved in (DATA, DATA[:9728])
        assert b"Dump Status: good\n" in scene.read("info.0")
        expect(scene.check(), NO_DUMP, "saved before")


for row in FOUND:
    tests.case(f"finds: {row[0]}", check_found, *row[1:])


# ---- what is not there, or damaged ----

LOST = falsify(falsify(images.disk([(SWAP, GOOD)]), 512, bytes(512)), -512, bytes(512))
NO_TABLE = (
    "no dump at its end, and no partition table (--offset 0 searches all of it)\n"
)

NOT_FOUND = [
    ("a slice of a file system", mbr_disk([(0x83, GOOD)]), NO_DUMP, "no dump\n"),
    (
        "a label's file system",
        mbr_disk([(0xA5, slice_of(GOOD, kind=7))]),
        *(NO_DUMP, "no dump\n"),
    ),
    (
        "a slice that was cut off",
        mbr_disk([(0xA5, GOOD)])[: -len(GOOD) // 2],
        *(os.EX_DATAERR, "slice 1 ends past the disk's end"),
    ),
    ("both tables lost", LOST, os.EX_DATAERR, "partition table is lost"),
    (
        "too far before the end",
        GOOD + bytes(512 * 8),
        *(NO_DUMP, NO_TABLE),
    ),
    ("all tables lost", falsify(LOST, 0, bytes(512)), NO_DUMP, NO_TABLE),
    ("no table, and no dump", FILLER, NO_DUMP, NO_TABLE),
    ("a disk of nothing", b"", NO_DUMP, "no dump\n"),
    (
        "links of an extended partition in a circle",
        mbr_disk([(0x05, table((1, 8, 0x83), (0, 100, 5)) + FILLER)]),
        *(NO_DUMP, "no dump\n"),
    ),
    (
        "a label of all numbers",
        mbr_disk([(0xA5, bytes(512) + label([((1 << 32) - 1, (1 << 32) - 1, 1)]))]),
        *(NO_DUMP, "no dump\n"),
    ),
]


def check_not_found(image, status, message):
    with Scene(image) as scene:
        expect(scene.check(), status, message)
        expect(scene.save(), status, message)
        assert scene.names() == [], scene.names()
        assert scene.image_bytes() == image


for row in NOT_FOUND:
    tests.case(f"does not find: {row[0]}", check_not_found, *row[1:])


def check_all_lost():
    """What the message says works."""
    with Scene(falsify(LOST, 0, bytes(512))) as scene:
        expect(scene.save("--offset", "0"), os.EX_OK)
        assert scene.read("vmcore.0") == DATA


tests.case("--offset 0 where all tables are lost", check_all_lost)

SAVED_ALREADY = "it is a dump that was saved already, which vmcore info"
ELF_FILE = "it is an ELF file, a kernel or another program, and no core\n"


def check_no_disk(start, kind):
    """What is no disk is named, with the command that opens it."""
    with Scene(start.ljust(1 << 20, b"\0")) as scene:
        for result in (scene.check(), scene.save(), scene.save("-f")):
            expect(result, NO_DUMP, f"no dump on it: {kind}")


def elf(data, kind):
    """The start of a 64-bit file: its byte order and its type."""
    return b"\x7fELF\2" + bytes([data, 1, 9]) + bytes(8) + kind + b"\x3e\0"


for row in [
    ("a minidump", b"minidump FreeBSD/amd64\0\0\1\0\0\0", SAVED_ALREADY),
    ("a full dump", elf(1, b"\4\0"), SAVED_ALREADY),
    ("a full dump of a big-endian machine", elf(2, b"\0\4"), SAVED_ALREADY),
    ("a kernel", elf(1, b"\2\0"), ELF_FILE),
    ("a module", elf(1, b"\1\0"), ELF_FILE),
    ("a library", elf(1, b"\3\0"), ELF_FILE),
    ("an ELF file of no byte order", elf(0, b"\4\0"), ELF_FILE),
]:
    tests.case(f"{row[0]} in place of a disk", check_no_disk, *row[1:])


def check_device(path, kind):
    """What is no disk has no dumps, and is not looked at for them."""
    with Scene(b"") as scene:
        os.mkfifo(os.path.join(scene.work.name, "fifo"))
        path = os.path.join(scene.work.name, path)
        result = run(VMCORE, "save", "-k", path, scene.folder)
        message = f"{path}: neither a regular file nor a disk, but {kind}\n"
        expect(result, os.EX_NOINPUT, message)
        assert scene.names() == [], scene.names()


for path, kind in [
    ("/dev/null", "a character device"),
    ("/dev/zero", "a character device"),
    ("/dev/full", "a character device"),
    ("/dev/ptmx", "a character device"),
    ("fifo", "a fifo"),
    ("/", "a directory"),
]:
    tests.case(f"{path} in place of a disk", check_device, path, kind)


def check_mbr_dump_and_lost():
    """A dump on a partition that no table names is not taken for the disk's."""
    image = images.disk([(UFS, dump4(DATA, 4096))], 4096)
    with Scene(image) as scene:
        expect(scene.check(), NO_DUMP, "no dump")


tests.case("a file system's dump near the disk's end", check_mbr_dump_and_lost)

# ---- --offset ----


def check_offset(image, words, data):
    with Scene(image) as scene:
        expect(scene.save(*words), os.EX_OK)
        assert scene.read("vmcore.0") == data
        expect(scene.save("-k", *words), NO_DUMP, "saved before")


IN_THE_MIDST = FILLER + GOOD + FILLER
for name, image, words in [
    ("from the start", IN_THE_MIDST, ["--offset", "0"]),
    ("from the partition's start", IN_THE_MIDST, ["--offset", "8K"]),
    ("of a partition", IN_THE_MIDST, ["--offset", "8K", "--length", str(len(GOOD))]),
    ("of a mirror", FILLER + geom(GOOD) + FILLER, ["--offset", "8192"]),
    ("that is odd", b"x" * 100 + GOOD + FILLER, ["--offset", "100"]),
    ("both tables lost", LOST, ["--offset", "0"]),
    ("a qcow2 in front", b"QFI\xfb" + bytes(508) + GOOD, ["--offset", "512"]),
    (
        "in sectors of 4096",
        FILLER + dump4(DATA, 4096) + FILLER,
        ["--offset", "0"],
    ),
    ("version 1", FILLER + dump1(DATA) + FILLER, ["--offset", "0"]),
] + [
    (
        f"in sectors of {sector} with a block size of {block}",
        FILLER + dump4(DATA, sector, block=block) + FILLER,
        ["--offset", "0"],
    )
    for sector, block in [(512, 0), (512, 513), (4096, 0), (4096, 512), (512, 4096)]
]:
    tests.case(f"--offset {name}", check_offset, image, words, DATA)


def check_offset_two():
    """All dumps from there on, and none twice."""
    with Scene(FILLER + GOOD + FILLER + dump4(DATA[:99], 4096) + FILLER) as scene:
        expect(scene.save("--offset", "0"), os.EX_OK)
        assert scene.read("vmcore.0") == DATA
        assert scene.read("vmcore.1") == DATA[:99]
        assert "vmcore.2" not in scene.names(), scene.names()


def check_offset_max():
    """A dump that this run saved is not replaced."""
    with Scene(FILLER + GOOD + FILLER + dump4(DATA[:99], 4096) + FILLER) as scene:
        result = scene.save("-m", "1", "--offset", "0")
        expect(result, os.EX_CANTCREAT, "replace a dump saved right now")
        assert scene.read("vmcore.0") == DATA
        expect(scene.save("--offset", "0"), os.EX_OK)
        assert scene.read("vmcore.1") == DATA[:99]


def check_offset_half(damaged, message):
    """One header is enough to find a dump, but not to trust it."""
    data = b"minidump FreeBSD/amd64\0" + DATA
    whole = dump4(data)
    header = whole.index(images.KERNEL) if damaged == "first" else len(whole) - 512
    image = falsify(whole, header, FILLER[:512])
    with Scene(FILLER + image + FILLER) as scene:
        expect(scene.save("-k", "--offset", "0"), os.EX_DATAERR, message)
        assert scene.names() == [], scene.names()
        expect(scene.save("-kf", "--offset", "0"), os.EX_OK, message)
        assert scene.read("vmcore.0") == data
        assert b"Dump Status: bad\n" in scene.read("info.0")


TEXT = (bytes(257) + b"ustar\0").ljust(512, b"t") + some_bytes(512 * 9)
GZIP, ZSTD = ((dump4, {"compression": n}) for n in (1, 2))
LONE = [
    ("a minidump", "vmcore.0", b"minidump FreeBSD/amd64\0" + DATA[:9000], dump4, {}),
    ("a full dump", "vmcore.0", elf(1, b"\4\0") + DATA[:9000], dump4, {}),
    ("gzip", "vmcore.0.gz", b"\x1f\x8b\x08" + DATA[:9000], *GZIP),
    ("zstd", "vmcore.0.zst", b"\x28\xb5\x2f\xfd" + DATA[:9000], *ZSTD),
    ("a textdump", "textdump.tar.0", TEXT, images.textdump, {}),
]


def check_offset_lone(name, data, make, changed):
    """A lone header is the last one if a dump begins where its dump would."""
    image = make(data, **changed)
    damaged = falsify(image, image.index(b"FreeBSD "), FILLER[:512])
    with Scene(FILLER + damaged + FILLER * 20) as scene:
        result = scene.save("-kf", "--offset", "0")
        expect(result, os.EX_OK, "the headers before and after the dump differ")
        assert scene.read(name) == data


for what, *row in LONE:
    tests.case(f"--offset with the last header of {what}", check_offset_lone, *row)


def check_lone_key(lost, sector):
    """The key of an encrypted dump tells which header of it is left."""
    key = (b"\1" + some_bytes(32, 3) + (256).to_bytes(4, "big") + some_bytes(256, 4))
    key = key.ljust(sector, b"\0")
    data = some_bytes(20 * sector, 7)
    image = dump4(data, key=key, sector=sector)
    header = image.index(images.KERNEL) if lost == "first" else len(image) - sector
    with Scene(FILLER + falsify(image, header, FILLER[:512]) + FILLER * 3) as scene:
        expect(scene.save("-kf", "--offset", "0"), os.EX_OK, "the header")
        assert scene.read("vmcore_encrypted.0") == data
        assert scene.read("key.0") == key


for lost, sector in itertools.product(("first", "last"), (512, 4096)):
    tests.case(
        f"--offset, encrypted: the {lost} header is lost, sectors of {sector}",
        *(check_lone_key, lost, sector),
    )


def check_lone_unknown(sectors, block, lost, make):
    """A lone header before or after what may be anything: no guess is saved."""
    data = some_bytes(512 * sectors, 7)
    image = dump4(data, block=block)
    header = image.index(images.KERNEL) if lost == "first" else len(image) - 512
    before, after, words = make
    image = before + falsify(image, header, FILLER[:512]) + after
    with Scene(image) as scene:
        for more in ([], ["-f"]):
            result = scene.save(*more, *words)
            expect(result, os.EX_DATAERR, "nothing tells whether the dump is before")
            assert scene.names() == [], scene.names()
        first, last = re.search(
            "--offset ([0-9]+) .* --offset 0 --length ([0-9]+) ", result.err).groups()
        words = ["--offset", first] if lost == "last" else \
            ["--offset", "0", "--length", last]
        expect(scene.save("-kf", *words), os.EX_OK, "the header")
        assert scene.read("vmcore.0") == data


SEARCHED = (FILLER, FILLER * 3, ["--offset", "0"])
MIRRORED = (b"", bytes(7 * 512), [])
for what, make, lengths in [
    ("in a search", SEARCHED, (1, 2, 6, 7, 40)),
    ("near the end", MIRRORED, (1, 2, 5)),
]:
    for sectors, lost in itertools.product(lengths, ("first", "last")):
        if what == "near the end" and lost == "last":
            continue
        for block in (512, 0):
            tests.case(
                f"no {lost} header of {sectors} unknown sectors {what}, block {block}",
                *(check_lone_unknown, sectors, block, lost, make),
            )


def check_short_lone(lost, where):
    """So is a lone header of a short dump, at the end of a disk."""
    data = b"\x1f\x8b\x08" + DATA[:1021]
    image = dump4(data, compression=1)
    header = image.index(images.KERNEL) if lost == "first" else len(image) - 512
    with Scene(where(falsify(image, header, FILLER[:512]))) as scene:
        result = scene.save("-kf")
        expect(result, os.EX_OK, "the header")
        assert scene.read("vmcore.0.gz") == data


for what, where in [("disk", bytes), ("mirror", lambda image: geom(geom(image)))]:
    for lost in ("first", "last"):
        tests.case(
            f"without the {lost} header of a short dump on a {what}",
            *(check_short_lone, lost, where),
        )


def stale(extra=0):
    """
    The first header of an older dump, before a younger one in its place.  What
    the older one claims goes on for extra bytes.
    """
    length = 4096 + len(GOOD) - 512 + extra
    return FILLER + images.header4(length, time=1) + FILLER[:4096] + GOOD + FILLER


STALE = "the header after the dump is another one"


def check_offset_stale(extra):
    """What an older dump has left does not hide the younger one."""
    with Scene(stale(extra)) as scene:
        expect(scene.save("--offset", "0"), os.EX_DATAERR, STALE)
        assert scene.read("vmcore.0") == DATA
        assert scene.names() == sorted(["bounds"] + CORES), scene.names()
        expect(scene.save("--offset", "8704"), NO_DUMP, "saved before")


def check_offset_stale_mark():
    """The younger dump is not marked as saved when the older one is saved."""
    with Scene(stale()) as scene:
        result = scene.save("-f", "-m", "1", "--offset", "0")
        expect(result, os.EX_DATAERR, "no header of its own after it, for the mark: the next save -f")
        assert "replace a dump saved right now" in result.err, result
        assert scene.image_bytes() == stale()


def check_offset_inside():
    """
    An older dump that was saved does not hide a younger one inside of it; a
    header in its memory is none.
    """
    memory = FILLER + images.header4(4096, time=9) + FILLER + GOOD + FILLER
    header = images.header4(len(memory), time=1)
    cleared = images.CLEARED.ljust(20, b"\0") + header[20:]
    with Scene(FILLER + header + memory + cleared) as scene:
        expect(scene.save("--offset", "0"), os.EX_OK, "")
        assert scene.read("vmcore.0") == DATA
        assert scene.names() == sorted(["bounds"] + CORES), scene.names()


def check_late_partition():
    """A table that is wrong does not hide the dump at the disk's end."""
    count = (len(GOOD) - 8192) // 512
    image = bytes(512) + label([(0, 0, 0), (8, len(GOOD) // 512 - 8 + 2, 1)]) + GOOD
    with Scene(image) as scene:
        result = scene.save()
        expect(result, os.EX_DATAERR, "the dump is larger than its device")
        assert scene.read("vmcore.0") == DATA
        expect(scene.save(), NO_DUMP, "saved before")


def check_offset_behind():
    with Scene(GOOD) as scene:
        for words in (["--offset", "1M"], ["--offset", "1K", "--length", "1M"]):
            result = scene.save(*words)
            expect(result, os.EX_DATAERR, "the disk ends before that")


def check_offset_sector(image, words, message):
    """Nothing lies whole sectors from there: which place may have been meant?"""
    with Scene(image) as scene:
        for more in ((), ("-f",), ("-C",)):
            expect(scene.save(*more, *words), NO_DUMP, message)
        assert scene.names() == [], scene.names()


for name, words, message in [
    ("", ["--offset", "8193"], "(--offset 8192 is the start of that sector)"),
    ("in the dump's sector", ["--offset", "8191"],
     "(--offset 7680 is the start of that sector)"),
    ("with a length", ["--offset", "8200", "--length", str(len(GOOD))],
     "(--offset 8192 is the start of that sector)"),
    ("of which the length is none", ["--offset", "8K", "--length", str(len(GOOD) - 1)],
     "(--length is not a multiple of 512)"),
]:
    tests.case(f"--offset in the middle of a sector {name}",
               check_offset_sector, IN_THE_MIDST, words, message)


def check_offset_nothing():
    with Scene(FILLER) as scene:
        expect(scene.save("--offset", "0"), NO_DUMP, "no dump")
        # The headers of nothing: their lengths are impossible.
        scene.write(images.header4((1 << 64) - 1, block=(1 << 32) - 1))
        expect(scene.save("--offset", "0"), NO_DUMP, "no dump")


def check_offset_overlap():
    """Headers that all claim the same bytes do not get them saved repeatedly."""
    count, data = 20, some_bytes(1 << 16)
    header = images.header4(len(data) + 512 * (count - 1))
    with Scene(header * count + data + header * count) as scene:
        result = scene.save("-k", "--offset", "0")
        expect(result, os.EX_DATAERR, "overlaps dumps that were saved before")
        assert result.err.count("\n") == count - 1, result
        assert scene.names() == sorted(["bounds"] + CORES), scene.names()


def check_closed(closed, *words):
    """No message gets into the disk, which is open for writing."""
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", VMCORE, "save", *words]
    with Scene(GOOD) as scene:
        assert run(*shell, scene.image, scene.path("none")).status != 0
        assert scene.image_bytes() == GOOD
        run(*shell, scene.image, scene.folder)
        expect(scene.save("-C"), NO_DUMP)
        assert scene.read("vmcore.0") == DATA


for closed in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
    tests.case(f"save {closed}", check_closed, closed, "-v")


def check_allocated():
    """
    Reading a place that was allocated, and not written to, may make it data:
    it is no reason to take the only dump for several.
    """
    data = bytes(40 << 10) + some_bytes(4096) + bytes(300 << 10)
    header = images.header4(len(data))
    image = header + data + header
    with Scene(b"") as scene:
        with open(scene.image, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, len(image))
            for off in range(0, len(image), 4096):
                if image[off : off + 4096].strip(b"\0"):
                    file.seek(off)
                    file.write(image[off : off + 4096])
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        expect(scene.save("-k", "--offset", "0"), os.EX_OK)


tests.case("a dump on an image that was allocated", check_allocated)
MOST = 128  # dumps that one run takes
TINY = [
    images.header4(512, time=i) + DATA[:512] + images.header4(512, time=i)
    for i in range(MOST + 2)
]
LEFT = MOST * len(TINY[0])  # where the first one lies that is left


def check_offset_many(words, done):
    """What one run leaves of very many dumps, another one takes."""
    with Scene(b"".join(TINY)) as scene:
        message = f"at {LEFT}: this dump and all after it are left"
        result = scene.save(*words, "--offset", "0")
        expect(result, os.EX_TEMPFAIL, message)
        assert result.err.count("\n") == 1, result
        assert result.err.endswith(f"(--offset {LEFT} goes on here)\n"), result
        assert done(scene, MOST)
        expect(scene.save(*words, "--offset", LEFT), os.EX_OK)
        assert done(scene, MOST + 2)


tests.case("--offset finds two", check_offset_two)
for name, words, done in [
    ("saved", ["-k"], lambda s, n: len(s.names()) == 2 * n + 3),
    ("marked", ["-c"], lambda s, n: s.image_bytes().count(images.CLEARED) == n),
]:
    tests.case(f"--offset finds many: {name}", check_offset_many, words, done)
tests.case("--offset finds two, -m 1", check_offset_max)
tests.case("--offset finds dumps that overlap", check_offset_overlap)
tests.case(
    "--offset with a last header only", check_offset_half, "first", "differ"
)
tests.case(
    "--offset with a first header only", check_offset_half, "last", "another one"
)
tests.case("--offset with an older dump's first header", check_offset_stale, 0)
tests.case(
    "--offset with an older dump's first header that reaches further",
    *(check_offset_stale, 4096),
)
tests.case("--offset -f with an older dump's first header", check_offset_stale_mark)
tests.case("--offset finds a dump inside of another one", check_offset_inside)
tests.case("a partition that starts too late", check_late_partition)
tests.case("--offset behind the end", check_offset_behind)
tests.case("--offset finds nothing", check_offset_nothing)

# ---- images that are not raw ----


def check_wrapped(start, name, todo):
    with Scene(start.ljust(1 << 20, b"\0")) as scene:
        for result in (scene.check(), scene.save(), scene.save("-f")):
            expect(result, os.EX_DATAERR, name)
            assert todo in result.err, result
        # Sectors of the guest's disk may well lie in the image's order.
        scene.write(start.ljust(512, b"\0") + GOOD)
        expect(scene.save(), os.EX_DATAERR, name)
        assert scene.names() == [], scene.names()


CONVERT = "qemu-img convert -O raw"
for row in [
    (b"QFI\xfb\0\0\0\3", "a qcow2 image", CONVERT),
    (b"KDMV\1\0\0\0", "a VMDK image", CONVERT),
    (b"<<< Oracle VM VirtualBox Disk Image >>>\n", "a VDI image", CONVERT),
    (b"vhdxfile", "a VHDX image", CONVERT),
    (b"conectix", "a VHD image", CONVERT),
    (b"\x1f\x8b\x08", "compressed by gzip", "gzip -dc"),
    (b"\xfd7zXZ\0", "compressed by xz", "xz -dc"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "zstd -dc"),
    (b"BZh91AY&SY", "compressed by bzip2", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "lz4 -dc"),
]:
    tests.case(f"not raw: {row[1]}", check_wrapped, *row)


def command_for(scene, name, data, *there):
    """What save says is to be done with the image, beside files that are there."""
    for path in (name, *there):
        path = os.path.join(scene.work.name, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as file:
            file.write(data)
    command = (os.path.abspath(VMCORE), "save", "--", name, scene.folder)
    result = run(*command, cwd=scene.work.name)
    expect(result, os.EX_DATAERR, " first: ")
    return result.err.partition(" first: ")[2]


def check_command(name, shown, output, *there):
    """The line names the file as the user did, and a shell takes it for one word."""
    with Scene(b"") as scene:
        line = command_for(scene, name, b"QFI\xfb\0\0\0\3".ljust(1024, b"\0"), *there)
        assert shlex.split(line) == [*CONVERT.split(), shown, output], line


for row in [
    ("disk.qcow2", "disk.qcow2", "disk.qcow2.raw"),
    ("it's a $(disk).qcow2", "it's a $(disk).qcow2", "it's a $(disk).qcow2.raw"),
    ("-f", "./-f", "./-f.raw"),
    ("nbd:1", "./nbd:1", "./nbd:1.raw"),
    ("a\x1bb", "a\\x1bb", "a\\x1bb.raw"),
    ("disk.raw", "disk.raw", "disk.raw.raw"),
    ("far/-f", "far/-f", "./-f.raw"),
    ("disk", "disk", "disk.2.raw", "disk.raw", "disk.1.raw"),
]:
    tests.case(f"a command to paste: {row[0]!r}", check_command, *row)


def check_command_pasted(pack, name):
    """It unpacks a file of any name, and overwrites nothing."""
    with Scene(b"") as scene:
        line = command_for(scene, name, pack.compress(GOOD), f"{name}.raw")
        expect(run("sh", "-c", line, cwd=scene.work.name), os.EX_OK)
        with open(os.path.join(scene.work.name, f"{name}.1.raw"), "rb") as file:
            assert file.read() == GOOD


for pack, tool in ((gzip, "gzip"), (lzma, "xz"), (bz2, "bzip2")):
    if shutil.which(tool):
        for name in ("no suffix", "-d"):
            tests.case(f"pasted: {tool} of {name!r}", check_command_pasted, pack, name)

# ---- savecore's order ----


def check_savecore_order():
    with Scene(GOOD) as scene:
        expect(run(VMCORE, "save", scene.folder, scene.image), os.EX_OK)
        assert scene.read("vmcore.0") == DATA


tests.case("the directory first, as savecore has it", check_savecore_order)

tests.run()
