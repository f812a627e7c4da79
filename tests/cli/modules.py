"""usage: modules.py VMCORE GENDUMP VARIANT ...

vmcore modules: the list of generated kernels, and the files that it finds, or
refuses, for the modules in it.
"""

import ctypes
import json
import os
import re
import resource
import shutil
import sys
import tempfile
from functools import partial

import kmodule
from tap import Skip, Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
VARIANTS = sys.argv[3:]

IN_OPEN = 0x20  # inotify(7)

tests = Tests()


class Dump:
    """A generated dump in a folder of its own, where nothing else is."""

    def __init__(self, variant):
        self.folder = tempfile.TemporaryDirectory()
        kernel, core, expected = (
            os.path.join(self.folder.name, name)
            for name in ("kernel", "core", "expected.json")
        )
        self.words = ("-N", kernel, core)
        result = run(
            *(GENDUMP, "--variant", variant, "--seed", "7", "--threads"),
            *("-o", core, "-k", kernel, "--json", expected),
        )
        assert result.status == 0, result
        with open(expected) as file:
            self.want = json.load(file)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run(self, command, *words, **options):
        return run(VMCORE, command, *words, *self.words, **options)

    def modules(self):
        result = self.run("modules", "--json")
        assert result.status == os.EX_OK, result
        return json.loads(result.out), result.err


def facts(module):
    keys = ("id", "refs", "address", "size", "name", "path")
    return {key: module[key] for key in keys}


def check_list(variant):
    dump = Dump(variant)
    got, said = dump.modules()
    assert said == "", said
    kernel, *modules = got
    assert (kernel["id"], kernel["name"]) == (1, "kernel"), kernel
    assert kernel["refs"] == 1 + len(modules), kernel
    assert kernel["file"] == dump.path("kernel"), kernel
    want = [facts(module) for module in dump.want["modules"]]
    assert [facts(module) for module in modules] == want, (modules, want)
    for module in modules:
        assert module["file"] is None and module["refused"] is None, module


def check_text(variant):
    dump = Dump(variant)
    result = dump.run("modules")
    expect(result, os.EX_OK)
    heading, *rows = result.out.splitlines()
    words = ["Id", "Refs", "Address", "Size", "Name", "Path", "File"]
    assert heading.split() == words, heading
    got = [row.split()[:6] for row in rows[1:]]
    want = [
        [
            *(str(module["id"]), str(module["refs"]), module["address"]),
            *(f"{module['size']:x}", module["name"], module["path"]),
        ]
        for module in dump.want["modules"]
    ]
    assert got == want, (got, want)
    assert rows[0].endswith(dump.path("kernel")), rows
    assert all(row.endswith(" not found") for row in rows[1:]), rows


def check_refused(make, why):
    """The list tells it, and a warning does."""
    dump = Dump("amd64-v3")
    file = dump.path("zfs.ko")
    make(file)
    (_, zfs, *_), said = dump.modules()
    want = f"{file}: {why}" if why else None
    assert zfs["file"] is None and zfs["refused"] == want, zfs
    assert said == (f"vmcore: warning: {want}\n" if why else ""), said
    result = dump.run("modules")
    word = f"refused: {want}" if why else "not found"
    assert result.out.splitlines()[2].endswith(f" {word}"), result


def make_text(path):
    with open(path, "w") as file:
        file.write("hello\n")


def make_large(path):
    shutil.copy(VMCORE, path)


def watch_opens(path):
    """A function that says whether path was opened since it was last called."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "inotify_init1"):
        raise Skip("no inotify(7)")
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert libc.inotify_add_watch(watch, os.fsencode(path), IN_OPEN) > 0, path

    def opened():
        try:
            return os.read(watch, 4096) != b""
        except BlockingIOError:
            return False

    return opened


def check_not_opened():
    """A FIFO in a module's place is not opened: that would wake its writer."""
    dump = Dump("amd64-v3")
    fifo = dump.path("zfs.ko")
    os.mkfifo(fifo)
    os.open(fifo, os.O_RDWR)  # with it, no other open waits
    opened = watch_opens(fifo)
    dump.modules()
    assert not opened()
    os.close(os.open(fifo, os.O_RDONLY))
    assert opened(), "the test is blind"


def check_read():
    """Symbols of a module: where the kernel placed its sections."""
    dump = Dump("amd64-v3")
    kmodule.build(dump.path("zfs.ko"))
    zfs = dump.modules()[0][1]
    assert zfs["file"] == dump.path("zfs.ko"), zfs
    base = int(zfs["address"], 16)
    for name, length in kmodule.VARIABLES.items():
        result = dump.run("read", "--raw", name)
        expect(result, os.EX_OK)
        assert len(result.raw) == length, (name, result)
    text = dump.run("read", "--raw", "zfs_open").raw
    at_base = dump.run("read", "--raw", "-l", len(text), hex(base)).raw
    assert text == at_base, (text, at_base)
    # The kernel's symbol wins.
    assert int.from_bytes(dump.run("read", "--raw", "hz").raw, "little") in (
        100,
        1000,
    )
    result = dump.run("read", "zfs_none")
    expect(result, os.EX_DATAERR, "no symbol zfs_none, nor in a module")


def check_gdb(variant, build):
    """gdb knows a module's symbols, and reads its variables from the dump."""
    if shutil.which("gdb-multiarch") is None:
        raise Skip("no gdb-multiarch")
    dump = Dump(variant)
    build(dump.path("zfs.ko"))
    result = dump.run("read", "--raw", "-l", "4", "zfs_numbers")
    number = int.from_bytes(result.raw, "little", signed=True)
    commands = (
        *("print zfs_numbers[0]", "info symbol zfs_close", "print zfs_open"),
        *("info line zfs_open", "print (long)&zfs_zeros"),
    )
    words = [word for command in commands for word in ("-ex", command)]
    result = run(
        *(VMCORE, "gdb", "--gdb", "gdb-multiarch", *dump.words, "--"),
        *("-nx", "-batch", "-iex", "set width 0", *words),
    )
    expect(result, os.EX_OK)
    where = f"zfs_close in section .text of {dump.path('zfs.ko')}\n"
    for said in (f"$1 = {number}\n", where, "$2 = {int (int)} 0x", "\nLine 4 of"):
        assert said in result.out, (said, result)
    zeros = int(re.search(r"\$3 = (-?\d+)", result.out)[1]) & ((1 << 64) - 1)
    at_zeros = dump.run("read", "--raw", "-l", "12", hex(zeros)).raw
    assert dump.run("read", "--raw", "zfs_zeros").raw == at_zeros


def check_odd_section():
    """What is more than a word does not get into a debugger's command line."""
    objcopy = shutil.which("objcopy")
    if objcopy is None or shutil.which("gdb-multiarch") is None:
        raise Skip("no objcopy, or no gdb-multiarch")
    dump = Dump("amd64-v3")
    file = dump.path("zfs.ko")
    kmodule.build(file)
    renamed = run(objcopy, "--rename-section", ".data=x 1 -s", file)
    assert renamed.status == 0, renamed
    result = run(
        *(VMCORE, "gdb", "--gdb", "gdb-multiarch", *dump.words, "--"),
        *("-nx", "-batch", "-ex", "monitor gdb-modules"),
    )
    said = result.out + result.err
    assert re.search(r"(?m)^add-symbol-file \S+( -s [.]\w+ 0x\w+)+$", said), said


def check_few_descriptors():
    """A file that the system does not open is not called missing."""
    dump = Dump("amd64-v3")
    make_large(dump.path("zfs.ko"))
    statuses = set()

    def limit(count):
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    for count in range(4, 12):
        result = dump.run("modules", preexec_fn=partial(limit, count))
        rows = result.out.splitlines()[2:]
        if rows:
            known = "larger than" in rows[0]
            assert known == (result.status == os.EX_OK), result
            assert known or "Too many open files" in rows[0], result
            statuses.add(result.status)
    assert statuses == {os.EX_OK, os.EX_OSERR}, statuses


def check_no_list():
    """A kernel whose list cannot be read: nothing is listed, and it is said."""
    dump = Dump("amd64-v3")
    with open(dump.path("kernel"), "r+b") as file:
        data = file.read()
        file.seek(data.index(b"\0linker_files\0") + 1)
        file.write(b"other")
    result = dump.run("modules")
    expect(result, os.EX_DATAERR, "no symbol linker_files")
    assert result.out == "", result


for variant in VARIANTS:
    tests.case(f"the list of {variant}", check_list, variant)
tests.case("as text", check_text, "amd64-v3")
tests.case("as text, 32 bits", check_text, "i386-v2-pae")
for name, make, why in (
    ("a text", make_text, "not an ELF file"),
    ("a larger program", make_large, "larger than the module in the dump"),
    ("a FIFO", os.mkfifo, None),
    ("a folder", os.mkdir, None),
    ("a device", lambda path: os.symlink("/dev/zero", path), None),
):
    tests.case(f"refuse: {name}", check_refused, make, why)
tests.case("a FIFO is not opened", check_not_opened)
tests.case("read: a module's symbols", check_read)
tests.case("gdb: sections", check_gdb, "amd64-v3", kmodule.build)
tests.case("gdb: a shared object", check_gdb, "arm64-v3", kmodule.build_shared)
tests.case("gdb: an odd section", check_odd_section)
tests.case("few descriptors", check_few_descriptors)
tests.case("no list", check_no_list)
tests.run()
