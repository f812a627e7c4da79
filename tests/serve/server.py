"""A "vmcore serve" that listens, and a client's side of the protocol."""

import re
import shlex
import signal
import socket
import subprocess

TIMEOUT = 30


class Server:
    """Runs until the with statement is left; then status is its exit status."""

    def __init__(self, argv, **options):
        self.argv = argv
        self.options = options  # Popen's
        self.status = None
        self.remote = None  # as gdb's target remote takes it
        self.address = None  # the same for Client
        self.said = ""

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, text=True,
                                        **self.options)
        # The last line of the announcement is lldb's.
        for line in self.process.stderr:
            self.said += line
            if line.startswith("  lldb"):
                break
        found = re.search(r"'target remote ([^']+)'", self.said)
        if found:
            self.remote = self.address = found.group(1)
        host, _, port = str(self.remote).rpartition(":")
        if host == "127.0.0.1":
            self.address = (host, int(port))
        return self

    def advice(self, debugger):
        """The words that attach a debugger, after its name."""
        for line in self.said.splitlines():
            words = shlex.split(line)
            if line.startswith(f"  {debugger}"):
                return words[1:]
        raise AssertionError(f"no {debugger} in {self.said}")

    def stop(self, signo=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signo)
        return self.wait()

    def wait(self):
        try:
            self.said += self.process.communicate(timeout=TIMEOUT)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.status = self.process.returncode
        return self.status

    def __exit__(self, *_):
        if self.status is None:
            self.stop()


def frame(payload):
    return b"$%s#%02x" % (payload, sum(payload) & 0xff)


class Client:
    """A connection on which packets are asked, without acknowledgements."""

    def __init__(self, address):
        family = socket.AF_UNIX
        if not isinstance(address, str):
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(address)
        self.have = b""

    def send(self, raw):
        self.socket.sendall(raw)

    def ask(self, payload):
        self.send(frame(payload))
        return self.reply()

    def reply(self):
        """The next packet's payload; None when the server hung up."""
        while True:
            found = re.search(rb"\$([^#]*)#..", self.have, re.S)
            if found:
                self.have = self.have[found.end():]
                return found.group(1)
            more = self.socket.recv(65536)
            if not more:
                return None
            self.have += more

    def close(self):
        self.socket.close()
