"""usage: crash.py RUN-KERNEL KERNEL VMCORE

Break the machine in every way, take the dump off its disk, and compare what
vmcore says with what the kernel printed before it died.
"""

import re
import sys

import postmortem
import tap
from postmortem import MB

coroner = postmortem.Coroner(*sys.argv[1:])

# The message of each crash.
KINDS = {
    "panic": "crash: as you asked",
    "assert": "crash_assert: zero is 0",
    "locked": "crash: with a mutex held",
    "nointr": "crash: with interrupts off",
    "interrupt": "crash: in an interrupt",
    "return": "crash: in an interrupt",
    "io": "crash: in a disk's interrupt",
    "othercpu": "crash: on another CPU",
    "race": "crash: while the debugger was entered",
    "read": "page fault",
    "write": "page fault",
    "alias": "page fault",
    "null": "page fault",
    "divide": "integer divide fault",
    "ud": "privileged instruction fault",
    "reversal": 'witness: lock order reversal: "first" after "third"',
    "spinsleep": 'witness: sleep on "crash" with "first" held',
    "critsleep": 'witness: sleep on "crash" in a critical section',
    "intrsleep": 'witness: sleep on "crash" in an interrupt',
    "nmilock": 'witness: "first" in an NMI',
    "spinblock": 'witness: mutex "mutex" with spin mutex "first" held',
    "mtxsleep": 'witness: sleep on "crash" with "mutex" held',
    "mtxsx": 'witness: sx "sx" with mutex "mutex" held',
    "stack": "double fault: kernel stack overflow: shell",
}

# Kinds of dumps, as tunables and as the format that vmcore names.
FORMATS = {
    "version 1": (["debug.minidump_version=1"], ("minidump", 1)),
    "version 3": (["debug.minidump_version=3"], ("minidump", 3)),
    "full": (["debug.minidump=0"], ("elf", None)),
}

# Of a dump, as debug.dump_panic_phase numbers them, and what is on the disk
# after a panic in them: the dump of an earlier crash, until that is erased.
PHASES = {
    "walk": (1, "old"),
    "plan": (2, "old"),
    "clear": (3, "old"),
    "data": (4, None),
    "headers": (5, None),
}


# Mutexes; the last three are of the zones of items and of malloc()'s 64 bytes,
# and of the disk that takes the dump.
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
    "vtbd0",
]


# Of the storm of locks, and the calls that take them, or how these begin.
STORM_LOCKS = {
    "storm sx": "sx_xlock",
    "storm rwlock": "rw_",
    "storm mutex": "mtx_lock",
    "storm spin": "mtx_lock_spin",
}


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


# Where the lock was taken that is not to be held; before the panic's trace.
TAKEN = {
    "spinsleep": "first",
    "spinblock": "first",
    "mtxsleep": "mutex",
    "mtxsx": "mutex",
}


def kind_dumps(kind):
    text, core = crash(kind)
    assert f"panic: {KINDS[kind]}" in text, text
    if kind in TAKEN:
        assert re.search(
            rf'"{TAKEN[kind]}" was taken at:\n#0 0x\w+ at crash_{kind}\+',
            text,
        ), text
    assert "Dump complete" in text
    assert coroner.ask("info", core)["panic"].startswith(KINDS[kind])
    coroner.same_threads(text, core)
    coroner.same_trace(text, core)
    coroner.same_memory(text, core)


def reversal_told():
    """With the stack of each order that led there, and with the last one."""
    text, _ = crash("reversal")
    stack = r"\n(#\d+ 0x\w+ at \w+\+0x\w+\n)*#\d+ 0x\w+ at "
    assert re.search(
        rf'"second" was taken with "first" held, first at:{stack}earlier_order'
        rf'(?s:.*)"third" was taken with "second" held, first at:'
        rf"{stack}earlier_order"
        rf'(?s:.*)"first" is taken with "third" held at:{stack}crash_reversal',
        text,
    ), text


def unwatched():
    """Without the witness, what it refuses goes on."""
    with coroner.boot("debug.witness.watch=0") as m:
        m.wait_for("# ")
        assert "survived reversal\n" in m.command("crash reversal")


def mutex_held(name):
    """The storm takes all of them, sooner or later."""
    disk = coroner.disk()
    text = coroner.die(
        f"fill 3;hold {name};storm 4;disk 1;items 9000;sleep 60", disks=[disk]
    )
    said = f'crash: with the lock "{name}" held'
    assert f"panic: {said}" in text, text
    core = coroner.dump_of(disk)
    assert coroner.ask("info", core)["panic"] == said
    frames = coroner.same_trace(text, core)
    assert frames[:4] == ["vpanic", "panic", "crash_held", "mtx_lock_spin"]
    coroner.same_memory(text, core)


def in_lock_storm(name):
    """In the midst of it, while other threads hold and wait for all locks."""
    disk = coroner.disk()
    text = coroner.die(f"fill 3;locks 6 600 {name}", disks=[disk])
    assert f'panic: crash: with the lock "{name}" held' in text, text
    core = coroner.dump_of(disk)
    frames = coroner.same_trace(text, core)
    assert frames[:3] == ["vpanic", "panic", "crash_held"], frames
    assert any(f.startswith(STORM_LOCKS[name]) for f in frames), frames
    assert "storm_thread" in frames, frames
    coroner.same_threads(text, core)
    coroner.same_memory(text, core)


def disk_in_use():
    """Requests are under way when the dump takes the disk."""
    disk = coroner.disk()
    text = coroner.die("fill 3;disk 3;crash othercpu", disks=[disk])
    core = coroner.dump_of(disk)
    assert "disk_thread" in coroner.run("bt", core, "-a"), text
    coroner.same_trace(text, core)
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


def second_panic(tunables, phase, left):
    """It ends, and leaves no dump that passes for whole."""
    disk = coroner.old_disk(80 * MB)
    text = coroner.die(
        "crash panic",
        f"debug.dump_panic_phase={phase}",
        *tunables,
        disks=[disk],
        memory=64,
    )
    assert "panic: second_panic: " in text, text
    assert "within a panic" in text, text
    assert coroner.dumped(disk) == left, text


def dump_twice():
    """The second dump is another one, and the kernel runs on, to a third."""
    disk = coroner.disk()
    with coroner.boot(
        "dumpdev=vtbd0", "kern.panic.exit_code=9", disks=[disk]
    ) as m:
        m.wait_for("# ")
        m.command("fill 3")
        m.send("ddb\r")
        m.wait_for("db> ")
        assert "Dump complete" in m.command("dump", prompt="db> ")
        assert dumps_before(disk) == 0
        assert "= 0\n" in m.command("call doadump", prompt="db> ")
        assert dumps_before(disk) == 1
        core = coroner.dump_of(disk)
        assert [t["name"] for t in coroner.ask("bt", core)] == ["shell"]
        coroner.same_memory(m.text, core)

        m.send("continue\r")
        m.wait_for("# ")
        m.command("storm 4")
        m.command("sleep 1")
        m.command("storm")
        assert "items: 1000, " in m.command("items 1000")
        m.send("crash panic\r")
        assert m.end() == 9
    assert dumps_before(disk) == 2
    core = coroner.dump_of(disk)
    coroner.same_trace(m.text, core)
    coroner.same_memory(m.text, core)


def plain_write():
    """What the benchmark writes in the dump's place is the same dump."""
    disk = coroner.disk()
    with coroner.boot("dumpdev=vtbd0", disks=[disk]) as m:
        m.wait_for("# ")
        m.command("fill 3")
        assert "bytes, dump " in m.command("bench 2")
        m.send("exit 3\r")
        assert m.end() == 3
    coroner.same_memory(m.text, coroner.dump_of(disk))


def dumps_before(disk):
    """How many dumps were complete before the one on the disk."""
    messages = coroner.run("dmesg", coroner.dump_of(disk))
    return messages.count("Dump complete")


tests = tap.Tests()
for crash_kind in KINDS:
    tests.case(f"crash {crash_kind}", kind_dumps, crash_kind)
tests.case("a reversal is told with its stacks", reversal_told)
tests.case("without the witness a reversal goes on", unwatched)
for mutex in MUTEXES:
    tests.case(f'a panic with the mutex "{mutex}" held', mutex_held, mutex)
for lock in STORM_LOCKS:
    tests.case(f'a panic with the lock "{lock}" held', in_lock_storm, lock)
tests.case("a panic while the disk is in use", disk_in_use)
for name, arguments in FORMATS.items():
    tests.case(f"a dump of the kind {name}", format_dumps, *arguments)
tests.case("no device: the kernel says so at boot and at the end", no_device)
tests.case("a device that is too small is left alone", too_small)
tests.case("the second device, if the first is too small", second_device)
tests.case("two dumps from the debugger, then it goes on", dump_twice)
tests.case("a plain write of a dump's bytes", plain_write)
for name, (tunables, _) in FORMATS.items():
    for phase_name, arguments in PHASES.items():
        tests.case(
            f"a second panic in phase {phase_name}, {name}",
            second_panic,
            tunables,
            *arguments,
        )
tests.run()
