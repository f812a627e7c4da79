"""TAP for the tests of the command: a case is a function that asserts.

Cases run in the order in which they are added.  A case that raises Skip says
why it could not be tried.
"""

import signal
import subprocess
import traceback

# Under nohup(1) a hangup is ignored, also by what is started from here: not by
# commands that are tested.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Skip(Exception):
    """What a case needs is not there."""


class Tests:
    def __init__(self):
        self.cases = []

    def case(self, name, function, *args):
        self.cases.append((name, function, args))

    def run(self):
        print(f"1..{len(self.cases)}")
        for number, (name, function, args) in enumerate(self.cases, 1):
            try:
                function(*args)
            except Skip as reason:
                print(f"ok {number} - {name} # SKIP {reason}", flush=True)
            except Exception:  # a case may fail in any way
                print(f"not ok {number} - {name}", flush=True)
                for line in traceback.format_exc().splitlines():
                    print(f"# {line}", flush=True)
            else:
                print(f"ok {number} - {name}", flush=True)


class Result:
    """What a command did: exit status, bytes of stdout, text of both."""

    def __init__(self, process):
        self.status = process.returncode
        self.raw = process.stdout
        self.err = process.stderr.decode()

    @property
    def out(self):
        return self.raw.decode()

    def __repr__(self):
        return f"status {self.status}\n{self.raw[:500]}\n{self.err[:1000]}"


def run(*words, timeout=120, text="", **options):
    """Run a command, with text to read; its Result, however it ends."""
    return Result(
        subprocess.run(
            [str(word) for word in words],
            input=text.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
            **options,
        )
    )


def expect(result, status, err=""):
    """Check the exit status, and that stderr explains it with err."""
    assert result.status == status, result
    if status == 0 and not err:
        return
    assert err in result.err, result
    assert result.err.startswith(("vmcore: ", "usage: vmcore")), result
