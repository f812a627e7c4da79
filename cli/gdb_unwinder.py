"""Make gdb see the frames that vmcore sees.

A kernel's file may lack unwind tables, and no table tells what a trap
interrupted; gdb would guess.  The server knows the frames of a thread, and the
registers of each.  "vmcore serve" sends this script on "monitor unwinder";
"vmcore gdb" runs it.
"""

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder


PROGRAM_COUNTERS = ("rip", "eip", "pc")


def read(frame, name):
    """The bits of a register; None: gdb does not know them."""
    try:
        value = frame.read_register(name)
        return int(value) & ((1 << 8 * value.type.sizeof) - 1)
    except (gdb.error, ValueError):
        return None


class FrameId:
    """What gdb knows a frame by."""

    def __init__(self, sp, pc):
        self.sp = gdb.Value(sp)
        self.pc = gdb.Value(pc)


class Frame:
    """A frame: a line of "monitor stacks"."""

    def __init__(self, line):
        words, _, self.symbol = line.partition(" : ")
        pc, address, *registers = words.split()
        self.pc = int(pc, 16)
        self.id = FrameId(int(address, 16), self.pc)
        self.registers = {}
        for word in registers:
            name, _, value = word.partition("=")
            self.registers[name] = int(value, 16)

    def pc_name(self):
        return next(name for name in PROGRAM_COUNTERS if name in self.registers)

    def is_seen_in(self, frame):
        """Does gdb's frame have these registers?"""
        return all(
            read(frame, name) == value
            for name, value in self.registers.items()
        )


class Stack:
    """Frames of a thread, by their pc, each with its caller."""

    def __init__(self, frames, depth=None):
        """frames: all that the server told; only the first depth are kept."""
        self.frames = {}
        self.pc_name = ""
        # The outermost is told to be its own caller: that ends a backtrace.
        callers = frames[1:] + frames[-1:]
        for frame, caller in list(zip(frames, callers))[:depth]:
            self.frames.setdefault(frame.pc, []).append((frame, caller))
            self.pc_name = frame.pc_name()

    def find(self, frame):
        """The server's frame for gdb's, and its caller; None: there is none."""
        if not self.frames:
            return None
        for known in self.frames.get(read(frame, self.pc_name), []):
            if known[0].is_seen_in(frame):
                return known
        return None


def warn_of_cut(tid, frames):
    text = f"thread {tid}: its stack goes on after {len(frames)} frames"
    gdb.write(f"warning: {text}\n", gdb.STDERR)


def frames_in(said, whole):
    """What the server told, by thread."""
    threads = {}
    cut = []
    for line in said.splitlines():
        word, tid, *more = line.split(" ", 2)
        if word == "thread":
            last = int(tid)
            frames = threads[last] = []
            cut += [last] if more else []
        elif word == "[...":  # too long for one answer
            cut += [] if last in cut else [last]
        else:
            frames.append(Frame(line))
    for tid in cut if whole else ():
        warn_of_cut(tid, threads[tid])
    return threads


class Server:
    """
    Asks "vmcore serve".  gdb mostly wants to know where threads stand and no
    more, so that is asked for many threads at once.
    """

    AT_ONCE = 256

    def __init__(self):
        self.tops = {}  # stacks of innermost frames, by connection and thread
        self.stacks = {}  # whole ones

    def ask(self, key, stacks, words, depth=None):
        """The thread's stack: out of stacks, else from the server."""
        if key in stacks:
            return stacks[key]
        connection, tid = key
        stacks[key] = Stack([])  # should gdb look at frames meanwhile
        try:
            said = gdb.execute(f"monitor stacks {tid}{words}", to_string=True)
            threads = frames_in(said, whole=depth is None)
            for told, frames in threads.items():
                stacks[connection, told] = Stack(frames, depth)
        except (gdb.error, ValueError, NameError):
            pass  # another server, or no such thread
        return stacks[key]

    def find(self, frame):
        """The same as Stack.find(), in the selected thread."""
        thread = gdb.selected_thread()
        if thread is None:
            return None
        connection = getattr(thread.inferior, "connection_num", None)
        key = connection, thread.ptid[1]
        top = self.ask(key, self.tops, f" {self.AT_ONCE}", depth=1)
        if not top.frames:
            return None
        return top.find(frame) or self.ask(key, self.stacks, "").find(frame)


def callers_registers(pending, caller):
    """Names and values, with what gdb needs on ARM: the mode, as it was."""
    registers = dict(caller.registers)
    mode = read(pending, "cpsr")
    if mode is not None and pending.architecture().name().startswith("arm"):
        registers.setdefault("cpsr", mode)
    return registers.items()


class ServerUnwinder(Unwinder):
    """Tells gdb the caller's registers."""

    def __init__(self, server):
        super().__init__("vmcore")
        self.server = server

    def __call__(self, pending):
        known = self.server.find(pending)
        if known is None:
            return None
        frame, caller = known
        info = pending.create_unwind_info(frame.id)
        for name, value in callers_registers(pending, caller):
            of_type = pending.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(of_type))
        return info


class Argument:
    """A function's argument, as bt shows it."""

    def __init__(self, name, value):
        self.name = name
        self.known = value

    def symbol(self):
        return self.name

    def value(self):
        return self.known


def evaluate(text):
    """The value; None: it is not known."""
    try:
        value = gdb.parse_and_eval(text)
        return None if value.is_optimized_out else value
    except gdb.error:
        return None


def with_entry_value(argument):
    """
    The arguments to show for one of the selected frame's: with the value that
    it had when the function was entered, if the caller's registers tell it.
    """
    name = str(argument.symbol())
    entered = evaluate(f"{name}@entry")
    if entered is None:
        return [argument]
    now = evaluate(name)
    if now is None:
        return [Argument(f"{name}@entry", entered)]
    if now.format_string(raw=True) == entered.format_string(raw=True):
        return [Argument(f"{name}={name}@entry", now)]
    return [argument, Argument(f"{name}@entry", entered)]


class NamedFrame(FrameDecorator):
    """A frame of gdb's, with the server's name if there is no better one."""

    def __init__(self, base, server):
        super().__init__(base)
        self.server = server

    def function(self):
        name = super().function()
        if isinstance(name, str):
            return name
        seen = self.inferior_frame()
        known = self.server.find(seen)
        if known is not None and known[0].symbol:
            return known[0].symbol
        return seen.name() or "??"

    def frame_args(self):
        """
        gdb itself shows an error for an entry value that depends on a register
        which is not known, so it is told to show none: see the end.
        """
        arguments = super().frame_args()
        if not arguments:
            return arguments
        selected = gdb.selected_frame()
        self.inferior_frame().select()
        try:
            return [
                shown
                for argument in arguments
                for shown in with_entry_value(argument)
            ]
        finally:
            selected.select()


class UnknownFrame(FrameDecorator):
    """The frame of a thread without registers: its CPU was not stopped."""

    def address(self):
        return None

    def function(self):
        return "<unavailable>"

    def filename(self):
        return None

    def line(self):
        return None


def decorate(frame, server):
    try:
        frame.inferior_frame().pc()
    except gdb.error:
        return UnknownFrame(frame)
    return NamedFrame(frame, server)


class ServerFilter:
    """Frames as bt shows them.

    As there is a filter, gdb does not call the end of a stack a damage.
    """

    def __init__(self, server):
        self.name = "vmcore"
        self.priority = 100
        self.enabled = True
        self.server = server

    def filter(self, frames):
        return (decorate(frame, self.server) for frame in frames)


def read_modules():
    """
    Have gdb read the symbols of the kernel's modules, each section where it was
    loaded: the protocol cannot tell that of relocatable files.
    """
    try:
        said = gdb.execute("monitor gdb-modules", to_string=True)
    except gdb.error:
        return  # another server
    for command in said.splitlines():
        if not command.startswith("add-symbol-file "):
            continue
        try:
            gdb.execute(command, to_string=True)
        except gdb.error as error:
            gdb.write(f"warning: {command}: {error}\n", gdb.STDERR)


SERVER = Server()
register_unwinder(None, ServerUnwinder(SERVER), replace=True)
gdb.frame_filters["vmcore"] = ServerFilter(SERVER)
for what in ("main", "entry"):  # in a kernel, they are nothing special
    gdb.execute(f"set backtrace past-{what} on")
gdb.execute("set print entry-values no")  # NamedFrame shows those that are known
read_modules()
