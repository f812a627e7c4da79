"""usage: debuggers.py VMCORE LAY_OUT_SCRIPT

Unmodified gdb and lldb on real dumps through "vmcore serve", over each of its
transports: threads, registers, memory and refusals are what the dumps'
expected.json says.
"""

import os
import shlex
import sys
import tempfile

import realdumps
from checks import same, skip, tests
from clients import Case, find, knows, try_gdb, try_lldb
from server import Client, Server

VMCORE, LAY_OUT = (os.path.abspath(path) for path in sys.argv[1:])


def try_case(case, folder, gdb, multi, lldb):
    name = case.name
    serve = [VMCORE, "serve", "-N", case.kernel, "-M", case.core]
    scratch = os.path.join(folder, "stack")
    path = os.path.join(folder, "socket")

    if gdb and knows(gdb, case.kernel):
        pipe = "| " + shlex.join([*serve, "--stdio"])
        try_gdb(f"{name}: gdb, pipe", case, gdb, pipe, scratch)
    else:
        skip(f"{name}: gdb", "no gdb here for this machine")
    if multi:
        with Server([*serve, "--unix", path]) as s:
            label = f"{name}: gdb-multiarch, Unix socket, beside another client"
            other = Client(path)
            try_gdb(label, case, multi, path, scratch)
            same(f"{label}: who stays", other.ask(b"qAttached"), b"1")
        same(f"{name}: the server ended well", s.status, 0)
    else:
        skip(f"{name}: gdb-multiarch", "no gdb-multiarch here")
    if lldb:
        with Server([*serve, "--tcp", "0"]) as s:
            attach = s.advice("lldb")
            try_lldb(f"{name}: lldb, TCP", case, lldb, attach, scratch)
        same(f"{name}: the server ended well again", s.status, 0)
    else:
        skip(f"{name}: lldb", "no lldb here")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, kernel, core, want in realdumps.lay_out(LAY_OUT, folder):
            case = Case(name, VMCORE, kernel, core, want, backtraces=True,
                        all_registers="amd64" in name)
            try_case(case, folder, *find())
    tests.run()


main()
