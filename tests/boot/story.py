"""usage: story.py SCRIPTS BUILDDIR

What "make demo" and "make run" do, on a smaller machine, and what they say on
a host that cannot run the kernel.
"""

import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile

import patience
import tap

scripts, build = map(pathlib.Path, sys.argv[1:])
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

# The lines of the demo, in this order.
STORY = [
    r"real memory  = \d+ \(255 MB\)\n",
    r"items: 300000, ",
    r"user: \d+ pages, ",
    r"panic: page fault\n",
    r"db> bt\nTracing pid \d+ tid \d+ \(shell\)\n",
    r"crash_null\(\) at ",
    r"db> ps\n",
    r"worker 0\n.*?idler 0\n",
    r"db> show pageset\nkernel text",
    r"db> dump\n",
    r"Dump complete\n",
    r"\$ vmcore save disk.img \.\n.*?vmcore\.0\n",
    r"a full dump of it +\d+ bytes\n",
    r"panic: +page fault\n",
    r"thread \d+ \(pid \d+\) shell \(crashed\)\n",
    r"crash_null\+0x\w+ at \S*lab/crash.c:\d+\n",
    r"crashed +\d +- +shell +shell\n",
    r"\* \d+ +Thread \d+ \"\(pid \d+\) shell \(crashed\)\"",
    r"wait_for_work \(worker=(worker@entry=)?2\) at \S*lab/workers.c:\d+\n",
    r"fork_trampoline \(\)",
    r"Dumping \d+ out of 255 MB:",
    r"look around:\n  cd \S+/demo && PATH=\S+/cli:\$PATH\n  vmcore gdb ",
]


def demo():
    result = tap.run(scripts / "demo.sh", build, 256, timeout=None)
    assert result.status == 0, result
    told, at = result.out.replace("\r", ""), 0
    for part in STORY:
        match = re.compile(part, re.DOTALL).search(told, at)
        assert match, (part, told[at:])
        at = match.end()
    sizes = {
        name.strip(): int(size)
        for name, size in re.findall(r"(?m)^ *([a-zA-Z' ]+?) +(\d+) bytes$", told)
    }
    parts = sum(size for name, size in sizes.items() if "dump" not in name)
    assert parts - sizes["the machine's memory"] == sizes["this dump"], sizes
    assert (build / "demo/vmcore.0").stat().st_size == sizes["this dump"]


class Terminal:
    """A command on a terminal of its own, and a person at it."""

    def __init__(self, *words):
        try:
            self.master, slave = pty.openpty()
        except OSError as error:
            raise tap.Skip(f"no terminal to be had: {error}") from error
        self.text = ""
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.patience = patience.Patience(
            lambda: patience.session(self.process.pid)
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)

    def read_more(self):
        """Add what comes to the text; False at its end."""
        try:
            data = self.patience.read(self.master)
        except OSError:  # the terminal is closed
            return False
        assert data is not None, f"it hangs after:\n{self.text[-2000:]}"
        self.text += data.decode(errors="replace").replace("\r", "")
        return True

    def wait_for(self, pattern):
        """Read until the pattern, and forget what was read."""
        while not (match := re.search(pattern, self.text)):
            assert self.read_more(), (pattern, self.text[-2000:])
        self.text = self.text[match.end() :]
        return match

    def end(self):
        while self.read_more():
            pass
        return self.process.wait()

    def send(self, keys):
        self.patience.reset()
        os.write(self.master, keys.encode())


def by_hand(key):
    """Only what is on the screen is followed, to a dump in gdb."""
    with Terminal(scripts / "run.sh", build) as t:
        t.wait_for(r"Keys:  Return ~ Ctrl-B .*\(Ctrl-A b does the same\)")
        t.wait_for("console: Return ~ Ctrl-B, or a break, enters the debugger")
        t.wait_for("\n# ")
        t.send(key)
        t.wait_for("db> ")
        t.send("show pageset\r")
        t.wait_for("db> ")
        t.send("panic by hand\r")
        t.wait_for("Dump complete")
        save, look = t.wait_for(r"look into it:\n\n +(.*)\n +(.*)\n").groups()
        assert t.end() == 0
    assert tap.run("sh", "-c", save).status == 0
    seen = tap.run("sh", "-c", f"{look} -- -batch -ex bt")
    assert re.search(r"(?s) panic \(fmt=.* db_panic \(args=", seen.out), seen


def quit_emulator():
    with Terminal(scripts / "run.sh", build) as t:
        t.wait_for(r"Ctrl-A x +end the emulator")
        t.wait_for("\n# ")
        t.send("\x01x")
        assert t.end() == 0


# Hosts: what uname says, whether there is QEMU, what is said in one line.
HOSTS = [
    ("another system", "FreeBSD", "amd64", True, "on Linux on amd64 only"),
    ("another processor", "Linux", "aarch64", True, "on Linux on amd64 only"),
    ("no QEMU", "Linux", "x86_64", False, "no qemu-system-x86_64"),
    ("all is there", "Linux", "x86_64", True, ""),
]


def host(system, machine, has_qemu, said):
    """kernel-host.sh with a PATH of nothing but what the row has."""
    tools = pathlib.Path(tempfile.mkdtemp(dir=work))
    fakes = {"uname": f"[ $1 = -s ] && echo {system} || echo {machine}"}
    if has_qemu:
        fakes["qemu-system-x86_64"] = ":"
    for name, body in fakes.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    result = subprocess.run(
        ["/bin/sh", scripts / "kernel-host.sh", "demo"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == (1 if said else 0), result
    assert result.stdout == "", result
    assert said in result.stderr, result
    assert result.stderr.count("\n") == (1 if said else 0), result
    assert not said or "make demo-freebsd" in result.stderr, result


tests = tap.Tests()
tests.case("the demo tells its story", demo)
tests.case("make run, broken by the key", by_hand, "\r~\x02")
tests.case("make run, broken by a serial break", by_hand, "\x01b")
tests.case("make run, left by the emulator's key", quit_emulator)
for name, *arguments in HOSTS:
    tests.case(f"a host: {name}", host, *arguments)
tests.run()
