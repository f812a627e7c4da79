"""usage: cores.py VMCORE

Core files by themselves, without a kernel: what info and dmesg say of them,
and how every command refuses what it cannot open.  The cores are built here,
byte by byte.
"""

import gzip
import itertools
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import images
from tap import Skip, Tests, expect, run

VMCORE = sys.argv[1]
COMMANDS = ["bt", "dmesg", "info", "modules", "ps"]
PAGE = 4096

tests = Tests()


def pad(data):
    return data + bytes(-len(data) % PAGE)


def amd64_minidump(ring, bitmap=b"\x0b" + bytes(7), **changed):
    """A version 2 minidump of three pages; ring is its message buffer."""
    fields = {
        "version": 2,
        "msgbuf_len": len(ring),
        "bitmap_len": len(bitmap),
        "pmap_len": PAGE,
        "kernbase": 0xFFFFFE0000000000,
        "dmapbase": 0xFFFFF80000000000,
        "dmapend": 0xFFFFFC0000000000,
    } | changed
    header = struct.pack(
        "<24sIIIIQQQ", b"minidump FreeBSD/amd64", *fields.values()
    )
    body = pad(header) + pad(ring) + pad(bitmap) + bytes(PAGE)
    return body + bytes(3 * PAGE)


HUGE_BITMAP = amd64_minidump(b"", bitmap_len=0xFFFFFFF8)


def arm_minidump(order):
    """Version 1, in the byte order that struct calls '<' or '>'."""
    header = struct.pack(
        order + "24sIIIIIII",
        *(b"minidump FreeBSD/arm", 1, 16, 8, PAGE, 0xC0000000, 7, 2),
    )
    bitmap = struct.pack(order + "II", 7, 0)
    return pad(header) + pad(b"hello\n") + pad(bitmap) + bytes(4 * PAGE)


def elf_core(machine=62, segments=((0x1000, 2 * PAGE),), size=None):
    """An ELF core as the kernel writes it: e_version 0, OSABI 255."""
    ident = b"\x7fELF" + bytes([2, 1, 1, 255]) + bytes(8)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH",
        *(4, machine, 0, 0, 64, 0, 0, 64, 56, len(segments), 64, 0, 0),
    )
    offset = PAGE
    for pa, length in segments:
        header += struct.pack(
            "<IIQQQQQQ", 1, 4, offset, pa, pa, length, length, PAGE
        )
        offset += length
    core = pad(header)
    return core + bytes((offset if size is None else size) - len(core))


# The lengths of its segments add up to more than 64 bits hold.
ELF_ENDLESS = elf_core(segments=((0, 1 << 63), (0, 1 << 63)), size=PAGE)


def msgbuf(size, wseq, rseq, flags=0):
    """struct msgbuf of an LP64 kernel; it is directly after its ring."""
    return struct.pack(
        "<QIIIIIIII",
        *(0xFFFFF80000001000, 0x063062, size, wseq, rseq, 0, 16 * size),
        *(0, flags),
    )


class Core:
    """A core in a folder of its own, so that no kernel is beside it."""

    def __init__(self, data, name="vmcore.0"):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, name)
        with open(self.path, "wb") as file:
            file.write(data)

    def run(self, *words, **options):
        with self.folder:
            return run(VMCORE, *words, self.path, **options)


# ---- info ----

KERNEL_UNKNOWN = {
    "panic": None,
    "panic_why": "header only",
    "kernel": None,
    "kernel_file": None,
    "kernel_matches": None,
}


def check_info_minidump():
    result = Core(amd64_minidump(b"text\n")).run("info", "--json")
    expect(result, os.EX_OK)
    assert json.loads(result.out) == {
        "format": "minidump",
        "arch": "amd64",
        "version": 2,
        "page_size": PAGE,
        "dumped_pages": 3,
        "dumped_bytes": 3 * PAGE,
        "msgbuf_bytes": 5,
        "bitmap_bytes": 8,
        "pmap_bytes": PAGE,
        "kernbase": "0xfffffe0000000000",
        "dmapbase": "0xfffff80000000000",
        "dmapend": "0xfffffc0000000000",
        "file_bytes": 7 * PAGE,
        "missing_bytes": 0,
    } | KERNEL_UNKNOWN, result


def with_owners(owners):
    """A minidump that says of 64 pages who owned them."""
    data = bytearray(amd64_minidump(b"text\n"))
    data[4032:4064] = struct.pack("<16sQQ", b"vmcore owners", len(data), 32)
    return bytes(data) + owners.ljust(32, b"\0")


# Pages 0, 1 and 3 are in the dump; 2 and 7 are free, 5, 6 user's, two more nonsense.
OWNERS = bytes([0x55, 0x51, 0x20, 0x12, 0xFF])


def check_info_left_out():
    core = Core(with_owners(OWNERS))
    result = run(VMCORE, "info", core.path)
    expect(result, os.EX_OK)
    rows = dict(line.split(":", 1) for line in result.out.splitlines())
    assert rows["left out"].strip() == "8 KiB free, 8 KiB user", rows
    result = core.run("info", "--json")
    expect(result, os.EX_OK)
    assert json.loads(result.out)["left_out"] == [
        {"owner": "free", "pages": 2, "bytes": 2 * PAGE},
        {"owner": "user", "pages": 2, "bytes": 2 * PAGE},
    ], result


def check_info_nothing_left_out():
    core = Core(with_owners(bytes([0x55, 0x50])))
    result = run(VMCORE, "info", core.path)
    assert "left out:       nothing\n" in result.out, result
    result = core.run("info", "--json")
    assert json.loads(result.out)["left_out"] == [], result


def check_info_owners_cut():
    data = with_owners(OWNERS)[:-1]
    result = Core(data).run("info", "--json")
    expect(result, os.EX_OK)
    info = json.loads(result.out)
    assert info["missing_bytes"] == 1 and "left_out" not in info, info


def check_info_short():
    data = amd64_minidump(b"text\n")[: 5 * PAGE + 100]
    result = Core(data).run("info", "--json")
    expect(result, os.EX_OK)
    info = json.loads(result.out)
    assert info["missing_bytes"] == 2 * PAGE - 100, info
    result = Core(data).run("info")
    assert "missing:" in result.out and "(8092 bytes)" in result.out, result


def check_info_text():
    result = Core(amd64_minidump(b"text\n")).run("info")
    expect(result, os.EX_OK)
    rows = dict(line.split(":", 1) for line in result.out.splitlines())
    rows = {key: value.strip() for key, value in rows.items()}
    assert rows["format"] == "minidump, version 2", rows
    assert rows["memory"] == "12 KiB (3 pages of 4096 bytes)", rows
    assert rows["panic"] == "not known without the kernel (-N)", rows
    assert "missing" not in rows, rows


def check_info_arm(order):
    result = Core(arm_minidump(order)).run("info", "--json")
    expect(result, os.EX_OK)
    info = json.loads(result.out)
    assert info["arch"] == "arm" and info["dumped_pages"] == 3, info
    assert info["kernbase"] == "0xc0000000", info
    assert "dmapbase" not in info and "dmapend" not in info, info


def check_info_elf():
    segments = ((0x1000, 2 * PAGE), (0x100000, 5 * PAGE))
    core = Core(elf_core(segments=segments, size=6 * PAGE))
    result = core.run("info", "--json")
    expect(result, os.EX_OK)
    assert json.loads(result.out) == {
        "format": "elf",
        "arch": "amd64",
        "page_size": PAGE,
        "dumped_pages": 7,
        "dumped_bytes": 7 * PAGE,
        "file_bytes": 6 * PAGE,
        "missing_bytes": 2 * PAGE,
    } | KERNEL_UNKNOWN, result


tests.case("info of a minidump without its kernel", check_info_minidump)
tests.case("info counts what is missing at the end", check_info_short)
tests.case("info as text", check_info_text)
tests.case("info counts what was left out", check_info_left_out)
tests.case("info: nothing was left out", check_info_nothing_left_out)
tests.case("info: who owned what was left out is cut", check_info_owners_cut)
tests.case("info of a little-endian arm minidump", check_info_arm, "<")
tests.case("info of a big-endian arm minidump", check_info_arm, ">")
tests.case("info of an ELF core without its kernel", check_info_elf)

# ---- dmesg ----

# Ring, the bytes after it, options, the output.
RINGS = [
    ("a ring without struct msgbuf", b"one\ntwo\n", b"", [], "one\ntwo\n"),
    ("a missing newline is added", b"one\ntwo", b"", [], "one\ntwo\n"),
    ("NULs are left out", b"\0\0one\0two\n", b"", [], "onetwo\n"),
    ("tabs stay", b"\tone\n", b"", [], "\tone\n"),
    ("UTF-8 stays", "caf\xe9\n".encode(), b"", [], "caf\xe9\n"),
    ("escape sequences do not get through", b"\x1b[2J\n", b"", [], "\\x1b[2J\n"),
    ("bytes that are no text", b"\xff\xc3\n", b"", [], "\\xff\\xc3\n"),
    (
        "a wrapped ring begins with its oldest byte",
        b"new\nold\n",
        msgbuf(8, 12, 0, 2),
        [],
        "old\nnew\n",
    ),
    ("a fresh ring", b"one\n\0\0\0\0", msgbuf(8, 4, 0), [], "one\n"),
    ("unread", b"one\ntwo\n", msgbuf(8, 8, 4), ["--unread"], "two\n"),
    (
        "unread across the ring's end",
        b"new\nold\n",
        msgbuf(8, 12, 6),
        ["-u"],
        "d\nnew\n",
    ),
    (
        "a msgbuf of another size is not this ring's",
        b"one\ntwo\n",
        msgbuf(16, 12, 0),
        [],
        "one\ntwo\n",
    ),
    (
        "characters are not cut where pieces meet",
        b"x" * 4094 + "\u20ac\u20ac\n".encode(),
        b"",
        [],
        "x" * 4094 + "\u20ac\u20ac\n",
    ),
]


def check_ring(ring, behind, options, text):
    core = Core(amd64_minidump(ring + behind, msgbuf_len=len(ring)))
    result = core.run("dmesg", *options)
    expect(result, os.EX_OK)
    assert result.out == text, result
    known = behind[8:16] == struct.pack("<II", 0x063062, len(ring))
    assert ("from its start" in result.err) != known, result
    assert result.err.count("\n") == (not known), result


def check_empty_ring():
    """It is said once, and nothing against it."""
    result = Core(amd64_minidump(bytes(100))).run("dmesg")
    expect(result, os.EX_OK, "nothing in the message buffer")
    assert result.out == "", result
    assert result.err.count("\n") == 1, result


def check_escaped_ring():
    """What must be escaped counts as it is printed; the newest is shown."""
    core = Core(amd64_minidump(b"\1" * (5 << 20) + b"last\n"))
    with open(core.path + ".out", "wb+") as out:
        result = subprocess.run(
            [VMCORE, "dmesg", core.path], stdout=out, stderr=subprocess.PIPE
        )
        size = out.tell()
        out.seek(0)
        start = out.read(20)
        out.seek(size - 9)
        end = out.read()
    assert result.returncode == os.EX_OK, result
    assert b"newest 16 MiB of its escaped text shown" in result.stderr, result
    assert (16 << 20) - 4096 <= size <= 16 << 20, size
    assert (start, end) == (b"\\x01" * 5, b"\\x01last\n"), (start, end)


def check_short_ring():
    data = amd64_minidump(b"one\n" * 2048, bitmap=bytes(8))
    data = data[: PAGE + 10]
    for command in ("info", "dmesg"):
        expect(Core(data).run(command), os.EX_DATAERR, "cut short")


for name, ring, behind, options, text in RINGS:
    tests.case(f"dmesg: {name}", check_ring, ring, behind, options, text)
def check_compressed(data):
    """Without the kernel, the same is told of a dump compressed or not."""
    for words in (["info"], ["info", "--json"], ["dmesg"]):
        plain, packed = Core(data), Core(gzip.compress(data))
        want = plain.run(*words)
        got = packed.run(*words)
        assert got.status == want.status, (got, want)
        for old, new in ((got.out, want.out), (got.err, want.err)):
            assert old.replace(packed.path, plain.path) == new, (got, want)


tests.case("a compressed minidump", check_compressed,
           amd64_minidump(b"one\ntwo\n"))
tests.case("a compressed ELF core", check_compressed, elf_core())
tests.case("dmesg: an empty ring", check_empty_ring)
tests.case("dmesg: a ring of bytes to escape", check_escaped_ring)
tests.case("a minidump cut inside its sections", check_short_ring)

# ---- refusals ----

# What is no dump at all: how the file starts, and what it is called.
FOREIGN_FILES = [
    ("textdump", bytes(257) + b"ustar", "tar archive"),
    ("ddb", b"ddb.txt".ljust(257, b"\0") + b"ustar", "a textdump"),
    ("raw textdump", b"FreeBSD Text Dump", "a textdump as it lies on a disk"),
    ("encrypted, on its disk", images.header4(4096, key_len=512),
     "an encrypted dump, with its key, as it lies on a disk"),
    ("kdump", b"KDUMP   ", "Linux"),
    ("flattened", b"makedumpfile\0", "makedumpfile -R"),
    ("Windows", b"MDMP\x93\xa7", "a minidump of Windows or LLDB"),
    ("qcow2", b"QFI\xfb\0\0\0\3", "qemu-img convert"),
    ("disk", bytes(510) + b"\x55\xaa" + b"EFI PART", "vmcore save"),
    ("swap", bytes(4 * PAGE - 512) + b"FreeBSD Kernel Dump".ljust(512, b"\0"),
     "vmcore save"),
]


# As much of a kernel as is needed to open a core beside it.
KERNEL = b"\x7fELF\2\1\1\x09".ljust(16, b"\0") + struct.pack("<HH", 2, 62)
KERNEL = KERNEL.ljust(120, b"\0")


def check_linux():
    """An ELF core whose first segment is a note of Linux's."""
    data = bytearray(elf_core(segments=((0, PAGE), (0x1000, PAGE))))
    data[64:68] = struct.pack("<I", 4)
    note = struct.pack("<III", 11, 4, 0) + b"VMCOREINFO\0\0" + bytes(4)
    data[PAGE : PAGE + len(note)] = note
    kernel = Core(KERNEL, "other")
    result = Core(bytes(data)).run("ps", "-N", kernel.path)
    expect(result, os.EX_DATAERR, "a dump of a Linux kernel")


def check_foreign(data, message):
    for packed in (False, True):
        content = gzip.compress(data) if packed else data.ljust(8 * 512, b"\0")
        for command in ("info", "dmesg", "bt", "gdb"):
            result = Core(content).run(command)
            expect(result, os.EX_DATAERR, message)
            assert "neither a" not in result.err, result


def check_encrypted(key, message):
    core = Core(random.Random(1).randbytes(4 * PAGE), "vmcore_encrypted.7.zst")
    with open(os.path.join(core.folder.name, key), "wb"):
        pass
    expect(core.run("info"), os.EX_DATAERR, message)


def check_zeros(zeros, data, message):
    """A copy that began too early."""
    result = Core(bytes(zeros) + data + bytes(100)).run("info")
    expect(result, os.EX_DATAERR, message)


def key_file(encryption=1, length=256):
    """struct kerneldumpkey, as savecore writes it into key.N."""
    return bytes([encryption]) + bytes(32) + struct.pack(">I", length) + bytes(256)


def check_beside(core, name, key, data, message):
    core = Core(core, name)
    with open(os.path.join(core.folder.name, key), "wb") as file:
        file.write(data)
    expect(core.run("info"), os.EX_DATAERR, f"{name}: {message}")


def check_key_beside(name, key, data, is_encrypted):
    """By the key beside it, an encrypted dump may be known under any other name."""
    check_beside(
        random.Random(1).randbytes(4 * PAGE), name, key, data,
        "may be an encrypted dump: decryptcore(8) makes a vmcore.N of it, with the key.N"
        if is_encrypted else "neither a minidump nor an ELF core")


def check_no_noise(name, data):
    """What does not look encrypted is not, whatever its name and the key beside it."""
    check_beside(data, name, "key.7", key_file(),
                 "neither a minidump nor an ELF core")


def check_key(name, data):
    """The key in the place of its dump."""
    result = Core(data, name).run("info")
    expect(result, os.EX_DATAERR,
           f"{name}: the key of an encrypted dump: name the dump in its place")


def check_swapped():
    """The kernel in the place of the core, and the other way round."""
    kernel = Core(KERNEL, "kernel")
    core = Core(amd64_minidump(b"a\n"))
    expect(kernel.run("info"), os.EX_DATAERR, "name the dump in its place")
    kernel = Core(amd64_minidump(b"a\n"), "other")
    expect(core.run("ps", "-N", kernel.path), os.EX_DATAERR,
           "but a minidump: name the kernel in its place")


for name, data, message in FOREIGN_FILES:
    tests.case(f"no dump: {name}", check_foreign, data, message)
tests.case("no dump: a core of Linux", check_linux)
tests.case("no dump: encrypted, with its key", check_encrypted, "key.7",
           "decryptcore(8) makes a vmcore.N of it, with the key.N beside it")
tests.case("no dump: encrypted, with another key", check_encrypted, "key.70",
           "with its key.N, which is not beside it, and your private key")
for name, *row in [
    ("vmcore.7", "key.7", key_file(), True),
    ("crash.7.bin", "key.7", key_file(2), True),
    ("a.1.dump.07", "key.07", key_file(), True),
    ("vmcore.7", "key.70", key_file(), False),
    ("vmcore", "key.", key_file(), False),
    ("vmcore.7x", "key.7", key_file(), False),
    ("vmcore.7", "key.7", key_file(0), False),
    ("vmcore.7", "key.7", key_file(3), False),
    ("vmcore.7", "key.7", key_file(1, 0), False),
    ("vmcore.7", "key.7", key_file(1, 2049), False),
    ("vmcore.7", "key.7", key_file()[:36], False),
    ("vmcore.7", "key.7", b"", False),
]:
    tests.case(f"no dump: {name} beside {row[0]} of {len(row[1])} bytes",
               check_key_beside, name, *row)
for data in (
    b"A text beside a dump.\n" * 300,
    b"mimidump FreeBSD".ljust(PAGE, b"\0") + random.Random(2).randbytes(PAGE),
    bytes(8 * PAGE),
):
    for name in ("vmcore.7", "vmcore_encrypted.7"):
        tests.case(f"no dump: {name} of {data[:8]!r}, beside a key",
                   check_no_noise, name, data)
for name in ("key.7", "vmcore.7"):
    tests.case(f"no dump: a key called {name}", check_key, name, key_file())
tests.case("no dump: a key of FreeBSD's padding", check_key, "key.7",
           key_file(2, 512).ljust(4 * PAGE, b"\0"))
PACKED = [
    ("gzip data", b"\x1f\x8b\x08"), ("zstd data", b"\x28\xb5\x2f\xfd"),
    ("xz data", b"\xfd7zXZ\0"), ("bzip2 data", b"BZh9"),
    ("lz4 data", b"\x04\x22\x4d\x18"), ("a minidump", b"minidump FreeBSD/amd64"),
]
tests.case("no dump: an ELF file after 512 zeros", check_zeros, 512, b"\x7fELF\2\1\1",
           "zeros, then an ELF file at byte 512: remove the zeros first")
for zeros, (name, data) in itertools.chain(
    itertools.product([1536], PACKED),
    itertools.product([1, 511, 512, 513, 4608, 65536, (1 << 20) - 1], PACKED[:1]),
):
    tests.case(f"no dump: {name} after {zeros} zeros", check_zeros, zeros, data,
               f"zeros, then {name} at byte {zeros}: remove the zeros first")
for name, zeros, data in [
    ("zeros only", 4096, b""),
    ("zeros without end", 1 << 20, b"\x1f\x8b\x08"),
    ("half a magic number after zeros", 512, b"\x1f\x8b"),
]:
    tests.case(f"no dump: {name}", check_zeros, zeros, data, "neither a minidump")
tests.case("kernel and core swapped", check_swapped)

# Without a kernel, and with nothing beside the core to be taken for one.
WITHOUT_KERNEL = [
    (["dmesg", "--unread"], amd64_minidump(b"a\n")),
    (["dmesg"], elf_core()),
    (["ps"], amd64_minidump(b"a\n")),
    (["bt"], amd64_minidump(b"a\n")),
    (["read", "0x0", "1"], amd64_minidump(b"a\n")),
    (["gdb"], amd64_minidump(b"a\n")),
    (["modules"], amd64_minidump(b"a\n")),
]


def check_no_kernel_at_all():
    """A program in the kernel's place has none of a kernel's symbols."""
    with open("/bin/sh", "rb") as file:
        if file.read(4) != b"\x7fELF":
            raise Skip("no ELF files here")
    data = amd64_minidump(b"a\n")
    for words in (["info"], ["dmesg"]):
        result = Core(data).run(*words, "-N", "/bin/sh")
        expect(result, os.EX_OK, "/bin/sh may be no kernel: it has none of")
    for words in (["ps"], ["bt"], ["read", "allproc"]):
        result = Core(data).run(*words, "-N", "/bin/sh")
        assert result.status == os.EX_DATAERR, result


tests.case("a program for the kernel", check_no_kernel_at_all)


def check_without_kernel(words, data):
    expect(Core(data).run(*words), os.EX_NOINPUT, "with -N")


for words, data in WITHOUT_KERNEL:
    tests.case(
        f"the kernel is asked for: {' '.join(words)}",
        *(check_without_kernel, words, data),
    )



def check_folder_beside():
    core = Core(amd64_minidump(b"a\n"))
    os.mkdir(os.path.join(core.folder.name, "kernel"))
    expect(core.run("ps"), os.EX_NOINPUT, "with -N")


tests.case("a folder is not taken for the kernel", check_folder_beside)

# A fault of a file, the file, and what info says about it.
BAD_FILES = [
    ("empty", b"", "empty"),
    ("one byte", b"m", "neither a minidump nor an ELF core"),
    ("a text", b"hello, world\n" * 1000, "neither a minidump nor"),
    ("only a magic number", b"minidump FreeBSD/amd64", ""),
    ("a header of zeros", pad(b"minidump FreeBSD/amd64"), "version"),
    ("an unknown machine", pad(b"minidump FreeBSD/vax"), "architecture"),
    ("a compressed text", gzip.compress(b"x" * 100), "neither a minidump nor"),
    ("a compressed dump whose start is damaged",
     gzip.compress(amd64_minidump(b"a\n"), 0).replace(b"mini", b"mimi"),
     "or is damaged: gzip -t tells"),
    ("compressed emptiness", gzip.compress(b""), "empty"),
    ("no bitmap", amd64_minidump(b"", bitmap=b""), "bitmap"),
    ("a huge bitmap", HUGE_BITMAP, "cut short"),
    ("an ELF core for no machine here", elf_core(machine=4), "machine"),
    ("an ELF core without its headers", elf_core()[:70], ""),
    ("an ELF core of segments without end", ELF_ENDLESS, "program header"),
]


def check_bad_file(data, message):
    for command in ("info", "dmesg"):
        result = Core(data).run(command)
        expect(result, os.EX_DATAERR, message)
        assert result.err.count("\n") == 1, result
        assert "vmcore.0: " in result.err, result
        assert result.out == "", result


def check_bad_with_kernel(data):
    """With a kernel named, libkvm refuses it: for each command alike."""
    for command in COMMANDS:
        result = Core(data).run(command, "-N", VMCORE)
        expect(result, os.EX_DATAERR)
        assert result.err.count("\n") == 1, result


def check_no_file(command):
    result = run(VMCORE, command, "-N", VMCORE, "/nonexistent/vmcore.0")
    expect(result, os.EX_NOINPUT, "/nonexistent/vmcore.0: No such file")


def check_no_kernel_file(command):
    core = Core(amd64_minidump(b"a\n"))
    result = core.run(command, "-N", "/nonexistent/kernel")
    expect(result, os.EX_NOINPUT, "/nonexistent/kernel: No such file")


def check_unfit_file(command, path):
    for words in (["-N", VMCORE, path], ["-N", path, VMCORE]):
        result = run(VMCORE, command, *words)
        expect(result, os.EX_NOINPUT, f"{path}: not a regular file or a disk")


for name, data, message in BAD_FILES:
    tests.case(f"refuse: {name}", check_bad_file, data, message)
    tests.case(f"refuse with a kernel: {name}", check_bad_with_kernel, data)
for command in COMMANDS + ["gdb"]:
    tests.case(f"{command} of no file", check_no_file, command)
    tests.case(f"{command} with no kernel file", check_no_kernel_file, command)
    for path in ("/", "/dev/null", "/dev/zero"):
        tests.case(f"{command} of {path}", check_unfit_file, command, path)
tests.run()
