"""usage: sleep.py RUN-KERNEL KERNEL

Threads of the kernel sleep, and are woken, interrupted and timed out; and they
take locks of all kinds, and sleep for them.
"""

import functools
import re
import sys
import time

import machine
import tap

boot = functools.partial(machine.Machine, sys.argv[1], sys.argv[2])

EWOULDBLOCK, EINTR = 35, 4


def sleepers(n, cpus):
    with boot(cpus=cpus, memory=64 + n // 16) as m:
        m.wait_for("# ")
        said = m.command(f"sleepers {n}")
        assert re.search(rf"{n} asleep, a wakeup takes \d+ ns\n", said), said
        # The first sleeper of the second address.
        assert f"woke 1 of {n}, number 1\n" in said, said
        assert f"{n - 1} woken, 1 interrupted\n" in said, said
        assert "300 timed out, 0 too early\n" in said, said
        codes = f"{EWOULDBLOCK} {EINTR} {EWOULDBLOCK}"
        assert f"interrupted before: {codes}\n" in said, said
        (depth,) = re.findall(r"\d+", m.command("sysctl debug.sleepq"))
        assert int(depth) < 10, depth


def locks(n, rounds, cpus):
    with boot(cpus=cpus) as m:
        m.wait_for("# ")
        all_rounds = n * rounds
        said = m.command(f"locks {n} {rounds}")
        assert said == (
            f"locks: {all_rounds} rounds; sx {all_rounds}, rwlock 0, "
            f"mutex {all_rounds}, spin {all_rounds}\n"
        ), said


def turns(cpus):
    """Busy threads of each class have their share; so has the shell."""
    with boot(cpus=cpus) as m:
        m.wait_for("# ")
        said = m.command("turns 4 50")
        pattern = r"turns: kernel (\d+), timeshare (\d+), idle (\d+)\n"
        kern, timeshare, idle = map(int, re.fullmatch(pattern, said).groups())
        assert idle >= 200, said
        assert timeshare >= idle // 2, said
        assert kern > 4 * timeshare and kern > 4 * idle, said
        said = m.command("lend")
        assert said == "lend: class 2, then 0, and 2 after\n", said
        said = m.command("preempt")
        assert said == "preempt: at once\n", said


def uptime():
    """Both clocks go on, and the finer one at about the host's rate at most."""
    with boot() as m:
        m.wait_for("# ")
        began = time.monotonic()
        pattern = r"up (\d+\.\d{9}) s, (\d+) ticks\n"
        first = re.fullmatch(pattern, m.command("uptime"))
        m.command("sleep 1")
        second = re.fullmatch(pattern, m.command("uptime"))
        passed = float(second[1]) - float(first[1])
        ticks = int(second[2]) - int(first[2])
        assert ticks >= 100, ticks
        assert ticks / 1000 < passed, (ticks, passed)
        assert passed < 1.5 * (time.monotonic() - began), passed


tests = tap.Tests()
tests.case("the clocks go on", uptime)
for n, cpus in (20, 1), (1000, 4), (10000, 2):
    tests.case(f"{n} sleepers on {cpus} CPUs", sleepers, n, cpus)
for n, rounds, cpus in (4, 300, 1), (8, 300, 4):
    tests.case(f"{n} threads lock on {cpus} CPUs", locks, n, rounds, cpus)
for cpus in 1, 4:
    tests.case(f"classes of threads on {cpus} CPUs", turns, cpus)
tests.run()
