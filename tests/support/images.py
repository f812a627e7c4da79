"""Images of disks with crash dumps on them, made by hand.

A media is the bytes of a partition, or of a disk without any; a disk has a
GUID partition table around its medias.  What is hostile about them is asked
for by name: every function builds the honest thing unless told otherwise.
"""

import functools
import operator
import random
import struct
import zlib

KERNEL = b"FreeBSD Kernel Dump"
TEXT = b"FreeBSD Text Dump"
CLEARED = b"Cleared Kernel Dump"

SWAP = bytes.fromhex("b57c6e51cf6ed6118ff800022d09712b")
LINUX_SWAP = bytes.fromhex("6dfd5706aba4c44384e50933c84b4f4f")
DRAGONFLY_SWAP = bytes.fromhex("bdfd589da51cdc11881701301bb8a9f5")
UFS = bytes.fromhex("b67c6e51cf6ed6118ff800022d09712b")

VERSION_STRING = b"FreeBSD 14.0-CURRENT #0: Tue\n    root@host:/usr/obj\n"


def some_bytes(length, seed=1):
    """Bytes without any zeros among them."""
    return random.Random(seed).randbytes(length).replace(b"\0", b"\1")


# ---- headers ----


def parity(header):
    """The XOR of the words; of a whole header it is 0."""
    return functools.reduce(operator.xor, struct.unpack("<128I", header))


def with_parity(header):
    header = header[:508] + bytes(4)
    return header[:508] + struct.pack("<I", parity(header))


def header4(length, /, **changed):
    f = {
        "magic": KERNEL,
        "arch": b"amd64",
        "version": 4,
        "arch_version": 2,
        "length": length,
        "time": 1650000000,
        "key_len": 0,
        "block": 512,
        "host": b"host.example",
        "text": VERSION_STRING,
        "panic": b"page fault",
        "compression": 0,
        "extent": length,
    } | changed
    return with_parity(
        struct.pack(
            ">20s12sIIQQII64s192s175sBQII",
            *f.values(),
            *(0, 0),
        )
    )


def header1(length, /, **changed):
    f = {
        "magic": KERNEL,
        "arch": b"i386",
        "version": 1,
        "arch_version": 2,
        "length": length,
        "time": 1150000000,
        "block": 512,
        "host": b"old.example",
        "text": b"FreeBSD 6.2-RELEASE\n",
        "panic": b"page fault",
    } | changed
    return with_parity(
        struct.pack(">20s12sIIQQI64s192s192sI", *f.values(), 0)
    )


# ---- medias ----


def media(data, header, sector=512, key=b"", extent=None, size=1 << 20):
    """size bytes that end in a dump, with the same header at both its ends."""
    extent = len(data) if extent is None else extent
    header = header.ljust(sector, b"\0")
    body = header + key + data.ljust(extent, b"\0") + header
    assert len(body) <= size
    return some_bytes(4096, seed=9).ljust(size - len(body), b"\0") + body


def dump4(data, sector=512, key=b"", extent=None, size=1 << 20, **changed):
    """A dump as today's kernels write it."""
    extent = -(-len(data) // sector) * sector if extent is None else extent
    changed = {"block": sector, "key_len": len(key), "extent": extent} | changed
    return media(data, header4(len(data), **changed), sector, key, extent, size)


def dump1(data, size=1 << 20, **changed):
    return media(data, header1(len(data), **changed), size=size)


def textdump(data, **changed):
    """The blocks of the text, last one first."""
    blocks = [data[i : i + 512] for i in range(0, len(data), 512)]
    data = b"".join(reversed(blocks))
    return dump4(data, magic=TEXT, arch_version=4, **changed)


def falsify(image, offset, data):
    """Put data at offset, counted from the end if that is negative."""
    offset %= len(image)
    return image[:offset] + data + image[offset + len(data) :]


# ---- disks ----


def mbr(first, sectors, kind=0xA5):
    """The first 512 bytes of a disk with one partition, FreeBSD's for one."""
    part = struct.pack("<B3sB3sII", 0x80, b"\1\1\0", kind, b"\xfe" * 3, first,
                       sectors)
    return bytes(446) + part + bytes(48) + b"\x55\xaa"


def gpt_header(lba, other, array_lba, array, /, **changed):
    f = {
        "signature": b"EFI PART",
        "revision": 0x10000,
        "len": 92,
        "crc": 0,
        "reserved": 0,
        "lba": lba,
        "other": other,
        "first": 34,
        "last": 1000,
        "guid": bytes(16),
        "array_lba": array_lba,
        "count": 128,
        "entry_len": 128,
        "array_crc": zlib.crc32(array),
    } | changed
    layout = "<8sIIIIQQQQ16sQIII"
    crc = zlib.crc32(struct.pack(layout, *f.values()))
    return struct.pack(layout, *(f | {"crc": changed.get("crc", crc)}).values())


def entry(first, last, kind=SWAP):
    return struct.pack("<16s16sQQQ72s", kind, b"g" * 16, first, last, 0, b"")


def disk(parts, sector=512, entries=None, primary=None, backup=None):
    """A disk of partitions, each a pair of type and bytes.

    entries: the array, if it is not to tell the truth; primary, backup: fields
    of the two headers that are changed.
    """
    array_sectors = 128 * 128 // sector
    start = 2 + array_sectors
    body, array = b"", b""
    for kind, data in parts:
        first = start + len(body) // sector
        assert len(data) % sector == 0
        body += data
        array += entry(first, first + len(data) // sector - 1, kind)
    array = (array if entries is None else entries).ljust(128 * 128, b"\0")
    last = start + len(body) // sector + array_sectors
    one = gpt_header(1, last, 2, array, **(primary or {}))
    two = gpt_header(last, 1, last - array_sectors, array, **(backup or {}))
    return (
        mbr(1, last, kind=0xEE).ljust(sector, b"\0")
        + one.ljust(sector, b"\0")
        + array
        + body
        + array
        + two.ljust(sector, b"\0")
    )


# ---- disks as other tables have them ----

FILLER = some_bytes(8192, 5)


def geom(media, sector=512, magic=b"GEOM::MIRROR"):
    """A provider of GEOM's: its last sector is its own."""
    return media + magic.ljust(16, b"\0").ljust(sector, b"m")


def table(*entries):
    """The first sector of a disk: first sector, length and type."""
    parts = b"".join(
        struct.pack("<B3sB3sII", 0, bytes(3), kind, bytes(3), first, count)
        for first, count, kind in entries
    )
    return bytes(446) + parts.ljust(64, b"\0") + b"\x55\xaa"


def label(parts, sector=512, raw=0):
    """A bsdlabel: sectors, first sector, type; the third is the slice."""
    text = bytearray(sector)
    struct.pack_into("<I", text, 0, 0x82564557)
    struct.pack_into("<I", text, 40, sector)
    struct.pack_into("<I", text, 132, 0x82564557)
    struct.pack_into("<H", text, 138, 8)
    for i, (count, first, kind) in enumerate(parts):
        struct.pack_into("<IIIB", text, 148 + 16 * i, count, first + raw, 0, kind)
    return bytes(text)


def slice_of(media, sector=512, kind=1, raw=0):
    """A slice whose partition b, in its middle, is the media."""
    count = len(media) // sector
    parts = [(14, 2, 7), (count, 16, kind), (count + 32, 0, 0)]
    return (
        bytes(sector)
        + label(parts, sector, raw)
        + bytes(14 * sector)
        + media
        + FILLER[:sector] * 16
    )


def mbr_disk(slices, sector=512, start=63):
    """Slices of a type, one after the other."""
    body, entries = b"", []
    for kind, data in slices:
        entries.append((start + len(body) // sector, len(data) // sector, kind))
        body += data
    return table(*entries).ljust(start * sector, b"\0") + body + bytes(sector)


def extended_disk(media):
    """A swap of Linux as the second partition in an extended one."""
    count = len(media) // 512
    first = table((1, 8, 0x83), (9, count + 1, 0x05)) + FILLER[:4096]
    second = table((1, count, 0x82)) + media
    return mbr_disk([(0x0F, first + second)])
