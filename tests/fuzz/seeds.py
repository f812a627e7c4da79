"""usage: seeds.py TARGET DIR [FILE ...]

Write the inputs that a fuzz target starts from into a folder, where Python has
what makes them: images of disks, compressed files, ELF files.  FILEs are what the
compiler or other tests have made, and are seeds too.  mkseeds.c has the other
targets.
"""

import pathlib
import shutil
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))

import failing
import seeds_command
import seeds_disk
import seeds_elf
import seeds_file
import seeds_print
import seeds_rsp
import seeds_save



def kernels(folders):
    """What the tests of kdebug/ have kept of their kernels."""
    files = (path for folder in folders for path in pathlib.Path(folder).glob("*"))
    found = sorted({path.read_bytes() for path in files})
    yield from found
    for kernel in found[::20]:
        yield from failing.memory(kernel, 60)
    for kernel in found:
        yield from without_pages(kernel)
    for kernel in found[::3]:
        for old, new in NAMES:
            if old in kernel:
                yield kernel.replace(old, new)
    for kernel in found[::30]:
        for text in TEXTS:
            yield kernel.replace(b"init\0".ljust(len(text), b"\0"), text)


# Names of processes: characters that are escaped, and sequences that are none.
TEXTS = [text.ljust(16, b"\0") for text in [
    "\u00e4\u20ac\U0001f600".encode(), "\u061c\u200e\u200f".encode(),
    "\u2027\u2028\u202e\u202f".encode(), "\u2065\u2066\u2069\u206a".encode(),
    "\ufeff\ufffe\uffff\ufffd".encode(), "\x80\x9f\xa0".encode(),
    b"\xed\xa0\x80\xed\xbf\xbf\xee\x80\x80", b"\xf4\x90\x80\x80\xf5\x80\x80\x80",
    b"\xc0\x80\xe0\x80\x80\xf0\x80\x80\x80", b"\xe2\x82", b"\xe2(\xa1\xff\x80",
    b"\t\n\x1b[31m\x7f\\"]]


# Functions and variables of the kernel that are other ones, or are missing.
NAMES = [(b"calltrap\0", name + b"\0") for name in [
    b"Xfast_syscall", b"fork_trampoline", b"Xtimerint", b"Xpage", b"doreti_ast"]] + [
    (b"victim\0", name + b"\0") for name in [
    b"Xfast_syscall", b"fork_trampoline", b"Xpage"]] + [
    (b"linker_files\0", b"linker\0"), (b"/boot/", b"zboot/"), (b"mp_maxid\0", b"mp\0")]


def without_pages(kernel):
    """The same kernel without one of its pages: tests/kdebug/fake_file.c."""
    head, end = kernel[:17], 17
    while kernel[end:end + 1] == b"P":
        end += 17 + 64
    pieces = [kernel[at:at + 81] for at in range(17, end, 81)]
    pages = [int.from_bytes(piece[1:9], "little") // 4096 for piece in pieces]
    for gone in sorted(set(pages)):
        kept = [piece for piece, page in zip(pieces, pages) if page != gone]
        yield head + b"".join(kept) + kernel[end:]


TARGETS = {
    "command": seeds_command.rows,
    "debuglink": seeds_elf.debuglink,
    "disk": seeds_disk.rows,
    "dwarf": seeds_elf.dwarf,
    "exec": seeds_elf.kernels,
    "file": seeds_file.rows,
    "kernel": kernels,
    "modfile": seeds_elf.modfile,
    "print": seeds_print.rows,
    "procs": seeds_elf.procs,
    "rsp": seeds_rsp.rows,
    "save": seeds_save.rows,
}


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, seed in enumerate(TARGETS[target](sys.argv[3:])):
        (folder / f"{number:03}").write_bytes(seed)


main()
