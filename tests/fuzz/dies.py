"""Debug information made by hand (DWARF 4), so that any of it can be wrong.

A die is (tag, attributes, children); an attribute is (name, form, value).  What
has Label(name) as its value refers to the die that has the attribute NAME with
that name, which is not written.
"""

import struct

# Tags.
ARRAY, ENUMERATION, MEMBER, POINTER, UNIT, STRUCTURE = 1, 4, 0xD, 0xF, 0x11, 0x13
TYPEDEF, UNION, SUBRANGE, BASE, CONST, ENUMERATOR = 0x16, 0x17, 0x21, 0x24, 0x26, 0x28
VOLATILE, RESTRICT, ATOMIC, TEMPLATE = 0x35, 0x37, 0x47, 0x2F

# Attributes.
NAME, BYTE_SIZE, BIT_OFFSET, CONST_VALUE, UPPER_BOUND = 3, 0xB, 0xC, 0x1C, 0x2F
COUNT, MEMBER_LOCATION, DECLARATION, TYPE, DATA_BIT_OFFSET = 0x37, 0x38, 0x3C, 0x49, 0x6B

# Forms.
DATA8, STRING, DATA1, REF4, EXPRLOC, FLAG = 7, 8, 0xB, 0x13, 0x18, 0x19
HEADER_LEN = 11  # of a unit


def leb(n):
    """Two bytes, whatever the number is."""
    return bytes([n & 0x7F | 0x80, n >> 7])


class Label(str):
    """The name of a die."""


class Tables:
    """The two sections; each die has an abbreviation of its own."""

    def __init__(self, labels):
        self.labels = labels  # offsets, of the pass before
        self.info = self.abbrev = b""
        self.found = {}
        self.number = 0

    def value(self, form, value):
        if form == REF4:
            if isinstance(value, Label):
                value = self.labels.get(value, 0)
            return struct.pack("<I", value)
        if form == STRING:
            return value + b"\0"
        if form == EXPRLOC:
            return leb(len(value)) + value
        return {DATA1: bytes([value & 0xFF]), DATA8: struct.pack("<Q", value),
                FLAG: b""}[form]

    def add(self, die):
        tag, attributes, children = die
        self.number += 1
        self.abbrev += leb(self.number) + leb(tag) + bytes([len(children) > 0])
        at = HEADER_LEN + len(self.info)
        self.info += leb(self.number)
        for name, form, value in attributes:
            if isinstance(value, Label) and name == NAME:
                self.found[value] = at
                continue
            self.abbrev += leb(name) + leb(form)
            self.info += self.value(form, value)
        self.abbrev += bytes(2)
        for child in children:
            self.add(child)
        if children:
            self.info += b"\0"


def sections(*dies):
    """(.debug_info, .debug_abbrev) of a unit with these dies."""
    labels = {}
    for _ in range(2):
        tables = Tables(labels)
        tables.add((UNIT, [], dies))
        labels = tables.found
    body = struct.pack("<HIB", 4, 0, 8) + tables.info
    return struct.pack("<I", len(body)) + body, tables.abbrev + b"\0"
