"""ELF files made by hand, so that any field can be wrong."""

import struct

LITTLE, BIG = "<", ">"

# Types of sections, and flags.
PROGBITS, SYMTAB, STRTAB, NOTE, NOBITS, INIT_ARRAY, DYNSYM = 1, 2, 3, 7, 8, 14, 11
WRITE, ALLOC, EXEC, COMPRESSED = 1, 2, 4, 0x800

# Types of files; machines.
REL, EXECUTABLE, DYN, CORE = 1, 2, 3, 4
I386, ARM, AMD64, ARM64, RISCV = 3, 40, 62, 183, 243


def section(name, data=b"", **fields):
    """One section; size is that of its data, unless it is given."""
    return {"name": name, "data": data, "type": PROGBITS, "flags": ALLOC,
            "addr": 0, "link": 0, "info": 0, "align": 1, "entsize": 0,
            "size": len(data)} | fields


def note(owner, kind, desc, order=LITTLE):
    def pad(data):
        return data + bytes(-len(data) % 4)

    owner += b"\0"
    return (struct.pack(order + "III", len(owner), len(desc), kind) + pad(owner)
            + pad(desc))


def symbols(rows, wide=True, order=LITTLE):
    """A symbol table and its strings: rows of (name, value, size, type, section)."""
    table, names = bytes(24 if wide else 16), b"\0"
    for name, value, size, kind, index in rows:
        if wide:
            table += struct.pack(order + "IBBHQQ", len(names), 0x10 | kind, 0,
                                 index, value, size)
        else:
            table += struct.pack(order + "IIIBBH", len(names), value, size,
                                 0x10 | kind, 0, index)
        names += name + b"\0"
    return table, names


def file(sections, wide=True, order=LITTLE, segments=(), **fields):
    """A file; segments are (type, flags, offset, va, pa, filesz, memsz)."""
    names = b"\0"
    headers = bytes(64 if wide else 40)
    sections = [*sections, section(b".shstrtab", b"", type=STRTAB, flags=0)]
    phoff = 64 if wide else 52
    phentsize = 56 if wide else 32
    body = b""
    start = phoff + phentsize * len(segments)
    for sec in sections:
        name = len(names)
        names += sec["name"] + b"\0"
        if sec["name"] == b".shstrtab":
            sec["data"], sec["size"] = names, len(names)
        body += bytes(-(start + len(body)) % 8)
        layout = "IIQQQQIIQQ" if wide else "IIIIIIIIII"
        headers += struct.pack(
            order + layout, name, sec["type"], sec["flags"], sec["addr"],
            start + len(body), sec["size"], sec["link"], sec["info"],
            sec["align"], sec["entsize"])
        if sec["type"] != NOBITS:
            body += sec["data"]
    body += bytes(-(start + len(body)) % 8)
    ehdr = {"type": EXECUTABLE, "machine": AMD64, "version": 1, "entry": 0,
            "phoff": phoff if segments else 0, "shoff": start + len(body),
            "flags": 0, "ehsize": phoff, "phentsize": phentsize,
            "phnum": len(segments), "shentsize": 64 if wide else 40,
            "shnum": len(sections) + 1, "shstrndx": len(sections)} | fields
    ident = bytes([0x7F, *b"ELF", 2 if wide else 1, 1 if order == LITTLE else 2,
                   1, 9]) + bytes(8)
    head = ident + struct.pack(order + ("HHIQQQIHHHHHH" if wide else
                                        "HHIIIIIHHHHHH"), *ehdr.values())
    for kind, flags, off, va, pa, filesz, memsz in segments:
        if wide:
            head += struct.pack(order + "IIQQQQQQ", kind, flags, off, va, pa,
                                filesz, memsz, 4096)
        else:
            head += struct.pack(order + "IIIIIIII", kind, off, va, pa, filesz,
                                memsz, flags, 4096)
    return head + body + headers
