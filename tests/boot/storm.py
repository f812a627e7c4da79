"""usage: storm.py RUN-KERNEL KERNEL VMCORE RUNS

Again and again: all CPUs allocate and free for all they are worth, and one of
them dies in the midst of it.
"""

import re
import sys

import postmortem
import tap

RUNS = int(sys.argv[4])

coroner = postmortem.Coroner(*sys.argv[1:4])
disk = coroner.disk()

# CPUs, and how many different moments to die there are.  A hundred rounds of
# four CPUs take as long as thousands of two: they wait for each other's TLBs.
MACHINES = ((2, 4000), (4, 60))


def check_threads(core, ncpus):
    threads = coroner.ask("bt", core, "-a")
    states = [thread["state"] for thread in threads]
    assert states.count("crashed") == 1, states
    assert states.count("running") == ncpus - 1, states
    for thread in threads:
        if thread["name"].startswith("storm"):
            symbols = [frame["symbol"] for frame in thread["frames"]]
            assert symbols[-2:] == ["fork_exit", "fork_trampoline"], symbols


def storm(ncpus, rounds):
    text = coroner.die(
        f"fill 3;storm {ncpus + 2} {rounds};sleep 3600",
        disks=[disk],
        memory=64,
        cpus=ncpus,
    )
    assert "Dump complete" in text, text
    core = coroner.dump_of(disk)
    said = re.search(r"panic: (storm: after \d+ rounds)\n", text)
    assert coroner.ask("info", core)["panic"] == said[1], text
    frames = coroner.same_trace(text, core)
    assert frames == [
        "vpanic", "panic", "storm_thread", "fork_exit", "fork_trampoline"
    ], frames  # fmt: skip
    coroner.same_memory(text, core)
    check_threads(core, ncpus)


tests = tap.Tests()
for run in range(RUNS):
    cpus, moments = MACHINES[run % len(MACHINES)]
    moment = 1 + run * 997 % moments
    tests.case(f"{cpus} CPUs, {moment} rounds", storm, cpus, moment)
tests.run()
