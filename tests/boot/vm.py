"""usage: vm.py RUN-KERNEL KERNEL

The VM system on the machine's own MMU: threads that are processes without a
program, and what the debugger shows of them.
"""

import functools
import re
import sys

import machine
import tap

run_kernel, kernel = sys.argv[1:]
boot = functools.partial(machine.Machine, run_kernel, kernel)


def storm(cpus, memory, threads, steps):
    """They see what they wrote, through forks; and leave nothing behind."""
    with boot(cpus=cpus, memory=memory) as m:
        m.wait_for("# ")
        for _ in range(2):
            m.send(f"vmstorm {threads} {steps}\r")
            m.wait_for(rf"vmstorm: {threads * steps} steps, \d+ faults, \d+ forks\n")
            m.wait_for("# ")
        m.send("ddb\r")
        m.wait_for("(?m)^db> $")
        zones = m.command("show zones", prompt="db> ")
        for zone in ("VMSPACE", "PMAP", "VM OBJECT", "MAP ENTRY"):
            used = re.search(rf"(?m)^{zone} +\d+ +(\d+) ", zones)
            assert used and used[1] == "0", f"{zone} is in use:\n{zones}"


def looked_at(m):
    """What the debugger shows of a map in use, if it is not in the midst of a change."""
    m.send("\r~\x02")
    m.wait_for("(?m)^db> $")
    ask = functools.partial(m.command, prompt="db> ")
    vm = re.search(r": +(0x\w+)", ask("x/gx vmstorm_last"))[1]
    shown = ask(f"show map {vm}")
    found = re.search(r"(\d+) entries, \d+ bytes, pmap (0x\w+)", shown)
    if not found or len(re.findall(r"(?m) object ", shown)) != int(found[1]):
        m.send("c\r")
        return False
    pmap = ask(f"show pmap {found[2]}")
    assert re.search(r"root 0x\w+ active \w+ resident \d+", pmap), pmap
    assert shown.splitlines()[0] in ask("show map").splitlines()
    assert pmap.strip() in ask("show pmap").splitlines()
    objects = ask("show object")
    assert len(re.findall(r"(?m)^object 0x\w+: swap, ", objects)) > 1, objects
    page = ask("show page version")
    shown = ask("show vmpage " + re.search(r"page (0x\w+)", page)[1])
    assert shown == page, shown
    return True


def debugger():
    """show map and show pmap, of an address space that is in use."""
    with boot() as m:
        m.wait_for("# ")
        m.send("vmstorm 2 1000000000\r")
        assert any(looked_at(m) for _ in range(50)), "no map"


ALL = "SMEP SMAP UMIP"
NONE = "none of SMEP, SMAP, UMIP"
USER = "panic: page fault: the kernel {} user memory at 0x10000000"

REFUSED = [
    ("max", "useraccess", ALL, USER.format("accesses")),
    ("max", "userexec", ALL, USER.format("executes")),
    ("max", "dataexec", ALL, "supervisor read instruction, protection"),
    ("qemu64,-smep,-smap,-umip", "useraccess", NONE, "crash: survived useraccess"),
]


def refused(model, kind, protections, words):
    """What the CPUs can refuse is on, on each of them, and named when it fires."""
    with boot(cpus=2, model=model) as m:
        m.wait_for(f"cpu: protections: {protections}\n")
        m.wait_for("# ")
        shown = m.command("show cpus")
        for cpu in 0, 1:
            assert re.search(rf"cpu{cpu}: .*: {protections}\n", shown), shown
        m.send(f"crash {kind}\r")
        m.wait_for(re.escape(words))


def main():
    tests = tap.Tests()
    tests.case("storm: 4 threads on 2 CPUs", storm, 2, 128, 4, 1000)
    tests.case("storm: 2 threads on 1 CPU, 64 MB", storm, 1, 64, 2, 500)
    tests.case("show map, show pmap", debugger)
    for model, kind, *rest in REFUSED:
        tests.case(f"{kind} on {model}", refused, model, kind, *rest)
    tests.run()


main()
