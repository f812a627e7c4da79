"""usage: real.py VMCORE LAY_OUT_SCRIPT

The real dumps of FreeBSD kernels: bt --json must equal expected.json, and the
other commands must say what is known of these dumps.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import smallstack
from tap import Skip, Tests, expect, run

VMCORE, LAY_OUT = sys.argv[1:]
FOLDER = tempfile.TemporaryDirectory()

tests = Tests()

# The output of vmcore info, by the headers of the dumps.
INFO = {
    "vmcore-amd64-minidump": {
        "format": "minidump",
        "arch": "amd64",
        "version": 3,
        "page_size": 4096,
        "dumped_pages": 24144,
        "dumped_bytes": 24144 * 4096,
        "msgbuf_bytes": 0x17FB8,
        "bitmap_bytes": 0x1000,
        "pmap_bytes": 0x7FF000,
        "kernbase": "0xfffffe0000000000",
        "dmapbase": "0xfffff80000000000",
        "dmapend": "0xfffffc0000000000",
    },
    "vmcore-amd64-full": {"format": "elf", "arch": "amd64"},
    "vmcore-arm64-minidump": {
        "format": "minidump",
        "arch": "arm64",
        "version": 2,
        "page_size": 4096,
        "dumped_pages": 19296,
        "pmap_bytes": 0x6AE000,
        "kernbase": "0xffff000000000000",
        "dmapbase": "0xffffa00000000000",
        "dmapend": "0xffffff0000000000",
    },
    "vmcore-i386-minidump": {
        "format": "minidump",
        "arch": "i386",
        "version": 2,
        "dumped_pages": 18928,
        "msgbuf_bytes": 0x17FC8,
        "pmap_bytes": 0xEC000,
        "kernbase": "0x00800000",
    },
}

# Whole length of the minidump's file, had its end not been cut off.
MINIDUMP_LEN = {
    "vmcore-amd64-minidump": 0x666A000,
    "vmcore-arm64-minidump": 0x522A000,
    "vmcore-i386-minidump": 0x4AF7000,
}

# sizeof(struct pcb) of the three kernels.
PCB_LEN = {"amd64": 320, "arm64": 1376, "i386": 192}


def lay_out():
    """Prepare the dumps in FOLDER; what expected.json says of each."""
    process = subprocess.run(
        ["sh", LAY_OUT, FOLDER.name], capture_output=True, check=False
    )
    if process.returncode != 0:
        reason = process.stderr.decode().strip() or "no real dumps"
        print(f"1..0 # SKIP {reason}")
        sys.exit(0)
    with open(os.path.join(FOLDER.name, "expected.json")) as file:
        return json.load(file)


def core_path(name):
    for suffix in ("", ".zst"):
        path = os.path.join(FOLDER.name, name + suffix)
        if os.path.exists(path):
            return path
    raise Skip(f"{name} is not there")


def vmcore(command, name, expected, *words, **options):
    """Run a command on a dump with its kernel."""
    kernel = os.path.join(FOLDER.name, expected["kernel"])
    words = ["-N", kernel, *words, core_path(name)]
    return run(VMCORE, command, *words, **options)


def threads_of(command, name, expected, *words):
    result = vmcore(command, name, expected, "--json", *words)
    expect(result, os.EX_OK, "" if not result.err else "warning: ")
    return json.loads(result.out)


def pcs_of(thread):
    return [int(frame["pc"], 16) for frame in thread["frames"]]


# ---- bt ----


def check_registers(name, got, want):
    """Of amd64 all are listed; elsewhere LLDB has some more and some less."""
    if "amd64" in name:
        assert got == want, got
        return
    both = got.keys() & want.keys()
    assert len(both) >= 5, got
    assert [got[reg] for reg in both] == [want[reg] for reg in both], got


def check_bt(name, expected):
    threads = threads_of("bt", name, expected, "-a")
    assert len(threads) == expected["threads_total"]
    assert [td["index"] for td in threads] == list(range(len(threads)))
    for index, want in expected["threads"].items():
        got = threads[int(index)]
        assert got["display_name"] == want["display_name"], got
        assert pcs_of(got) == [int(pc, 16) for pc in want["backtrace_pcs"]]
        check_registers(name, got["registers"], want["registers"])


def check_bt_crashed(name, expected):
    """bt alone shows the thread that crashed, and so does -t with its id."""
    threads = threads_of("bt", name, expected)
    assert len(threads) == 1
    assert threads[0]["state"] == "crashed", threads
    assert threads[0]["display_name"].endswith(" (crashed)"), threads
    tid = threads[0]["tid"]
    assert threads_of("bt", name, expected, "-t", tid) == threads


def check_bt_text(name, expected):
    result = vmcore("bt", name, expected)
    expect(result, os.EX_OK, "" if not result.err else "warning: ")
    head, *frames = result.out.splitlines()
    crashed = threads_of("bt", name, expected)[0]
    assert head == f"thread {crashed['tid']} {crashed['display_name']}", head
    pcs = [int(re.match(r"#\d+ +(0x[0-9a-f]+) in ", f)[1], 16) for f in frames]
    assert pcs == pcs_of(crashed), result


def check_no_thread(name, expected):
    for words in ([], ["--json"]):
        result = vmcore("bt", name, expected, "-t", "1", *words)
        assert result.status == os.EX_DATAERR, result
        assert "no thread 1" in result.err, result
        assert result.out == ("[]\n" if words else ""), result


# ---- the others ----


def check_ps(name, expected):
    threads = threads_of("ps", name, expected)
    assert all("frames" not in td for td in threads)
    for td, full in zip(threads, threads_of("bt", name, expected, "-a")):
        assert td.items() <= full.items(), td
    result = vmcore("ps", name, expected)
    head, *rows = result.out.splitlines()
    assert head.split() == ["PID", "TID", "STATE", "CPU", "COMM", "NAME"]
    assert len(rows) == len(threads) == expected["threads_total"]
    for td, row in zip(threads, rows):
        cpu = "-" if td["cpu"] is None else str(td["cpu"])
        words = [str(td["pid"]), str(td["tid"]), td["state"], cpu]
        assert row.split()[:4] == words, row
        assert row.endswith(" " + td["name"]), row


def check_info(name, expected):
    result = vmcore("info", name, expected, "--json")
    expect(result, os.EX_OK, "" if not result.err else "warning: ")
    info = json.loads(result.out)
    assert INFO[name].items() <= info.items(), info
    assert {"panic", "kernel", "file_bytes"} <= info.keys(), info
    if info["format"] == "elf":
        assert "version" not in info and "kernbase" not in info, info
    if info["arch"] == "i386":
        assert "dmapbase" not in info, info
    if name in MINIDUMP_LEN:
        assert info["file_bytes"] + info["missing_bytes"] == MINIDUMP_LEN[name]


def check_info_alone(name, expected):
    """Without the kernel the core says the same of itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.realpath(core_path(name))
        core = os.path.join(folder, "vmcore")
        if path.endswith(".zst"):
            subprocess.run(["zstd", "-dq", path, "-o", core], check=True)
        else:
            os.symlink(path, core)
        alone = run(VMCORE, "info", "--json", core)
    expect(alone, os.EX_OK)
    full = json.loads(vmcore("info", name, expected, "--json").out)
    assert full["kernel_file"] == os.path.join(FOLDER.name, expected["kernel"]), full
    full["kernel"] = full["panic"] = full["kernel_file"] = None
    full["panic_why"] = "header only"
    assert json.loads(alone.out) == full, alone


def check_read(name, expected):
    """hz: raw, as text, by address, and in part."""
    result = vmcore("read", name, expected, "--raw", "hz", "4")
    expect(result, os.EX_OK)
    assert int.from_bytes(result.raw, "little") == expected["hz"], result
    text = vmcore("read", name, expected, "-l", "4", "hz")
    expect(text, os.EX_OK)
    line, end = text.out.splitlines()
    address, *values = line.split("|")[0].split()
    assert bytes.fromhex("".join(values)) == result.raw, text
    assert int(end, 16) == int(address, 16) + 4, text
    again = vmcore("read", name, expected, "--raw", "0x" + address, "4")
    assert again.raw == result.raw, again
    offset = vmcore("read", name, expected, "--raw", "hz+2", "2")
    assert offset.raw == result.raw[2:], offset


def from_hexdump(text):
    """The bytes that a hex dump shows, starred lines filled in."""
    data, start, last = b"", None, b""
    for line in text.splitlines():
        if line == "*":
            continue
        address, *values = line.split("|")[0].split()
        start = int(address, 16) if start is None else start
        missing = int(address, 16) - start - len(data)
        assert missing % 16 == 0 and (missing == 0 or len(last) == 16), line
        data += last * (missing // 16)
        last = bytes.fromhex("".join(values))
        data += last
    return data


def check_read_hexdump(name, expected):
    """The saved registers of the first CPUs: much data, and many zeros."""
    raw = vmcore("read", name, expected, "--raw", "stoppcbs", "2001")
    expect(raw, os.EX_OK)
    assert len(raw.raw) == 2001, raw
    text = vmcore("read", name, expected, "stoppcbs", "2001")
    expect(text, os.EX_OK)
    assert "\n*\n" in text.out, text
    assert from_hexdump(text.out) == raw.raw, text


def check_read_default(name, expected):
    """Without a length: the symbol's, but no more than 4096 bytes."""
    pcb_len = PCB_LEN[name.split("-")[1]]
    rows = [
        ("hz", 4),
        ("hz+1", 3),
        ("hz+4", 64),  # after it: there is no symbol to take the length from
        ("dumppcb", pcb_len),
        (f"dumppcb+{pcb_len - 20}", 20),
    ]
    if "amd64" in name:  # the others have less of it in the dump
        rows.append(("stoppcbs", 4096))
    for where, length in rows:
        result = vmcore("read", name, expected, "--raw", where)
        expect(result, os.EX_OK)
        assert len(result.raw) == length, (where, result)


def check_read_physical(name, expected):
    """On amd64 kernel statics lie at their address minus KERNBASE."""
    if not name.startswith("vmcore-amd64"):
        raise Skip("where statics lie is known on amd64 only")
    text = vmcore("read", name, expected, "hz", "4").out
    va = int(text.split()[0], 16)
    result = vmcore(
        *("read", name, expected, "--raw", "-p"),
        *(hex(va - 0xFFFFFFFF80000000), "4"),
    )
    expect(result, os.EX_OK)
    assert int.from_bytes(result.raw, "little") == expected["hz"], result


def check_read_end(name, expected):
    """What can be read before a hole is printed; then the hole is named."""
    result = vmcore("read", name, expected, "--raw", "0x0", "16")
    assert result.status == os.EX_DATAERR and result.raw == b"", result
    assert "address 0 is not" in result.err, result
    # The page after hz's may be in the dump; a whole gigabyte is not.
    result = vmcore("read", name, expected, "--raw", "hz", "1G")
    assert result.status == os.EX_DATAERR, result
    assert int.from_bytes(result.raw[:4], "little") == expected["hz"], result
    va = int(vmcore("read", name, expected, "hz", "4").out.split()[0], 16)
    assert f"{va + len(result.raw):x}" in result.err, result


def check_read_refusals(name, expected):
    for words, status, message in [
        (["no_such_symbol", "4"], os.EX_DATAERR, "no symbol no_such_symbol"),
        (["hz+", "4"], os.EX_USAGE, "bad offset: hz+"),
        (["hz+x", "4"], os.EX_USAGE, "bad offset: hz+x"),
        (["0xzz", "4"], os.EX_USAGE, "bad address: 0xzz"),
        (["+4", "4"], os.EX_USAGE, 'neither an address nor a symbol: "+4"'),
        (["-p", "hz", "4"], os.EX_USAGE, "-p needs an address"),
        (["0xffffffffffffffff", "2"], os.EX_USAGE, "past the end of memory"),
        (["0x1+0xffffffffffffffff", "1"], os.EX_USAGE, "past the end"),
    ]:
        result = vmcore("read", name, expected, *words)
        expect(result, status, message)
        assert result.raw == b"", result


def check_dmesg(name, expected):
    """These dumps have no text: their makers blanked it."""
    result = vmcore("dmesg", name, expected)
    assert result.status in (os.EX_OK, os.EX_DATAERR), result
    assert result.raw == b"" and result.err.startswith("vmcore: "), result


def check_small_stack(name, expected):
    """Every command needs no more stack than a small thread has."""
    little = smallstack.options(VMCORE)
    for words in [
        ["bt", "-a"],
        ["bt", "-a", "--json"],
        ["dmesg"],
        ["info"],
        ["modules"],
        ["ps"],
        ["read", "hz", "4"],
    ]:
        command, *options = words
        usual = vmcore(command, name, expected, *options)
        small = vmcore(command, name, expected, *options, **little)
        assert small.status == usual.status, small
        assert small.raw == usual.raw, small


CHECKS = [
    ("bt -a equals expected.json", check_bt),
    ("bt shows the crashed thread", check_bt_crashed),
    ("bt as text", check_bt_text),
    ("bt of no such thread", check_no_thread),
    ("ps", check_ps),
    ("info", check_info),
    ("info without the kernel", check_info_alone),
    ("read hz", check_read),
    ("read as a hex dump", check_read_hexdump),
    ("read a symbol in its length", check_read_default),
    ("read -p", check_read_physical),
    ("read up to a hole", check_read_end),
    ("read refuses", check_read_refusals),
    ("dmesg of a blank buffer", check_dmesg),
    ("a stack of 64 KB", check_small_stack),
]

for name, expected in lay_out().items():
    for title, function in CHECKS:
        tests.case(f"{name}: {title}", function, name, expected)
tests.run()
