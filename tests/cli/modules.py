"""usage: modules.py VMCORE GENDUMP VARIANT ...

vmcore modules: the list of generated kernels, and the files that it finds, or
refuses, for the modules in it.
"""

import json
import os
import shutil
import sys
import tempfile

from tap import Tests, expect, run

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
tests.case("no list", check_no_list)
tests.run()
