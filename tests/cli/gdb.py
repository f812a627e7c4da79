"""usage: gdb.py VMCORE LAY_OUT_SCRIPT

vmcore gdb: how gdb is started, seen by a program that stands in for it; and
the real gdb on the real dumps.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from tap import Skip, Tests, expect, run

VMCORE, LAY_OUT = (os.path.abspath(path) for path in sys.argv[1:])
FOLDER = tempfile.TemporaryDirectory()

tests = Tests()

# Prints its arguments, each ended by a NUL, and exits with a status of its own.
STAND_IN = "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\nexit 7\n"
STAND_IN_STATUS = 7


def write_program(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(STAND_IN)
    os.chmod(path, 0o755)
    return path


def started(result):
    """The arguments with which the stand-in was started."""
    assert result.status == STAND_IN_STATUS, result
    return result.out.split("\0")[:-1]


def server_words(args):
    """The words of the server's command line, as a shell reads it."""
    target = [arg for arg in args if arg.startswith("target remote | ")]
    assert len(target) == 1, args
    return shlex.split(target[0].removeprefix("target remote | "))


# ---- how it is started ----

FILE_NAMES = [
    "vmcore.0",
    "a dump",
    "it's",
    'say "hello"',
    "$HOME",
    "`id`; exit 1 & # |",
    "back\\slash",
    "-ex",
    "'''",
]


def check_start(name):
    with tempfile.TemporaryDirectory() as folder:
        gdb = write_program(os.path.join(folder, "bin", "gdb"))
        for file in (name, name + " kernel"):
            with open(os.path.join(folder, file), "w") as out:
                out.write("any file will do")
        result = run(
            *(VMCORE, "gdb", "--gdb", gdb, "-N", f"./{name} kernel"),
            *(f"./{name}", "--", "-batch", "-ex", "info threads"),
            cwd=folder,
        )
        args = started(result)
        folder = os.path.realpath(folder)
    assert f"{folder}/{name} kernel" in args, args
    assert args[-3:] == ["-batch", "-ex", "info threads"], args
    assert server_words(args) == [
        *("exec", os.path.realpath(VMCORE), "serve", "--stdio"),
        *("-N", f"{folder}/{name} kernel", "-M", f"{folder}/{name}"),
    ], args


def run_with_path(programs, *words):
    """Run on any two files, with only the given programs in $PATH."""
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            write_program(os.path.join(folder, program))
        sh = {"PATH": folder}
        return run(VMCORE, "gdb", "-N", VMCORE, *words, VMCORE, env=sh)


def check_choice(programs, chosen):
    args = started(run_with_path(programs))
    assert os.path.basename(args[0]) == chosen, args


def check_no_gdb():
    expect(run_with_path([]), os.EX_UNAVAILABLE, "--gdb")
    result = run_with_path([], "--gdb", "/nonexistent/gdb")
    expect(result, os.EX_UNAVAILABLE, "/nonexistent/gdb: No such file")


for name in FILE_NAMES:
    tests.case(f"a file called {name}".replace("#", "\\#"), check_start, name)
tests.case(
    "gdb-multiarch is preferred",
    *(check_choice, ["gdb", "gdb-multiarch"], "gdb-multiarch"),
)
tests.case("gdb will do", check_choice, ["gdb"], "gdb")
tests.case("without any gdb", check_no_gdb)

# ---- the real ones ----


def lay_out():
    """What expected.json says of each dump, once they are in FOLDER."""
    process = subprocess.run(
        ["sh", LAY_OUT, FOLDER.name], capture_output=True, check=False
    )
    if process.returncode != 0:
        return None, process.stderr.decode().strip() or "no real dumps"
    with open(os.path.join(FOLDER.name, "expected.json")) as file:
        return json.load(file), None


def check_real(gdb, name):
    """gdb stands at the crashed thread and sees its registers."""
    dumps, reason = lay_out()
    if dumps is None:
        raise Skip(reason)
    if shutil.which(gdb) is None:
        raise Skip(f"{gdb} is not installed")
    expected = dumps[name]
    kernel = os.path.join(FOLDER.name, expected["kernel"])
    core = os.path.join(FOLDER.name, name)
    if not os.path.exists(core):
        core += ".zst"
    result = run(
        *(VMCORE, "gdb", "--gdb", gdb, "-N", kernel, core, "--"),
        *("-nx", "-batch", "-ex", "info threads"),
        *("-ex", "info registers rip", "-ex", "x/dw &hz"),
    )
    assert result.status == os.EX_OK, result
    crashed = expected["threads"]["0"]
    rows = re.findall(r"^[* ] +\d+ +Thread .*$", result.out, re.MULTILINE)
    assert len(rows) == expected["threads_total"], result
    current = [row for row in rows if row.startswith("*")]
    assert len(current) == 1, result
    assert crashed["display_name"] in current[0], result
    assert crashed["registers"]["rip"] in result.out, result
    assert re.search(rf"<hz>:\s+{expected['hz']}$", result.out, re.MULTILINE)


for gdb in ("gdb-multiarch", "gdb"):
    for name in ("vmcore-amd64-minidump", "vmcore-amd64-full"):
        tests.case(f"{gdb} on {name}", check_real, gdb, name)
tests.run()
