"""gdb and lldb attached to "vmcore serve": do they see what they should?

What they should see has the form of the real dumps' expected.json.  A debugger
runs once, in a batch, with marks of ours between what it prints.
"""

import os
import re
import shutil
import subprocess

import tap
from checks import holds, same

CANNOT_RUN = "the kernel is dead and cannot run"
STACK_LEN = 256
TIMEOUT = 120


def find():
    """Paths of gdb, gdb-multiarch and lldb; None for those that are not."""
    lldb = shutil.which("lldb-19") or shutil.which("lldb")
    return shutil.which("gdb"), shutil.which("gdb-multiarch"), lldb


class Case:
    """A dump, and what is to be seen in it."""

    def __init__(self, name, vmcore, kernel, core, want, backtraces,
                 all_registers=True):
        self.name = name
        self.vmcore = vmcore
        self.kernel = kernel
        self.core = core
        self.want = want
        self.backtraces = backtraces  # that lldb should find the same
        self.all_registers = all_registers  # that are saved are in want
        self.threads = {
            int(index): thread for index, thread in want["threads"].items()
        }
        self.crashed = next(
            index
            for index, thread in self.threads.items()
            if thread["display_name"].endswith(" (crashed)")
        )

    def registers(self, index):
        registers = self.threads[index]["registers"]
        return {name: int(value, 16) for name, value in registers.items()}

    def stack_pointer(self):
        saved = self.registers(self.crashed)
        names = ("rsp", "esp", "sp")
        return next(saved[name] for name in names if name in saved)

    def stack(self):
        """The bytes that the crashed thread's stack pointer points to.

        None if they are not in the dump: some real ones were thinned.
        """
        result = tap.run(
            *(self.vmcore, "read", "--raw", "-N", self.kernel),
            *("-l", STACK_LEN, hex(self.stack_pointer()), self.core),
        )
        if result.status == os.EX_DATAERR and result.raw == b"":
            return None
        assert result.status == 0, result
        return result.raw


def run(argv):
    """What a debugger printed, by the marks."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    parts = re.split(r"^<(\w+)>\n", done.stdout, flags=re.M)
    said = dict(zip(parts[1::2], parts[2::2]))
    said["all"] = done.stdout
    return said


def knows(gdb, kernel):
    """Can this gdb debug the machine that the kernel's file is for?"""
    if "arm64" not in os.path.basename(kernel):
        return True
    said = run([gdb, "-nx", "-batch", "-ex", "set architecture aarch64"])
    return "Undefined" not in said["all"]


def take(path):
    """What a debugger has written into a file, which goes; None: nothing."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError:
        return None
    os.remove(path)
    return data or None


def check(label, case, said, threads, registers):
    """What gdb and lldb are both asked."""
    shown = threads(said.get("threads", said["all"]))
    same(f"{label}: all threads", len(shown), case.want["threads_total"])
    for index, thread in case.threads.items():
        name = f"{label}: thread {index}"
        same(f"{name}: name", shown.get(index), thread["display_name"])
        known = registers(said.get(f"regs{index}", said["all"]))
        want = case.registers(index)
        # Some real dumps do not list all registers that are saved.
        if not case.all_registers:
            known = {name: known.get(name) for name in want}
        same(f"{name}: registers", known, want)
    text = said.get("hz", said["all"])
    hz = re.search(rf"\b{case.want['hz']}$", text, re.M)
    holds(f"{label}: a variable", hz, text)
    text = said.get("stepi", said["all"])
    holds(f"{label}: cannot run", CANNOT_RUN in text, text)


# ---- gdb ----

def gdb_commands(case, path):
    commands = ["set pagination off", "set width 0"]

    def marked(mark, *some):
        commands.extend([f"echo <{mark}>\\n", *some])

    at = case.stack_pointer()
    marked("current", "thread")
    marked("threads", "info threads")
    marked("hz", "output *(int *)&hz", "echo \\n")
    marked("stack", f"dump binary memory {path} {at} {at + STACK_LEN}")
    for index in case.threads:
        marked(f"regs{index}", f"thread {index + 1}", "info registers")
    marked("stepi", "stepi")
    marked("write", "set var *(int *)&hz = 1")
    marked("hole", "x/xw 16")
    return commands


def gdb_threads(text):
    found = re.findall(r'^[* ] +(\d+) +Thread \d+ "(.*?)" ', text, re.M)
    return {int(number) - 1: name for number, name in found}


def gdb_registers(text):
    """Those that are known."""
    found = dict(re.findall(r"^(\w+) +(0x[0-9a-f]+)[ \t]", text, re.M))
    found.pop("cpsr", None)  # the server's own, for gdb's sake
    return {name: int(value, 16) for name, value in found.items()}


def try_gdb(label, case, gdb, remote, path):
    """Attach gdb to remote; path is for scratch."""
    argv = [gdb, "-nx", "-batch", "-iex", "set osabi none", case.kernel]
    for command in (f"target remote {remote}", *gdb_commands(case, path)):
        argv += ["-ex", command]
    said = run(argv)

    check(label, case, said, gdb_threads, gdb_registers)
    same(f"{label}: the stack", take(path), case.stack())
    text = said.get("current", said["all"])
    crashed = f"Current thread is {case.crashed + 1} "
    holds(f"{label}: on the crashed thread", crashed in text, text)
    for mark, name in (
        ("write", "cannot be written to"),
        ("hole", "a hole cannot be read"),
    ):
        text = said.get(mark, said["all"])
        refused = "Cannot access memory at address" in text
        holds(f"{label}: {name}", refused, text)


# ---- lldb ----

def lldb_commands(case, path):
    commands = []

    def marked(mark, *some):
        commands.extend([f"script print('<{mark}>')", *some])

    at = case.stack_pointer()
    marked("threads", "thread list")
    marked("hz", "expression -- *(int *)&hz")
    output = f"--force --binary --outfile {path}"
    if case.stack() is not None:  # a command that fails ends the batch
        marked("stack", f"memory read {output} --count {STACK_LEN} {at:#x}")
    for index in case.threads:
        marked(f"regs{index}", f"thread select {index + 1}", "register read")
        marked(f"bt{index}", "thread backtrace")
    marked("stepi", "thread select 2", "thread step-inst")
    return commands


# lldb takes the refusal of a step for a crash, which ends a batch, but for
# what is to be done then.
LLDB_AFTER_CRASH = ["script print('<again>')", "thread list"]


def lldb_threads(text):
    found = re.findall(r"^[* ] thread #(\d+): tid = .*? name = '(.*?)'", text,
                       re.M)
    return {int(number) - 1: name for number, name in found}


def lldb_registers(text):
    found = dict(re.findall(r"^ +(\w+) = (0x[0-9a-f]+)", text, re.M))
    found.pop("cpsr", None)
    return {name: int(value, 16) for name, value in found.items()}


def lldb_frames(text):
    """Of a backtrace, in which the first frame has a star.

    One without is lldb's answer to "thread select", which may come late.
    """
    found = re.findall(r"^ +(?:\* frame #0|frame #[1-9]\d*): (0x[0-9a-f]+)",
                       text, re.M)
    return [int(pc, 16) for pc in found]


def try_lldb(label, case, lldb, attach, path):
    """Attach lldb by the words after its name; path is for scratch."""
    argv = [lldb, "--no-lldbinit", "--batch", *attach]
    for command in lldb_commands(case, path):
        argv += ["-o", command]
    for command in LLDB_AFTER_CRASH:
        argv += ["-k", command]
    said = run(argv)

    check(label, case, said, lldb_threads, lldb_registers)
    same(f"{label}: the stack", take(path), case.stack())
    text = said.get("threads", said["all"])
    crashed = rf"^\* thread #{case.crashed + 1}: .* stop reason = "
    stopped = re.search(crashed, text, re.M)
    holds(f"{label}: on the crashed thread", stopped, text)
    again = said.get("again", said["all"])
    stays = re.search(r"^\* thread #2: ", again, re.M)
    holds(f"{label}: stays on a thread", stays, again)
    same(f"{label}: goes on", lldb_threads(again), lldb_threads(text))
    for index, thread in case.threads.items() if case.backtraces else ():
        same(
            f"{label}: thread {index}: backtrace",
            lldb_frames(said.get(f"bt{index}", said["all"])),
            [int(pc, 16) for pc in thread["backtrace_pcs"]],
        )
