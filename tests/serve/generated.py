"""usage: generated.py VMCORE GENDUMP VARIANT ...

gdb-multiarch and lldb on a generated dump of each variant: they see the
threads, registers and memory that the other commands see.
"""

import json
import os
import sys
import tempfile

from checks import same, skip, tests
from clients import Case, find, try_gdb, try_lldb
from server import Server
from tap import run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
VARIANTS = sys.argv[3:]
SEED = "5"
PAGE_LEN = 4096

# lldb knows no big-endian ARM.
NOT_FOR_LLDB = ("arm-v1-be", "arm-v2-be")


def generate(folder, variant):
    paths = [os.path.join(folder, f"{variant}.{part}") for part in "ckj"]
    core, kernel, expected = paths
    result = run(
        *(GENDUMP, "--variant", variant, "--seed", SEED, "--threads"),
        *("-o", core, "-k", kernel, "--json", expected),
    )
    assert result.status == 0, result
    result = run(VMCORE, "ps", "--json", "-N", kernel, core)
    assert result.status == 0, result
    with open(expected) as file:
        want = json.load(file)
    want["threads"] = {
        str(thread["index"]): thread for thread in json.loads(result.out)
    }
    return Case(variant, VMCORE, kernel, core, want, backtraces=False)


def try_variant(case, folder, multi, lldb):
    name = case.name
    serve = [VMCORE, "serve", "-N", case.kernel, "-M", case.core]
    scratch = os.path.join(folder, "stack")

    if multi:
        with Server(serve) as s:
            label = f"{name}: gdb-multiarch"
            try_gdb(label, case, multi, s.remote, scratch)
        same(f"{name}: the server ended well", s.status, 0)
    else:
        skip(f"{name}: gdb-multiarch", "no gdb-multiarch here")
    if name in NOT_FOR_LLDB:
        skip(f"{name}: lldb", "lldb knows no such machine")
    elif lldb:
        with Server(serve) as s:
            attach = s.advice("lldb")
            try_lldb(f"{name}: lldb", case, lldb, attach, scratch)
        same(f"{name}: the server ended well again", s.status, 0)
    else:
        skip(f"{name}: lldb", "no lldb here")


def put_header(case):
    """Give the dump what lldb looks for: an ELF header at the kernel's text."""
    with open(case.kernel, "rb") as file:
        kernel = file.read()
    text = kernel[0x160:][:PAGE_LEN]  # the first segment, without headers
    with open(case.core, "r+b") as file:
        at = file.read().index(text)
        file.seek(at)
        file.write(kernel[:4])


def try_advice(case):
    """lldb's file comes first only where the dump holds its ELF header."""
    serve = [VMCORE, "serve", "-N", case.kernel, "-M", case.core]
    with Server(serve) as s:
        load = f"target modules load --file {case.kernel} --slide 0"
        same("without a header: lldb's file last", s.advice("lldb")[-1], load)
    put_header(case)
    with Server(serve) as s:
        connect = f"process connect unix-connect://{s.address}"
        words = [case.kernel, "-o", connect]
        same("with a header: lldb's file first", s.advice("lldb")[-3:], words)


def main():
    for variant in VARIANTS:
        with tempfile.TemporaryDirectory() as folder:
            try_variant(generate(folder, variant), folder, *find()[1:])
    with tempfile.TemporaryDirectory() as folder:
        try_advice(generate(folder, VARIANTS[0]))
    tests.run()


main()
