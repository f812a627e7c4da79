"""usage: traces.py RUN-KERNEL KERNEL VMCORE

gdb's backtraces of our dumps: down to the function that started the thread,
with the arguments that the kernel printed.
"""

import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import machine
import tap

run_kernel, kernel, vmcore = sys.argv[1:]
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20
CHAIN = ["chain_third", "chain_second", "chain_first"]
STARTED = ["fork_exit", "fork_trampoline"]
SHELL = [
    *("sh_crash", "run_command", "run_line", "command_run", "shell_thread"),
    *STARTED,
]


@functools.cache
def crash(kind):
    """The console's text, and a dump with a thread that sleeps in a chain."""
    disk = machine.make_disk(work / "disk", 64 * MB)
    with machine.Machine(
        *(run_kernel, kernel, "dumpdev=vtbd0", "kern.panic.exit_code=9"),
        f'kern.script="chain;crash {kind}"',
        memory=64,
        disks=[disk],
    ) as m:
        assert m.end() == 9, m.text
    return m.text, machine.dump_of(disk, work / f"core.{kind}")


def gdb(core, *commands, kernel=kernel):
    """What gdb says to each command; it is never at a loss."""
    words = ["-ex", "set width 0", "-ex", "set print frame-arguments all"]
    for number, command in enumerate(commands):
        words += ["-ex", f"echo <{number}>\\n", "-ex", command]
    result = tap.run(
        *(vmcore, "gdb", "-N", kernel, core, "--", "-nx", "-batch"), *words
    )
    tap.expect(result, 0)
    for complaint in ("corrupt stack", "Cannot access", "Backtrace stopped"):
        assert complaint not in result.out + result.err, result
    return re.split(r"^<\d+>\n", result.out, flags=re.MULTILINE)[1:]


def frames_in(trace):
    """(function, text of its arguments) of each frame."""
    return re.findall(
        r"(?m)^#\d+ +(?:0x\w+ in )?(\S+) \((.*?)\)(?: at .*)?$", trace
    )


def numbers_in(arguments):
    """{name: values}: what gdb says of a name, now and on entry."""
    found = {}
    for name, value in re.findall(
        r"\b(\w+?)(?:@entry)?=(?:\w+@entry=)?(0x\w+|\d+)", arguments
    ):
        found.setdefault(name, set()).add(int(value, 0))
    return found


def printed_chain(text):
    """What each function of the chain that was run last was called with."""
    return {
        function: numbers_in(arguments)
        for function, arguments in re.findall(
            r"(?m)^chain: (chain_\w+) (.*)$", text
        )
    }


def thread_number(threads, name):
    return re.search(rf'(?m)^[* ] (\d+) .*"\(pid \d+\) {name}', threads)[1]


def trace_of(core, name, *commands):
    (threads,) = gdb(core, "info threads")
    number = thread_number(threads, name)
    return gdb(core, f"thread {number}", "bt", *commands)[1:]


def same_arguments(trace, text):
    frames = dict(frames_in(trace))
    for function, want in printed_chain(text).items():
        assert numbers_in(frames[function]) == want, (frames[function], want)


def same_local(said, text):
    """An array on the stack."""
    (number,) = printed_chain(text)["chain_second"]["number"]
    mask = (1 << 64) - 1
    want = [number, ~number & mask, number << 8 & mask, 4]
    got = [int(value, 16) for value in re.findall(r"0x\w+", said)]
    assert got == want, said


def check_chain(core, text, thread, below):
    look = ("frame function chain_second", "print/x local")
    trace, _, local = trace_of(core, thread, *look)
    names = [function for function, _ in frames_in(trace)]
    assert names[names.index(CHAIN[0]) :] == CHAIN + below, trace
    same_arguments(trace, text)
    same_local(local, text)
    return trace


def crashed():
    text, core = crash("chain")
    trace = check_chain(core, text, r"shell \(crashed\)", ["crash_chain", *SHELL])
    assert '(args=0x' in trace and '"chain"' in trace, trace
    assert trace.startswith("#0 "), trace
    assert frames_in(trace)[0][0] == "doadump", trace


def asleep():
    """It ran first: what the shell's chain printed is later."""
    text, core = crash("chain")
    text = text[: text.index("crash chain", text.index("script# chain"))]
    trace = check_chain(core, text, "chain", STARTED)
    assert frames_in(trace)[0][0] == "mi_switch", trace
    assert "tsleep" in [function for function, _ in frames_in(trace)], trace


def through_null():
    """gdb takes address 0 for the end of a stack."""
    _, core = crash("null")
    (trace,) = gdb(core, "bt")
    names = [function for function, _ in frames_in(trace)]
    want = ["calltrap", "crash_null", *SHELL]
    assert names[names.index("calltrap") :] == want, trace
    assert "null_function();" in gdb(core, "frame function crash_null")[0]


def on_other_stacks():
    """From the stack of a double fault back to the one that was full."""
    _, core = crash("stack")
    (trace,) = gdb(core, "bt")
    names = [function for function, _ in frames_in(trace)]
    first = names.index("calltrap") + 1
    shell = names.index("sh_crash")
    assert set(names[first:shell]) <= {"eat_stack", "crash_stack"}, trace
    assert names[shell:] == SHELL, trace
    levels = range(first + 1, first + 40)
    look = "frame apply level {}-{} -q print/d room[0]"
    (said,) = gdb(core, look.format(levels[0], levels[-1]))
    depths = [int(depth) for depth in re.findall(r"= (\d+)", said)]
    assert depths == list(range(depths[0], depths[0] - 39, -1)), said


def stopped():
    """Another CPU's thread was stopped by an interrupt."""
    _, core = crash("chain")
    (trace,) = trace_of(core, r"idle.* \(on CPU")
    names = [function for function, _ in frames_in(trace)]
    assert names[0] == "ipi_nmi_handler", trace
    assert "nmi_calltrap" in names and "sched_idletd" in names, trace


def entry_values():
    """
    Without unwind tables, most callers' registers are not known: an argument's
    value on entry is shown where they tell it, and is no error elsewhere.
    """
    objcopy = shutil.which("objcopy")
    if objcopy is None:
        raise tap.Skip("no objcopy")
    _, core = crash("chain")
    bare = work / "kernel.bare"
    sections = (".debug_frame", ".eh_frame")
    words = [word for name in sections for word in ("-R", name)]
    tap.expect(tap.run(objcopy, *words, kernel, bare), 0)
    (said,) = gdb(core, "thread apply all bt", kernel=bare)
    assert "@entry=" in said, said
    assert "@entry=<" not in said, said


# ---- gdb and lldb as they are, without a word of ours ----


def stock(core, name, *words):
    """What a debugger says that is attached to the dump on socket {}."""
    program = shutil.which(name)
    if program is None:
        raise tap.Skip(f"no {name}")
    socket = work / "socket"
    with subprocess.Popen(
        [vmcore, "serve", "--once", "--unix", socket, "-N", kernel, core],
        stderr=subprocess.PIPE,
    ) as server:
        try:
            server.stderr.readline()  # it listens
            words = [word.format(socket) for word in words]
            return tap.run(program, *words, kernel, timeout=None)
        finally:
            server.kill()


def in_lldb(core, command):
    """
    Traces of threads: (thread, functions).  LLDB looks for the kernel's ELF
    header in memory, and dies without.
    """
    said = stock(
        *(core, "lldb-19" if shutil.which("lldb-19") else "lldb"),
        *("--no-lldbinit", "--batch", "-o"),
        *("process connect unix-connect://{}", "-o", command),
    )
    frame = r"(?m)^.* frame #\d+: 0x\w+(?: kernel`(?:\w+ \[inlined\] )?(\w+))?"
    text = said.out[said.out.index(f"(lldb) {command}") :]
    threads = re.split(r"(?m)^[* ] thread #", text)[1:]
    return {
        re.search(r"name = '(.*?)'", thread)[1]: re.findall(frame, thread)
        for thread in threads
    }


def in_gdb(core, command):
    said = stock(
        *(core, "gdb-multiarch" if shutil.which("gdb-multiarch") else "gdb"),
        *("-nx", "-batch", "-iex", "set osabi none", "-iex", "set width 0"),
        *("-ex", "target remote {}", "-ex", command),
    )
    assert "Backtrace stopped" not in said.out + said.err, said
    frame = r"(?m)^#\d+ +(?:0x\w+ in )?(\S+) (?:\(|handler called>)"
    threads = re.split(r"(?m)^Thread (?=.*:$)", said.out)[1:]
    return {
        re.search(r'"(.*?)"', thread)[1]: re.findall(frame, thread)
        for thread in threads
    }


def lldb_chain():
    _, core = crash("chain")
    (names,) = in_lldb(core, "bt").values()
    assert names[0] == "doadump", names
    assert names[names.index(CHAIN[0]) :] == (
        [*CHAIN, "crash_chain", *SHELL]
    ), names


def like_lldb(names):
    """gdb names an address without a function, and no trap's entry."""
    return [{"??": "", "<signal": "a trap"}.get(name, name) for name in names]


def like_gdb(names):
    entry = r"(nmi_|mchk_)?calltrap|X[a-z]+"
    return [re.sub(entry, "a trap", name) for name in names]


def stock_traces():
    """They go through traps and interrupts, and end where a thread began."""
    _, core = crash("null")
    lldb = in_lldb(core, "bt all")
    gdb_says = in_gdb(core, "thread apply all bt")
    assert lldb.keys() == gdb_says.keys() and len(lldb) > 5, (lldb, gdb_says)
    for name, names in lldb.items():
        assert names[-1] in ("fork_trampoline", "ap_start", "btext"), names
        assert like_gdb(names) == like_lldb(gdb_says[name]), (
            names, gdb_says[name]
        )  # fmt: skip
    (shell,) = (names for name, names in lldb.items() if "crashed" in name)
    want = ["trap", "calltrap", "", "crash_null", *SHELL]
    assert shell[shell.index("calltrap") - 1 :] == want, shell
    (idle,) = (names for name, names in lldb.items() if "on CPU" in name)
    assert "nmi_calltrap" in idle and "sched_idletd" in idle, idle


tests = tap.Tests()
tests.case("the thread that crashed", crashed)
tests.case("a thread that sleeps", asleep)
tests.case("a thread that was stopped", stopped)
tests.case("after a call through NULL", through_null)
tests.case("values on entry", entry_values)
tests.case("from the stack of a double fault", on_other_stacks)
tests.case("in lldb", lldb_chain)
tests.case("in stock debuggers, all threads", stock_traces)
tests.run()
