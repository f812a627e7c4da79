"""usage: threads.py VMCORE GENDUMP

What info, ps and bt say of kernels that did not panic, and of threads that
were not stopped.
"""

import gzip
import json
import os
import shutil
import struct
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
    expect(result, os.EX_OK)
    info = json.loads(result.out)
    assert info["panic"] is None and info["panic_why"] == "no symbol", info
    result = run(VMCORE, "info", "-N", stripped, core)
    why = "not known: the kernel file has no symbol for it"
    assert row(result.out, "panic") == why, result


# ---- another kernel ----

# Each command that looks something up by its name in the kernel.
BY_NAME = (
    ["ps"], ["ps", "--json"], ["bt"], ["bt", "-a"], ["bt", "--json"], ["modules"],
    ["modules", "--json"], ["dmesg"], ["gdb"], ["serve", "--stdio"], ["read", "allproc"],
    ["read", "--raw", "allproc", "8"],
)


def another_kernel(name="busy"):
    """The kernel of a dump with the version of another."""
    with open(os.path.join(FOLDER.name, name + ".kernel"), "rb") as file:
        data = file.read()
    assert b"FreeBSD 1" in data
    path = os.path.join(FOLDER.name, "another.kernel")
    with open(path, "wb") as file:
        file.write(data.replace(b"FreeBSD 1", b"FreeBSD 9"))
    return path


def check_another(words):
    """What another kernel's addresses lead to is not shown, unless it is asked for."""
    core, kernel = os.path.join(FOLDER.name, "busy"), another_kernel()
    result = run(VMCORE, *words, "-N", kernel, core)
    expect(result, os.EX_DATAERR, "the dump is of another kernel than the file")
    assert result.raw == b"", result
    last = result.err.splitlines()[-1]
    assert last == f"vmcore: {kernel}: not the kernel of {core}: " \
        "name its kernel with -N, or open it with --force", result
    if words != ["gdb"]:
        assert run(VMCORE, *words, "--force", "-N", kernel, core).status == os.EX_OK


def check_another_damaged():
    """A version that may be damaged tells nothing: the dump opens as far as it goes."""
    kernel = os.path.join(FOLDER.name, "busy.kernel")
    with open(os.path.join(FOLDER.name, "busy"), "rb") as file:
        data = file.read()
    assert b"FreeBSD 1" in data
    packed = bytearray(gzip.compress(data.replace(b"FreeBSD 1", b"FreeBSD 9")))
    packed[-8] ^= 1  # of its checksum
    core = os.path.join(FOLDER.name, "damaged.gz")
    with open(core, "wb") as file:
        file.write(packed)
    for words in ["ps"], ["bt", "-a"], ["dmesg"]:
        result = run(VMCORE, *words, "-N", kernel, core)
        assert result.raw != b"" and "not the kernel of" not in result.err, result


def dmesg_beside(core, kernel, *words):
    """dmesg of a core with a kernel beside it that is found, if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        for path, name in ((core, "vmcore.7"), (kernel, "kernel.7")):
            if path is not None:
                shutil.copy(path, os.path.join(folder, name))
        return run(VMCORE, "dmesg", *words, "vmcore.7", cwd=folder)


def check_found_another():
    """A minidump's messages need no kernel, so that another one does no harm."""
    core, kernel = os.path.join(FOLDER.name, "busy"), another_kernel()
    left_out = "kernel.7: not the kernel of vmcore.7, which is read without it"
    alone = dmesg_beside(core, None)
    assert alone.status == os.EX_OK and alone.raw != b"", alone
    result = dmesg_beside(core, kernel)
    expect(result, os.EX_OK, f"vmcore: warning: {left_out}")
    assert result.raw == alone.raw and result.err.count("\n") == 1, result
    assert left_out not in dmesg_beside(core, core + ".kernel").err
    result = dmesg_beside(core, kernel, "--force")
    assert result.status == os.EX_OK and left_out not in result.err, result


def check_found_another_full():
    """In a full dump, only the kernel tells where the messages are."""
    core = os.path.join(FOLDER.name, "guest")
    expect(dmesg_beside(core, another_kernel("guest")), os.EX_DATAERR,
           "kernel.7: not the kernel of vmcore.7: name its kernel with -N")


RODATA = 0xFFFFFFFF80210000  # where gendump puts the version


def put(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def move_version(data, off):
    """Let the version begin at an offset of its page that is free."""
    at = data.index(b"FreeBSD 1")
    text = data[at : data.index(b"\0", at) + 1]
    assert not any(data[at + off : at + off + len(text)]), off
    return put(data, at + off, text), at + off


def move_symbol(kernel, off):
    """The symbol follows its version: a value after a name in the symbol table."""
    shoff, = struct.unpack_from("<Q", kernel, 40)
    sections = [struct.unpack_from("<IIQQQQII", kernel, shoff + 64 * i) for i in range(9)]
    table = next(sh for sh in sections if sh[1] == 2)
    strings = sections[table[6]]
    name = kernel.index(b"\0version\0", strings[4]) + 1 - strings[4]
    for at in range(table[4], table[4] + table[5], 24):
        if struct.unpack_from("<I", kernel, at)[0] == name:
            return put(kernel, at + 8, struct.pack("<Q", RODATA + off))
    raise AssertionError("no version")


def check_cut_version(off, change, matches, message):
    """What is in a sector that cannot be read is not compared."""
    core, kernel = (os.path.join(FOLDER.name, name) for name in ("cut", "cut.kernel"))
    with open(os.path.join(FOLDER.name, "busy"), "rb") as file:
        data, at = move_version(file.read(), off)
    with open(os.path.join(FOLDER.name, "busy.kernel"), "rb") as file:
        elf = move_symbol(move_version(file.read(), off)[0], off)
    with open(core, "wb") as file:
        file.write(put(put(data, at, change), at - off + 512, bytes(512)))
    with open(kernel, "wb") as file:
        file.write(elf)
    result = run(VMCORE, "info", "--json", "-N", kernel, core)
    expect(result, os.EX_OK, message)
    assert json.loads(result.out)["kernel_matches"] is matches, result
    result = run(VMCORE, "ps", "-N", kernel, core)
    expect(result, os.EX_OK if matches is None else os.EX_DATAERR, message)


def check_another_info():
    core, kernel = os.path.join(FOLDER.name, "busy"), another_kernel()
    result = run(VMCORE, "info", "--json", "-N", kernel, core)
    expect(result, os.EX_OK, "the dump is of another kernel than the file")
    assert json.loads(result.out)["kernel_matches"] is False, result


def check_another_address():
    """An address means the same whatever the kernel is."""
    core, kernel = os.path.join(FOLDER.name, "busy"), another_kernel()
    result = run(VMCORE, "read", "-p", "0x100000", "8", "-N", kernel, core)
    assert "not the kernel of" not in result.err, result


# ---- threads ----


def truth(name):
    """The threads as the generator made them."""
    with open(os.path.join(FOLDER.name, name + ".json")) as file:
        threads = json.load(file)["threads"]
    return [threads[str(index)] for index in range(len(threads))]


def check_unstopped_json():
    threads = json.loads(ask("live", "bt", "-a", "--json").out)
    unstopped = 0
    for got, want in zip(threads, truth("live"), strict=True):
        for key in ("tid", "state", "stopped", "cpu", "display_name"):
            assert got[key] == want[key], (key, got, want)
        if not got["stopped"]:
            assert got["state"] == "running", got
            assert got["registers"] == {} and got["frames"] == [], got
            unstopped += 1
    assert unstopped > 1, threads


def check_unstopped_text():
    result = ask("live", "ps")
    lines = result.out.splitlines()[1:]
    for line, want in zip(lines, truth("live"), strict=True):
        cpu = "-" if want["cpu"] is None else str(want["cpu"])
        state = want["state"]
        if not want["stopped"]:
            state = "running (not stopped)"
        elif want["display_name"].endswith("(dumping)"):
            state = "dumping"
        words = [str(want["pid"]), str(want["tid"]), *state.split(), cpu]
        assert line.split()[: len(words)] == words, (line, want)
    count = sum(not want["stopped"] for want in truth("live"))
    warning = f"warning: no registers of {count} threads: their CPUs were"
    assert result.err.count("warning") == 1 and warning in result.err, result


def check_dumper():
    """A trace without -t is of the thread that dumped, crashed or not."""
    want = [td for td in truth("live") if "(dumping)" in td["display_name"]]
    result = ask("live", "bt", "--json")
    assert [td["tid"] for td in json.loads(result.out)] == [want[0]["tid"]]
    assert want[0]["display_name"] in ask("live", "bt").out


# ---- QEMU's cores ----


def check_guest():
    """Its threads run, with registers, and nothing is amiss."""
    result = ask("guest", "ps", "--json")
    assert not result.err, result
    running = 0
    for got, want in zip(json.loads(result.out), truth("guest"), strict=True):
        assert got["stopped"], got
        assert got["display_name"] == want["display_name"], (got, want)
        if got["state"] == "running":
            assert got["registers"] == want["registers"], (got, want)
            running += 1
    assert running > 1, result


def check_guest_info():
    """Its segments overlap and leave gaps; each page is counted once."""
    want = json.loads(ask("guest", "info", "--json").out)
    core = os.path.join(FOLDER.name, "guest")
    alone = run(VMCORE, "info", "--json", core)
    expect(alone, os.EX_OK)
    assert json.loads(alone.out)["dumped_pages"] == want["dumped_pages"], alone
    with open(core + ".json") as file:
        pages = json.load(file)["info"]["dumped_pages"]
    assert want["dumped_pages"] == pages, (want, pages)


# ---- kernels without a list of threads ----


def check_no_list():
    """Those on CPUs are known by dumppcb and stoppcbs."""
    result = ask("elsewhere", "ps", "--json")
    assert "only threads on CPUs are known" in result.err, result
    on_cpus = [td for td in truth("elsewhere") if td["state"] != "stopped"]
    want = {td["registers"]["rip"]: td["registers"] for td in on_cpus if td["stopped"]}
    got = {td["registers"]["rip"]: td["registers"] for td in json.loads(result.out)}
    assert got == want and len(got) > 2, (got, want)


def check_no_list_bt():
    """A trace is that of the thread that crashed, as far as its entry."""
    want = [td for td in truth("elsewhere") if td["state"] == "crashed"][0]
    (got,) = json.loads(ask("elsewhere", "bt", "--json").out)
    assert got["tid"] == 1 and got["pid"] == 0, got
    pcs = [frame["pc"] for frame in got["frames"]]
    assert pcs == [frame["pc"] for frame in want["frames"]], (got, want)


def check_gap():
    """Functions that make no frame, and have no unwind table, may hide one."""
    with open(os.path.join(FOLDER.name, "elsewhere.kernel"), "rb") as file:
        data = file.read()
    bare = os.path.join(FOLDER.name, "bare.kernel")
    with open(bare, "wb") as file:
        file.write(data.replace(b"\x55\x48\x89\xe5", b"\x90" * 4))
    core, line = os.path.join(FOLDER.name, "elsewhere"), "--- a frame may be missing ---"
    assert line not in ask("elsewhere", "bt").out
    result = run(VMCORE, "bt", "-N", bare, core)
    assert result.out.splitlines()[2] == line, result
    (td,) = json.loads(run(VMCORE, "bt", "--json", "-N", bare, core).out)
    gaps = [frame["gap_before"] for frame in td["frames"]]
    assert not gaps[0] and gaps[1], gaps
    assert not any(f["gap_before"] and f["trap"] for f in td["frames"]), td


def check_no_symbol_of_threads():
    """Such a kernel may well be the right one."""
    with open(os.path.join(FOLDER.name, "elsewhere.kernel"), "rb") as file:
        data = file.read().replace(b"\0dumppcb\0", b"\0otherpcb\0")
    kernel = os.path.join(FOLDER.name, "nothing.kernel")
    with open(kernel, "wb") as file:
        file.write(data)
    result = run(VMCORE, "bt", "-N", kernel, os.path.join(FOLDER.name, "elsewhere"))
    expect(result, os.EX_DATAERR, "no symbol that leads to one (see dumper(9))")
    assert "the kernel that crashed" not in result.err, result


tests.case("info names the panic", check_panic)
tests.case("info says none of a kernel that did not panic", check_no_panic)
tests.case("info says that a kernel file has no panicstr", check_no_symbol)
tests.case("JSON of threads that were not stopped", check_unstopped_json)
tests.case("ps of threads that were not stopped", check_unstopped_text)
tests.case("bt of a live dump shows who took it", check_dumper)
tests.case("threads of a kernel without a list", check_no_list)
tests.case("bt of a kernel without a list", check_no_list_bt)
tests.case("bt says where a frame may be missing", check_gap)
tests.case("a kernel without any threads", check_no_symbol_of_threads)
tests.case("threads of QEMU's core", check_guest)
tests.case("info of QEMU's core, without its kernel too", check_guest_info)

generate("busy", "--threads")
generate("idle")
generate("elsewhere", "--threads", "--cpus", "8", "--no-list")
generate("live", "--threads", "--cpus", "8", "--live")
generate("guest", "--threads", "--cpus", "8", "--full", "--qemu")
for words in BY_NAME:
    tests.case(f"{' '.join(words)} with another kernel", check_another, words)
tests.case("a damaged dump that shows another version", check_another_damaged)
tests.case("dmesg of a minidump beside another kernel", check_found_another)
tests.case("dmesg of a full dump beside another kernel", check_found_another_full)
BEGINNING = "only the beginning of its version is in the dump"
OTHER = "the dump is of another kernel than the file: the file is FreeBSD 1"
for name, *cut in [
    ("ends with a sector", 480, b"", None, BEGINNING),
    ("ends with a sector, after one letter", 511, b"", None, BEGINNING),
    ("ends with a sector and is another's", 480, b"FreeBSD 9", False, OTHER),
    ("ends before its sector does", 480, b"FreeBSD 1\0", False, OTHER),
]:
    tests.case(f"a version that {name}", check_cut_version, *cut)
tests.case("info with another kernel", check_another_info)
tests.case("an address with another kernel", check_another_address)
tests.run()
