"""A machine that runs our kernel: QEMU, driven by its console."""

import json
import pathlib
import re
import socket
import struct
import subprocess

import patience

HEADER_LEN = 512
MAGIC = b"FreeBSD Kernel Dump\0"


class Machine:
    """
    Boots when made; use it in a with statement, which ends it.  There is no
    limit to how long it may run, but to how long it may be silent.
    """

    def __init__(
        self,
        script,
        kernel,
        *cmdline,
        memory=128,
        cpus=2,
        disks=(),
        sector=512,  # of the disks, bytes
        model="max",
        escape=False,  # QEMU's own keys, after Ctrl-A
        qmp=None,  # the path of a socket
        limit=None,  # of patience
    ):
        words = [script, "-m", memory, "-c", cpus, "-p", model,
                 "-b", sector]
        if escape:
            words.append("-e")
        if qmp:
            words += ["-q", qmp]
        for disk in disks:
            words += ["-d", disk]
        words += [kernel, *cmdline]
        self.text = ""
        self.seen = 0  # how much of the text was waited for
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.patience = patience.Patience(lambda: [self.process.pid], limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read_more(self):
        """Add what comes to the text; False at its end."""
        data = self.patience.read(self.process.stdout.fileno())
        assert data is not None, f"it hangs after:\n{self.text[-2000:]}"
        self.text += data.decode(errors="replace").replace("\r", "")
        return bool(data)

    def wait_for(self, pattern):
        """The match of a pattern in what was not yet waited for."""
        while True:
            match = re.compile(pattern).search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            assert self.read_more(), (
                f"no {pattern!r} in:\n{self.text[-2000:]}"
            )

    def send(self, keys):
        self.patience.reset()
        self.process.stdin.write(keys.encode())
        self.process.stdin.flush()

    def command(self, line, prompt="# "):
        """What a command says, until the prompt comes back."""
        self.send(line + "\r")
        self.wait_for(re.escape(line) + "\n")
        start = self.seen
        self.wait_for("(?m)^" + re.escape(prompt))
        return self.text[start : self.seen - len(prompt)]

    def end(self):
        """Wait for its end: what the kernel passed to exit; None for others."""
        while self.read_more():
            pass
        status = self.process.wait()
        return status >> 1 if status & 1 else None


class Monitor:
    """QEMU's machine protocol, at the socket of a machine that runs."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rw")
        self.lines.readline()  # its greeting
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        """What QEMU returns."""
        message = {"execute": command, "arguments": arguments}
        self.lines.write(json.dumps(message) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]


def parity(header):
    """The XOR of all its words."""
    value = 0
    for (word,) in struct.iter_unpack("<I", header):
        value ^= word
    return value


def dump_of(image, path, sector=512):
    """Take the dump off the end of a disk image: the path, or None."""
    data = pathlib.Path(image).read_bytes()
    block = data[-sector:]
    last, rest = block[:HEADER_LEN], block[HEADER_LEN:]
    if not last.startswith(MAGIC):
        return None
    assert not any(rest), "the header's block"
    assert struct.unpack_from(">I", last, 60) == (sector,), "the block length"
    (extent,) = struct.unpack_from(">Q", last, 496)
    start = len(data) - sector - extent
    assert data[start - sector : start] == block, "the headers differ"
    assert parity(last) == 0, "the header's parity"
    (length,) = struct.unpack_from(">Q", last, 40)
    pathlib.Path(path).write_bytes(data[start : start + length])
    return path


def make_disk(path, size):
    """An empty image."""
    with open(path, "wb") as image:
        image.truncate(size)
    return path
