"""Make gdb see the frames that vmcore sees.

A kernel's file may lack unwind tables, and no table tells what a trap
interrupted; gdb would guess.  The server knows: it is asked once for all
frames of a thread, with the registers of each.  "vmcore serve" sends this
script on "monitor unwinder"; "vmcore gdb" runs it.
"""

import json

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder


STACK_POINTERS = ("rsp", "esp", "sp")


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
    """A frame as the server tells it."""

    def __init__(self, told):
        self.symbol = told["symbol"]
        self.pc = int(told["pc"], 16)
        self.registers = {
            name: int(value, 16) for name, value in told["registers"].items()
        }
        self.id = None  # see identify()

    def sp(self):
        """The stack pointer; 0: unknown."""
        return max(self.registers.get(name, 0) for name in STACK_POINTERS)

    def is_seen_in(self, frame):
        """Has gdb's frame these registers?"""
        return all(
            read(frame, name) == value
            for name, value in self.registers.items()
        )


def identify(frames):
    """
    Give frames their ids.  gdb finds variables by a frame's address, the stack
    pointer of its caller.  But it takes a stack that goes down for a damaged
    one, while an interrupt may have a stack anywhere: where that lies above what
    it interrupted, or nothing is known, levels stand for addresses.
    """
    above = None
    callers = frames[1:] + frames[-1:]
    for level, frame in reversed(list(enumerate(frames, 1))):
        address = callers[level - 1].sp()
        if address == 0 or (above is not None and address > above):
            address = level
        frame.id = FrameId(address, frame.pc)
        above = address


def reached(frames):
    """
    Without frames at address 0, but for the innermost: a call through NULL
    leads there, and gdb takes it for the end of the stack.
    """
    return frames[:1] + [frame for frame in frames[1:] if frame.pc != 0]


class Server:
    """Asks "vmcore serve", once for each thread."""

    def __init__(self):
        self.asked = {}  # frames by connection and thread

    def ask(self, tid):
        try:
            said = gdb.execute(f"monitor frames {tid}", to_string=True)
            frames = reached([Frame(told) for told in json.loads(said)])
            identify(frames)
            return frames
        except (gdb.error, ValueError):
            return []  # another server, or no such thread

    def frames(self):
        """Of the selected thread, innermost first; none: gdb is on its own."""
        thread = gdb.selected_thread()
        if thread is None:
            return []
        connection = getattr(thread.inferior, "connection_num", None)
        key = (connection, thread.ptid)
        if key not in self.asked:
            self.asked[key] = []  # should gdb look at frames meanwhile
            self.asked[key] = self.ask(thread.ptid[1])
        return self.asked[key]


def callers_registers(pending, caller):
    """Names and values, with what gdb needs on ARM: the mode, as it was."""
    registers = dict(caller.registers)
    mode = read(pending, "cpsr")
    if mode is not None and pending.architecture().name().startswith("arm"):
        registers.setdefault("cpsr", mode)
    return registers.items()


class ServerUnwinder(Unwinder):
    """Tells gdb the caller's registers.

    The outermost frame is told to be its own caller, which ends a backtrace.
    """

    def __init__(self, server):
        super().__init__("vmcore")
        self.server = server

    def __call__(self, pending):
        frames = self.server.frames()
        callers = frames[1:] + frames[-1:]
        for frame, caller in zip(frames, callers):
            if frame.is_seen_in(pending):
                info = pending.create_unwind_info(frame.id)
                for name, value in callers_registers(pending, caller):
                    of_type = pending.read_register(name).type
                    value = gdb.Value(value).cast(of_type)
                    info.add_saved_register(name, value)
                return info
        return None


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
        for frame in self.server.frames():
            if frame.symbol and frame.is_seen_in(seen):
                return frame.symbol
        return seen.name() or "??"


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
        return (NamedFrame(frame, self.server) for frame in frames)


SERVER = Server()
register_unwinder(None, ServerUnwinder(SERVER), replace=True)
gdb.frame_filters["vmcore"] = ServerFilter(SERVER)
for what in ("main", "entry"):  # in a kernel, they are nothing special
    gdb.execute(f"set backtrace past-{what} on")
