"""usage: boot.py RUN-KERNEL KERNEL

Boot the kernel on machines of all sizes, and use its shell and debugger.
"""

import functools
import re
import signal
import sys
import threading

import machine
import tap

boot = functools.partial(machine.Machine, sys.argv[1], sys.argv[2])

BREAK = "\r~\x02"


def sizes(memory, cpus, model):
    with boot(memory=memory, cpus=cpus, model=model) as m:
        real = int(m.wait_for(r"real memory  = (\d+) ").group(1))
        assert 0.97 * memory <= real >> 20 <= memory, real
        assert int(m.wait_for(r"smp: (\d+) CPUs").group(1)) == cpus
        m.wait_for("# ")
        assert "shell" in m.command("ps")
        m.send("exit 5\r")
        assert m.end() == 5


def limits(memory, model):
    limit = "hw.physmem=96m", "kern.smp.cpus=2"
    with boot(*limit, memory=memory, cpus=4, model=model) as m:
        assert m.wait_for(r"real memory  = (\d+) ").group(1) == str(96 << 20)
        m.wait_for("smp: 2 CPUs")


def variables():
    with boot(
        'kern.hostname="a b"',
        "debug.minidump=0",
        "debug.minidump_version=2",
        "hz=x",
    ) as m:
        m.wait_for('debug.minidump_version: "2" is not possible')
        m.wait_for("# ")
        assert "kern.hostname: a b\n" in m.command("sysctl kern")
        assert m.command("sysctl debug.minidump=1") == (
            "debug.minidump: 0 -> 1\n"
        )
        assert m.command("sysctl debug.minidump=no").endswith("error 22\n")
        assert m.command("sysctl debug.minidump_version=3") == (
            "debug.minidump_version: 1 -> 3\n"
        )
        assert m.command("sysctl debug.minidump_version=2").endswith(
            "error 22\n"
        )
        assert m.command("sysctl kern.ostype=other").endswith("error 1\n")
        assert m.command("sysctl no.such=1").endswith("error 2\n")
        assert int(m.command("sysctl debug.minidump_size").split()[1]) > 1 << 19
        zones = m.command("sysctl vm.zone_stats").splitlines()
        assert m.command("sysctl vm.zone_count") == f"vm.zone_count: {len(zones)}\n"
        for zone in zones:
            name, size = re.match(r"vm\.zone_stats\.(\w+): size (\d+) ", zone).groups()
            assert m.command(f"sysctl vm.uma.{name}.size") == (
                f"vm.uma.{name}.size: {size}\n"
            )
        assert m.command("sysctl vm.uma.256.size=1").endswith("error 1\n")
        assert "vm.uma." not in m.command("sysctl vm")


def boot_pages():
    """What the panic says helps, and what cannot be is refused."""
    with boot("vm.boot_pages=2") as m:
        m.wait_for(r"UMA: out of boot memory: raise vm\.boot_pages from 2\n")
    with boot("vm.boot_pages=96") as m:
        free = int(m.wait_for(r"vm_page: .* (\d+) free\n")[1])
        m.wait_for("# ")
        assert m.command("sysctl vm.boot_pages") == "vm.boot_pages: 96\n"
        assert m.command("sysctl vm.boot_pages=1").endswith("error 1\n")
    with boot() as m:
        more = int(m.wait_for(r"vm_page: .* (\d+) free\n")[1]) - free
        assert more == 96 - 48, more
    with boot("vm.boot_pages=x") as m:
        m.wait_for('vm.boot_pages: "x" is not possible')
        m.wait_for("# ")
    with boot("vm.boot_pages=100000") as m:
        m.wait_for("panic: vm_phys_early_alloc: 409600000 bytes, largest ")


def addresses():
    """The kernel map is as large as a tunable says, or as it can be."""
    sizes = ((1, 16 << 20), (20000001, 20000768), (1 << 63, 2109734912))
    for said, got in sizes:
        with boot(f"vm.kmem_size={said}") as m:
            m.wait_for("# ")
            assert m.command("sysctl vm.kmem_size") == f"vm.kmem_size: {got}\n"


def counts():
    """What pages there are is told, and adds up."""
    with boot() as m:
        m.wait_for("# ")
        said = m.command("sysctl vm.stats")
        found = dict(re.findall(r"vm\.stats\.vm\.v_(\w+): (\d+)\n", said))
        n = {name: int(value) for name, value in found.items()}
        queues = ("active_count", "inactive_count", "laundry_count")
        assert sum(n[name] for name in queues) == 0, said
        assert n["page_count"] - 64 < n["free_count"] + n["wire_count"], said
        assert n["free_count"] + n["wire_count"] <= n["page_count"], said
        marks = "interrupt_free_min free_reserved free_min free_target".split()
        assert sorted(marks, key=n.get) == marks, said
        total = m.command("sysctl vm.vmtotal")
        names = ("vm", "rm", "vmshr", "rmshr", "free")
        want = " ".join(rf"{name} \d+" for name in names)
        assert re.fullmatch(rf"vm\.vmtotal: {want}\n", total), total


def typing():
    with boot() as m:
        m.wait_for("# ")
        assert "No such command" in m.command("nonsense")
        said = m.command("  nonsense ; sysctl kern.ostype;;exitx")
        assert re.fullmatch(
            r'No such command: "nonsense "; .*\n'
            r"kern.ostype: vmcore\n"
            r'No such command: "exitx"; .*\n',
            said,
        ), said
        m.send("sysctq\x7fl kern.osty\r")
        m.wait_for("kern.ostype: vmcore\n")


def scripts():
    with boot('kern.script="sleep 1;exit 7"') as m:
        assert m.end() == 7


def debugger():
    with boot() as m:
        m.wait_for("# ")
        m.send(BREAK)
        m.wait_for("db> ")
        ask = functools.partial(m.command, prompt="db> ")
        threads = ask("ps")
        sleeper = re.search(r"(\d{6}) .* kernel/swapper", threads)
        assert sleeper, threads
        trace = ask(f"bt {sleeper.group(1)}")
        for function in ("mi_switch", "tsleep", "mi_startup"):
            assert f"{function}()" in trace, trace
        assert "lapic_handle_timer()" in ask("bt")
        assert "kdb_enter" in ask("show registers")
        assert "76 6d 63 6f 72 65" in ask("x version 16")
        assert "not mapped" in ask("x 0xffffffff80001000")
        assert "vmcore kernel" in ask("show msgbuf")
        assert "= 0x6" in ask("call strlen ostype")
        assert "No such command" in ask("nonsense")
        m.send("c\r\x7f")  # the tilde is on the shell's line
        assert "kern.ostype" in m.command("sysctl kern.ostype")


def rights(model):
    """
    No page can be both written and executed, and what cannot be written where
    it is cannot be written in the direct map.
    """
    dmap = "0xfffff800" + "{:08x}"
    with boot(model=model) as m:
        m.wait_for("# ")
        m.send("ddb\r")
        m.wait_for("db> ")
        ask = functools.partial(m.command, prompt="db> ")
        for place, want, want_alias in (
            ("panic", "r-x", "r--"),
            ("version", "r--", "r--"),
            ("allproc", "rw-", "rw-"),
            ("_ebss", "r--", "r--"),
        ):
            said = ask(f"show pte {place}").rstrip()
            assert said.endswith(want), (place, said)
            (at,) = re.findall(r"(0x\w+):", ask(f"x {place} 1"))
            alias = dmap.format(int(at, 16) - 0xFFFFFFFF80000000)
            said = ask(f"show pte {alias}").rstrip()
            assert said.endswith(want_alias), (place, alias, said)
        for place in (0x1FF000, 0x3FF000, 0x400000):
            said = ask("show pte " + dmap.format(place)).rstrip()
            assert said.endswith("rw-"), (hex(place), said)


HANGS = {
    "a machine that waits": "sleep 3600",
    "a machine that runs": "workers 0 4;sleep 3600",
}


def hangs(script):
    """It says nothing, for a time of its own."""
    with boot(f'kern.script="{script}"', limit=3) as m:
        try:
            m.wait_for("this is never said")
        except AssertionError as said:
            assert "it hangs after" in str(said), said
        else:
            raise AssertionError("it was waited for")


def not_let_run():
    """A machine that the host does not let run does not hang."""
    with boot(limit=3) as m:
        m.wait_for("# ")
        m.process.send_signal(signal.SIGSTOP)
        threading.Timer(9, m.process.send_signal, [signal.SIGCONT]).start()
        assert "kern.ostype" in m.command("sysctl kern.ostype")


tests = tap.Tests()
for mb, ncpus, processor in (
    (64, 1, "max"),
    (64, 8, "qemu64"),
    (128, 4, "max"),
    (300, 3, "Nehalem"),
    (8192, 8, "max"),
    (65536, 2, "max"),
    (65536, 1, "qemu64"),  # without pages of 1 GB
):
    tests.case(
        f"{mb} MB, {ncpus} CPUs: {processor}", sizes, mb, ncpus, processor
    )
for mb, processor in (256, "max"), (8192, "max"), (8192, "qemu64"):
    tests.case(
        f"less memory and CPUs than there are: {mb} MB, {processor}",
        limits,
        mb,
        processor,
    )
tests.case("variables are set and refuse to be", variables)
tests.case("pages for the boot are a tunable", boot_pages)
tests.case("addresses for memory are a tunable", addresses)
tests.case("counts of pages", counts)
tests.case("lines are edited", typing)
tests.case("a script runs unattended", scripts)
for hang, script in HANGS.items():
    tests.case(f"{hang} and says nothing hangs", hangs, script)
tests.case("a machine that the host does not let run does not", not_let_run)
tests.case("the debugger, by a key, and back", debugger)
for processor in ("max", "qemu64"):  # with pages of 1 GB, and without
    tests.case(
        f"no page is both writable and executable: {processor}",
        rights,
        processor,
    )
tests.run()
