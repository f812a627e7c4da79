"""usage: builds.py RUN-KERNEL KERNEL VMCORE

A kernel of another build than the dump's is refused, unless --force is given;
a kernel or a dump without an id is not.
"""

import os
import pathlib
import struct
import sys
import tempfile

import letter
import machine
import tap

run_kernel, kernel, vmcore = sys.argv[1:]
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20
PT_NOTE = 4
PHDR = struct.Struct("<IIQQQQQQ")
NOTE = struct.pack("<III4s", 4, 20, 3, b"GNU")

OPTIONS_OF = {  # of each command, what it takes to do something
    "bt": [],
    "dmesg": [],
    "info": [],
    "ps": [],
    "read": ["version"],
    "serve": ["--stdio"],
}


def crash():
    disk = machine.make_disk(work / "disk", 64 * MB)
    with machine.Machine(
        *(run_kernel, kernel, "dumpdev=vtbd0", "kern.panic.exit_code=9"),
        'kern.script="crash panic"',
        memory=64,
        disks=[disk],
    ) as m:
        assert m.end() == 9, m.text
    return machine.dump_of(disk, work / "core").read_bytes()


# ---- kernels and dumps that differ in one thing ----


class Kernel:
    """The kernel's file, to be spoiled."""

    def __init__(self):
        self.data = bytearray(pathlib.Path(kernel).read_bytes())
        self.id_at = self.data.index(NOTE) + len(NOTE)

    def id(self):
        return self.data[self.id_at :][:20].hex()

    def headers(self, of_type):
        (phoff,) = struct.unpack_from("<Q", self.data, 32)
        (phnum,) = struct.unpack_from("<H", self.data, 56)
        for at in range(phoff, phoff + phnum * PHDR.size, PHDR.size):
            fields = list(PHDR.unpack_from(self.data, at))
            if fields[0] == of_type:
                yield at, fields

    def change_header(self, field, value):
        ((at, fields),) = self.headers(PT_NOTE)
        fields[field] = value
        PHDR.pack_into(self.data, at, *fields)


def as_it_is(_):
    pass


def other_id(file):
    file.data[file.id_at] ^= 1


def other_id_elsewhere(file):
    """As in a build whose note lies on another page."""
    other_id(file)
    ((_, fields),) = file.headers(PT_NOTE)
    file.change_header(3, fields[3] - 0x3000)


def shorter_id(file):
    struct.pack_into("<I", file.data, file.id_at - 12, 16)


def no_note(file):
    file.change_header(0, 0)


def long_id(file):
    struct.pack_into("<I", file.data, file.id_at - 12, 65)


def endless_id(file):
    struct.pack_into("<I", file.data, file.id_at - 12, 0xFFFFFFFF)


def endless_notes(file):
    file.change_header(5, 1 << 63)


def notes_past_the_end(file):
    file.change_header(2, (1 << 64) - 8)


def note_cut(core):
    """The dump without the page of the note: version 1."""
    dump = letter.Minidump(bytes(core))
    page = core.index(NOTE, dump.sparse) // letter.PAGE * letter.PAGE
    (pa,) = (pa for pa in dump.pages() if dump.offset(pa) == page)
    bitmap = dump.sparse - dump.pmap_len - dump.bitmap_len
    bit = dump.bit(pa)
    core[bitmap + bit // 8] &= ~(1 << bit % 8)
    del core[page : page + letter.PAGE]


def note_spoiled(core):
    core[core.index(NOTE)] ^= 0x40


# ---- cases ----

CASES = [
    ("the right kernel", as_it_is, as_it_is, True),
    ("another id", other_id, as_it_is, False),
    ("another id, elsewhere", other_id_elsewhere, as_it_is, False),
    ("an id that is shorter", shorter_id, as_it_is, False),
    ("a kernel without a note", no_note, as_it_is, True),
    ("an id of more bytes than there are", long_id, as_it_is, True),
    ("an id of 4 GB", endless_id, as_it_is, True),
    ("notes longer than the file", endless_notes, as_it_is, True),
    ("notes past the end of the file", notes_past_the_end, as_it_is, True),
    ("the note is not in the dump", as_it_is, note_cut, True),
    ("it is not, and the id is another", other_id, note_cut, True),
    ("the dump's note is spoiled", other_id, note_spoiled, True),
]


def lay_out(spoil_kernel, spoil_core):
    file, core = Kernel(), bytearray(CORE)
    spoil_kernel(file)
    spoil_core(core)
    (work / "kernel").write_bytes(file.data)
    (work / "core").write_bytes(core)


def vmcore_says(command, *options):
    return tap.run(
        *(vmcore, command, *options, "-N", work / "kernel"),
        *(*OPTIONS_OF[command], work / "core"),
    )


def opens(spoil_kernel, spoil_core, is_opened):
    lay_out(spoil_kernel, spoil_core)
    result = vmcore_says("ps")
    if is_opened:
        tap.expect(result, os.EX_OK)
        assert "shell" in result.out, result
    else:
        tap.expect(result, os.EX_DATAERR, "name its kernel with -N")


def every_command(command):
    right, wrong = Kernel(), Kernel()
    other_id(wrong)
    lay_out(other_id, as_it_is)
    result = vmcore_says(command)
    said = f"build id {wrong.id()}, but {work}/core is of {right.id()}: name"
    tap.expect(result, os.EX_DATAERR, said)
    tap.expect(vmcore_says(command, "--force"), os.EX_OK)


def in_gdb():
    lay_out(other_id, as_it_is)
    words = ("-N", work / "kernel", work / "core", "--", "-nx", "-batch")
    result = tap.run(vmcore, "gdb", *words, "-ex", "bt")
    tap.expect(result, os.EX_DATAERR, "name its kernel with -N")
    result = tap.run(vmcore, "gdb", "--force", *words, "-ex", "bt")
    assert "crash_panic" in result.out, result


CORE = crash()
tests = tap.Tests()
for name, *arguments in CASES:
    tests.case(name, opens, *arguments)
for name in OPTIONS_OF:
    tests.case(f"vmcore {name}", every_command, name)
tests.case("vmcore gdb", in_gdb)
tests.run()
