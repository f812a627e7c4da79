"""usage: guest.py RUN-KERNEL KERNEL VMCORE

Cores that QEMU writes of a machine that it has stopped: the kernel knows
nothing of it.  The threads on its CPUs have the registers that QEMU's monitor
shows.
"""

import json
import os
import pathlib
import re
import sys
import tempfile

import machine
import tap

run_kernel, kernel, vmcore = sys.argv[1:]
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

CPUS = 3
CORES = {"physical": False, "paging": True}
REGISTERS = ("RIP", "RSP", "RBP", "RBX", "R12", "RAX", "RDI")


def dump():
    """Write the cores; a dictionary of registers for each CPU."""
    path = work / "qmp"
    with machine.Machine(
        *(run_kernel, kernel), memory=64, cpus=CPUS, qmp=path
    ) as m:
        m.wait_for("(?m)^# ")
        # With paging, QEMU tells where memory ends only as far as pages are mapped
        # one by one.  These are, above those of the threads.
        m.command("fill 100")
        qemu = machine.Monitor(path)
        qemu.ask("stop")
        text = qemu.ask(
            "human-monitor-command", **{"command-line": "info registers -a"}
        )
        for name, paging in CORES.items():
            file = f"file:{work / name}"
            qemu.ask("dump-guest-memory", paging=paging, protocol=file)
    cpus = re.split(r"CPU#\d+", text)[1:]
    return [dict(re.findall(r"(\w+) *=([0-9a-f]{16})\b", cpu)) for cpu in cpus]


def ask(name, *words):
    result = tap.run(vmcore, *words, "-N", kernel, work / name)
    tap.expect(result, os.EX_OK)
    assert not result.err, result
    return result.out


def check_registers(name):
    threads = json.loads(ask(name, "bt", "-a", "--json"))
    running = {td["cpu"]: td for td in threads if td["cpu"] is not None}
    assert sorted(running) == list(range(CPUS)), threads
    for cpu, td in running.items():
        assert td["state"] == "running" and td["stopped"], td
        for register in REGISTERS:
            want = "0x" + truth[cpu][register]
            assert td["registers"][register.lower()] == want, (cpu, td)
        assert td["registers"]["cs"] == "0x00000020", td
        assert len(td["frames"]) > 1, td
        assert td["run"] == "running" and td["wmesg"] is None, td
    assert all(td["state"] == "stopped" for td in threads if td["cpu"] is None)


def check_others(name):
    """The threads that sleep are where a dump of the kernel's has them."""
    out = ask(name, "bt", "-a")
    assert re.search(r"(?s)shell\n.* in cngets\+.* in fork_trampoline\+", out)
    assert "in ??" not in out, out


def check_sleepers(name):
    """What they wait for, by the kernel's debug information."""
    threads = json.loads(ask(name, "ps", "--json"))
    shell = [td for td in threads if td["comm"] == "shell"][0]
    assert shell["run"] == "sleeping" and shell["wmesg"] == "ttyin", shell
    out = ask(name, "ps")
    assert out.splitlines()[0].split()[2:5] == ["STATE", "CPU", "WMESG"], out
    assert re.search(r"(?m) sleeping +-  ttyin +shell +shell$", out), out
    assert re.search(r"(?m) running +0  - +idle +idle: cpu0$", out), out


def check_memory(name):
    info = json.loads(ask(name, "info", "--json"))
    assert info["panic"] is None and info["panic_why"] == "none", info
    assert info["kernel"].startswith("vmcore kernel "), info


tests = tap.Tests()
for core in CORES:
    tests.case(f"{core}: the CPUs' registers", check_registers, core)
    tests.case(f"{core}: the threads that sleep", check_others, core)
    tests.case(f"{core}: what they wait for", check_sleepers, core)
    tests.case(f"{core}: the kernel's texts", check_memory, core)

truth = dump()
tests.run()
