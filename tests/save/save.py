"""usage: save.py VMCORE

vmcore save on images that images.py makes: what is found, what is saved, what
is refused and why.
"""

import gzip
import os
import stat

import images
from images import KERNEL, SWAP, UFS, dump1, dump4, falsify, some_bytes
from scene import CORES, DATA, NO_DUMP, VMCORE, Scene, put, sha256_line
from tap import Tests, expect, run

tests = Tests()

# ---- what is found and saved ----

KEY = b"\1" + some_bytes(32, 2) + b"\0\0\1\0" + some_bytes(256, 3)
KEY = KEY.ljust(512, b"\0")
TAR = some_bytes(512 * 4200, 7)
GZIP = gzip.compress(DATA * 30)
ZSTD = bytes.fromhex("28b52ffd") + some_bytes(7001)


def two_swaps(first, second, **changed):
    parts = [(SWAP, first), (UFS, bytes(8192)), (SWAP, second)]
    return images.disk(parts, **changed)


# Name, image, name of the core, its bytes.
SAVED = [
    ("a whole disk", dump4(DATA), "vmcore.0", DATA),
    ("sectors of 1024 bytes", dump4(DATA, 1024), "vmcore.0", DATA),
    ("sectors of 2048 bytes", dump4(DATA, 2048), "vmcore.0", DATA),
    ("sectors of 4096 bytes", dump4(DATA, 4096), "vmcore.0", DATA),
    ("one byte", dump4(b"x"), "vmcore.0", b"x"),
    (
        "a disk that is all dump",
        dump4(DATA, size=10240 + 1024),
        *("vmcore.0", DATA),
    ),
    ("more reserved than used", dump4(DATA, extent=65536), "vmcore.0", DATA),
    ("version 1", dump1(DATA[:9728]), "vmcore.0", DATA[:9728]),
    ("gzip", dump4(GZIP, compression=1), "vmcore.0.gz", GZIP),
    ("zstd", dump4(ZSTD, compression=2, extent=65536), "vmcore.0.zst", ZSTD),
    ("encrypted", dump4(DATA, key=KEY), "vmcore_encrypted.0", DATA),
    (
        "encrypted and compressed",
        dump4(ZSTD, key=KEY, compression=2),
        *("vmcore_encrypted.0", ZSTD),
    ),
    ("a textdump", images.textdump(TAR, size=4 << 20), "textdump.tar.0", TAR),
    (
        "a textdump of a block",
        images.textdump(TAR[:512]),
        *("textdump.tar.0", TAR[:512]),
    ),
    (
        "the second of two swaps",
        two_swaps(bytes(1 << 16), dump4(DATA)),
        *("vmcore.0", DATA),
    ),
    (
        "a swap of Linux",
        images.disk([(UFS, bytes(4096)), (images.LINUX_SWAP, dump4(DATA))]),
        *("vmcore.0", DATA),
    ),
    (
        "a swap of DragonFly",
        images.disk([(images.DRAGONFLY_SWAP, dump4(DATA))]),
        *("vmcore.0", DATA),
    ),
    (
        "a table in sectors of 4096",
        images.disk([(UFS, bytes(4096)), (SWAP, dump4(DATA, 4096))], 4096),
        *("vmcore.0", DATA),
    ),
    (
        "only the backup table",
        falsify(two_swaps(dump4(DATA), bytes(4096)), 512, bytes(512)),
        *("vmcore.0", DATA),
    ),
    (
        "a damaged primary array",
        falsify(two_swaps(dump4(DATA), bytes(4096)), 1024, b"?"),
        *("vmcore.0", DATA),
    ),
    (
        "a disk whose backup table is cut off",
        two_swaps(dump4(DATA), bytes(4096))[:-512],
        *("vmcore.0", DATA),
    ),
]


def check_saved(image, core, data):
    with Scene(image) as scene:
        expect(scene.check(), os.EX_OK)
        assert scene.image_bytes() == image
        result = scene.save()
        expect(result, os.EX_OK)
        assert result.out == scene.path(core) + "\n", result
        assert scene.read(core) == data
        stem = core.split(".0")
        last = scene.path(f"{stem[0]}.last{stem[1]}")
        assert os.readlink(last) == core
        assert os.readlink(scene.path("info.last")) == "info.0"
        assert scene.read("bounds") == b"1\n"
        for name in (core, "info.0"):
            mode = stat.S_IMODE(os.stat(scene.path(name)).st_mode)
            assert mode == 0o600, (name, oct(mode))
        assert b"Dump Status: good\n" in scene.read("info.0")
        check_cleared(scene, image)


def check_cleared(scene, image):
    """Only the magic of the last header has changed."""
    now = scene.image_bytes()
    differs = [i for i in range(len(image)) if image[i] != now[i]]
    assert differs[-1] - differs[0] < 20, differs
    assert now[differs[0] :].startswith(images.CLEARED), differs
    expect(scene.check(), NO_DUMP, "saved before")
    expect(scene.save(), NO_DUMP, "saved before")


for row in SAVED:
    tests.case(f"saves: {row[0]}", check_saved, *row[1:])


def check_key():
    with Scene(dump4(DATA, key=KEY)) as scene:
        expect(scene.save(), os.EX_OK)
        assert scene.read("key.0") == KEY
        assert os.readlink(scene.path("key.last")) == "key.0"
        assert "vmcore.last" not in scene.names(), scene.names()


def check_two_dumps():
    with Scene(two_swaps(dump4(DATA), dump4(DATA[:99]))) as scene:
        expect(scene.save(), os.EX_OK)
        assert scene.read("vmcore.0") == DATA
        assert scene.read("vmcore.1") == DATA[:99]
        assert os.readlink(scene.path("vmcore.last")) == "vmcore.1"
        assert scene.read("bounds") == b"2\n"


def check_holes():
    data = bytes(1 << 22) + DATA + bytes((1 << 22) + 77)
    with Scene(dump4(data, size=1 << 24)) as scene:
        expect(scene.save(), os.EX_OK)
        assert scene.read("vmcore.0") == data
        used = os.stat(scene.path("vmcore.0")).st_blocks * 512
        assert used < 1 << 20, used


tests.case("the key of an encrypted dump", check_key)
tests.case("dumps on both of two swaps", check_two_dumps)
tests.case("zeros become holes, also at the end", check_holes)

# ---- info ----

INFO4 = """\
Dump header from device: {} partition 1
  Architecture: amd64
  Architecture Version: 2
  Dump Length: 10000
  Blocksize: 512
  Compression: zstd
  Dumptime: 2022-04-15 05:20:00 +0000
  Hostname: host.example
  Magic: FreeBSD Kernel Dump
  Version String: FreeBSD 14.0-CURRENT #0: Tue
    root@host:/usr/obj
  Panic String: page fault
  Dump Parity: {}
  Bounds: 7
  Dump Status: good
"""

INFO1 = """\
Dump header from device: {}
  Architecture: i386
  Architecture Version: 2
  Dump Length: 512
  Blocksize: 512
  Compression: none
  Dumptime: 2006-06-11 04:26:40 +0000
  Hostname: old.example
  Magic: FreeBSD Kernel Dump
  Version String: FreeBSD 6.2-RELEASE
  Panic String: a\\x1b[2J\\x0ab
  Dump Parity: {}
  Bounds: 0
  Dump Status: good
"""


def stored_parity(media):
    return int.from_bytes(media[-4:], "little")


def check_info_version4():
    media = dump4(DATA, compression=2)
    with Scene(two_swaps(media, bytes(4096))) as scene:
        put(scene, "bounds", "7\n")
        expect(scene.save(), os.EX_OK)
        want = INFO4.format(scene.image, stored_parity(media))
        want += sha256_line(DATA)
        assert scene.read("info.7").decode() == want, scene.read("info.7")


def check_info_version1():
    media = dump1(DATA[:512], panic=b"a\x1b[2J\nb")
    with Scene(media) as scene:
        expect(scene.save(), os.EX_OK)
        want = INFO1.format(scene.image, stored_parity(media))
        want += sha256_line(DATA[:512])
        assert scene.read("info.0").decode() == want, scene.read("info.0")


# What the kernel says, and its lines of info.N.
VERSIONS = [
    ("one line", b"FreeBSD 14\n", "FreeBSD 14"),
    ("no newline", b"FreeBSD 14", "FreeBSD 14"),
    ("nothing", b"", ""),
    (
        "two lines",
        b"FreeBSD 14 #0: Tue\n    root@h:/usr/obj\n",
        "FreeBSD 14 #0: Tue\n    root@h:/usr/obj",
    ),
    ("a forged line", b"x\n  Dump Status: good\n", "x\\x0a  Dump Status: good"),
    (
        "a forged line, as a second one",
        b"x\n    Dump Status: good\n",
        "x\\x0a    Dump Status: good",
    ),
    ("a label without a value", b"x\n    Bounds:\n", "x\\x0a    Bounds:"),
    ("a line of another report", b"x\nDump header\n", "x\\x0aDump header"),
    ("a carriage return", b"x\r    y\n", "x\\x0d    y"),
    ("empty lines", b"x\n\n\n", "x\\x0a\\x0a"),
]


def check_version(text, shown):
    with Scene(dump4(DATA, text=text)) as scene:
        expect(scene.save(), os.EX_OK)
        info = scene.read("info.0").decode()
        want = f"\n  Version String: {shown}\n  Panic String: page fault\n"
        assert want in info, info


def check_forged(**fields):
    """No other text makes a line, either."""
    with Scene(dump4(DATA, **fields)) as scene:
        expect(scene.save(), os.EX_OK)
        info = scene.read("info.0").decode()
        assert info.count("\n  Bounds: ") == 1, info
        assert "x\\x0a  Bounds: 9" in info, info


def check_forged_device():
    with Scene(b"") as scene:
        scene.image += "\n  Bounds: 9"
        scene.write(dump4(DATA))
        expect(scene.save(), os.EX_OK)
        info = scene.read("info.0").decode()
        assert info.count("\n  Bounds: ") == 1, info


for row in VERSIONS:
    tests.case(f"version: {row[0]}", check_version, *row[1:])
for name, fields in [
    ("panic", {"panic": b"x\n  Bounds: 9"}),
    ("host", {"host": b"x\n  Bounds: 9"}),
]:
    tests.case(f"a forged line: {name}", lambda f: check_forged(**f), fields)
tests.case("a forged line: the image's name", check_forged_device)


def check_verbose():
    with Scene(dump4(DATA)) as scene:
        result = run(VMCORE, "save", "-Cv", scene.image)
        assert result.status == os.EX_OK, result
        assert "  Panic String: page fault\n" in result.err, result


def check_verbose_number():
    """The header is printed before the dump has a number: it names none."""
    with Scene(dump4(DATA)) as scene:
        with open(scene.path("bounds"), "w", encoding="ascii") as file:
            file.write("6\n")
        result = scene.save("-v")
        assert result.status == os.EX_OK, result
        assert "  Dump Status: good\n" in result.err, result
        assert "Bounds" not in result.err, result
        assert b"  Bounds: 6\n" in scene.read("info.6")


tests.case("info of version 4, byte for byte", check_info_version4)
tests.case("info of version 1, with text to escape", check_info_version1)
tests.case("-v prints the header", check_verbose)
tests.case("-v prints no number before there is one", check_verbose_number)

# ---- what is refused ----

GOOD = dump4(DATA)
LAST = len(GOOD) - 512
FIRST = GOOD.index(KERNEL)


def changed4(**fields):
    """A dump whose two headers state something else."""
    header = images.header4(len(DATA), **fields)
    return images.media(DATA, header, extent=10240)


def with_headers(image, patch):
    """Both headers changed in the same way, without a new parity."""
    for start in (LAST, FIRST):
        image = falsify(image, start + patch[0], patch[1])
    return image


OFF_BY_ONE = images.entry(34, 5000)
PARTS = [(SWAP, GOOD), (SWAP, bytes(4096))]
# A second entry for the same sectors: the second dump would be the first's.
TWICE = images.entry(34, 34 + len(GOOD) // 512 - 1) * 2
BACKWARDS = images.entry(2000, 1999)


def hostile(fields=None, entries=None):
    return images.disk(PARTS, primary=fields, backup=fields, entries=entries)


# Name, image, exit status, message, whether -f saves it all the same.
REFUSED = [
    ("an empty file", b"", NO_DUMP, "no dump", False),
    ("one byte", b"x", NO_DUMP, "no dump", False),
    ("a disk without a dump", bytes(1 << 20), NO_DUMP, "no dump", False),
    (
        "an image without its last sector",
        GOOD[:-512],
        *(NO_DUMP, "no dump", False),
    ),
    ("an image without its last byte", GOOD[:-1], NO_DUMP, "no dump", False),
    (
        "another magic",
        falsify(GOOD, LAST, b"NetBSD"),
        *(NO_DUMP, "no dump", False),
    ),
    (
        "a dump on a partition of another type",
        images.disk([(UFS, GOOD), (SWAP, bytes(4096))]),
        *(NO_DUMP, "no dump\n", False),
    ),
    (
        "wrong parity",
        with_headers(GOOD, (70, b"?")),
        *(os.EX_DATAERR, "parity", True),
    ),
    (
        "another first header",
        falsify(GOOD, FIRST + 100, b"?"),
        *(os.EX_DATAERR, "headers before and after the dump differ", True),
    ),
    (
        "an unknown compression",
        changed4(compression=3, extent=10240),
        *(os.EX_DATAERR, "compression", True),
    ),
    (
        "an unknown version",
        changed4(version=5),
        *(os.EX_DATAERR, "version", False),
    ),
    ("version 2", changed4(version=2), os.EX_DATAERR, "version", False),
    ("no bytes", changed4(length=0), os.EX_DATAERR, "no bytes", False),
    (
        "longer than what is reserved",
        changed4(length=10241, extent=10240),
        *(os.EX_DATAERR, "longer than what is reserved", False),
    ),
    (
        "larger than the disk",
        changed4(length=1 << 20, extent=1 << 20),
        *(os.EX_DATAERR, "larger than its device", False),
    ),
    (
        "a sector too large for the disk",
        changed4(extent=len(GOOD) - 1023),
        *(os.EX_DATAERR, "larger than its device", False),
    ),
    (
        "lengths whose sum wraps",
        changed4(extent=(1 << 64) - 1, key_len=(1 << 32) - 1),
        *(os.EX_DATAERR, "larger than its device", False),
    ),
    (
        "a key larger than the disk",
        changed4(extent=10240, key_len=1 << 31),
        *(os.EX_DATAERR, "larger than its device", False),
    ),
    (
        "a textdump of half a block",
        changed4(magic=images.TEXT, extent=10240, length=9999),
        *(os.EX_DATAERR, "number of blocks", False),
    ),
    (
        "tables with wrong checksums",
        hostile({"crc": 1}),
        *(os.EX_DATAERR, "wrong checksum of the partition table", False),
    ),
    (
        "arrays with wrong checksums",
        hostile({"array_crc": 1}),
        *(os.EX_DATAERR, "wrong checksum of the array", False),
    ),
    (
        "tables for another sector",
        hostile({"lba": 3}),
        *(os.EX_DATAERR, "belongs to another sector", False),
    ),
    (
        "tables of no length",
        hostile({"len": 0}),
        *(os.EX_DATAERR, "length", False),
    ),
    (
        "tables of any length",
        hostile({"len": 513}),
        *(os.EX_DATAERR, "length", False),
    ),
    (
        "entries of no length",
        hostile({"entry_len": 0}),
        *(os.EX_DATAERR, "size of the array", False),
    ),
    (
        "entries without number",
        hostile({"count": (1 << 32) - 1}),
        *(os.EX_DATAERR, "size of the array", False),
    ),
    (
        "an array behind the disk",
        hostile({"array_lba": 1 << 40}),
        *(os.EX_DATAERR, "not inside the disk", False),
    ),
    (
        "an array at a place that wraps",
        hostile({"array_lba": (1 << 64) - 1}),
        *(os.EX_DATAERR, "not inside the disk", False),
    ),
    (
        "a partition that ends past the disk",
        hostile(entries=OFF_BY_ONE),
        *(os.EX_DATAERR, "partition 1 ends past", False),
    ),
    (
        "a partition to the last number",
        hostile(entries=images.entry(34, (1 << 64) - 1)),
        *(os.EX_DATAERR, "partition 1 ends past", False),
    ),
    (
        "a partition backwards",
        hostile(entries=BACKWARDS),
        *(NO_DUMP, "no dump", False),
    ),
]


def check_refused(image, status, message, forced):
    with Scene(image) as scene:
        for result in (scene.check(), scene.save(), scene.save("-k")):
            expect(result, status, message)
            assert result.err.count("\n") == 1 and result.out == "", result
            assert ("(-f saves it" in result.err) == forced, result
        assert scene.names() == [], scene.names()
        assert scene.image_bytes() == image
        result = scene.save("-f")
        if not forced:
            expect(result, status, message)
            assert scene.names() == [], scene.names()
            return
        expect(result, os.EX_OK, message)
        assert scene.read("vmcore.0") == DATA
        assert b"Dump Status: bad\n" in scene.read("info.0")


for row in REFUSED:
    tests.case(f"refuses: {row[0]}", check_refused, *row[1:])


def check_overlap():
    """The same sectors twice are one dump, and the other entry is named."""
    with Scene(hostile(entries=TWICE)) as scene:
        expect(scene.save("-k"), os.EX_OK, "partition 2 overlaps")
        assert scene.names() == sorted(["bounds"] + CORES), scene.names()


def check_one_of_two():
    """A bad dump does not keep a good one from being saved."""
    bad = with_headers(GOOD, (70, b"?"))
    with Scene(two_swaps(bad, dump4(DATA[:99]))) as scene:
        expect(scene.save(), os.EX_DATAERR, "partition 1: wrong parity")
        assert scene.read("vmcore.0") == DATA[:99]


tests.case("partitions that overlap", check_overlap)
tests.case("a bad dump beside a good one", check_one_of_two)

# ---- options ----


def check_keep():
    with Scene(GOOD) as scene:
        os.chmod(scene.image, 0o400)
        expect(scene.save("-k"), os.EX_OK)
        expect(scene.save("-k"), os.EX_OK)
        assert scene.image_bytes() == GOOD
        assert scene.read("vmcore.0") == scene.read("vmcore.1") == DATA


def check_clear():
    with Scene(with_headers(GOOD, (70, b"?"))) as scene:
        image = scene.image_bytes()
        expect(scene.save("-c"), os.EX_OK)
        assert scene.names() == [], scene.names()
        check_cleared(scene, image)
        expect(scene.save("-c"), NO_DUMP, "saved before")


def check_force_cleared(image, core, data):
    """A dump that was saved before comes back as it was, magic and all."""
    with Scene(image) as scene:
        expect(scene.save(), os.EX_OK)
        info = scene.read("info.0")
        expect(scene.check("-f"), os.EX_OK)
        expect(scene.save("-f"), os.EX_OK)
        assert scene.read(core) == data
        again = scene.read("info.1")
        assert again == info.replace(b"Bounds: 0", b"Bounds: 1"), again


def check_help():
    result = run(VMCORE, "save", "--help")
    expect(result, os.EX_OK)
    assert result.out.startswith("usage: vmcore save "), result
    assert "--kernel" not in result.out and "--help" in result.out, result
    assert all(len(line) <= 80 for line in result.out.splitlines())


def check_mistakes():
    for words, message in [
        ([], "no device or image named"),
        (["/"], "no device or image named, only the directory /"),
        (["a", "b", "c"], "one argument too many: c"),
        (["-m", "0", "a"], "bad number of dumps: 0"),
        (["-m", "x", "a"], "bad number of dumps: x"),
        (["-m", "4294967296", "a"], "bad number of dumps"),
        (["-m"], "-m needs an argument"),
        (["-C", "-c", "a"], "-c excludes -C and -k"),
        (["-c", "-C", "a"], "-c excludes -C and -k"),
        (["-kc", "a"], "-c excludes -C and -k"),
        (["-ck", "a"], "-c excludes -C and -k"),
        (["--length", "1M", "a"], "--length needs --offset"),
        (["--offset", "x", "a"], "bad number of bytes for --offset: x"),
        (["--length", "-1", "a"], "bad number of bytes for --length: -1"),
        (["-N", "kernel", "a"], "unknown option -N"),
    ]:
        result = run(VMCORE, "save", *words)
        expect(result, os.EX_USAGE, message)
        assert "usage: vmcore save" in result.err, result


def check_no_device():
    result = run(VMCORE, "save", "/nonexistent")
    expect(result, os.EX_NOINPUT, "No such file")
    assert "-k" not in result.err, result
    two = run(VMCORE, "save", "-k", "/", "/")
    expect(two, os.EX_NOINPUT, "neither a regular")


tests.case("-k saves from what may not be written", check_keep)
tests.case("-c clears, even a damaged dump", check_clear)
for name, *row in [
    ("a dump", GOOD, "vmcore.1", DATA),
    ("a textdump", images.textdump(TAR[:5120]), "textdump.tar.1", TAR[:5120]),
]:
    tests.case(
        f"-f brings {name} back that was cleared", check_force_cleared, *row
    )
tests.case("save --help", check_help)
tests.case("mistakes in the command line", check_mistakes)
tests.case("no such device", check_no_device)

tests.run()
