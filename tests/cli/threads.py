"""usage: threads.py VMCORE GENDUMP

What info, ps and bt say of kernels that did not panic, and of threads that
were not stopped.
"""

import json
import os
import subprocess
import sys
import tempfile

from tap import Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory()

tests = Tests()


def generate(name, *words):
    core = os.path.join(FOLDER.name, name)
    subprocess.run(
        [GENDUMP, "--arch", "amd64", "--mem", "4M", *words]
        + ["-o", core, "-k", core + ".kernel", "--json", core + ".json"],
        check=True,
    )


def ask(name, *words):
    core = os.path.join(FOLDER.name, name)
    result = run(VMCORE, *words, "-N", core + ".kernel", core)
    assert result.status == os.EX_OK, result
    return result


def row(text, key):
    lines = [line for line in text.splitlines() if line.startswith(key + ":")]
    assert len(lines) == 1, text
    return lines[0].split(":", 1)[1].strip()


# ---- the panic ----


def check_panic():
    info = json.loads(ask("busy", "info", "--json").out)
    assert info["panic"].startswith("page fault: generated"), info
    assert "panic_why" not in info, info
    assert row(ask("busy", "info").out, "panic") == info["panic"]


def check_no_panic():
    info = json.loads(ask("idle", "info", "--json").out)
    assert info["panic"] is None and info["panic_why"] == "none", info
    assert row(ask("idle", "info").out, "panic") == "none"


def check_no_symbol():
    kernel = os.path.join(FOLDER.name, "idle.kernel")
    data = bytearray(open(kernel, "rb").read())
    at = data.index(b"\0panicstr\0")
    data[at + 1 : at + 9] = b"otherstr"
    stripped = os.path.join(FOLDER.name, "stripped")
    open(stripped, "wb").write(data)
    core = os.path.join(FOLDER.name, "idle")
    result = run(VMCORE, "info", "--json", "-N", stripped, core)
    expect(result, os.EX_OK, result.err)
    info = json.loads(result.out)
    assert info["panic"] is None and info["panic_why"] == "no symbol", info
    result = run(VMCORE, "info", "-N", stripped, core)
    why = "not known: the kernel file has no symbol for it"
    assert row(result.out, "panic") == why, result


tests.case("info names the panic", check_panic)
tests.case("info says none of a kernel that did not panic", check_no_panic)
tests.case("info says that a kernel file has no panicstr", check_no_symbol)

generate("busy", "--threads")
generate("idle")
tests.run()
