"""FreeBSD's dumps to the letter: a reader that knows the written format only.

It shares nothing with the writer, nor with libkvm, and is of no use for
anything but our kernel's dumps: where a reader would be lenient, it asserts.
All integers of a dump's header are big-endian, all of a minidump little-endian.
"""

import bisect
import itertools
import struct
import time

PAGE = 4096
BLOCK = 512
DAY = 86400

HEADER = struct.Struct(">20s12sIIQQII64s192s175sBQII")
MINIDUMP = struct.Struct("<24sIIIIQQQI")

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PHENTSIZE = PROGRAM_HEADER.size
PT_LOAD = 1
# Our own: where the section is that says who owned which page.
OWNERS = struct.Struct("<16sQQ")
OWNERS_AT = 4032
MSGBUF = struct.Struct("<QII")  # msg_ptr, msg_magic, msg_size: constant
MSGBUF_MAGIC = 0x063062

PRESENT = 1
LARGE = 1 << 7
FRAME = 0x000FFFFFFFFFF000
LARGE_FRAME = 0x000FFFFFFFE00000


def round_page(length):
    return -(-length // PAGE) * PAGE


def string(field):
    """A NUL-terminated string, with nothing but zeros after it."""
    text, _, rest = field.partition(b"\0")
    assert len(text) < len(field) and not any(rest), field
    return text.decode()


def words(data):
    return struct.unpack(f"<{len(data) // 8}Q", data)


def pairs(flat):
    return zip(flat[::2], flat[1::2])


class Device:
    """A disk that was empty and took a dump of version 4."""

    def __init__(self, path):
        with open(path, "rb") as image:
            self.data = image.read()
        self.header = self.data[-BLOCK:]
        (
            magic,
            architecture,
            self.version,
            self.architecture_version,
            self.length,
            self.time,
            self.key_len,
            self.block_len,
            hostname,
            version_string,
            panic_string,
            self.compression,
            self.extent,
            self.unused,
            _,
        ) = HEADER.unpack(self.header)
        self.magic = string(magic)
        self.architecture = string(architecture)
        self.hostname = string(hostname)
        self.version_string = string(version_string)
        self.panic_string = string(panic_string)
        self.start = len(self.data) - BLOCK - self.extent

    def dump(self):
        return self.data[self.start : self.start + self.length]

    def check(self):
        assert self.magic == "FreeBSD Kernel Dump"
        assert self.architecture == "amd64"
        assert (self.version, self.architecture_version) == (4, 2)
        assert (self.key_len, self.compression, self.unused) == (0, 0, 0)
        assert self.block_len == BLOCK
        assert self.length == self.extent and self.length % BLOCK == 0
        assert abs(self.time - time.time()) < DAY, self.time
        assert self.version_string.endswith("\n"), self.version_string
        self.check_parity()
        self.check_places()

    def check_parity(self):
        total = 0
        for (word,) in struct.iter_unpack("=I", self.header):
            total ^= word
        assert total == 0, hex(total)

    def check_places(self):
        first = self.start - BLOCK
        assert first >= 64 * 1024
        assert self.data[first : self.start] == self.header
        assert not any(self.data[:first]), "written before its place"


class Absent(Exception):
    """An address that nothing is known of."""


class FullDump:
    """All of memory, as an ELF core."""

    def __init__(self, data):
        self.data = data
        self.header = ELF_HEADER.unpack_from(data)
        count = self.header[10]
        self.entries = [
            PROGRAM_HEADER.unpack_from(data, ELF_HEADER.size + i * PHENTSIZE)
            for i in range(count)
        ]

    def check(self, segments):
        """segments: (start, end) of memory, in pages."""
        ident, kind, machine, version, entry, phoff, shoff, *rest = self.header
        assert ident == b"\x7fELF\2\1\1\xff" + bytes(8)
        assert (kind, machine, version, entry) == (4, 62, 0, 0)
        assert (phoff, shoff) == (ELF_HEADER.size, 0)
        flags, ehsize, phentsize, _, shentsize, shnum, shstrndx = rest
        assert (ehsize, phentsize, shentsize) == (64, PHENTSIZE, 64)
        assert (flags, shnum, shstrndx) == (0, 0, 0)
        self.check_memory(segments)

    def check_memory(self, segments):
        """One after the other, without gaps."""
        headers_len = ELF_HEADER.size + len(self.entries) * PHENTSIZE
        offset = round_page(headers_len)
        assert not any(self.data[headers_len:offset])
        loads = [entry for entry in self.entries if entry[0] == PT_LOAD]
        want = []
        for start, end in segments:
            at, length = start * PAGE, (end - start) * PAGE
            want.append((PT_LOAD, 4, offset, at, at, length, length, PAGE))
            offset += length
        assert loads == want, (loads, want)
        assert len(self.data) == offset


class Minidump:
    """Versions 1 and 3 of amd64."""

    def __init__(self, data):
        self.data = data
        (
            magic,
            self.version,
            self.msgbuf_len,
            self.bitmap_len,
            self.pmap_len,
            self.kernbase,
            self.dmapbase,
            self.dmapend,
            self.dump_avail_len,
        ) = MINIDUMP.unpack_from(data)
        self.magic = string(magic)
        self.end = PAGE  # of the sections found so far
        self.msgbuf = self.section(self.msgbuf_len)
        self.dump_avail = self.section(self.dump_avail_len)
        self.bitmap = self.section(self.bitmap_len)
        self.pmap = words(self.section(self.pmap_len))
        self.sparse = self.end
        self.segments = self.find_segments()
        counts = (byte.bit_count() for byte in self.bitmap)
        self.rank = [0, *itertools.accumulate(counts)]  # set bits below a byte

    def section(self, length):
        start = self.end
        self.end += round_page(length)
        return self.data[start : start + length]

    # ---- physical addresses ----

    def find_segments(self):
        """(start, end, bit of start), in pages."""
        if self.version < 3:
            return [(0, len(self.bitmap) * 8, 0)]
        found, bit = [], 0
        for start, end in pairs(words(self.dump_avail)):
            if end == 0:
                break
            found.append((start // PAGE, -(-end // PAGE), bit))
            bit += found[-1][1] - found[-1][0]
        return found

    def bit(self, pa):
        """The bit of a page, None if it is not memory."""
        page = pa // PAGE
        i = bisect.bisect(self.segments, page, key=lambda s: s[0]) - 1
        if i < 0 or page >= self.segments[i][1]:
            return None
        return self.segments[i][2] + page - self.segments[i][0]

    def offset(self, pa):
        """Where in the file a page lies; None: it is not there."""
        bit = self.bit(pa)
        if bit is None or not self.bitmap[bit // 8] >> bit % 8 & 1:
            return None
        below = self.bitmap[bit // 8] & (1 << bit % 8) - 1
        place = self.rank[bit // 8] + below.bit_count()
        return self.sparse + place * PAGE

    def page(self, pa):
        offset = self.offset(pa)
        if offset is None:
            raise Absent(f"physical {pa:#x}")
        return self.data[offset : offset + PAGE]

    def pages(self):
        """Physical addresses of all pages, ascending."""
        for start, end, first in self.segments:
            for page in range(start, end):
                bit = first + page - start
                if self.bitmap[bit // 8] >> bit % 8 & 1:
                    yield page * PAGE

    # ---- virtual addresses ----

    def entries(self):
        """(va, last-level entry) of all that the page tables map."""
        if self.version == 1:
            for i, entry in enumerate(self.pmap):
                if entry & PRESENT:
                    yield self.kernbase + i * PAGE, entry
            return
        for i, entry in enumerate(self.pmap):
            va = self.kernbase + (i << 21)
            if not entry & PRESENT:
                continue
            if entry & LARGE:
                for j in range(512):
                    yield va + j * PAGE, (entry & LARGE_FRAME) + j * PAGE
                continue
            for j, leaf in enumerate(words(self.page(entry & FRAME))):
                if leaf & PRESENT:
                    yield va + j * PAGE, leaf

    def entry(self, va):
        """The last-level entry for an address of the kernel map, or 0."""
        if self.version == 1:
            i = (va - self.kernbase) >> 12
            return self.pmap[i] if i < len(self.pmap) else 0
        i = (va - self.kernbase) >> 21
        entry = self.pmap[i] if i < len(self.pmap) else 0
        if not entry & PRESENT:
            return 0
        if entry & LARGE:
            return (entry & LARGE_FRAME) + (va & 0x1FF000) + PRESENT
        return words(self.page(entry & FRAME))[va >> 12 & 511]

    def physical(self, va):
        if va >= self.kernbase:
            entry = self.entry(va)
            if not entry & PRESENT:
                raise Absent(f"{va:#x} is not mapped")
            return (entry & FRAME) + va % PAGE
        if self.dmapbase <= va < self.dmapend:
            return va - self.dmapbase
        raise Absent(f"{va:#x}")

    def read(self, va, length):
        data = b""
        while len(data) < length:
            pa = self.physical(va + len(data))
            page = self.page(pa - pa % PAGE)
            data += page[pa % PAGE :][: length - len(data)]
        return data

    # ---- the letter ----

    def check(self):
        assert self.magic == "minidump FreeBSD/amd64"
        assert self.version in (1, 3)
        header_len = MINIDUMP.size if self.version == 3 else 64
        assert not any(self.data[header_len:OWNERS_AT])
        assert self.kernbase % (1 << 30) == 0
        assert self.dmapbase < self.dmapend <= self.kernbase
        self.check_msgbuf()
        self.check_sections()
        self.check_pmap()
        if self.version == 3:
            self.check_dump_avail()
            self.check_mapped()

    def check_msgbuf(self):
        """The ring, and the structure after it that describes it."""
        at = PAGE + self.msgbuf_len
        ring, magic, length = MSGBUF.unpack_from(self.data, at)
        assert (magic, length) == (MSGBUF_MAGIC, self.msgbuf_len)
        in_memory = self.read(ring + length, MSGBUF.size)
        assert MSGBUF.unpack(in_memory) == (ring, magic, length)
        text = self.msgbuf.rstrip(b"\0").decode()
        assert text.startswith("vmcore kernel") and "\0" not in text

    def check_sections(self):
        assert self.bitmap_len % PAGE == 0
        assert self.dump_avail_len == (PAGE if self.version == 3 else 0)
        pages_end = self.sparse + self.rank[-1] * PAGE
        magic, *place = OWNERS.unpack_from(self.data, OWNERS_AT)
        assert magic.rstrip(b"\0") == b"vmcore owners"
        assert place == [pages_end, 4 * self.bitmap_len]
        assert len(self.data) == sum(place)
        start, end, first = self.segments[-1]
        nbits = first + end - start
        bits = int.from_bytes(self.bitmap, "little")
        assert bits.bit_length() <= nbits, "spare bits"
        if self.version == 3:
            assert self.bitmap_len == round_page(-(-nbits // 8))

    def check_pmap(self):
        """A page for each 2 MB, or each 1 GB, up to the kernel map's end."""
        assert self.pmap_len % PAGE == 0
        last = max(va for va, _ in self.entries())
        unit = 1 << (21 if self.version == 1 else 30)
        assert self.pmap_len // PAGE >= (last - self.kernbase) // unit + 1

    def check_dump_avail(self):
        bounds = words(self.dump_avail)
        used = 2 * len(self.segments)
        assert used < len(bounds) and not any(bounds[used:])
        bounds = bounds[:used]
        assert list(bounds) == sorted(set(bounds))
        assert not any(bound % PAGE for bound in bounds)

    def check_mapped(self):
        """Page tables are among the pages, and so is all memory mapped."""
        for va, entry in self.entries():  # raises if a table is missing
            pa = entry & FRAME
            if self.bit(pa) is not None:
                assert self.offset(pa) is not None, hex(va)
