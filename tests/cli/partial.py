"""usage: partial.py VMCORE GENDUMP

Dumps that do not say all, or have no room: a command says so, and ends with an
error if nothing was found.
"""

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile

from tap import Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory()
CUT = 4096

tests = Tests()


def path(name):
    return os.path.join(FOLDER.name, name)


def generate(name, *words):
    subprocess.run(
        [GENDUMP, "--arch", "amd64", "--mem", "4M", *words]
        + ["-o", path(name), "-k", path(name + ".kernel")],
        check=True,
    )


def ask(kernel, core, *words, **options):
    files = ["-N", path(kernel + ".kernel"), path(core)]
    return run(VMCORE, *words, *files, **options)


def check_no_threads(*words):
    result = ask("idle", "idle", *words)
    expect(result, os.EX_DATAERR, "no threads found: is ")
    assert result.err.endswith("the kernel that crashed?\n"), result
    if "--json" in words:
        assert result.out.strip() == "[]", result


def check_cut_no_threads(*words):
    """A dump that lost its threads is not blamed on the kernel alone."""
    shutil.copyfile(path("idle"), path("cut"))
    os.truncate(path("cut"), os.path.getsize(path("idle")) - CUT)
    result = ask("idle", "cut", *words)
    expect(result, os.EX_DATAERR, "no threads found: the dump is not whole, ")


def check_cut(command):
    whole = ask("busy", "busy", command)
    assert "cut short" not in whole.err, whole
    shutil.copyfile(path("busy"), path("cut"))
    os.truncate(path("cut"), os.path.getsize(path("busy")) - CUT)
    result = ask("busy", "cut", command)
    message = f"cut: cut short: {CUT} bytes are missing at the end"
    assert result.err.splitlines()[0].endswith(message), result


def check_unknown_layout():
    """Only the length of a whole file tells where the pages start."""
    whole = ask("odd", "odd", "read", "osreldate")
    assert whole.status == 0, whole
    shutil.copyfile(path("odd"), path("odd_cut"))
    os.truncate(path("odd_cut"), os.path.getsize(path("odd")) - CUT)
    result = ask("odd", "odd_cut", "read", "osreldate")
    expect(result, os.EX_DATAERR, "do not end where the file ends, at ")
    result = run(VMCORE, "info", "--json", path("odd_cut"))
    assert json.loads(result.out)["missing_bytes"] == CUT, result


def check_copies(message, *words):
    result = ask("busy", "busy", "read", *words)
    assert message in result.err, result
    assert not result.out, result


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


def check_file_limit():
    """A file that may not grow is an error, and no signal."""
    with open(path("busy"), "rb") as core:
        with gzip.open(path("busy.gz"), "wb", compresslevel=1) as packed:
            shutil.copyfileobj(core, packed)
    result = ask("busy", "busy.gz", "ps", preexec_fn=limit_files)
    expect(result, os.EX_IOERR, "File too large")


generate("idle")
generate("odd", "--arch", "arm", "--odd-tables")
generate("busy", "--threads")
for words in (["ps"], ["ps", "--json"], ["bt"], ["bt", "-a"], ["bt", "-t", "1"]):
    tests.case(f"no threads: {' '.join(words)}", check_no_threads, *words)
tests.case("cut short, and no threads", check_cut_no_threads, "bt")
for command in ("ps", "bt"):
    tests.case(f"cut short: {command}", check_cut, command)
for message, *words in (
    ("--cpu: there is no CPU 63", "--cpu", "63", "gen_value"),
    ("--vnet: there is no network stack 3: the kernel has 3",
     "--vnet", "3", "gen_net"),
    ("--vnet: no struct vnet at 0x", "--vnet", "0xffffffff80200000", "gen_net"),
    ("hz is not a per-CPU (DPCPU) variable", "--cpu", "0", "hz"),
    ("gen_value is not a variable of network", "--vnet", "0", "gen_value"),
    ("--cpu and --vnet need a symbol: 0x0", "--cpu", "0", "0x0"),
):
    tests.case(f"read: {' '.join(words)}", check_copies, message, *words)
tests.case("cut short: tables of half a page", check_unknown_layout)
tests.case("unpacking into a file that may not grow", check_file_limit)
tests.run()
