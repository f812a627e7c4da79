"""usage: unread.py VMCORE GENDUMP FAULTS_LIBRARY

Files that the system cannot read everywhere: each command says which byte of
which file it was, and exits with EX_IOERR, however much else it shows.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from tap import Skip, Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
LIBRARY = sys.argv[3]
FOLDER = tempfile.TemporaryDirectory()
CORE = os.path.join(FOLDER.name, "vmcore.0")
KERNEL = os.path.join(FOLDER.name, "kernel.0")
PAGE = 4096

subprocess.run(
    [GENDUMP, "--arch", "amd64", "--mem", "4M", "--threads"]
    + ["-o", CORE, "-k", KERNEL],
    check=True,
)
INFO = json.loads(run(VMCORE, "info", "--json", CORE).out)
PAGES = INFO["file_bytes"] - INFO["dumped_bytes"]
PANICSTR = int(run(VMCORE, "read", "panicstr", "-N", KERNEL, CORE).out.split()[0], 16)
ALL_PAGES = range(PAGES, INFO["file_bytes"], PAGE)
BITMAP = PAGES - INFO["pmap_bytes"] - INFO["bitmap_bytes"]

tests = Tests()


def ask(file, places, *words):
    """Reads of these bytes of the file fail.  A mapped core is not read."""
    if sys.platform != "linux":
        raise Skip("no LD_PRELOAD here")
    env = os.environ | {
        "LD_PRELOAD": LIBRARY,
        # A program with a sanitizer wants to be first.
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        "KVM_NOMAP": "1",
        "FAULT_FILE": file,
        "FAULT_EIO": ",".join(str(at) for at in places) or "-1",
    }
    return run(VMCORE, *words, env=env)


def files(name):
    """Its pages fail at their first bytes, so that read starts there."""
    page = hex(PANICSTR // PAGE * PAGE)
    words = {"read": ["read", page], "info-json": ["info", "--json"]}
    return [*words.get(name, [name]), "-N", KERNEL, CORE]


def check_whole(name):
    """The same command on files that can be read."""
    expect(ask(CORE, [], *files(name)), os.EX_OK)


def check_memory(name):
    result = ask(CORE, ALL_PAGES, *files(name))
    assert result.status == os.EX_IOERR, result
    last = result.err.splitlines()[-1]
    assert last.startswith(f"vmcore: {CORE}: cannot read byte "), result
    assert last.endswith(": Input/output error"), result
    assert int(last.split("byte ")[1].split(",")[0]) >= PAGES, result
    if name == "read":
        assert result.err.count("\n") == 1, result


def check_open(file, place, name):
    result = ask(file, [place], *files(name))
    expect(result, os.EX_IOERR, f"vmcore: {file}: ")
    assert result.err.endswith("Input/output error\n"), result
    assert result.err.count("\n") == 1, result
    assert not result.out, result


def check_no_dump(place):
    """What is no dump as far as it was read may be one all the same."""
    junk = os.path.join(FOLDER.name, "junk")
    with open(junk, "wb") as out:
        out.write(b"\x55" * 65536)
    expect(ask(junk, [], "info", junk), os.EX_DATAERR, "neither a minidump")
    result = ask(junk, [place], "info", junk)
    expect(result, os.EX_IOERR, "junk: Input/output error")


def check_packed(name):
    if not shutil.which("gzip"):
        raise Skip("no gzip")
    packed = CORE + ".gz"
    with open(packed, "wb") as out:
        subprocess.run(["gzip", "-1c", CORE], stdout=out, check=True)
    result = ask(packed, [0], name, "-N", KERNEL, packed)
    expect(result, os.EX_IOERR, "vmcore.0.gz: Input/output error")


def section(name):
    """Where a section of the kernel lies in its file: offset and length."""
    words = ["readelf", "-SW", KERNEL]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    words = next(line for line in said.splitlines() if f" {name} " in line)
    words = words.split("]")[1].split()
    return int(words[3], 16), int(words[4], 16)


def check_kernel(name, where):
    """What the kernel's file holds of constants and code is not just missing."""
    off, size = section(where)
    places = range(off // PAGE * PAGE, off + size, 4)
    result = ask(KERNEL, places, *files(name))
    assert result.status == os.EX_IOERR, result
    last = result.err.splitlines()[-1]
    assert last.startswith(f"vmcore: {KERNEL}: cannot read byte "), result
    assert off <= int(last.split("byte ")[1].split(",")[0]) < off + size, result


def check_build_id():
    """A kernel whose build id cannot be read is not one without."""
    result = ask(KERNEL, [64], *files("ps"))  # its program headers
    expect(result, os.EX_IOERR, f"{KERNEL}: the build id cannot be read: Input/output")
    assert not result.out, result


def check_debug_file():
    """A file of debug information is there, and cannot be read."""
    debug = KERNEL + ".debug"
    shutil.copy(KERNEL, debug)
    for words in (["ps"], ["bt", "-a"]):
        expect(ask(debug, [], *words, "-N", KERNEL, CORE), os.EX_OK)
        result = ask(debug, [0], *words, "-N", KERNEL, CORE)
        assert "needs files that can be read everywhere: Input/output error" in \
            result.err, result
        assert result.status == os.EX_IOERR, result
    os.unlink(debug)


NAMES = ("bt", "dmesg", "info", "info-json", "modules", "ps", "read")
for command in NAMES:
    tests.case(f"{command}: readable", check_whole, command)
for command in NAMES:
    tests.case(f"{command}: pages", check_memory, command)
for command in NAMES:
    tests.case(f"{command}: start of the core", check_open, CORE, 0, command)
tests.case("header", check_open, CORE, 40, "ps")
tests.case("bitmap", check_open, CORE, BITMAP, "ps")
tests.case("start of the kernel", check_open, KERNEL, 0, "ps")
tests.case("header of the kernel", check_open, KERNEL, 40, "ps")
tests.case("constants of the kernel", check_kernel, "ps", ".rodata")
tests.case("program headers of the kernel", check_build_id)
tests.case("debug file of the kernel", check_debug_file)
tests.case("start of no dump", check_no_dump, 100)
tests.case("end of no dump", check_no_dump, 65535)
tests.case("packed core", check_packed, "ps")
tests.run()
