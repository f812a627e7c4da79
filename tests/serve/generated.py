"""usage: generated.py VMCORE GENDUMP VARIANT ...

gdb-multiarch and lldb on a generated dump of each variant: they see the
threads, registers and memory that the other commands see.
"""

import json
import os
import sys
import tempfile

from checks import same, skip, tests
from clients import Case, find, lldb_attach_first, try_gdb, try_lldb
from server import Server
from tap import run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
VARIANTS = sys.argv[3:]
SEED = "5"

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
            remote = f"127.0.0.1:{s.port}"
            try_gdb(f"{name}: gdb-multiarch", case, multi, remote, scratch)
        same(f"{name}: the server ended well", s.status, 0)
    else:
        skip(f"{name}: gdb-multiarch", "no gdb-multiarch here")
    if name in NOT_FOR_LLDB:
        skip(f"{name}: lldb", "lldb knows no such machine")
    elif lldb:
        with Server(serve) as s:
            attach = lldb_attach_first(case, s.port)
            try_lldb(f"{name}: lldb", case, lldb, attach, scratch)
        same(f"{name}: the server ended well again", s.status, 0)
    else:
        skip(f"{name}: lldb", "no lldb here")


def main():
    for variant in VARIANTS:
        with tempfile.TemporaryDirectory() as folder:
            try_variant(generate(folder, variant), folder, *find()[1:])
    tests.run()


main()
