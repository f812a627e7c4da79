"""usage: usage.py VMCORE

The command line: help texts, mistakes, and the exit status of each.
"""

import json
import os
import sys

from tap import Tests, expect, run

VMCORE = sys.argv[1]
COMMANDS = ["bt", "dmesg", "gdb", "info", "modules", "ps", "read", "serve"]
JSON_COMMANDS = ["bt", "info", "modules", "ps"]

tests = Tests()


def check_help(command):
    result = run(VMCORE, command, "--help")
    expect(result, os.EX_OK)
    assert result.out.startswith(f"usage: vmcore {command} "), result
    for option in ("--kernel", "--force", "--help"):
        assert option in result.out, result
    assert ("--json" in result.out) == (command in JSON_COMMANDS), result
    assert result.err == "", result
    assert run(VMCORE, "help", command).out == result.out
    assert all(len(line) <= 80 for line in result.out.splitlines()[1:])


WORDS = {
    "help": "help [command]",
    "completion": "completion bash | zsh",
    "--version": "--version [--json]",
}


def check_word(word, usage):
    """Words that are no commands have help, too."""
    result = run(VMCORE, "help", word)
    expect(result, os.EX_OK)
    assert result.out.startswith(f"usage: vmcore {usage}\n\n"), result
    assert f"       vmcore {usage}\n" in run(VMCORE, "help").out
    for help in "--help", "-h":
        assert run(VMCORE, word, help).out == result.out


def check_summary():
    for word in ("help", "--help", "-h"):
        result = run(VMCORE, word)
        expect(result, os.EX_OK)
        for command in COMMANDS:
            assert f"\n  {command} " in result.out, result


CAN_OPEN = {
    "formats": {"minidump", "elf"},
    "architectures": {"amd64", "arm", "arm64", "i386", "riscv64"},
    "compressors": {"gzip", "zstd"},
}

# What it may also open, if the libraries for it were there.
CAN_ALSO_OPEN = {"compressors": {"xz", "bzip2", "lz4"}}


def check_version():
    result = run(VMCORE, "--version")
    expect(result, os.EX_OK)
    name, version = result.out.splitlines()[0].split()
    assert name == "vmcore" and version[0].isdigit(), result
    told = dict(line.split(": ") for line in result.out.splitlines()[1:])
    object = json.loads(run(VMCORE, "--version", "--json").out)
    assert object["schema"] == 1 and object["version"] == version, object
    for key, items in CAN_OPEN.items():
        more = CAN_ALSO_OPEN.get(key, set())
        assert set(object[key]) in (items, items | more), object
        assert told[key].split() == object[key], told


# Arguments, and what the message says.
MISTAKES = [
    ([], "no command named"),
    (["--version", "--frobnicate"], "too many: --frobnicate"),
    (["frobnicate"], "unknown command: frobnicate"),
    (["help", "frobnicate"], "unknown command: frobnicate"),
    (["help", "ps", "bt"], "help: one argument too many: bt"),
    (["-N", "kernel"], "unknown option -N: a command's options come after it"),
    (["info", "--frobnicate", "x"], "unknown option --frobnicate"),
    (["info", "-x", "x"], "unknown option -x"),
    (["dmesg", "--json", "x"], "unknown option --json"),
    (["info", "--json=1", "x"], "--json takes no argument"),
    (["bt", "--all=1", "x"], "--all takes no argument"),
    (["bt", "-at"], "-t needs an argument"),
    (["bt", "-ax", "x"], "unknown option -x"),
    (["bt", "-t"], "-t needs an argument"),
    (["bt", "--thread"], "--thread needs an argument"),
    (["bt", "-t", "12x", "x"], "not a thread id: 12x"),
    (["bt", "-t", "99999999999", "x"], "not a thread id"),
    (["bt", "-t", "-1", "x"], "not a thread id: -1"),
    (["bt", "-t", " 1", "x"], "not a thread id:  1"),
    (["bt", "-t", "0x1", "x"], "not a thread id: 0x1"),
    (["bt", "-a", "-t", "1", "x"], "-a and -t exclude each other"),
    (["bt", "-t", "1", "-a", "x"], "-a and -t exclude each other"),
    (["bt", "x", "y"], "one argument too many: x: -N names the kernel"),
    (["modules", "-M", "x", "y"], "too many: y: -M has named the core"),
    (["ps", "-M", "x", "y"], "one argument too many: y: -M has named the core"),
    (["read", "x"], "no address or symbol named, but a core: x"),
    (["read", "1", "2", "3", "x"], "one argument too many: 3"),
    (["read", "-l", "1", "0x0", "2", "x"], "a length after -l: 2"),
    (["serve", "--tcp", "x", "y"], "x: not a port of 127.0.0.1"),
    (["serve", "--stdio", "--tcp", "0", "y"], "exclude each other"),
    (["save"], "no device or image named"),
    (["save", "x", "y", "z"], "one argument too many: z"),
    (["save", "-m", "0", "x"], "bad number of dumps: 0"),
    (["read", "-l", "-1", "0x0", "x"], "bad length: -1"),
    (["read", "-l", "", "0x0", "x"], "bad length: "),
    (["read", "0x0", "0x", "x"], "bad length: 0x"),
    (["read", "--cpu", "one", "hz", "x"], "--cpu: not a number: one"),
    (["read", "--cpu", "4294967296", "hz", "x"], "--cpu: not a number"),
    (["read", "--vnet", "", "hz", "x"], "--vnet: not a number: "),
    (["read", "0x0", "1T", "x"], "bad length: 1T"),
    (["read", "0x0", "16777216G", "x"], None),
    (["read", "0x0", "99999999999G", "x"], "bad length"),
    (["read", "0x0", "99999999999999999999", "x"], "bad length"),
] + [
    ([command], "no core file named: it is the last argument, or -M names it")
    for command in COMMANDS
]


def check_mistake(args, message):
    result = run(VMCORE, *args)
    if message is None:  # understood: fails only for want of the file
        expect(result, os.EX_NOINPUT, "x: No such file")
        return
    expect(result, os.EX_USAGE, message)
    assert "usage: vmcore" in result.err, result
    assert result.out == "", result


def check_full_disk():
    with open("/dev/full", "wb") as full:
        import subprocess

        status = subprocess.run(
            [VMCORE, "help"], stdout=full, stderr=subprocess.PIPE, check=False
        ).returncode
    assert status == os.EX_IOERR, status


tests.case("help lists the commands", check_summary)
for word, usage in WORDS.items():
    tests.case(f"help {word}", check_word, word, usage)
tests.case("--version", check_version)
for command in COMMANDS:
    tests.case(f"{command} --help", check_help, command)
for args, message in MISTAKES:
    tests.case(f"refuse: vmcore {' '.join(args)}", check_mistake, args, message)
if os.path.exists("/dev/full"):
    tests.case("a full disk is an error", check_full_disk)
tests.run()
