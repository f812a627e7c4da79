"""usage: modules.py VMCORE GENDUMP VARIANT ...

vmcore modules: the list of generated kernels, and the files that it finds, or
refuses, for the modules in it.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from tap import Skip, Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
VARIANTS = sys.argv[3:]

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

    def run(self, command, *words):
        return run(VMCORE, command, *words, *self.words)

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


def check_not_opened():
    """A FIFO in a module's place is not opened: its writer waits on."""
    dump = Dump("amd64-v3")
    os.mkfifo(dump.path("zfs.ko"))
    with subprocess.Popen(["sh", "-c", 'exec >"$0"', dump.path("zfs.ko")]) as sh:
        time.sleep(0.2)  # until it waits; too short, and the test is blind
        dump.modules()
        with contextlib.suppress(subprocess.TimeoutExpired):
            sh.wait(0.2)
        waits = sh.poll() is None
        sh.kill()
    assert waits, sh.returncode


# What a module of a generated kernel could be made of.
SOURCE = """
int zfs_numbers[5] = { 1, 2, 3 };
static int zfs_zeros[3] __attribute__((used));
int zfs_open(int n) { return (zfs_numbers[n] + zfs_zeros[n]); }
int zfs_close(int n) { return (zfs_open(n) + 1); }
int hz;
"""
VARIABLES = {"zfs_numbers": 20, "zfs_zeros": 12}  # and their lengths


def compile_module(dump):
    """Put zfs.ko beside the kernel."""
    cc = shutil.which("cc")
    if cc is None or os.uname().machine != "x86_64":
        raise Skip("no compiler for amd64")
    result = run(
        *(cc, "-g", "-O1", "-c", "-fno-pic", "-mcmodel=kernel"),
        *("-fno-asynchronous-unwind-tables", "-x", "c", "-o"),
        *(dump.path("zfs.ko"), "-"),
        text=SOURCE,
    )
    assert result.status == 0, result


def check_read():
    """Symbols of a module: where the kernel placed its sections."""
    dump = Dump("amd64-v3")
    compile_module(dump)
    zfs = dump.modules()[0][1]
    assert zfs["file"] == dump.path("zfs.ko"), zfs
    base = int(zfs["address"], 16)
    for name, length in VARIABLES.items():
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


def check_no_list():
    """A kernel whose list cannot be read: nothing is listed, and it is said."""
    dump = Dump("amd64-v3")
    with open(dump.path("kernel"), "r+b") as file:
        data = file.read()
        file.seek(data.index(b"\0linker_files\0") + 1)
        file.write(b"other")
    result = dump.run("modules")
    expect(result, os.EX_DATAERR, "no symbol linker_files")


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
tests.case("no list", check_no_list)
tests.run()
