"""usage: scripts.py VMCORE GENDUMP

No script that comes with a kernel, a module or the folder of a dump is run by a
debugger that vmcore starts or advises, whatever the user's own settings trust.
"""

import os
import re
import shlex
import shutil
import sys
import tempfile

import kmodule
from server import Server
from tap import Skip, Tests, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:])
FOLDER = tempfile.TemporaryDirectory()

# GDB's manual, "The .debug_gdb_scripts section": text in Python.
PYTHON_TEXT = b"\4"

tests = Tests()


def path(name):
    return os.path.join(FOLDER.name, name)


def write(name, text):
    with open(path(name), "w") as file:
        file.write(text)


def python_mark(name):
    """A script that leaves a file of this name."""
    return f"open({path(name)!r}, 'w')\n"


def gdb_mark(name):
    return f"shell touch {shlex.quote(path(name))}\n"


def add_section(file, mark):
    """Give an ELF file a script of its own."""
    if shutil.which("objcopy") is None:
        raise Skip("no objcopy")
    with open(path("section"), "wb") as out:
        text = f"{file}\n{python_mark(mark)}\0"  # a name, then the script
        out.write(PYTHON_TEXT + text.encode())
    section = f".debug_gdb_scripts={path('section')}"
    result = run("objcopy", "--add-section", section, path(file))
    assert result.status == 0, result


def lay_out():
    """A dump, its kernel and a module with all scripts that there can be."""
    result = run(
        *(GENDUMP, "--variant", "amd64-v3", "--seed", "5", "--threads"),
        *("-o", path("core"), "-k", path("kernel")),
    )
    assert result.status == 0, result
    kmodule.build(path("zfs.ko"))
    for file in ("kernel", "zfs.ko"):
        add_section(file, f"{file} section ran")
        write(f"{file}-gdb.py", python_mark(f"{file}-gdb.py ran"))
        write(f"{file}-gdb.gdb", gdb_mark(f"{file}-gdb.gdb ran"))
    write(".gdbinit", gdb_mark(".gdbinit ran"))
    os.makedirs(path("home"), exist_ok=True)
    write("home/.gdbinit", f"add-auto-load-safe-path /\n{gdb_mark('users')}")
    write(
        "home/.lldbinit",
        "settings set target.load-script-from-symbol-file true\n",
    )


def environment():
    return {"HOME": path("home"), "PATH": os.environ["PATH"]}


def in_folder(*words):
    return run(*words, cwd=FOLDER.name, env=environment())


def ran():
    """The scripts that did; forgotten after that."""
    names = [name for name in os.listdir(FOLDER.name) if name.endswith(" ran")]
    for name in names:
        os.remove(path(name))
    return sorted(names)


def some_gdb():
    for gdb in ("gdb-multiarch", "gdb"):
        if shutil.which(gdb):
            return gdb
    raise Skip("no gdb here")


def check_own_file():
    if not os.path.exists(path("users")):
        raise AssertionError("the user's own gdbinit was not read")
    os.remove(path("users"))


# ---- the cases ----


def check_would_run():
    """The scripts are such as gdb runs for this user, if it is not told."""
    lay_out()
    in_folder(some_gdb(), "-batch", "-iex", "set osabi none", path("kernel"))
    want = [
        ".gdbinit ran",
        "kernel section ran",
        "kernel-gdb.gdb ran",
        "kernel-gdb.py ran",
    ]
    got = ran()
    assert got == want, got
    check_own_file()


def check_gdb():
    lay_out()
    result = in_folder(
        *(VMCORE, "gdb", "--gdb", some_gdb(), path("core")),
        *("--", "-batch", "-ex", "info symbol zfs_open"),
    )
    assert "zfs.ko" in result.out, result
    got = ran()
    assert got == [], (got, result)
    check_own_file()


def check_asked():
    """Who wants a kernel's scripts all the same can have them."""
    lay_out()
    result = in_folder(
        *(VMCORE, "gdb", "--gdb", some_gdb(), path("core")),
        *("--", "-batch", "-iex", "set auto-load python-scripts on"),
    )
    assert "kernel-gdb.py ran" in ran(), result


def check_advice(debugger, *words):
    """The line that serve prints, copied."""
    lay_out()
    command = [VMCORE, "serve", path("core")]
    with Server(command) as server:
        line = server.advice(debugger)
        result = in_folder(*words[:1], *line, *words[1:])
    got = ran()
    assert got == [], (got, shlex.join(line), result)
    return result


def check_gdb_advice():
    unwinder = "python exec(gdb.execute('monitor unwinder', False, True))"
    result = check_advice(
        *("gdb", some_gdb(), "-batch", "-ex", unwinder),
        *("-ex", "info symbol zfs_open"),
    )
    assert "zfs.ko" in result.out, result
    check_own_file()


def check_lldb_advice():
    lldb = shutil.which("lldb-19") or shutil.which("lldb")
    if lldb is None:
        raise Skip("no lldb here")
    show = "settings show target.load-script-from-symbol-file"
    result = check_advice("lldb", lldb, "--batch", "-o", show)
    assert re.search(r"load-script-from-symbol-file .* = false", result.out), (
        result
    )


tests.case("gdb by itself runs these scripts", check_would_run)
tests.case("vmcore gdb runs none", check_gdb)
tests.case("vmcore gdb runs them if it is told", check_asked)
tests.case("the gdb line that vmcore serve prints runs none", check_gdb_advice)
tests.case("the lldb line that vmcore serve prints runs none", check_lldb_advice)
tests.run()
