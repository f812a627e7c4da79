"""What a dead machine left: its console's text and its dump, compared."""

import functools
import itertools
import json
import os
import pathlib
import re
import subprocess
import tempfile

import machine
import tap

MB = 1 << 20
EIO = 5


class Coroner:
    """Kills machines, and looks at what is in their dumps."""

    def __init__(self, run_kernel, kernel, vmcore):
        self.run_kernel = run_kernel
        self.kernel = kernel
        self.vmcore = vmcore
        self.scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
        self.work = pathlib.Path(self.scratch.name)

    def boot(self, *cmdline, **options):
        return machine.Machine(
            self.run_kernel, self.kernel, *cmdline, **options
        )

    def die(self, script, *tunables, disks, **options):
        """The console's text of a machine that a script kills."""
        units = ",".join(f"vtbd{unit}" for unit in range(len(disks)))
        sinks = [f"dumpdev={units}"] if disks else []
        with self.boot(
            *sinks,
            "kern.panic.exit_code=9",
            *tunables,
            f'kern.script="{script}"',
            disks=disks,
            **options,
        ) as m:
            assert m.end() == 9, m.text[-4000:]
        return m.text

    def disk(self, name="disk", size=64 * MB):
        return machine.make_disk(self.work / name, size)

    def failing(self, disk, *rules):
        """What QEMU takes for a disk that fails by rules of its blkdebug."""
        path = self.work / "rules"
        path.write_text("".join(rules))
        return f"blkdebug:{path}:{disk}"

    def dump_of(self, disk):
        """The dump on a disk, None if there is no valid one."""
        return machine.dump_of(disk, self.work / "core")

    @functools.cache
    def old_image(self, size):
        disk = self.disk("old", size)
        self.die("crash null", disks=[disk])
        assert self.dumped(disk) == "old"
        return disk

    def old_disk(self, size):
        """A disk with the dump of an earlier crash."""
        disk = self.work / "disk"
        subprocess.run(
            ["cp", "--sparse=always", self.old_image(size), disk], check=True
        )
        return disk

    def dumped(self, disk):
        """Which dump it is that is on the disk: "new" of "crash panic"."""
        core = self.dump_of(disk)
        if core is None:
            return None
        panics = {"crash: as you asked": "new", "page fault": "old"}
        return panics[self.ask("info", core)["panic"]]

    # ---- What vmcore says ----

    def run(self, command, core, *options):
        """As text."""
        return subprocess.run(
            [self.vmcore, command, "-N", self.kernel, *options, core],
            check=True,
            capture_output=True,
        ).stdout.decode()

    def ask(self, command, core, *options):
        """As JSON."""
        return json.loads(self.run(command, core, "--json", *options))

    def read(self, core, where, length, *options):
        """Bytes of memory, None if they are not in the dump."""
        result = subprocess.run(
            [self.vmcore, "read", "--raw", "-N", self.kernel]
            + [*options, str(where), str(length), core],
            check=False,
            capture_output=True,
        )
        return result.stdout if result.returncode == 0 else None

    def gdb(self, core, *options, **environment):
        """What gdb says of a dump."""
        result = tap.run(
            *(self.vmcore, "gdb", "-N", self.kernel, core, "--", "-nx"),
            *("-batch", "-iex", "set width 0", *options),
            env={**os.environ, **environment},
            timeout=None,
        )
        assert result.status == 0, result
        return result.out

    def value(self, core, expression):
        """A number in a dump."""
        said = self.gdb(core, "-ex", f'printf "value %ld\\n", {expression}')
        return int(re.search(r"(?m)^value (-?\d+)$", said)[1])

    def audit(self, core):
        """gdb finds all that the kernel has; how much of what it walked."""
        here = pathlib.Path(__file__).parent
        said = self.gdb(
            *(core, "-x", here / "audit_gdb.py"),
            PYTHONPATH=str(here), CORE=str(core),
        )  # fmt: skip
        lacks = re.findall("(?m)^lacks .*", said)
        assert not lacks, "\n".join(lacks[:20])
        walked = re.findall(r"(?m)^walked (\d+) (.*)$", said)
        assert walked, said
        return {what: int(count) for count, what in walked}

    # ---- Compared with what the kernel said ----

    def fills(self, text):
        """What "fill 3" printed: addresses, lengths, checksums."""
        fills = re.findall(r"fill: (0x\w+) (\d+) bytes, sum (0x\w+)", text)
        assert len(fills) == 3, text
        return fills

    def same_threads(self, text, core):
        listed = {
            int(tid): (int(pid), name)
            for pid, tid, name in re.findall(
                r"(?m)^ +(\d+) (\d{6}) .*?/(.*)$", text
            )
        }
        dumped = {t["tid"]: (t["pid"], t["name"]) for t in self.ask("ps", core)}
        assert listed.items() <= dumped.items(), (listed, dumped)

    def trace(self, core):
        """Functions, from vpanic() down."""
        (thread,) = self.ask("bt", core)
        assert thread["state"] == "crashed"
        frames = whole_functions(frame["symbol"] for frame in thread["frames"])
        return frames[frames.index("vpanic") :]

    def same_trace(self, text, core):
        """The same, which the kernel printed, too."""
        frames = self.trace(core)
        printed = whole_functions(traced(text))
        printed = printed[printed.index("vpanic") :]
        assert frames[: len(printed)] == printed, (frames, printed)
        return frames

    def same_memory(self, text, core):
        """Patterns that the kernel filled in, by their checksums."""
        for va, length, want in self.fills(text):
            data = self.read(core, va, length)
            assert data is not None and len(data) == int(length), va
            assert checksum(data) == int(want, 16), va


def sector_fails(iotype, sector, once="on"):
    """A rule: a "read" or "write" that touches a sector."""
    return (
        f'[inject-error]\nevent = "none"\niotype = "{iotype}"\n'
        f'sector = "{sector}"\nerrno = "{EIO}"\nonce = "{once}"\n'
    )


def traced(text):
    """The functions of the kernel's own trace, the innermost first."""
    trace = text[text.index("KDB: stack backtrace:") :]
    return re.findall(r"(?m)^(\w+|\?)\(\) at", trace)


def whole_functions(symbols):
    """The parts that gcc cuts functions into, put together again."""
    names = [re.sub(r"\.part\.\d+$", "", name or "?") for name in symbols]
    return [name for name, _ in itertools.groupby(names)]


def checksum(data):
    """As the kernel's fill command forms it."""
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total
