"""usage: hardened.py FORTIFY FILE ...

The program and the library are linked as meson.build means it, seen in the
files themselves.  FORTIFY is "fortify" if the C library's checks are in them.
"""

import os
import re
import shutil
import sys

from tap import Skip, Tests, run

FORTIFY, *FILES = sys.argv[1:]
tests = Tests()


def readelf(option, file):
    if shutil.which("readelf") is None:
        raise Skip("no readelf")
    result = run("readelf", "-W", option, file)
    assert result.status == 0, result
    return result.out


def check_anywhere(file):
    """It can be loaded anywhere."""
    assert re.search(r"Type: +DYN ", readelf("-h", file)), file


def check_relro(file):
    """What the loader fills in is read only after that, and filled in first."""
    assert "GNU_RELRO" in readelf("-l", file), file
    dynamic = readelf("-d", file)
    assert re.search(r"FLAGS.*(BIND_NOW|NOW)", dynamic), dynamic


def check_stack(file):
    """Nothing runs on the stack."""
    stack = re.search(r"GNU_STACK.* (R\w*) ", readelf("-l", file))
    assert stack and "E" not in stack[1], file


def imports(file):
    return re.findall(r" UND (\w+)", readelf("--dyn-syms", file))


def check_canary(file):
    """Functions look whether their frames are whole."""
    assert "__stack_chk_fail" in imports(file), imports(file)


def check_fortified(file):
    """Functions of the C library that know the room they have."""
    if FORTIFY != "fortify":
        raise Skip("not in this configuration")
    checked = [name for name in imports(file) if name.endswith("_chk")]
    assert checked, imports(file)


for path in FILES:
    label = os.path.basename(path)
    tests.case(f"{label}: can be loaded anywhere", check_anywhere, path)
    tests.case(f"{label}: relocations are read only", check_relro, path)
    tests.case(f"{label}: the stack is no code", check_stack, path)
    tests.case(f"{label}: stack protector", check_canary, path)
    tests.case(f"{label}: checks of the C library", check_fortified, path)
tests.run()
