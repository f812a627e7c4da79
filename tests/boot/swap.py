"""usage: swap.py RUN-KERNEL KERNEL VMCORE

Swap on a real disk, and dumps in the same place.
"""

import re
import sys

import postmortem
import tap

MB = 1 << 20
SIZE = 8 * MB
HEADER = 512
CLEARED = b"Cleared Kernel Dump"

coroner = postmortem.Coroner(*sys.argv[1:])


def used(m):
    return [int(n) for n in re.findall(
        r"(?m)^vtbd0 +(\d+) +(\d+) +(\d+)$", m.command("swapinfo"))[0]]


def swap_out(m, npages):
    """How many pages went out, and the object's address."""
    said = m.command(f"swapout {npages}")
    out, address = re.fullmatch(
        rf"swapout: (\d+) of {npages} pages, object (0x\w+)\n", said).groups()
    return int(out), address


def out_and_in(cpus):
    disk = coroner.disk("swap", SIZE)
    with coroner.boot(cpus=cpus, disks=[disk]) as m:
        m.wait_for("# ")
        assert m.command("swapon vtbd0") == ""
        assert "is used for swap already\n" in m.command("swapon vtbd0")
        assert swap_out(m, 300)[0] == 300
        total = SIZE // 4096 - 2
        assert used(m) == [total, 300, 0]
        said = m.command("swapin")
        assert said == "swapin: 300 of 300 pages are the same\n", said
        assert used(m) == [total, 0, 0]

        assert swap_out(m, 100)[0] == 100
        assert m.command("swapoff vtbd0") == ""
        assert m.command("swapout 1") == (
            "swapout PAGES, and swapin before the next\n")
        said = m.command("swapin")
        assert said == "swapin: 100 of 100 pages are the same\n", said
        assert "it is not used for swap\n" in m.command("swapoff vtbd0")
        m.send("exit 3\r")
        assert m.end() == 3


def counts(m):
    said = m.command("sysctl vm.stats.vm")
    return {name: int(n) for name, n in re.findall(r"v_(\w+): (\d+)\n", said)}


def run_short(m):
    """Take memory until the page daemon has to write, and has."""
    now = counts(m)
    npages = now["free_count"] - now["free_min"] + 20
    assert f"user: {npages} pages" in m.command(f"user {4 * npages}k untouched")
    while (now := counts(m))["free_count"] < now["free_target"]:
        pass
    return now


def in_background():
    """The page daemon writes what it needs, and the laundry all the rest."""
    dirty = 2000
    disk = coroner.disk("swap", 2 * SIZE)
    with coroner.boot("vm.background_launder_max=0", disks=[disk],
                      memory=64) as m:
        m.wait_for("# ")
        assert m.command("swapon vtbd0") == ""
        assert swap_out(m, dirty)[0] == dirty
        assert m.command("swapoff vtbd0") == ""
        assert m.command("swapon vtbd0") == ""
        assert counts(m)["laundry_count"] == dirty
        alone = run_short(m)["laundered"]
        assert 0 < alone < dirty / 3, alone

        m.command("sysctl vm.background_launder_max=20480")
        m.command(f"sysctl vm.background_launder_target={dirty}")
        before = run_short(m)
        for _ in range(60):
            if (now := counts(m))["laundry_count"] == 0:
                break
            m.command("sleep 1")
        assert now["laundered"] == dirty, now
        assert now["pdwakeups"] == before["pdwakeups"], (before, now)
        said = m.command("swapin")
        assert said == f"swapin: {dirty} of {dirty} pages are the same\n", said
        m.send("exit 3\r")
        assert m.end() == 3


# By the shell, while vtbd0 is used.
REFUSED = {
    "swapon": "which device?",
    "swapon vtbd7": "vtbd7: no such disk",
    "swapon vtbd0": "vtbd0: all or a part of it is used for swap already",
    "swapoff": "which device?",
    "swapoff vtbd7": "vtbd7: it is not used for swap",
}


def over_a_dump():
    """Refused, until the dump is saved."""
    disk = coroner.disk("swap", SIZE)
    coroner.die("crash panic", disks=[disk])
    before = disk.read_bytes()
    with coroner.boot(disks=[disk]) as m:
        m.wait_for("# ")
        said = m.command("swapon vtbd0")
        assert said == "swapon: vtbd0: there is a dump that is not saved\n", said
        m.send("exit 3\r")
        assert m.end() == 3
    assert disk.read_bytes() == before
    assert coroner.dumped(disk) == "new"

    with disk.open("r+b") as file:
        file.seek(SIZE - HEADER)
        file.write(CLEARED)
    with coroner.boot(disks=[disk]) as m:
        m.wait_for("# ")
        assert m.command("swapon vtbd0") == ""
        for command, said in REFUSED.items():
            assert m.command(command) == f"{command.split()[0]}: {said}\n"
        m.send("exit 3\r")
        assert m.end() == 3


def dump_over_swap():
    """The dump is whole, and what was swapped out is an error, not bytes."""
    disk = coroner.disk("swap", SIZE)
    with coroner.boot("dumpdev=vtbd0", disks=[disk]) as m:
        m.wait_for("# ")
        assert m.command("swapon vtbd0") == ""
        out, address = swap_out(m, 50)
        assert out == 50
        m.send("ddb\r")
        m.wait_for("db> ")
        shown = m.command(f"show object {address}", prompt="db> ")
        assert shown == (
            f"object {address}: swap, 50 pages, 0 in memory, 50 on swap; "
            "references 1 shadows 0 paging 1 flags 0x21\n"), shown
        shown = m.command("show object 1", prompt="db> ")
        assert shown == "0x1: not memory\n", shown
        assert "Dump complete" in m.command("dump", prompt="db> ")
        m.send("continue\r")
        m.wait_for("# ")
        said = m.command("swapin")
        assert said == "swapin: 0 of 50 pages are the same\n", said
        assert swap_out(m, 10)[0] == 0
        m.send("exit 3\r")
        assert m.end() == 3
    assert coroner.dump_of(disk) is not None


tests = tap.Tests()
for ncpus in 1, 2:
    tests.case(f"out and in, {ncpus} CPUs", out_and_in, ncpus)
tests.case("dirty pages are written in the background", in_background)
tests.case("refused over a dump that is not saved", over_a_dump)
tests.case("a dump over swap", dump_over_swap)
tests.run()
