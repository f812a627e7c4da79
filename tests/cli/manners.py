"""usage: manners.py VMCORE GENDUMP

What the command does for people who have not read its manual.
"""

import os
import struct
import subprocess
import sys
import tempfile

from tap import Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory()
CORE = os.path.join(FOLDER.name, "vmcore.0")
KERNEL = os.path.join(FOLDER.name, "kernel.0")

tests = Tests()


def file(name, data):
    path = os.path.join(FOLDER.name, name)
    with open(path, "wb") as out:
        out.write(data)
    return path


subprocess.run(
    [GENDUMP, "--arch", "amd64", "--mem", "4M", "-o", CORE, "-k", KERNEL],
    check=True,
)


# ---- the kernel as the first of two files ----


def check_kernel_first(command):
    named = run(VMCORE, command, "-N", KERNEL, CORE)
    plain = run(VMCORE, command, KERNEL, CORE)
    expect(named, os.EX_OK)
    assert (plain.status, plain.raw) == (named.status, named.raw), plain


def elf(order, kind, size=20):
    ident = b"\177ELF" + bytes([2, 1 if order == "<" else 2, 1]) + bytes(9)
    return (ident + struct.pack(order + "HH", kind, 62))[:size]


def fifo():
    path = os.path.join(FOLDER.name, "fifo")
    os.mkfifo(path)
    return path


def check_is_kernel(path):
    expect(run(VMCORE, "ps", path, "nothing"), os.EX_NOINPUT, "nothing: No such")


def check_is_no_kernel(path, *words):
    result = run(VMCORE, "ps", *words, path, "nothing", timeout=60)
    expect(result, os.EX_USAGE, "one argument too many: ")


for command in ("bt", "dmesg", "info", "ps"):
    tests.case(f"{command} kernel core", check_kernel_first, command)
for name, data in {
    "executable": elf("<", 2),
    "shared object": elf("<", 3),
    "big-endian executable": elf(">", 2),
}.items():
    tests.case(f"a kernel: {name}", check_is_kernel, file(name, data))
for name, data in {
    "empty": b"",
    "cut header": elf("<", 2, size=17),
    "core": elf("<", 4),
    "core of other bytes": elf(">", 4),
    "text": b"kernel" * 9,
}.items():
    tests.case(f"no kernel: {name}", check_is_no_kernel, file(name, data))
tests.case("no kernel: fifo", check_is_no_kernel, fifo())
tests.case("no kernel beside -N", check_is_no_kernel, KERNEL, "-N", KERNEL)
tests.case("no kernel beside -M", check_is_no_kernel, KERNEL, "-M", CORE)
tests.run()
