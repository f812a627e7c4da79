"""Kernels, modules and debug files, made by hand and by the compiler."""

import pathlib
import struct
import zlib

import elf
import failing
import seeds_types
from elf import ALLOC, AMD64, DYN, EXEC, REL, WRITE, section

CODE = 0xFFFFFFFF80200000
MODULE = 0xFFFFFFFF82400000
TEXT = bytes(range(256)) * 16


def built(files):
    """Those that the compiler has made for other tests."""
    for name in files:
        path = pathlib.Path(name)
        if path.is_dir():
            yield from (p.read_bytes() for p in sorted(path.rglob("*"))
                        if p.is_file() and p.read_bytes()[:4] == b"\x7fELF")
        elif path.is_file():
            yield path.read_bytes()


# ---- unwind tables ----

# DWARF: what a CFA expression and a register's may be made of.
OPS = {
    "lit": b"\x31", "breg": b"\x77\x08", "reg": b"\x57", "regx": b"\x90\x07",
    "bregx": b"\x92\x07\x10", "deref": b"\x77\x08\x06", "plus_uconst": b"\x77\0\x23\x08",
    "plus": b"\x77\0\x38\x22", "minus": b"\x77\x40\x38\x1c", "and": b"\x77\x08\x09\xf0\x1a",
    "const1u": b"\x08\x07", "const2u": b"\x0a\1\2", "const2s": b"\x0b\1\2",
    "const4u": b"\x0c\1\2\3\4", "const4s": b"\x0d\1\2\3\4", "constu": b"\x10\x07",
    "consts": b"\x11\x7f", "stack_value": b"\x77\x10\x9f", "cfa": b"\x9c",
    "empty plus": b"\x22", "half plus": b"\x31\x22", "empty deref": b"\x06",
    "deref nothing": b"\x30\x06", "unknown": b"\x96\x31\x13", "or": b"\x31\x32\x21",
    "odd reg": b"\x6f", "odd breg": b"\x8f\0", "high reg": b"\x90\xff\x7f",
    "deep": b"\x31" * 17, "very deep": b"\x31" * 140, "mul": b"\x31\x32\x1e",
}
OFFSET_RA = b"\x90\x01"  # return address at CFA - 8
DEF_CFA = b"\x0c\x07\x08"  # rsp + 8


def leb(n):
    return bytes([n & 0x7F | 0x80, n >> 7]) if n > 0x7F else bytes([n])


def rules():
    """Instructions of one function each."""
    yield DEF_CFA + OFFSET_RA
    yield b"\x0c\x06\x10" + OFFSET_RA + b"\x86\x02\x83\x03"
    yield DEF_CFA + b"\x07\x10"  # undefined: the outermost frame
    yield DEF_CFA + b"\x08\x10"
    yield DEF_CFA + b"\x09\x10\x03"  # in another register
    yield DEF_CFA + b"\x14\x10\x01"  # val_offset
    yield b"\x0c\x30\x08" + OFFSET_RA
    yield OFFSET_RA
    for ops in OPS.values():
        yield b"\x0f" + leb(len(ops)) + ops + OFFSET_RA
        yield DEF_CFA + b"\x10\x10" + leb(len(ops)) + ops
        yield DEF_CFA + b"\x16\x10" + leb(len(ops)) + ops
        yield DEF_CFA + OFFSET_RA + b"\x10\x03" + leb(len(ops)) + ops


def frames(instructions, start, eh=True):
    """A table for a function at start."""
    cie = b"\1\0\1\x78\x10" + DEF_CFA
    cie = struct.pack("<I", 0 if eh else 0xFFFFFFFF) + cie
    cie += bytes(-len(cie) % 8 + 4)
    fde = struct.pack("<QQ", start, 0x1000) + instructions
    fde = fde + bytes(-(len(fde) + 8) % 8)
    cie = struct.pack("<I", len(cie)) + cie
    fde = struct.pack("<I", len(fde) + 4) + struct.pack(
        "<I", len(cie) + 4 if eh else 0) + fde
    return cie + fde + bytes(4)


def compressed(data, kind=1):
    """A compressed section; kind 1 is zlib."""
    return struct.pack("<IIQQ", kind, 0, len(data), 1) + zlib.compress(data)


def kernel(table, name=b".eh_frame", more=(), **fields):
    text = section(b".text", TEXT, flags=ALLOC | EXEC, addr=CODE, align=16)
    eh = section(name, table, addr=CODE + 0x2000 if name == b".eh_frame" else 0,
                 flags=ALLOC if name == b".eh_frame" else 0, align=8)
    size = 64 + 56 + len(TEXT)
    return elf.file([text, eh, *more], segments=[(1, 5, 120, CODE, CODE, size, 0x4000)],
                    **fields)


def dwarf(files):
    for number, row in enumerate(rules()):
        yield b"\0\x10" + kernel(frames(row, CODE))
        if number % 4 == 0:
            yield b"\0\x10" + kernel(frames(row, CODE, False), b".debug_frame")
        if number < 8:
            for machine in (elf.ARM64, elf.RISCV, elf.I386):
                kind = {elf.ARM64: b"\2", elf.RISCV: b"\4", elf.I386: b"\3"}
                yield kind[machine] + b"\x10" + kernel(frames(row, CODE),
                                                       machine=machine)
    text = section(b".text", TEXT, flags=ALLOC | EXEC, addr=CODE, align=16)
    for size in (4, 20):
        note = elf.note(b"GNU", 3, bytes(range(size)))
        yield b"\0\x10" + elf.file(
            [text, section(b".note.gnu.build-id", note, type=elf.NOTE,
                           addr=CODE + 0x3000, align=4)],
            segments=[(1, 5, 120, CODE, CODE, 0x1100, 0x4000)])
    for name in (b".debug_line", b".debug_info", b".debug_odd", b".other"):
        for kind in (1, 99):
            packed = section(name, compressed(bytes(50), kind), flags=elf.COMPRESSED)
            yield b"\0\x10" + kernel(frames(DEF_CFA + OFFSET_RA, CODE),
                                     more=[packed])
            yield b"\0\x10" + kernel(b"", more=[packed], shstrndx=0)
    for data in built(files):
        for where in (0, 1, 4, 9, 0x10, 0x20, 0x30, 0x40, 0x50):
            yield bytes([0, where]) + data
            yield bytes([0x80, where]) + data
    for module in modules():
        yield b"\x80\x10" + module
    for kind in (b"\0\x10", b"\x80\x10"):
        for data in [*modules()][:1] + [*built(files)][:2]:
            yield from failing.memory(kind + data, 40)
            yield from failing.files(kind + data, 12)
    yield b"\0\0"
    yield b"\0\0\x7fELF"


# ---- modules ----


def symtab(rows, link, **fields):
    table, names = elf.symbols(rows)
    return [section(b".symtab", table, type=elf.SYMTAB, flags=0, link=link,
                    entsize=24, **fields),
            section(b".strtab", names, type=elf.STRTAB, flags=0)]


def modules():
    text = section(b".text", TEXT[:64], flags=ALLOC | EXEC, align=16)
    data = section(b".data", b"data", flags=ALLOC | WRITE, align=8)
    rows = [(b"zfs_open", 0, 16, 2, 1), (b"zfs_close", 16, 16, 2, 1),
            (b"numbers", 0, 4, 1, 2), (b"undefined", 0, 0, 0, 0),
            (b"absolute", 7, 0, 0, 0xFFF1), (b"odd", 1 << 40, 1 << 40, 1, 1)]
    good = [text, data, *symtab(rows, 4)]
    yield elf.file(good, type=REL)
    yield elf.file(good, type=DYN)
    yield elf.file(good)
    yield elf.file([text, data], type=REL)
    yield elf.file(good, type=REL, machine=elf.ARM64)
    yield elf.file(good, type=REL, shoff=1 << 40)
    yield elf.file(good, type=REL, shnum=0)
    yield elf.file(good, type=REL, shstrndx=0)
    yield elf.file(good, type=REL, shstrndx=99)
    yield elf.file(good, type=REL, shnum=60000)
    for order in (elf.LITTLE, elf.BIG):
        for machine in (elf.I386, elf.ARM, AMD64):
            for kind in (REL, DYN):
                yield elf.file([text, data], False, order, type=kind,
                               machine=machine)
    for fields in [{"align": 3}, {"align": 0}, {"align": 1 << 63}, {"size": 1 << 63},
                   {"size": 0}, {"size": 0x7FFF}, {"addr": 0x7FF0}, {"addr": 1 << 63},
                   {"type": elf.NOTE}, {"type": elf.NOBITS, "size": 64},
                   {"type": elf.INIT_ARRAY}, {"type": 15}, {"type": 0x70000001},
                   {"flags": 0}, {"name": b"set_pcpu"}, {"name": b"set_vnet"},
                   {"name": b".eh_frame"}]:
        odd = section(b".odd", b"o" * 64) | fields
        for kind in (REL, DYN):
            yield elf.file([text, odd, data, *symtab(rows, 5)], type=kind)
    for link in (0, 1, 99):
        yield elf.file([text, data, *symtab(rows, link)], type=REL)
    for fields in [{"entsize": 0}, {"entsize": 1}, {"size": 7}, {"size": 1 << 40}]:
        odd = symtab(rows, 4)
        odd[0] |= fields
        yield elf.file([text, data, *odd], type=REL)
    eh = section(b".eh_frame", frames(DEF_CFA + OFFSET_RA, MODULE), align=8)
    yield elf.file([text, eh, *symtab(rows, 4)], type=REL)
    yield elf.file([text, eh | {"type": 0x70000001}, *symtab(rows, 4)], type=REL)


def modfile(files):
    everything = [*modules(), *built(files), b"", b"x", b"\x7fELF"]
    for data in everything:
        for kind in (0, 0x80):
            yield bytes([kind]) + data
    for data in everything[:40]:
        for kind in (1, 0x41, 3):
            yield bytes([kind]) + data


# ---- kernels ----


def damaged(data):
    """A compiled kernel whose debug information has one wrong byte each time."""
    end = max(data.find(b"GNU C"), data.find(b"clang version"))  # its strings
    for off in range(max(end - 1500, 0), end, 53):
        yield data[:off] + bytes([data[off] ^ 0x13]) + data[off + 1:]



def with_sections(data, number):
    """A file that has their number in section 0."""
    at = struct.unpack_from("<Q", data, 40)[0] + 32
    return data[:at] + struct.pack("<Q", number) + data[at + 8:]


def kernels(files):
    rows = [(b"kernbase", CODE, 0, 0, 0xFFF1), (b"a", CODE + 16, 16, 1, 1),
            (b"a", CODE + 32, 16, 1, 1), (b"mp_ncpus", CODE + 64, 4, 1, 1),
            (b".L1", CODE + 70, 0, 0, 1), (b"", CODE + 72, 0, 3, 1),
            (b"mid", CODE + 18, 0, 0, 1), (b"end", CODE + 4096, 0, 0, 1),
            (b"wrap", (1 << 64) - 1, 16, 2, 1), (b"elsewhere", 1, 1, 1, 77)]
    text = section(b".text", TEXT, flags=ALLOC | EXEC, addr=CODE, align=16)
    good = [text, *symtab(rows, 3)]
    segments = [(1, 5, 120, CODE, CODE, 4096, 4096)]
    yield elf.file(good, segments=segments)
    yield elf.file(good)
    dynamic = [good[0], good[1] | {"type": elf.DYNSYM}, good[2]]
    yield elf.file(dynamic, segments=segments)
    for fields in [{"type": REL}, {"type": DYN}, {"type": elf.CORE}, {"machine": 77},
                   {"phnum": 60000}, {"phoff": 1 << 50}, {"shoff": 1 << 50},
                   {"phentsize": 1}, {"shstrndx": 0}, {"shnum": 0}, {"machine": 8}]:
        yield elf.file(good, segments=segments, **fields)
    for machine, wide in [(elf.I386, False), (elf.ARM, False), (elf.ARM64, True),
                          (elf.RISCV, True)]:
        for order in (elf.LITTLE, elf.BIG):
            yield elf.file([text | {"addr": CODE if wide else 0xC0000000}], wide,
                           order, machine=machine)
    for link in (0, 1, 99):
        yield elf.file([text, *symtab(rows, link)])
    for fields in [{"entsize": 0}, {"entsize": 1}, {"size": 7}, {"size": 1 << 40},
                   {"size": 0}, {"type": elf.NOBITS}]:
        odd = symtab(rows, 3)
        odd[0] |= fields
        yield elf.file([text, *odd])
    for table, size in ((0, 20 << 20), (1, 60 << 20), (1, 65 << 20)):
        odd = symtab(rows, 3)
        odd[table] |= {"size": size}
        yield elf.file([text, *odd])
    for number in (3, 1 << 20):
        yield with_sections(elf.file(good, shnum=0), number)
    for fields in [{"size": 1 << 63}, {"addr": 1 << 63}, {"type": elf.NOBITS},
                   {"size": 0}]:
        yield elf.file([text | fields, *symtab(rows, 3)])
    for data in built(files):
        yield data
        yield from damaged(data)
    yield from seeds_types.kernels()
    yield b""
    yield b"\x7fELF"
    yield b"minidump FreeBSD/amd64".ljust(5000, b"\0")
    yield b"\x1f\x8b\x08"
    yield b"\x28\xb5\x2f\xfd"


def procs(files):
    """Kernels with processes, and with a pointer of theirs that leads elsewhere."""
    for data in built(files):
        yield data
    today = (pathlib.Path(files[0]) / "today").read_bytes()
    yield from failing.memory(today, 50)
    yield from failing.files(today, 16)
    words = [off for off in range(0x1000, len(today) - 8, 8)
             if today[off + 3:off + 8] == b"\x80\xff\xff\xff\xff"]
    for number, off in enumerate(words):
        other = words[(number * 7 + 1) % len(words)]
        yield today[:off] + bytes(8) + today[off + 8:]
        yield today[:off] + today[other:other + 8] + today[off + 8:]
        yield today[:off] + b"\1" * 8 + today[off + 8:]


# ---- debug files ----


def debuglink(_):
    same = elf.note(b"GNU", 3, b"\x12\x34\x56\x78")
    notes = [same, elf.note(b"GNU", 3, b"other")]
    files = [elf.file([section(b".note.gnu.build-id", note, type=elf.NOTE)])
             for note in notes] + [elf.file([]), b"x", b""]
    names = [b"kernel.debug", b"kernel.dbg", b"", b"a/b", b"n" * 5000]
    for flags in (0, 1, 3, 4, 5, 7, 0xC, 0x14, 0x21):
        for place in range(6):
            for number, data in enumerate(files):
                name = names[(flags + place + number) % len(names)]
                yield bytes([flags, place]) + name + b"\0" + data
                yield bytes([flags, place]) + b"kernel.debug\0" + data
    yield b"\1\1kernel.dbg\0x"
    yield b"\3\1kernel.dbg\0x"
    yield b"\3\1kernel.dbg"
