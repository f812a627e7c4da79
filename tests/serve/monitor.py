"""usage: monitor.py VMCORE GENDUMP

What "monitor" commands say, to any client, to gdb and to lldb.
"""

import ast
import json
import os
import struct
import sys
import tempfile
import types

import kmodule
from checks import holds, same, skip, tests
from clients import find, run as run_debugger
from server import Client, Server
from tap import Skip, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:])

COMMANDS = ("bt", "frames", "gdb-modules", "help", "lldb-modules", "notes",
            "stacks", "unwinder")


class Monitor:
    """A client that asks commands."""

    def __init__(self, server):
        self.client = Client(server.address)
        self.client.ask(b"QStartNoAckMode")

    def say(self, command):
        """All that the server shows."""
        reply = self.client.ask(b"qRcmd," + command.encode().hex().encode())
        shown = b""
        while reply.startswith(b"O") and reply != b"OK":
            shown += bytes.fromhex(reply[1:].decode())
            reply = self.client.reply()
        assert reply == b"OK", reply
        return shown.decode()


def vmcore(command, kernel, core, *words):
    result = run(VMCORE, command, "-N", kernel, *words, core)
    assert result.status == os.EX_OK, result
    return result.out


def try_threads(monitor, kernel, core):
    threads = json.loads(vmcore("bt", kernel, core, "-a", "--json"))
    same("bt: the crashed thread's", monitor.say("bt"),
         vmcore("bt", kernel, core))
    for thread in threads[:3]:
        tid = str(thread["tid"])
        same(f"bt {tid}", monitor.say(f"bt {tid}"),
             vmcore("bt", kernel, core, "-t", tid))
        same(f"frames {tid}", json.loads(monitor.say(f"frames {tid}")),
             thread["frames"])
    try_stacks(monitor, threads)
    for name in ("7", "-1", "0x1", "99999999999999999999999", "1f"):
        same(f"bt {name}", monitor.say(f"bt {name}"), "no such thread\n")


def stacks_in(said):
    """pc, registers and symbol of each frame, by thread."""
    stacks = {}
    for line in said.splitlines():
        if line.startswith("thread "):
            stack = stacks[int(line.split()[1])] = []
            continue
        words, symbol = line.split(" : ")
        pc, _, *registers = words.split()
        registers = dict(word.split("=") for word in registers)
        stack.append((pc, registers, symbol))
    return stacks


def stack_of(thread):
    """The same of vmcore bt; gdb wants no frames at 0 but the first."""
    digits = lambda value: f"{int(value, 16):x}"
    return [
        (
            digits(frame["pc"]),
            {name: digits(r) for name, r in frame["registers"].items()},
            frame["symbol"] or "",
        )
        for number, frame in enumerate(thread["frames"])
        if number == 0 or int(frame["pc"], 16) != 0
    ]


def try_stacks(monitor, threads):
    want = {thread["tid"]: stack_of(thread) for thread in threads}
    tids = [thread["tid"] for thread in threads]
    for tid in tids[:3]:
        same(f"stacks {tid}", stacks_in(monitor.say(f"stacks {tid}")),
             {tid: want[tid]})
    for first, count in ((0, 3), (2, 1), (1, 10000)):
        said = stacks_in(monitor.say(f"stacks {tids[first]} {count}"))
        some = {tid: want[tid][:2] for tid in tids[first:][:count]}
        same(f"stacks: {count} from thread {first}", said, some)
    same("stacks of no thread", monitor.say("stacks 7 2"), "no such thread\n")


def try_unwinder(script):
    """gdb's user is told where frames are missing, once for each thread."""
    wanted = {"Frame", "FrameId", "warn_of_cut", "frames_in"}
    tree = ast.parse(script)
    tree.body = [part for part in tree.body if getattr(part, "name", "") in wanted]
    warnings = []
    gdb = types.SimpleNamespace(
        Value=int, STDERR=2, write=lambda text, _: warnings.append(text))
    names = {"gdb": gdb}
    exec(compile(tree, "unwinder", "exec"), names)
    frames = "10 20 rip=10 : f\n30 40 rip=30 : g\n"
    for what, said, want in (
        ("whole", "thread 7\n" + frames, 0),
        ("of many frames", "thread 7 cut\n" + frames, 1),
        ("of much text", "thread 7\n" + frames + "[... cut at 32 MB ...]\n", 1),
        ("both", "thread 7 cut\n" + frames + "[... cut at 32 MB ...]\n", 1),
    ):
        warnings.clear()
        same(f"a stack {what}: its frames",
             [frame.symbol for frame in names["frames_in"](said, True)[7]],
             ["f", "g"])
        same(f"a stack {what}: a warning", "".join(warnings), want *
             "warning: thread 7: its stack goes on after 2 frames\n")


def try_others(monitor):
    said = monitor.say("help")
    for name in COMMANDS:
        holds(f"help: {name}", f"monitor {name} " in said, said)
    columns = {line.rindex("  ") for line in said.splitlines()}
    holds("help: one column of texts", len(columns) == 1, said)
    same("words may stand apart", monitor.say("  help  "), said)
    same("notes", monitor.say("notes"), "nothing was wrong so far\n")
    said = monitor.say("unwinder")
    compile(said, "unwinder", "exec")
    holds("unwinder", "register_unwinder" in said, said)
    try_unwinder(said)
    for bad in ("", " ", "nothing", "helpless", "hel", "bt 1 2", "stacks 1 x", "stacks 1 2 3"):
        said = monitor.say(bad)
        refused = said.startswith("no such command: ")
        holds(f"refuses '{bad}'", refused, said)


def try_debuggers(kernel, core, server):
    gdb, multi, lldb = find()
    gdb = multi or gdb
    want = vmcore("bt", kernel, core)
    if gdb:
        said = run_debugger(
            [gdb, "-nx", "-batch", "-iex", "set osabi none", kernel]
            + ["-ex", f"target remote {server.remote}"]
            + ["-ex", "echo <bt>\\n", "-ex", "monitor bt", "-ex", "detach"]
        )
        holds("gdb: monitor bt", said["bt"].startswith(want), said["all"])
    else:
        skip("gdb: monitor bt", "no gdb here")
    if lldb:
        said = run_debugger(
            [lldb, "--no-lldbinit", "--batch"]
            + ["-o", f"process connect unix-connect://{server.address}"]
            + ["-o", "process plugin packet monitor bt"]
        )["all"]
        holds("lldb: monitor bt", want in said, said)
    else:
        skip("lldb: monitor bt", "no lldb here")


def try_modules(folder, serve):
    """lldb, attached by the line that is printed, knows a module's symbols."""
    lldb = find()[2]
    try:
        kmodule.build(os.path.join(folder, "zfs.ko"))
    except Skip as reason:
        skip("lldb: modules", str(reason))
        return
    if lldb is None:
        skip("lldb: modules", "no lldb here")
        return
    with Server(serve) as s:
        said = run_debugger(
            [lldb, "--no-lldbinit", "--batch", *s.advice("lldb")]
            + ["-o", "image lookup --name zfs_close"]
            + ["-o", "expression zfs_numbers[0]"]
        )["all"]
    number = int.from_bytes(
        run(VMCORE, "read", "--raw", "-l", "4", *serve[2:4], "zfs_numbers",
            serve[4]).raw, "little", signed=True)
    holds("lldb: a module's function", "zfs.ko`zfs_close at" in said, said)
    holds("lldb: its variable", f" = {number}\n" in said, said)


def last_page(core):
    """The direct map's address of a version 1 minidump's last page."""
    with open(core, "rb") as f:
        msgbuf_len, bitmap_len = struct.unpack_from("<2I", f.read(64), 28)
        f.seek(0)
        dmapbase = struct.unpack_from("<Q", f.read(64), 48)[0]
        f.seek(4096 + (msgbuf_len + 4095) // 4096 * 4096)
        bitmap = int.from_bytes(f.read(bitmap_len), "little")
    return dmapbase + (bitmap.bit_length() - 1) * 4096


def try_cut(folder):
    """Memory is given up to the byte at which the file ends."""
    kernel, core = (os.path.join(folder, n) for n in ("kernel1", "core1"))
    result = run(GENDUMP, "--variant", "amd64-v1", "-o", core, "-k", kernel)
    assert result.status == 0, result
    with open(core, "rb") as f:
        memory = f.read()[-4096:]
    os.truncate(core, os.path.getsize(core) - 3096)
    with Server([VMCORE, "serve", "-N", kernel, core]) as s:
        monitor = Monitor(s)
        reply = monitor.client.ask(b"m%x,7d0" % last_page(core))
        monitor.client.close()
    same("memory up to the cut", reply.decode(), memory[:1000].hex())


def main():
    with tempfile.TemporaryDirectory() as folder:
        kernel, core = (os.path.join(folder, n) for n in ("kernel", "core"))
        result = run(GENDUMP, "--variant", "amd64-v3", "--seed", "5",
                     "--threads", "-o", core, "-k", kernel)
        assert result.status == 0, result
        with Server([VMCORE, "serve", "-N", kernel, core]) as s:
            monitor = Monitor(s)
            try_threads(monitor, kernel, core)
            try_others(monitor)
            monitor.client.close()
            try_debuggers(kernel, core, s)
        same("the server ended well", s.status, 0)
        try_cut(folder)
        try_modules(folder, [VMCORE, "serve", "-N", kernel, core])
    tests.run()


main()
