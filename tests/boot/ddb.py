"""usage: ddb.py RUN-KERNEL KERNEL

The kernel's debugger: ways in, commands, and out again.
"""

import functools
import pathlib
import re
import sys
import tempfile

import machine
import tap

run_kernel, kernel = sys.argv[1:]
boot = functools.partial(machine.Machine, run_kernel, kernel)
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20

# The parts of a dump, as "show pageset" lists them.
PARTS = [
    "kernel text",
    "kernel data",
    "UMA",
    "stacks",
    "page array",
    "page tables",
    "message buffer",
    "other",
]


def into_ddb(m):
    """From the shell into the debugger: a function that gives it commands."""
    m.wait_for("# ")
    m.send("ddb\r")
    m.wait_for("KDB: enter: shell")
    m.wait_for("(?m)^db> $")
    return functools.partial(m.command, prompt="db> ")


def pageset(text):
    """The table that show pageset prints."""
    return {
        name: int(size)
        for name, size in re.findall(r"(?m)^([A-Za-z ]+?) +(\d+)$", text)
    }


def account(version):
    """The parts add up to the dump that follows, to the byte."""
    disk = machine.make_disk(work / "disk", 64 * MB)
    with boot(
        "dumpdev=vtbd0",
        f"debug.minidump_version={version}",
        'kern.script="items 20000;user"',
        disks=[disk],
    ) as m:
        m.wait_for("user: ")
        ask = into_ddb(m)
        said = pageset(ask("show pageset"))
        ask("dump")
    core = machine.dump_of(disk, work / "core")
    assert 64 * MB < said["memory"] < said["full dump"] < 129 * MB, said
    parts = [said[name] for name in PARTS]
    assert all(parts), said
    assert sum(parts) == said["minidump"] == core.stat().st_size, said
    # They have 64 bytes each, and there is little else.
    assert 20000 * 64 < said["UMA"] < 20000 * 64 + MB, said


# A command, and what it says: all of it.
COMMANDS = [
    ("bt", r"(?s)Tracing pid \d+ tid {shell} \(shell\)\n"
     r"kdb_enter\(\) at .*sh_ddb\(\) .*fork_trampoline\(\).*"),
    ("bt {swapper}", r"(?s)Tracing pid 0 tid {swapper} \(swapper\)\n"
     r".*mi_switch\(\).*tsleep\(\).*mi_startup\(\).*"),
    ("ps", r"(?s)  pid    tid state +cpu wmesg +name\n.*"
     r" {swapper} sleeping +-1 sched +kernel/swapper\n.*"),
    ("show registers", r"(?s)cs +0x20  rax .*\nrip .* kdb_enter\+0x\w+\n"),
    ("show thread", r"(?s) +\d+ {shell} running .*critnest \d.*"),
    ("show thread {swapper}", r"(?s) +0 {swapper} sleeping .*wchan 0x\w.*"),
    ("show locks", r""),
    ("show locks {swapper}", r""),
    ("show alllocks", r""),
    ("show lock", r"show lock ADDRESS\n"),
    ("show lock storm_sx", r'sx "storm sx", type "storm sx"\n free\n'),
    ("show lock 8", r"(?s).*fault.*"),
    ("show sleepq", r"(?s).*0x\w+ reaper +\d+ reaper\n.*"),
    ("show witness", r'(?s).*"sched lock" before "callout"\n'
     r".*\d+ classes of locks, 0 not watched\n"),
    ("show pte version", r"(?s)pml4e .*table\npdpe .*table\npde .*table\n"
     r"pte .*page 0x\w+ r--\n"),
    ("show pte 0", r"pml4e 0x0+\n"),
    ("show page version", r"page 0x\w+ pa 0x\w+: flags 0x8 wired 1 .*\n"),
    ("show page 0x200000", r"page 0x\w+ pa 0x200000: flags 0x8 wired 1 .*\n"),
    ("show vmpage 2", r"page 0x\w+ pa 0x\w+: flags 0x\w+ wired \d+ .*\n"),
    ("show vmpage vm_page_array", r"0x\w+: not memory\n"),
    ("show object", r""),
    ("show map", r""),
    ("show pmap", r""),
    ("show zones", r"(?s)zone +size .*\n64 +64 .*\nUMA Zones +\d+ .*"),
    ("show msgbuf", r"(?s)vmcore kernel .*KDB: enter: shell.*"),
    ("show malloc", r"(?s)type +used +bytes +requests\n.*"),
    ("show memory", r"pages \d+ free \d+ wired \d+\n"
     r"kernel map: \d+ bytes of addresses, \d+ of them with memory\n"),
    ("show freepages", r"(?s) +pages +default +direct\n +4096 .*\n +1 +.*\n"),
    ("show pageset", r"(?s)kernel text +\d+\n.*\nminidump +\d+\n.*"),
    ("x ostype 7", r"0x\w+:  76 6d 63 6f 72 65 00\n"),
    ("x/s ostype", r'0x\w+:  "vmcore"\n'),
    ("x/2s ostype+4", r'0x\w+:  "re"\n0x\w+:  ".*"\n'),
    ("x/6c ostype", r"0x\w+:  v  m  c  o  r  e\n"),
    ("x/2hx ostype", r"0x\w+:  0x6d76  0x6f63\n"),
    ("x ostype+1 2", r"0x\w+:  6d 63\n"),
    ("x/2w hz", r"0x\w+:  0x00000064  0x\w{8}\n"),
    ("x/d hz", r"0x\w+:  100\n"),
    ("x/bd version+0x7fffffff00000000", r"0x\w+: not mapped\n"),
    ("x/5g KPML4phys", r"0x\w+:(  0x\w{16}){2}\n"
     r"0x\w+:(  0x\w{16}){2}\n0x\w+:(  0x\w{16}){1}\n"),
    ("x/a msgbufp", r"0x\w+:  0x\w+ msgbuf_space\+0x\w+\n"),
    ("call strlen ostype", r"= 0x6\n"),
    # Allocators, while locks do nothing: 1 is M_NOWAIT.
    ("call vm_page_alloc_noobj 0", r"= 0xfffff8\w+\n"),
    ("call kmem_malloc 8192 1", r"= 0xffffffff\w+\n"),
    ("call kern_malloc 100000 M_FILL 1", r"= 0xffffffff\w+\n"),
    ("call kern_malloc 100 M_FILL 1", r"= 0xfffff8\w+\n"),
    ("call tsleep proc0 0 ostype 5", r"= 0\n"),
]

# Commands that fail, and the one line that says why.
REFUSALS = [
    ("nonsense", r'No such command: "nonsense"; use "help"\n'),
    ("show nonsense", r'No such command: "show nonsense"; use "help"\n'),
    ("bt 5", r"no thread 5\n"),
    ("bt {swapper} x", r"no thread {swapper} x\n"),
    ("bt nonsense", r"no thread nonsense\n"),
    ("bt 0x1000000000000000f", r"no thread 0x1000000000000000f\n"),
    ("show thread 0xffffffff000186a0", r"no thread 0xffffffff000186a0\n"),
    ("show pte", r"show pte ADDRESS\n"),
    ("show pte nonsense", r"show pte ADDRESS\n"),
    ("show page", r"show page ADDRESS\n"),
    ("show page 1 2", r"show page ADDRESS\n"),
    ("show page 0xffffffffffffffff", r"0xffffffffffffffff: not memory\n"),
    ("show vmpage", r"show vmpage ADDRESS\|INDEX\n"),
    ("show vmpage 0xffffffff", r"0xffffffff: not memory\n"),
    ("show object 1 2", r"show object \[ADDRESS\]\n"),
    ("show map 1 2", r"show map \[ADDRESS\]\n"),
    ("show map 1", r"0x1: not memory\n"),
    ("show pmap 1 2", r"show pmap \[ADDRESS\]\n"),
    ("show pmap 1", r"0x1: not memory\n"),
    ("x", r"x ADDRESS .*\n"),
    ("x nonsense", r"x ADDRESS .*\n"),
    ("x version 1 2", r"x ADDRESS .*\n"),
    ("x/q version", r"x ADDRESS .*\n"),
    ("x/x proc0+0x10000000000000000", r"x ADDRESS .*\n"),
    ("x/0x version", r"x ADDRESS .*\n"),
    ("x/99999999999999999999 version", r"x ADDRESS .*\n"),
    ("x/x version 4", r"x ADDRESS .*\n"),
    ("x 0", r"0: not mapped\n"),
    ("x/s 0", r'0:  "" not mapped\n'),
    ("x/x 0xffffffff80001000", r"0xffffffff80001000: not mapped\n"),
    ("x 0x8000000000000000", r"0x8000000000000000: not mapped\n"),
    ("x 0xfffff87fffffffff", r"0xfffff87fffffffff: not mapped\n"),
    ("call", r"call FUNCTION \[NUMBER ...\]\n"),
    ("call nonsense", r"call FUNCTION \[NUMBER ...\]\n"),
    ("call strlen nonsense", r"not a number: nonsense\n"),
    ("call 0", r"KDB: page fault at 0, address 0\n"),
    ("call strlen 16", r"KDB: page fault at strlen\+0x\w+, address 0x10\n"),
    ("call tsleep proc0 0 ostype 0",
     r'KDB: it would wait for "vmcore" for ever\n'),
    ("call allproc", r"KDB: page fault at allproc\+0, address 0x\w+\n"),
]


def commands(rows):
    """Each says what the table has, and the machine goes on afterwards."""
    with boot() as m:
        ask = into_ddb(m)
        threads = ask("ps")
        tids = {
            name: re.search(rf"(\d{{6}}) .*/{name}\n", threads)[1]
            for name in ("shell", "swapper")
        }
        for command, want in rows:
            said = ask(command.format(**tids))
            for name, tid in tids.items():
                want = want.replace("{" + name + "}", tid)
            assert re.fullmatch(want, said), (command, want, said)
        m.send("c\r")
        m.wait_for("# ")
        assert "kern.ostype: vmcore" in m.command("sysctl kern.ostype")


def no_memory():
    """A command that wants more than there is ends, and does not hang."""
    with boot() as m:
        ask = into_ddb(m)
        said = ask("call kmem_malloc 0x10000000 2")
        assert said == 'KDB: it would wait for "vmwait" for ever\n', said
        assert "pages " in ask("show memory")
        m.send("exit 4\r")
        assert m.end() == 4


# Ways in: what is typed, and what the debugger says when it is entered.
ENTRIES = {
    "a key": ("\r~\x02", "break"),
    "a serial break": ("\x01b", "break"),
    "a command": ("ddb\r", "shell"),
    "a panic": ("crash panic\r", "panic"),
    "a fault": ("crash null\r", "panic"),
}


def entry(keys, why):
    with boot("debug.debugger_on_panic=1", escape=True) as m:
        m.wait_for("# ")
        m.send(keys)
        m.wait_for(rf"KDB: enter: {why}\n")
        m.wait_for("db> ")
        assert "running" in m.command("ps", prompt="db> ")
        m.send("exit 4\r")
        assert m.end() == 4


def locks_held():
    """By a thread that panicked with a mutex held."""
    with boot("debug.debugger_on_panic=1") as m:
        m.wait_for("# ")
        m.send("crash locked\r")
        m.wait_for("(?m)^db> $")
        for command in "show locks", "show alllocks":
            said = m.command(command, prompt="db> ")
            assert re.fullmatch(
                r'\d{6} shell: spin mutex "crash" at 0x\w+, '
                r"taken at crash_locked\+0x\w+\n", said), said
        said = m.command("show lock crash_lock", prompt="db> ")
        assert re.fullmatch(
            r'spin mutex "crash", type "crash"\n'
            r" owned by \d{6} shell, taken 1 times\n", said), said
        m.send("exit 4\r")
        assert m.end() == 4


def locks_waited_for():
    """The threads that wait for a lock are those that sleep on its name."""
    with boot("debug.debugger_on_panic=1") as m:
        m.wait_for("# ")
        m.send("locks 6 600 storm sx\r")
        m.wait_for("(?m)^db> $")
        said = m.command("show lock storm_sx", prompt="db> ")
        assert re.fullmatch(
            r'sx "storm sx", type "storm sx"\n'
            r" owned by \d{6} locks \d, taken 1 times\n"
            r"( waits: \d{6} locks \d, to own it\n)*", said), said
        asleep = m.command("show sleepq", prompt="db> ")
        assert (re.findall(r"waits: (\d+)", said) ==
                re.findall(r"(?m)^0x\w+ storm sx +(\d+) ", asleep)), asleep
        m.send("exit 4\r")
        assert m.end() == 4


def script():
    """Commands of the command line are shown, and stop at continue."""
    with boot('ddb.script="x/s ostype;nonsense;c;exit 3"') as m:
        m.wait_for("# ")
        m.send("ddb\r")
        m.wait_for(r'db> x/s ostype\n0x\w+:  "vmcore"\n')
        m.wait_for(r'db> nonsense\nNo such command: "nonsense"')
        m.wait_for(r"db> c\n")
        into_ddb(m)
        m.send("exit 6\r")
        assert m.end() == 6


# Ways out: what is typed, and the machine's end.
EXITS = {
    "reset": ("reset", None),
    "switch off": ("poweroff", None),
    "leave the emulator": ("exit 3", 3),
    "panic": ("panic for a test", 8),
}


def leave(command, status):
    with boot("kern.panic.exit_code=8") as m:
        into_ddb(m)
        m.send(command + "\r")
        assert m.end() == status, m.text
    assert ("panic: for a test" in m.text) == command.startswith("panic")


def cancelled():
    """Ctrl-C ends a dump, and a new one is whole."""
    disk = machine.make_disk(work / "disk", 64 * MB)
    with boot("dumpdev=vtbd0", disks=[disk]) as m:
        ask = into_ddb(m)
        m.send("dump\r\x03")
        m.wait_for("Dump failed: error 85")
        m.wait_for("(?m)^db> $")
        assert machine.dump_of(disk, work / "core") is None
        assert "Dump complete" in ask("dump")
        assert machine.dump_of(disk, work / "core") is not None


tests = tap.Tests()
tests.case("every command", commands, COMMANDS)
tests.case("what cannot be done is said in a line", commands, REFUSALS)
tests.case("a command without memory", no_memory)
tests.case("the locks that a thread holds", locks_held)
tests.case("the threads that wait for a lock", locks_waited_for)
for name, arguments in ENTRIES.items():
    tests.case(f"entered by {name}", entry, *arguments)
tests.case("a script", script)
tests.case("a dump that is cancelled", cancelled)
for name, arguments in EXITS.items():
    tests.case(f"left by {name}", leave, *arguments)
for number in (1, 3):
    tests.case(f"what a minidump of version {number} is made of", account, number)
tests.run()
