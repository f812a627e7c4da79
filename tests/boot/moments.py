"""usage: moments.py RUN-KERNEL KERNEL VMCORE RUNS [FIRST]

Panics at any moment of a storm of address spaces whose pages go to swap, at the
place where the dump goes, too.  Each of the RUNS has a seed, FIRST and the numbers
after it, and its name says what that stands for: give a seed as FIRST to run it
again.
"""

import random
import re
import sys

import postmortem
import tap
from postmortem import MB

coroner = postmortem.Coroner(*sys.argv[1:4])

# What is counted until the panic, and how many of it.
KINDS = {"tick": (3, 60), "lock": (3000, 100000), "bio": (1, 200)}

THREADS = 24

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
        self.kind = chance.choice(tuple(KINDS))
        self.count = chance.randint(*KINDS[self.kind])
        self.version = chance.choice((1, 3))

    def __str__(self):
        return (f"seed {self.seed}: {self.kind} {self.count}, "
                f"{self.cpus} CPUs, version {self.version}")

    def die(self, disk):
        """Nearly no memory is left when it begins."""
        return coroner.die(
            f"swapon vtbd0;fill 3;user 56m;moment {self.kind} {self.count};"
            f"vmstorm {THREADS} 1000000000 {self.seed}",
            f"debug.minidump_version={self.version}",
            disks=[disk], memory=64, cpus=self.cpus,
        )  # fmt: skip


def check_threads(core, cpus):
    states = [thread["state"] for thread in coroner.ask("bt", core, "-a")]
    assert states.count("crashed") == 1, states
    assert states.count("running") == cpus - 1, states


def dies(storm):
    disk = coroner.disk(size=24 * MB)
    text = storm.die(disk)
    said = f"moment: the last {storm.kind}"
    assert f"panic: {said}\n" in text, text
    assert "Dump complete" in text, text
    core = coroner.dump_of(disk)
    assert coroner.ask("info", core)["panic"] == said
    coroner.same_trace(text, core)
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
