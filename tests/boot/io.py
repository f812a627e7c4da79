"""usage: io.py RUN-KERNEL KERNEL VMCORE

Disks while the machine runs: threads overwrite one and check what they read
back, while it fails, while the debugger uses it, and until a panic.
"""

import re
import sys

import postmortem
import tap
from postmortem import MB, sector_fails

coroner = postmortem.Coroner(*sys.argv[1:])

# What nothing goes wrong with: script, tunables, the machine.
WORKING = {
    "1 CPU": ("io vtbd0 9 60", {"cpus": 1}),
    "2 CPUs": ("io vtbd0 9 60", {"cpus": 2}),
    "4 CPUs": ("io vtbd0 9 60", {"cpus": 4}),
    "without interrupts": ("io vtbd0 9 20", "hw.pci.enable_msix=0", {}),
    "sectors of 4096 bytes": ("io vtbd0 9 20", {"sector": 4096}),
    "little memory": ("user 52m;io vtbd0 9 20", {"memory": 64}),
}

FOUND = re.compile(
    r"io: (\d+) requests, (\d+) errors, (\d+) lost, (\d+) wrong\n"
)


def io(script, *tunables, disk=None, **options):
    """Errors, requests lost and pages that are wrong, of a script's last io."""
    with coroner.boot(
        *tunables,
        f'kern.script="{script};exit 7"',
        disks=[disk or coroner.disk(size=8 * MB)],
        **options,
    ) as m:
        assert m.end() == 7, m.text[-4000:]
    requests, *rest = map(int, FOUND.findall(m.text)[-1])
    assert requests > 100, m.text
    return rest


def works(script, tunables, options):
    assert io(script, *tunables, **options) == [0, 0, 0]


def slow():
    """It takes a hundred requests in a second."""
    disk = f"{coroner.disk(size=8 * MB)},throttling.iops-total=100"
    assert io("io vtbd0 9 6", disk=disk) == [0, 0, 0]


def injected():
    """By the kernel itself, which says so of one in seven that succeed."""
    errors, lost, wrong = io("io vtbd0 9 60 7")
    assert errors > 50 and lost == 0 and wrong == 0, (errors, lost, wrong)


def fails_once():
    """Each failure of the disk is one request's, which succeeds then."""
    rules = [
        sector_fails(iotype, sector)
        for iotype in ("read", "write")
        for sector in (0, 512, 1024)
    ]
    disk = coroner.failing(coroner.disk(size=MB), *rules)
    errors, lost, wrong = io("io vtbd0 4 200", disk=disk)
    assert 4 <= errors <= 6 and lost == 0 and wrong == 0, (errors, lost, wrong)


def bad_sector():
    """It stays bad, and the kernel goes on."""
    disk = coroner.failing(
        coroner.disk(size=MB), sector_fails("write", 512, "off")
    )
    errors, lost, _ = io("io vtbd0 4 100", disk=disk)
    assert errors >= 100 and lost > 0, (errors, lost)
    assert errors == 100 * lost, (errors, lost)


def debugger():
    """It reads the disk's partition table while requests are in flight."""
    with coroner.boot(disks=[coroner.disk(size=8 * MB)]) as m:
        m.wait_for("# ")
        m.send("io vtbd0 5 400\r")
        m.wait_for("\n")
        for _ in range(3):
            m.send("\r~\x02")
            m.wait_for("(?m)^db> ")
            said = m.command("sysctl kern.shutdown.dumpdevname=vtbd0", "db> ")
            assert re.search("minidump of .* to vtbd0", said), said
            m.send("continue\r")
        (_, *rest) = map(int, m.wait_for(FOUND).groups())
        assert rest == [0, 0, 0], m.text


def dump_and_on():
    """A dump takes the disk; the threads that read it go on afterwards."""
    with coroner.boot(
        "dumpdev=vtbd0", disks=[coroner.disk()], cpus=3
    ) as m:
        m.wait_for("# ")
        m.command("fill 3")
        m.command("disk 9")
        counts = []
        for _ in range(3):
            m.send("ddb\r")
            m.wait_for("(?m)^db> ")
            said = m.command("show intr", "db> ")
            (count,) = re.findall(r"vtbd0: .* (\d+) interrupts", said)
            counts.append(int(count))
            said = m.command("ps", "db> ")
            assert "storm/disk 8" in said, said
            assert "Dump complete" in m.command("dump", "db> ")
            m.send("continue\r")
            m.wait_for("# ")
            m.command("sleep 2")
        assert counts[0] + 9 < counts[1] < counts[2] - 9, counts
        m.send("exit 3\r")
        assert m.end() == 3
    coroner.same_memory(m.text, coroner.dump_of(coroner.work / "disk"))


def sleeps():
    """Who waits for a disk does not keep the CPU."""
    with coroner.boot(disks=[coroner.disk()], cpus=1) as m:
        m.wait_for("# ")
        m.command("disk 3")
        m.send("ddb\r")
        m.wait_for("(?m)^db> ")
        said = m.command("ps", "db> ")
        assert re.search(r"sleeping +-1 bio +storm/disk \d", said), said


def panics(script, cpus):
    """In a disk's interrupt; the dump goes to the same disk."""
    disk = coroner.disk()
    text = coroner.die(f"fill 3;{script};crash io", disks=[disk], cpus=cpus)
    assert "panic: crash: in a disk's interrupt\n" in text, text
    core = coroner.dump_of(disk)
    frames = coroner.same_trace(text, core)
    assert {"disk_queue_intr", "Xapic_isr1"} <= set(frames), frames
    coroner.same_memory(text, core)


tests = tap.Tests()
for case, (script, *tunables, options) in WORKING.items():
    tests.case(case, works, script, tunables, options)
tests.case("a slow disk", slow)
tests.case("requests fail", injected)
tests.case("sectors fail once", fails_once)
tests.case("a bad sector", bad_sector)
tests.case("the debugger reads the disk meanwhile", debugger)
tests.case("the debugger dumps to the disk meanwhile", dump_and_on)
tests.case("threads sleep meanwhile", sleeps)
for n in 1, 2, 4:
    tests.case(f"a panic on {n} CPUs while reads are in flight", panics,
               "disk 9", n)
    tests.case(f"a panic on {n} CPUs while writes are in flight", panics,
               "io vtbd0 9 0", n)
tests.run()
