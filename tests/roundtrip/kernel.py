"""usage: kernel.py VMCORE GENDUMP VARIANT

The kernel in generated dumps: threads, registers, backtraces, the message
buffer and the facts of the file are, in what vmcore says, those that the
generator put there.
"""

import json
import os
import sys
import tempfile

from tap import Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
VARIANT = sys.argv[3]
SEEDS = range(1, 6)

# The keys of each thread; registers and frames are compared separately.
THREAD_KEYS = ("pid", "tid", "comm", "name", "display_name", "state", "cpu")

tests = Tests()


class Dump:
    """A generated dump, and what is known of it."""

    def __init__(self, folder, seed):
        paths = [os.path.join(folder, f"{seed}.{part}") for part in "ckj"]
        self.core, self.kernel, expected = paths
        result = run(
            *(GENDUMP, "--variant", VARIANT, "--seed", seed),
            *("--mem", "8M", "--threads"),
            *("-o", self.core, "-k", self.kernel, "--json", expected),
        )
        assert result.status == 0, result
        with open(expected) as file:
            self.want = json.load(file)

    def ask(self, command, *options):
        result = run(VMCORE, command, *options, "-N", self.kernel, self.core)
        expect(result, 0)
        return result.out

    def value(self, *words):
        """The integer that "read" shows."""
        raw = run(VMCORE, "read", "--raw", "-N", self.kernel, *words, self.core)
        expect(raw, 0)
        return int.from_bytes(raw.raw, self.want["byte_order"])

    def threads(self, command, *options):
        """Pairs of what is shown and what was generated."""
        shown = json.loads(self.ask(command, "--json", *options))
        want = self.want["threads"]
        assert [thread["index"] for thread in shown] == list(range(len(want)))
        return [(thread, want[str(thread["index"])]) for thread in shown]


def info(dump):
    shown = json.loads(dump.ask("info", "--json"))
    for key, value in dump.want["info"].items():
        assert shown[key] == value, (key, shown[key], value)


def another(dump):
    """A kernel's file of another version is told from the dump's own."""
    shown = json.loads(dump.ask("info", "--json"))
    assert shown["kernel_matches"] is True, shown
    with open(dump.kernel, "rb") as file:
        data = file.read()
    version = shown["kernel"].split()[1].encode()
    assert b"FreeBSD " + version in data, version
    other = dump.kernel + ".other"
    with open(other, "wb") as file:
        file.write(data.replace(b"FreeBSD " + version,
                                b"FreeBSD 9" + version[1:]))
    result = run(VMCORE, "info", "--json", "-N", other, dump.core)
    expect(result, 0, "the dump is of another kernel")
    assert json.loads(result.out)["kernel_matches"] is False, result


def names(dump):
    for shown, want in dump.threads("ps"):
        for key in THREAD_KEYS:
            assert shown[key] == want[key], (key, shown, want)


def registers(dump):
    for shown, want in dump.threads("ps"):
        got, must = shown["registers"], want["registers"]
        allowed = must | want["optional_registers"]
        missing = must.keys() - got.keys()
        assert not missing, (missing, shown)
        for name, value in got.items():
            assert allowed.get(name) == value, (name, value, want)


def backtraces(dump):
    for shown, want in dump.threads("bt", "-a"):
        keys = ("pc", "symbol", "offset")
        frames = [{key: frame[key] for key in keys} for frame in shown["frames"]]
        assert frames == want["frames"], (frames, want["frames"])


def messages(dump):
    assert dump.ask("dmesg").rstrip("\n") == dump.want["msgbuf"].rstrip("\n")


def copies(dump):
    """Of a variable, by its own name and the linker's."""
    for option, name, linker_name in (
        ("cpu", "gen_value", "pcpu_entry_gen_value"),
        ("vnet", "gen_net", "vnet_entry_gen_net"),
    ):
        key = "dpcpu" if option == "cpu" else option
        for number, want in enumerate(dump.want[key]):
            for symbol in name, linker_name:
                got = dump.value(f"--{option}", number, symbol)
                assert got == want, (option, number, symbol, got, want)
        assert dump.value(name) == dump.want[key][0]


def main():
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            dump = Dump(folder, seed)
            for check in (
                info,
                another,
                names,
                registers,
                backtraces,
                messages,
                copies,
            ):
                name = f"{VARIANT} seed {seed}: {check.__name__}"
                tests.case(name, check, dump)
        tests.run()


main()
