"""Structures of a kernel that are not as a compiler makes them: fuzz_exec.c says
which are looked for."""

import elf
from dies import (
    ARRAY, ATOMIC, BASE, BIT_OFFSET, BYTE_SIZE, CONST, CONST_VALUE, COUNT, DATA1,
    DATA8, DATA_BIT_OFFSET, DECLARATION, ENUMERATION, ENUMERATOR, EXPRLOC, FLAG,
    MEMBER, MEMBER_LOCATION, NAME, POINTER, REF4, RESTRICT, STRING, STRUCTURE,
    SUBRANGE, TEMPLATE, TYPE, TYPEDEF, UNION, UPPER_BOUND, VOLATILE, Label, sections,
)
from elf import ALLOC, EXEC, section

CODE = 0xFFFFFFFF80200000
MAX = (1 << 64) - 1


def label(name):
    return NAME, REF4, Label(name)


def ref(name):
    return TYPE, REF4, Label(name)


def name(text):
    return NAME, STRING, text


def size(n):
    return BYTE_SIZE, DATA8, n


def at(n):
    return MEMBER_LOCATION, DATA8, n


INT = BASE, [label("int"), name(b"int"), size(4)], []


def member(text, *attributes):
    return MEMBER, [name(text), *attributes], []


def thread(*members, tag=STRUCTURE):
    return tag, [name(b"thread"), size(64)], [*members]


def array(text, element, *dimensions):
    return ARRAY, [label(text), element], [
        (SUBRANGE, [*dimension], []) for dimension in dimensions]


# What refers to another type, and leads nowhere in the end.
QUALIFIED = [
    [(TYPEDEF, [label("t")], [])],
    [(TYPEDEF, [label("t"), ref("t")], [])],
    [(TYPEDEF, [label("t"), (TYPE, REF4, 0xFFFFFF)], [])],
    *([(tag, [label("t"), ref("int")], [])]
      for tag in (CONST, VOLATILE, RESTRICT, ATOMIC, TYPEDEF, POINTER)),
    [(POINTER, [label("t"), size(2)], [])],
    [(BASE, [label("t"), (BYTE_SIZE, EXPRLOC, b"\x30")], [])],
    [(BASE, [label("t"), size(MAX)], [])],
    [(BASE, [label("t"), size(1 << 33)], [])],
    [(ARRAY, [label("t"), ref("int")], [])],
    [array("t", ref("int"), [(UPPER_BOUND, DATA1, 7)])],
    [array("t", ref("int"), [(COUNT, DATA1, 7)], [(COUNT, DATA1, 0)])],
    [array("t", ref("int"), [(COUNT, DATA8, MAX)], [(COUNT, DATA8, MAX)])],
    [array("t", ref("int"), [(COUNT, DATA8, MAX)])],
    [array("t", ref("int"), [(UPPER_BOUND, EXPRLOC, b"\x30")])],
    [array("t", ref("t"), [(COUNT, DATA1, 1)])],
    [array("t", ref("u"), [(COUNT, DATA8, 1 << 40)]),
     array("u", ref("int"), [(COUNT, DATA8, 1 << 40)])],
    [array("t", ref("none"), [(COUNT, DATA1, 1)])],
    [(ARRAY, [label("t"), ref("int")], [INT, (SUBRANGE, [], [])])],
    [(STRUCTURE, [label("t"), size(8)], [member(b"code", ref("int")),
                                        member(b"x", ref("int"), at(4))])],
    [(STRUCTURE, [label("t"), size(8)], [])],
    [(ENUMERATION, [label("t"), size(4)], [
        (ENUMERATOR, [name(b"TDS_RUNNING"), (CONST_VALUE, DATA1, 4)], []),
        (ENUMERATOR, [name(b"none")], []), (ENUMERATOR, [], []),
        (ENUMERATOR, [name(b"TDS_RUNNING2"), (CONST_VALUE, DATA1, 5)], [])])],
    [(ENUMERATION, [label("t"), size(4)], [])],
]

# Where a member is.
PLACES = [
    [], [at(MAX)], [at(1 << 20)],
    [(MEMBER_LOCATION, EXPRLOC, b"\x23\x08")],
    [(MEMBER_LOCATION, EXPRLOC, b"\x30")],
    [(MEMBER_LOCATION, EXPRLOC, b"\x23\x08\x30")],
    [(MEMBER_LOCATION, EXPRLOC, b"\x23")],
    [(MEMBER_LOCATION, EXPRLOC, b"")],
    [(BIT_OFFSET, DATA1, 3)], [(DATA_BIT_OFFSET, DATA1, 3)],
]


def structures():
    """The dies of a kernel each."""
    members = (b"td_tid", b"td_sa", b"td_state", b"td_array", b"td_typedef")
    yield []
    for types in QUALIFIED:
        yield [INT, *types, thread(*(member(text, ref("t")) for text in members))]
        yield [INT, *types, thread((MEMBER, [ref("t")], []), (MEMBER, [], []))]
    for tag in (STRUCTURE, UNION, BASE):
        for place in PLACES:
            yield [INT, thread(*(member(text, ref("int"), *place) for text in
                                 (b"td_tidy", b"td_", b"td_tid", b"td_sa")), tag=tag)]
    yield [thread()]
    yield [thread((TEMPLATE, [], []), member(b"td_tid"))]
    yield [(STRUCTURE, [name(b"thread"), (DECLARATION, FLAG, 1)], []),
           INT, thread(member(b"td_tid", ref("int")))]
    yield [INT, (STRUCTURE, [name(b"thread")], [member(b"td_tid", ref("int"))]),
           (STRUCTURE, [name(b"late"), size(MAX)], [])]
    # A structure in itself: the search for a member comes to an end.
    yield [(STRUCTURE, [label("t"), name(b"thread")], [
        (MEMBER, [ref("t")], []), (MEMBER, [ref("t")], [])])]
    yield [INT, thread(*[(MEMBER, [], [])] * 3000, member(b"td_tid", ref("int")))]


def kernels():
    text = section(b".text", bytes(4096), flags=ALLOC | EXEC, addr=CODE, align=16)
    note = section(b".note.gnu.build-id", elf.note(b"GNU", 3, bytes(range(20))),
                   type=elf.NOTE, addr=CODE + 0x3000, align=4)
    for dies in structures():
        info, abbrev = sections(*dies)
        yield elf.file([text, section(b".debug_info", info, flags=0),
                        section(b".debug_abbrev", abbrev, flags=0)])
    yield elf.file([text, note])
    link = b"kernel.debug\0\0\0\0" + bytes(4)
    yield elf.file([text, note, section(b".gnu_debuglink", link, flags=0)])
