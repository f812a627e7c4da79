"""usage: sleep.py RUN-KERNEL KERNEL

Threads of the kernel sleep, and are woken, interrupted and timed out.
"""

import functools
import re
import sys

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
        assert int(depth) < 4, depth


tests = tap.Tests()
for n, cpus in (20, 1), (1000, 4), (10000, 2):
    tests.case(f"{n} sleepers on {cpus} CPUs", sleepers, n, cpus)
tests.run()
