"""usage: moments.py RUN-KERNEL KERNEL VMCORE RUNS [FIRST]

Panics at any moment of a storm of address spaces whose pages go to swap, at the
place where the dump goes, too.  Each of the RUNS has a seed, FIRST and the numbers
after it, and its name says what that stands for: give a seed as FIRST to run it
again.
"""

import random
import re
import sys
import time

import machine
import postmortem
import tap
from postmortem import MB

coroner = postmortem.Coroner(*sys.argv[1:4])

# What is counted until the panic, and how many of it.
KINDS = {
    "tick": (3, 60),
    "lock": (3000, 100000),
    "submit": (1, 200),
    "bio": (1, 200),
    "page_in": (1, 200),
    "page_out": (1, 50),
}

THREADS = 24

# Seconds until QEMU sends an NMI, at most.  How far the storm is then is open.
NMI_WAIT = 0.5

# What is in a dump, at least.
WALKED = {
    "variables": 500,
    "structures": 150,
    "pages of the image": 130,
    "zones": 20,
    "slabs": 20,
    "items": 200,
    "page tables": 10,
    "threads": 6,
}


class Storm:
    """What a seed stands for."""

    def __init__(self, seed):
        chance = random.Random(seed)
        self.seed = seed
        self.cpus = chance.choice((1, 2, 2, 3, 4, 8))
        self.version = chance.choice((1, 3))
        self.kind = chance.choice((*KINDS, "nmi"))
        self.chance = chance

    def __str__(self):
        return (f"seed {self.seed}: {self.kind}, {self.cpus} CPUs, "
                f"version {self.version}")

    def boot(self, *commands, **options):
        """Nearly no memory is left when the storm begins."""
        script = ";".join([
            "swapon vtbd0", "fill 3", "user 56m", *commands,
            f"vmstorm {THREADS} 1000000000 {self.seed}",
        ])  # fmt: skip
        disk = coroner.disk(size=24 * MB)
        return disk, coroner.boot(
            "dumpdev=vtbd0", "kern.panic.exit_code=9",
            "machdep.panic_on_nmi=1",
            f"debug.minidump_version={self.version}",
            f'kern.script="{script}"',
            disks=[disk], memory=64, cpus=self.cpus, **options,
        )  # fmt: skip

    def die_by_count(self):
        """The disk, the console's text, and the panic that it is to tell."""
        count = self.chance.randint(*KINDS[self.kind])
        disk, machine_ = self.boot(f"moment {self.kind} {count}")
        with machine_ as m:
            assert m.end() == 9, m.text
        return disk, m.text, f"moment: the last {self.kind}"

    def die_by_nmi(self):
        """The same."""
        qmp = coroner.work / "qmp"
        disk, machine_ = self.boot(qmp=qmp)
        with machine_ as m:
            m.wait_for("(?m)^script# vmstorm .*\n")
            time.sleep(self.chance.uniform(0, NMI_WAIT))
            machine.Monitor(qmp).ask("inject-nmi")
            assert m.end() == 9, m.text
        return disk, m.text, "NMI"


def check_threads(core, cpus):
    states = [thread["state"] for thread in coroner.ask("bt", core, "-a")]
    assert states.count("crashed") == 1, states
    assert states.count("running") == cpus - 1, states


def check_trace(storm, text, core):
    """An NMI may come where only unwind tables tell who called."""
    if storm.kind != "nmi":
        coroner.same_trace(text, core)
        return
    frames = coroner.trace(core)
    assert frames[:4] == ["vpanic", "panic", "trap", "nmi_calltrap"], frames
    assert "?" not in frames, frames


def dies(storm):
    die = storm.die_by_nmi if storm.kind == "nmi" else storm.die_by_count
    disk, text, why = die()
    assert f"panic: {why}\n" in text, text
    assert "Dump complete" in text, text
    core = coroner.dump_of(disk)
    assert coroner.ask("info", core)["panic"] == why
    check_trace(storm, text, core)
    coroner.same_memory(text, core)
    check_threads(core, storm.cpus)
    walked = coroner.audit(core)
    for what, least in WALKED.items():
        assert walked.get(what, 0) >= least, walked
    assert walked["CPUs"] == storm.cpus, walked


tests = tap.Tests()
runs, first = int(sys.argv[4]), int((sys.argv[5:] or ["0"])[0])
for number in range(first, first + runs):
    moment = Storm(number)
    tests.case(str(moment), dies, moment)
tests.run()
