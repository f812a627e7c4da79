"""usage: guard.py RUN-KERNEL KERNEL VMCORE

Memory is misused, and memguard or a red zone says by whom: where the mistake is
made, or when the memory is freed.
"""

import re
import sys

import postmortem
import tap

coroner = postmortem.Coroner(*sys.argv[1:])

GUARD = ["vm.memguard.desc=crash"]
REDZONE = ["vm.redzone.enable=1", "vm.redzone.panic=1"]
STACK = r"\n(#\d+ 0x\w+ at [\w.]+\+0x\w+\n)*#\d+ 0x\w+ at "

# Of each: tunables, the panic, and what the console says before it.
MISTAKES = {
    "overrun": (
        GUARD,
        "page fault",
        r"memguard: \S+ is 0 bytes after the end of \S+, 96 bytes of crash, in use"
        rf"\nallocated by:{STACK}crash_overrun",
    ),
    "stale": (
        GUARD,
        "page fault",
        r"memguard: \S+ is at byte 48 of \S+, 96 bytes of crash, which is free"
        rf"\nallocated by:{STACK}crash_stale(?s:.*)freed by:{STACK}crash_stale",
    ),
    "redzone": (
        REDZONE,
        "redzone: overflow: 1 bytes corrupted after",
        r"REDZONE: Buffer overflow detected. 1 byte corrupted after \S+ \(96 bytes"
        r" allocated, of crash\)."
        rf"\nAllocation backtrace:{STACK}crash_redzone"
        rf"(?s:.*)Free backtrace:{STACK}crash_redzone",
    ),
}


def misuse(kind):
    """Told on the console; the dump has the trace, and nothing else is lost."""
    tunables, panic, told = MISTAKES[kind]
    disk = coroner.disk()
    text = coroner.die(f"fill 3;crash {kind}", *tunables, disks=[disk])
    assert f"panic: {panic}" in text, text
    assert re.search(told, text), text
    core = coroner.dump_of(disk)
    assert f"crash_{kind}" in coroner.same_trace(text, core)
    coroner.same_memory(text, core)


def survived(kind):
    """Without either, it goes unnoticed."""
    with coroner.boot() as m:
        m.wait_for("# ")
        assert f"survived {kind}\n" in m.command(f"crash {kind}")


def busy(*tunables):
    """A machine that guards what it allocates works as before."""
    with coroner.boot(*tunables) as m:
        m.wait_for("# ")
        m.command("storm 2")
        m.command("sleep 1")
        m.command("storm")
        assert "items: 1000, " in m.command("items 1000")
        m.send("exit 3\r")
        assert m.end() == 3


tests = tap.Tests()
for mistake in MISTAKES:
    tests.case(f"{mistake} is told", misuse, mistake)
tests.case("an overrun that nobody watches", survived, "overrun")
tests.case("one of ten is guarded", busy, "vm.memguard.frequency=10000")
tests.case("all have red zones", busy, *REDZONE)
tests.run()
