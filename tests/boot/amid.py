"""usage: amid.py RUN-KERNEL KERNEL VMCORE

Panics while something of the VM system is half done, in a storm of address spaces
whose pages go to swap on the disk that takes the dump.  The debugger or the dump
shows that it was so; and the dump is whole.
"""

import functools
import re
import sys

import postmortem
import tap
from postmortem import MB

coroner = postmortem.Coroner(*sys.argv[1:])

EXCLUSIVE = 0xFF  # in vm_page's busy; less: so many share it


def busy(ask):
    """How the page is busy that the panic is about, as the debugger shows it."""
    page = re.search(r": +(0x\w+)", ask("x/gx moment_arg"))[1]
    return int(re.search(r" busy (0x\w+) ", ask(f"show page {page}"))[1], 16)


def to_be_read(ask):
    assert busy(ask) == EXCLUSIVE


def to_be_written(ask):
    assert 0 < busy(ask) < EXCLUSIVE


def is_owned(lock, core):
    """By the thread that died."""
    owner = f"((struct thread *)({lock}.lo_word & ~2))->td_tid"
    assert coroner.value(core, owner) == coroner.value(core, "dumptid")


def map_locked(core):
    is_owned("(*crash_lock_held)", core)


def vm_locked(core):
    is_owned("vm_mtx.lock_object", core)


def in_flight(core):
    """To the disk, which is the dump's, too."""
    disk = "((struct disk *)moment_arg)"
    assert coroner.value(core, f"{disk}->bd_ninflight") > 0
    is_owned(f"{disk}->bd_mtx.lock_object", core)
    swap = "swap_devices[0]"
    assert coroner.value(core, f"{swap}.sw_disk == {disk}") == 1
    assert coroner.value(core, f"{swap}.sw_used") > 0


# What the shell is told, a function of the panic's stack, and the proofs in the
# debugger before the dump, and in the dump.
ROWS = {
    "a page is busy, to be read": (
        "moment page_in 40", "vm_pager_get_pages", to_be_read, None),
    "a page is busy, to be written": (
        "moment page_out 3", "vm_pager_put_pages", to_be_written, None),
    "a map is locked": ("hold vm map", "sx_xlock", None, map_locked),
    "vm_mtx is owned": ("hold vm", "lock_take", None, vm_locked),
    "a request for swap is in flight": (
        "moment submit 40", "start_tag", None, in_flight),
}  # fmt: skip


def amid(cpus, command, function, in_debugger, in_dump):
    disk = coroner.disk(size=24 * MB)
    storm = "vmstorm 24 1000000000"
    with coroner.boot(
        "dumpdev=vtbd0", "kern.panic.exit_code=9", "debug.debugger_on_panic=1",
        f'kern.script="swapon vtbd0;fill 3;user 56m;{command};{storm}"',
        disks=[disk], memory=64, cpus=cpus,
    ) as m:  # fmt: skip
        m.wait_for("(?m)^db> $")
        if in_debugger:
            in_debugger(functools.partial(m.command, prompt="db> "))
        m.send("continue\r")
        assert m.end() == 9
    assert "Dump complete" in m.text, m.text
    core = coroner.dump_of(disk)
    assert function in coroner.same_trace(m.text, core), m.text
    coroner.same_memory(m.text, core)
    coroner.audit(core)
    if in_dump:
        in_dump(core)


tests = tap.Tests()
for n in 1, 4:
    for name, row in ROWS.items():
        tests.case(f"{name}, {n} CPUs", amid, n, *row)
tests.run()
