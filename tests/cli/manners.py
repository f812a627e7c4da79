"""usage: manners.py VMCORE GENDUMP

What the command does for people who have not read its manual.
"""

import gzip
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import smallstack
from tap import Skip, Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory()
CORE = os.path.join(FOLDER.name, "vmcore.0")
KERNEL = os.path.join(FOLDER.name, "kernel.0")

tests = Tests()


def file(name, data):
    path = os.path.join(FOLDER.name, name)
    with open(path, "wb") as out:
        out.write(data)
    return path


subprocess.run(
    [GENDUMP, "--arch", "amd64", "--mem", "4M", "--threads"]
    + ["-o", CORE, "-k", KERNEL],
    check=True,
)


# ---- little stack ----


def check_small_stack(command, *words):
    """A thread of 48 KB is enough for all that a command calls."""
    little = smallstack.options(VMCORE)
    words = [command, *words, "-N", KERNEL, CORE]
    usual = run(VMCORE, *words)
    small = run(VMCORE, *words, **little)
    expect(usual, os.EX_OK)
    assert (small.status, small.raw) == (usual.status, usual.raw), small


for words in (["bt", "-a"], ["bt", "-a", "--json"], ["dmesg"], ["info"],
              ["modules"], ["ps"], ["read", "hz"]):
    tests.case(f"{' '.join(words)} on a small stack", check_small_stack, *words)

# ---- few descriptors ----


def check_no_descriptor(*words):
    """What the host lacks is no damage to the dump."""
    # The kernel's file gets the descriptor that is left, if it is opened.
    limited = ["sh", "-c", 'ulimit -n 4; exec "$@"', "sh", VMCORE, *words]
    expect(run(*limited), os.EX_OSERR, f"{CORE}: Too many open files")


for command in "bt", "info", "modules":
    tests.case(f"{command} without a descriptor for the core",
               check_no_descriptor, command, "-N", KERNEL, CORE)

# ---- the kernel as the first of two files ----


def check_kernel_first(command):
    named = run(VMCORE, command, "-N", KERNEL, CORE)
    plain = run(VMCORE, command, KERNEL, CORE)
    expect(named, os.EX_OK)
    assert (plain.status, plain.raw) == (named.status, named.raw), plain


def elf(order, kind, size=20):
    ident = b"\177ELF" + bytes([2, 1 if order == "<" else 2, 1]) + bytes(9)
    return (ident + struct.pack(order + "HH", kind, 62))[:size]


def fifo():
    path = os.path.join(FOLDER.name, "fifo")
    os.mkfifo(path)
    return path


def check_is_kernel(path):
    expect(run(VMCORE, "ps", path, "nothing"), os.EX_NOINPUT, "nothing: No such")


def check_is_no_kernel(path, *words):
    result = run(VMCORE, "ps", *words, path, "nothing", timeout=60)
    expect(result, os.EX_USAGE, "one argument too many: ")


def check_kernel_last():
    result = run(VMCORE, "bt", CORE, KERNEL)
    expect(result, os.EX_USAGE, f"{CORE}: the kernel comes before the core, or")


for command in ("bt", "dmesg", "info", "ps"):
    tests.case(f"{command} kernel core", check_kernel_first, command)
tests.case("bt core kernel", check_kernel_last)
for name, data in {
    "executable": elf("<", 2),
    "shared object": elf("<", 3),
    "big-endian executable": elf(">", 2),
}.items():
    tests.case(f"a kernel: {name}", check_is_kernel, file(name, data))
for name, data in {
    "empty": b"",
    "cut header": elf("<", 2, size=17),
    "core": elf("<", 4),
    "core of other bytes": elf(">", 4),
    "text": b"kernel" * 9,
}.items():
    tests.case(f"no kernel: {name}", check_is_no_kernel, file(name, data))
tests.case("no kernel: fifo", check_is_no_kernel, fifo())
tests.case("no kernel beside -N", check_is_no_kernel, KERNEL, "-N", KERNEL)
tests.case("no kernel beside -M", check_is_no_kernel, KERNEL, "-M", CORE)


# ---- a signal that asks how far it is ----


def catches(process, signo):
    """Has it a handler?  Before that, the signal would end it."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (signo - 1) & 1


def ask_until_it_ends(process):
    while process.poll() is None:
        if catches(process, signal.SIGUSR1):
            process.send_signal(signal.SIGUSR1)
        time.sleep(0.01)
    return process.stderr.read()


def check_signal_unpacking():
    with open(CORE, "rb") as core:
        start = core.read(1 << 16)
    packed = file("zeros.gz", gzip.compress(start + bytes(512 << 20), 1))
    process = subprocess.Popen(
        [VMCORE, "ps", KERNEL, packed], stderr=subprocess.PIPE, text=True
    )
    said = ask_until_it_ends(process)
    assert process.returncode == os.EX_DATAERR, (process.returncode, said)
    assert re.search(
        r"^vmcore: ps: unpacking zeros\.gz: \d+% of \d+ MB, \d+ s$", said, re.M
    ), said


def check_signal_serving():
    process = subprocess.Popen(
        [VMCORE, "serve", KERNEL, CORE], stderr=subprocess.PIPE, text=True
    )
    said = iter(process.stderr.readline, "")
    assert any("lldb" in line for line in said)
    process.send_signal(signal.SIGUSR1)
    while "serve: " not in (line := process.stderr.readline()) and line:
        pass
    process.terminate()
    process.stderr.close()
    status = process.wait()
    assert re.fullmatch(r"vmcore: serve: \d+ s\n", line), line
    assert status == os.EX_OK, status


if os.path.exists("/proc/self/status"):
    tests.case("SIGUSR1: how far unpacking is", check_signal_unpacking)
tests.case("SIGUSR1: serve goes on", check_signal_serving)


# ---- completions ----


def complete(*words):
    """What bash offers for the last of these words."""
    script = run(VMCORE, "completion", "bash")
    expect(script, os.EX_OK)
    ask = script.out + (
        'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _vmcore; echo "${COMPREPLY[@]}"'
    )
    return run("bash", "-c", ask, "bash", *words).out.split()


def check_bash():
    assert complete("vmcore", "mo") == ["modules"]
    assert complete("vmcore", "bt", "--th") == ["--thread"]
    assert complete("vmcore", "bt", "") == []
    assert complete("vmcore", "bt", "vmc") == []
    assert complete("vmcore", "help", "inf") == ["info"]
    assert complete("vmcore", "completion", "") == ["bash", "zsh"]


def check_all_options(shell):
    script = run(VMCORE, "completion", shell).out
    for line in run(VMCORE, "help").out.splitlines():
        if match := re.match(r"  (\w+) ", line):
            command = match[1]
            told = re.search(rf"^\t{command}\).*", script, re.M)[0]
            help_text = run(VMCORE, "help", command).out
            for option in re.findall(r"^ .{5}(--[\w-]+)", help_text, re.M):
                assert option in told, (option, told)


def check_zsh():
    if not shutil.which("zsh"):
        raise Skip("no zsh here")
    script = file("_vmcore", run(VMCORE, "completion", "zsh").raw)
    result = run("zsh", "-n", script)
    assert (result.status, result.err) == (0, ""), result


def check_refused(words, message):
    result = run(VMCORE, "completion", *words)
    expect(result, os.EX_USAGE, message)
    assert "usage: vmcore completion bash | zsh" in result.err, result


if shutil.which("bash"):
    tests.case("completion bash", check_bash)
tests.case("completion zsh", check_zsh)
for shell in ("bash", "zsh"):
    tests.case(f"completion {shell}: all options", check_all_options, shell)
tests.case("completion without a shell", check_refused, [], "name one shell")
tests.case("completion csh", check_refused, ["csh"], "unknown shell: csh")
tests.run()
