"""How long a machine may be silent before it is said to hang."""

import os
import pathlib
import select
import time

# Seconds of its own time.  On a busy host, emulated CPUs that wait for each
# other are slow beyond measure.
LIMIT = 300

TICK = os.sysconf("SC_CLK_TCK")


def threads(pids):
    """(id, state, seconds of CPU time) of each thread of processes."""
    for pid in pids:
        try:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                fields = (task / "stat").read_text().rpartition(")")[2].split()
                user, system = int(fields[11]), int(fields[12])
                yield task.name, fields[0], (user + system) / TICK
        except OSError:  # it ended meanwhile
            pass


def session(leader):
    """The processes of a session."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == leader:
                yield int(entry.name)
        except OSError:  # it ended meanwhile
            pass


class Patience:
    """
    Counts the time that processes had since they last said anything.

    If any of them runs, or would if the host let it, that is the CPU time of
    the busiest thread: on a host with other things to do it is little.  If all
    of them wait for something, it is time itself.
    """

    def __init__(self, find_pids, limit=None):
        self.find_pids = find_pids
        self.limit = LIMIT if limit is None else limit
        self.reset()

    def reset(self):
        self.spent = 0
        self.look()

    def look(self):
        self.when = time.monotonic()
        found = list(threads(self.find_pids()))
        self.used = {thread: used for thread, _, used in found}
        self.idle = all(state == "S" for _, state, _ in found)

    def count(self):
        when, used = self.when, self.used
        self.look()
        busiest = max(
            (now - used.get(name, 0) for name, now in self.used.items()),
            default=0,
        )
        self.spent += self.when - when if self.idle else busiest

    def read(self, fd):
        """What comes next, b"" at the end; None: it hangs."""
        while self.spent < self.limit:
            ready, _, _ = select.select([fd], [], [], 1)
            if ready:
                data = os.read(fd, 65536)
                self.reset()
                return data
            self.count()
        return None
