"""usage: crash.py RUN-KERNEL KERNEL VMCORE

Break the machine in every way, take the dump off its disk, and compare what
vmcore says with what the kernel printed before it died.
"""

import sys

import postmortem
import tap
from postmortem import MB

coroner = postmortem.Coroner(*sys.argv[1:])

# What each crash says.
KINDS = {
    "panic": "crash: as you asked",
    "assert": "crash_assert: zero is 0",
    "locked": "crash: with a mutex held",
    "nointr": "crash: with interrupts off",
    "interrupt": "crash: in an interrupt",
    "othercpu": "crash: on another CPU",
    "race": "crash: while the debugger was entered",
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


# Mutexes; the last two are of the zones of items and of malloc()'s 64 bytes.
MUTEXES = [
    "printf",
    "console",
    "sched lock",
    "invltlb",
    "pmap",
    "kernel map",
    "vm page free queue",
    "UMA list",
    "items",
    "64",
]


def crash(kind, *tunables, disk_size=200 * MB):
    """Crash a machine: its console's text, and its dump or None."""
    disk = coroner.disk(size=disk_size)
    text = coroner.die(
        f"ps;fill 3;crash {kind}",
        "ddb.script=continue",
        *tunables,
        disks=[disk],
    )
    return text, coroner.dump_of(disk)


def kind_dumps(kind):
    text, core = crash(kind)
    assert f"panic: {KINDS[kind]}" in text, text
    assert "Dump complete" in text
    assert coroner.ask("info", core)["panic"].startswith(KINDS[kind])
    coroner.same_threads(text, core)
    coroner.same_trace(text, core)
    coroner.same_memory(text, core)


def mutex_held(name):
    """The storm takes all of them, sooner or later."""
    disk = coroner.disk()
    text = coroner.die(
        f"fill 3;hold {name};storm 4;items 9000;sleep 60", disks=[disk]
    )
    said = f'crash: with the mutex "{name}" held'
    assert f"panic: {said}" in text, text
    core = coroner.dump_of(disk)
    assert coroner.ask("info", core)["panic"] == said
    frames = coroner.same_trace(text, core)
    assert frames[:4] == ["vpanic", "panic", "crash_mutex", "mtx_lock_spin"]
    coroner.same_memory(text, core)


def format_dumps(tunables, want):
    text, core = crash("null", *tunables)
    info = coroner.ask("info", core)
    assert (info["format"], info.get("version")) == want, info
    coroner.same_threads(text, core)
    frames = coroner.same_trace(text, core)
    assert frames[-2:] == ["fork_exit", "fork_trampoline"], frames
    assert "crash_null" in frames
    coroner.same_memory(text, core)


def too_small():
    text, core = crash("panic", disk_size=256 * 1024)
    assert "too small" in text and "Dump failed" in text, text
    assert core is None
    disk = coroner.work / "disk"
    assert not any(disk.read_bytes()), "something was written"


def no_device():
    text = coroner.die("crash panic", disks=[])
    assert "dumpdev is not set" in text, text
    assert "Cannot dump" in text, text


def second_device():
    small = coroner.disk("small", 256 * 1024)
    large = coroner.disk("large")
    coroner.die("crash panic", disks=[small, large])
    assert coroner.dump_of(small) is None
    core = coroner.dump_of(large)
    assert coroner.ask("info", core)["panic"] == KINDS["panic"]


def second_panic(phase):
    """It ends, and leaves no dump that passes for whole."""
    text, core = crash("panic", f"debug.dump_panic_phase={phase}")
    assert "panic: second_panic: " in text, text
    assert "within a panic" in text, text
    assert core is None


def second_panic_in_clear():
    """What the disk held before is whole, or not there any more."""
    disk = coroner.disk()
    coroner.die("crash panic", disks=[disk])
    before = coroner.dump_of(disk).read_bytes()
    text = coroner.die("crash panic", "debug.dump_panic_phase=3", disks=[disk])
    assert "panic: second_panic: " in text, text
    core = coroner.dump_of(disk)
    assert core is None or core.read_bytes() == before


def dump_twice():
    disk = coroner.disk()
    with coroner.boot("dumpdev=vtbd0", disks=[disk]) as m:
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
    core = coroner.dump_of(disk)
    assert [t["name"] for t in coroner.ask("bt", core)] == ["shell"]


tests = tap.Tests()
for crash_kind in KINDS:
    tests.case(f"crash {crash_kind}", kind_dumps, crash_kind)
for mutex in MUTEXES:
    tests.case(f'a panic with the mutex "{mutex}" held', mutex_held, mutex)
for name, arguments in FORMATS.items():
    tests.case(f"a dump of the kind {name}", format_dumps, *arguments)
tests.case("no device: the kernel says so at boot and at the end", no_device)
tests.case("a device that is too small is left alone", too_small)
tests.case("the second device, if the first is too small", second_device)
tests.case("two dumps from the debugger, then it goes on", dump_twice)
for number, name in PHASES.items():
    tests.case(f"a second panic in phase {name}", second_panic, number)
tests.case("a second panic in phase clear", second_panic_in_clear)
tests.run()
