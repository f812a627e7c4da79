"""usage: crash.py RUN-KERNEL KERNEL VMCORE

Break the machine in every way, take the dump off its disk, and compare what
vmcore says with what the kernel printed before it died.
"""

import functools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import machine
import tap

run_kernel, kernel, vmcore = sys.argv[1:]
boot = functools.partial(machine.Machine, run_kernel, kernel)
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20

# What each crash says.
KINDS = {
    "panic": "crash: as you asked",
    "assert": "crash_assert: zero is 0",
    "locked": "crash: with a mutex held",
    "nointr": "crash: with interrupts off",
    "interrupt": "crash: in an interrupt",
    "othercpu": "crash: on another CPU",
    "read": "page fault",
    "write": "page fault",
    "null": "page fault",
    "divide": "integer divide fault",
    "ud": "privileged instruction fault",
    "stack": "double fault: kernel stack overflow: shell",
}

# Kinds of dumps, as tunables and as the format that vmcore names.
FORMATS = {
    "version 1": (["debug.minidump_version=1"], ("minidump", 1)),
    "version 3": (["debug.minidump_version=3"], ("minidump", 3)),
    "full": (["debug.minidump=0"], ("elf", None)),
}


# Of a dump, as debug.dump_panic_phase numbers them.
PHASES = {1: "walk", 2: "plan", 4: "data", 5: "headers"}


def ask(command, core, *options):
    """What a command says as JSON."""
    return json.loads(
        subprocess.run(
            [vmcore, command, "--json", "-N", kernel, *options, core],
            check=True,
            capture_output=True,
        ).stdout
    )


def crash(kind, *tunables, disk_size=200 * MB, disk=None):
    """Crash a machine: its console's text, and its dump or None."""
    disk = disk or machine.make_disk(work / "disk", disk_size)
    script = f'kern.script="ps;fill 3;crash {kind}"'
    with boot(
        "dumpdev=vtbd0", "kern.panic.exit_code=9", *tunables, script, disks=[disk]
    ) as m:
        assert m.end() == 9, m.text
    return m.text, machine.dump_of(disk, work / "core")


def traced(text):
    """The functions of the kernel's own trace, the crashed one's last."""
    trace = text[text.index("KDB: stack backtrace:") :]
    return re.findall(r"(?m)^(\w+|\?)\(\) at", trace)


def same_threads(text, core):
    listed = {
        int(tid): (int(pid), name)
        for pid, tid, name in re.findall(
            r"(?m)^ +(\d+) (\d{6}) .*?/(.*)$", text
        )
    }
    dumped = {t["tid"]: (t["pid"], t["name"]) for t in ask("ps", core)}
    assert listed.items() <= dumped.items(), (listed, dumped)


def same_trace(text, core):
    """From the function that the trap or panic() struck, down."""
    (thread,) = ask("bt", core)
    assert thread["state"] == "crashed"
    frames = [frame["symbol"] or "?" for frame in thread["frames"]]
    printed = [name for name in traced(text) if name != "kdb_backtrace"]
    frames = frames[frames.index("vpanic") :]
    assert frames[: len(printed)] == printed, (frames, printed)
    return frames


def same_memory(text, core):
    """Patterns that the kernel put into its memory, by their checksums."""
    fills = re.findall(r"fill: (0x\w+) (\d+) bytes, sum (0x\w+)", text)
    assert len(fills) == 3, text
    for va, length, want in fills:
        data = subprocess.run(
            [vmcore, "read", "--raw", "-N", kernel, va, length, core],
            check=True,
            capture_output=True,
        ).stdout
        assert len(data) == int(length)
        total = 0
        for byte in data:
            total = (total * 31 + byte) & 0xFFFFFFFF
        assert total == int(want, 16), (va, length)


def kind_dumps(kind):
    text, core = crash(kind)
    assert f"panic: {KINDS[kind]}" in text, text
    assert "Dump complete" in text
    assert ask("info", core)["panic"].startswith(KINDS[kind])
    same_threads(text, core)
    same_trace(text, core)
    same_memory(text, core)


def format_dumps(tunables, want):
    text, core = crash("null", *tunables)
    info = ask("info", core)
    assert (info["format"], info.get("version")) == want, info
    same_threads(text, core)
    frames = same_trace(text, core)
    assert frames[-2:] == ["fork_exit", "fork_trampoline"], frames
    assert "crash_null" in frames
    same_memory(text, core)


def too_small():
    text, core = crash("panic", disk_size=256 * 1024)
    assert "too small" in text and "Dump failed" in text, text
    assert core is None
    assert not any((work / "disk").read_bytes()), "something was written"


def no_device():
    with boot("kern.panic.exit_code=9", 'kern.script="crash panic"') as m:
        assert m.end() == 9, m.text
    assert "dumpdev is not set" in m.text, m.text
    assert "Cannot dump" in m.text, m.text


def second_device():
    small = machine.make_disk(work / "small", 256 * 1024)
    large = machine.make_disk(work / "large", 64 * MB)
    with boot(
        "dumpdev=vtbd0,vtbd1",
        "kern.panic.exit_code=9",
        'kern.script="crash panic"',
        disks=[small, large],
    ) as m:
        assert m.end() == 9, m.text
    assert machine.dump_of(small, work / "core") is None
    core = machine.dump_of(large, work / "core")
    assert ask("info", core)["panic"] == KINDS["panic"]


def second_panic(phase):
    """It ends, and leaves no dump that passes for whole."""
    text, core = crash("panic", f"debug.dump_panic_phase={phase}")
    assert "panic: second_panic: " in text, text
    assert "within a panic" in text, text
    assert core is None


def second_panic_in_clear():
    """What the disk held before is whole, or not there any more."""
    _, core = crash("panic")
    before = core.read_bytes()
    text, core = crash(
        "panic", "debug.dump_panic_phase=3", disk=work / "disk"
    )
    assert "panic: second_panic: " in text, text
    assert core is None or core.read_bytes() == before


def corrupt_entry(level, kind, said):
    disk = machine.make_disk(work / "disk", 64 * MB)
    script = f'kern.script="ps;fill 3;corrupt {level} {kind};crash panic"'
    with boot(
        "dumpdev=vtbd0", "kern.panic.exit_code=9", script, disks=[disk]
    ) as m:
        assert m.end() == 9, m.text
    core = machine.dump_of(disk, work / "core")
    assert ("dump: anomaly:" in m.text) == said, m.text
    same_trace(m.text, core)
    same_memory(m.text, core)


def dump_twice():
    disk = machine.make_disk(work / "disk", 64 * MB)
    with boot("dumpdev=vtbd0", disks=[disk]) as m:
        m.wait_for("# ")
        m.send("ddb\r")
        m.wait_for("db> ")
        assert "Dump complete" in m.command("dump", prompt="db> ")
        assert "= 0\n" in m.command("call doadump", prompt="db> ")
        m.send("c\r")
        m.wait_for("# ")
        assert "ttyin" not in m.command("ps")
        m.send("exit 3\r")
        assert m.end() == 3
    core = machine.dump_of(disk, work / "core")
    assert [t["name"] for t in ask("bt", core)] == ["shell"]


tests = tap.Tests()
for crash_kind in KINDS:
    tests.case(f"crash {crash_kind}", kind_dumps, crash_kind)
for name, arguments in FORMATS.items():
    tests.case(f"a dump of the kind {name}", format_dumps, *arguments)
tests.case("no device: the kernel says so at boot and at the end", no_device)
tests.case("a device that is too small is left alone", too_small)
tests.case("the second device, if the first is too small", second_device)
tests.case("two dumps from the debugger, then it goes on", dump_twice)
for number, name in PHASES.items():
    tests.case(f"a second panic in phase {name}", second_panic, number)
tests.case("a second panic in phase clear", second_panic_in_clear)
for entry_level in (0, 1):
    for bad in ("reserved", "beyond", "device", "itself", "random"):
        # Memory that is mapped once more is nothing to be seen.
        seen = (entry_level, bad) not in ((0, "itself"), (0, "random"))
        tests.case(
            f"a page-table entry of level {entry_level}: {bad}",
            corrupt_entry,
            entry_level,
            bad,
            seen,
        )
tests.run()
