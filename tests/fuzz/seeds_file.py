"""Files of every kind, whole and compressed, and what is wrong with them."""

import bz2
import gzip
import lzma
import struct
import zlib

import elf
import failing
import images
from images import some_bytes

NO_MAP, AS_KERNEL = 1, 2
PAGE = 4096


def minidump(version=3, arch=b"amd64", owners=b"", **changed):
    """A header and sections of a page each, then two pages, and who owned which."""
    f = {"version": version, "msgbuf": 0x800, "bitmap": PAGE, "pmap": PAGE,
         "kernbase": 0xFFFFFFFF80000000, "dmapbase": 0xFFFFF80000000000,
         "dmapend": 0xFFFFF80000010000, "avail": PAGE if version == 3 else 0} | changed
    header = b"minidump FreeBSD/" + arch
    header = header.ljust(24, b"\0") + struct.pack("<IIIIQQQI", *f.values())
    avail = struct.pack("<QQ", 0, 0x10000).ljust(PAGE, b"\0")
    bitmap = b"\3".ljust(PAGE, b"\0")
    pmap = struct.pack("<QQ", 0x8000000000000003, 0x80000000000000E3)
    if owners:
        end = (7 if version == 3 else 6) * PAGE
        header = header.ljust(4032, b"\0") + struct.pack(
            "<16sQQ", b"vmcore owners", end, 4 * PAGE)
    return (header.ljust(PAGE, b"\0") + b"text\n" * 819 + b"\0"
            + (avail if version == 3 else b"") + bitmap + pmap.ljust(PAGE, b"\0")
            + some_bytes(2 * PAGE) + (owners.ljust(4 * PAGE, b"\0") if owners else b""))


def zstd_raw(data, checksum=False, single=True, name=b"", step=65536):
    """A frame of blocks that are stored as they are, of step bytes each."""
    head = b"\x28\xb5\x2f\xfd" + bytes([(0xA0 if single else 0x80) | 4 * checksum])
    head += (b"" if single else b"\x58") + struct.pack("<I", len(data))
    blocks = b""
    for off in range(0, len(data), step) or [0]:
        part = data[off:off + step]
        last = off + step >= len(data)
        blocks += struct.pack("<I", last | len(part) << 3)[:3] + part
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", len(name)) + name
    return head + blocks + (b"1234" if checksum else b"") + (
        skippable if name else b"")


def seek_table(*lens, sums=False, magic=0x8F92EAB1, skippable=0x184D2A5E):
    """The table at the end of a seekable file: (packed, unpacked) of its frames."""
    rows = b"".join(struct.pack("<II", *row) + bytes(4 * sums) for row in lens)
    body = rows + struct.pack("<IBI", len(lens), 0x80 * sums, magic)
    return struct.pack("<II", skippable, len(body)) + body


def zstd_damaged(data):
    """Two frames and more, of which the first is damaged in many ways."""
    parts = data[:3 * PAGE], data[3 * PAGE:]
    frames = [zstd_raw(part, step=PAGE) for part in parts]
    lens = [(len(frame), len(part)) for frame, part in zip(frames, parts)]
    tables = [b"", seek_table(*lens), seek_table(*lens, sums=True), seek_table(),
              seek_table(*lens, magic=0), seek_table(*lens, skippable=0),
              seek_table(lens[0], (7, 7)), seek_table((7, 7), *lens),
              seek_table(*lens * 2), bytes(100), b"x" * 100,
              struct.pack("<IBI", 1 << 30, 0, 0x8F92EAB1)]
    block = len(frames[0]) // 3 + 7  # the header of the second block
    for table in tables:
        for off, value in [(0, 1), (1, 1), (4, 8), (4, 0xE0), (5, 1), (8, 0xFF),
                           (9, 7), (block, 7), (block, 6), (block + 1, 0xFF)]:
            first = images.falsify(frames[0], off, bytes([value]))
            yield first + frames[1] + table
    first = images.falsify(frames[0], block, b"\7")
    yield first + first + frames[1]
    yield first + frames[1][:-5]
    yield first + zstd_raw(b"", name=b"skipped") + frames[1]
    yield first
    yield zstd_raw(parts[0], step=PAGE, single=False)[:-9] + frames[1]
    for checksum in (False, True):
        for cut in (5, 9, 12, 20, PAGE, 2 * PAGE + 20):
            yield zstd_raw(parts[0], checksum, step=PAGE)[:cut] + frames[1]


def lz4_raw(data):
    """A frame of blocks of 64 KB that are stored as they are, without checksums."""
    blocks = b"".join(struct.pack("<I", 1 << 31 | len(part)) + part for part in
                      (data[off:off + 65536] for off in range(0, len(data), 65536)))
    return b"\x04\x22\x4d\x18\x60\x40\x82" + blocks + bytes(4)


def gzip_damaged(data):
    """Members of which one is damaged, and what may follow them."""
    members = [gzip_member(data[off:off + PAGE]) for off in range(0, 7 * PAGE, PAGE)]
    for which in (0, 3, 6):
        member = members[which]
        for off in (0, 3, 12, len(member) // 2, len(member) - 6, len(member) - 2):
            odd = images.falsify(member, off, bytes([member[off] ^ 0xFF]))
            for end in (b"", bytes(64), b"x" * 64):
                yield b"".join(members[:which] + [odd] + members[which + 1:]) + end


def gzip_member(data, flags=0, extra=b""):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return (b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + extra + body
            + struct.pack("<II", zlib.crc32(data), len(data)))


def damaged(data):
    """A file, and the same with a byte changed, cut, and with more after it."""
    yield data
    yield data[:len(data) // 2]
    yield data[:-1]
    yield data[:9]
    yield data + bytes(1000)
    yield data + b"x" * 100
    yield data + data
    for off in (4, 5, 12, len(data) // 2, len(data) - 5):
        if off < len(data):
            yield images.falsify(data, off, bytes([data[off] ^ 0x55]))


def packed(data):
    yield gzip.compress(data, mtime=0)
    yield gzip_member(data, 2, b"\0\0")
    yield gzip_member(data, 4, b"\3\0abc")
    yield gzip_member(data, 8, b"name\0")
    yield gzip_member(data, 16, b"comment\0")
    yield gzip_member(data[:5000]) + gzip_member(data[5000:])
    yield gzip_member(data[:5000]) + bytes(40) + gzip_member(data[5000:])
    yield zstd_raw(data)
    yield zstd_raw(data, True)
    yield zstd_raw(data[:9000]) + zstd_raw(data[9000:])
    yield zstd_raw(data[:9000], name=b"skipped") + zstd_raw(data[9000:], single=False)
    yield zstd_raw(data[:9000], True) + zstd_raw(data[9000:])
    yield lzma.compress(data)
    yield bz2.compress(data)
    yield bz2.compress(data[:9000]) + bytes(40) + bz2.compress(data[9000:])
    yield lz4_raw(data)
    yield lz4_raw(data[:9000]) + b"\x50\x2a\x4d\x18\3\0\0\0xyz" + lz4_raw(data[9000:])


def xz_large(data):
    """An xz file that takes 1.5 GB of memory to unpack."""
    packed = bytearray(lzma.compress(data))
    head = packed[12:12 + 4 * (packed[12] + 1)]
    head[head.index(b"\x21\1") + 2] = 37
    head[-4:] = struct.pack("<I", zlib.crc32(head[:-4]))
    packed[12:12 + len(head)] = head
    return bytes(packed)


FOREIGN = [
    b"KDUMP   ", b"DISKDUMP", b"makedumpfile\0", b"EMiL", b"MDMP", b"PAGEDU64",
    b"\xcf\xfa\xed\xfe", b"QEVM", b"QFI\xfb", b"QED\0", b"KDMV", b"COWD", b"<<< ",
    b"vhdxfile", b"conectix", b"PK\3\4", b"Rar!\x1a\7", b"!<arch>\n", b"LZIP",
    b"\x89LZO\0\r\n", b"\x04\x22\x4d\x18", b"ddb.txt\0", b"Dump header from device",
    images.KERNEL, images.TEXT, images.CLEARED, b"bplist00", b"\x1f\x9d",
]
PROGRAMS = [(b"CORE", 3), (b"CORE", 6), (b"FreeBSD", 1), (b"VMCOREINFO", 0),
            (b"NetBSD-CORE", 1), (b"OpenBSD", 10), (b"QEMU", 0)]


def core(notes=b"", **fields):
    text = elf.section(b".text", bytes(PAGE))
    size = 64 + 2 * 56
    fields = {"type": elf.CORE} | fields
    return elf.file([elf.section(b".note", notes), text], segments=[
        (4, 0, size, 0, 0, len(notes), len(notes)),
        (1, 7, size + len(notes) + -len(notes) % 8, 0, 0x1000, PAGE, PAGE)], **fields)


def cores():
    yield minidump()
    yield minidump(1)
    yield minidump(2)
    for name, value in [("version", 99), ("version", 0), ("msgbuf", 1 << 31),
                        ("bitmap", 1 << 31), ("bitmap", 0), ("pmap", 1 << 31),
                        ("pmap", 0), ("avail", 7), ("avail", 0), ("bitmap", 7),
                        ("dmapend", 0), ("kernbase", 1), ("dmapbase", 1),
                        ("kernbase", 0xFFFFF80000000000)]:
        yield minidump(**{name: value})
    for arch in (b"i386", b"arm", b"arm64", b"riscv", b"mips", b""):
        for version in (1, 2, 3):
            yield minidump(version, arch)
    yield core()
    yield core(elf.note(b"CORE", 1, bytes(336)))
    yield core(elf.note(b"CORE", 1, bytes(7)))
    yield core(b"\xff" * 40)
    yield core(elf.note(b"CORE", 1, bytes(336)) * 2
               + elf.note(b"QEMU", 0, struct.pack("<II", 1, 440) + bytes(432)) * 2)
    for owner, kind in PROGRAMS:
        yield core(elf.note(owner, kind, bytes(64)))
    for machine in (elf.I386, elf.ARM, elf.ARM64, elf.RISCV, 8, 77):
        yield core(machine=machine)
    for fields in [{"phnum": 60000}, {"phoff": 1 << 50}, {"phentsize": 7},
                   {"phnum": 0}, {"version": 7}, {"type": 9}]:
        yield core(**fields)
    for magic in FOREIGN:
        yield magic.ljust(5000, b"\0")
    for where, magic in [(512, b"EFI PART"), (4096, b"EFI PART"), (510, b"\x55\xaa"),
                         (4096, b"\x1f\x8b\x08"), (257, b"ustar"),
                         (64, b"\x7f\x10\xda\xbe")]:
        yield images.falsify(bytes(6000), where, magic)
    yield images.dump4(b"data", size=16384)
    yield b""
    yield b"x"


def rows(_):
    for data in cores():
        for kind in (0, NO_MAP, AS_KERNEL):
            yield bytes([kind]) + data
        for off in (100, PAGE, len(data) // 2, max(len(data) - PAGE, 0)):
            yield bytes([NO_MAP]) + data[:off]
    for data in packed(minidump()):
        for odd in damaged(data):
            yield b"\0" + odd
    for data in [*zstd_damaged(minidump()), *gzip_damaged(minidump())]:
        yield b"\0" + data
    for data in [minidump(), core(), *packed(minidump()), *[*zstd_damaged(minidump())][:10],
                 [*gzip_damaged(minidump())][4]]:
        yield from failing.memory(b"\0" + data, 24)
        yield from failing.files(b"\0" + data, 16)
        yield from failing.files(b"\1" + data, 8)
    for plain in (core(), bytes(100), b"x" * 5000):
        for data in packed(plain):
            yield b"\0" + data
        yield b"\2" + gzip.compress(plain)
    yield b"\0" + xz_large(minidump())
    yield b"\0" + gzip.compress(minidump() + bytes(1 << 22))
