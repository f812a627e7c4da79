"""usage: unused.py TOP

Each function has a caller: outside of its own declaration and definition its
name stands somewhere in the code that is shipped.  What a public header offers
may be there for other programs; then a test calls it.
"""

import pathlib
import re
import sys

from tap import Tests

ROOMS = "format dumper kernel libkvm kdebug disk rsp cli".split()
CALLERS = [*ROOMS, "examples"]

# For programs that are not ours, and for parts of the kernel that are to come.
PUBLIC = [
    "libkvm/kvm.h", "dumper/dumper.h", "dumper/dump_page.h", "kernel/vm/uma.h",
    "kernel/sys/mutex.h", "kernel/sys/rwlock.h", "kernel/sys/sx.h",
    "kernel/sys/blist.h", "kernel/vm/swap_pager.h", "kernel/vm/vnode_pager.h",
    "kernel/sys/malloc.h",
    "kernel/vm/pmap.h", "kernel/vm/vm_page.h", "kernel/sys/pctrie.h",
    "kernel/vm/vm_fault.h", "kernel/vm/vm_map.h", "kernel/vm/vm_mmap.h",
    "kernel/vm/vm_object.h",
    "kernel/vm/vm_pager.h",
    "kernel/vm/vm_pageout.h",
]

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
# A definition's name starts a line, after the line of its type.
DEFINITION = re.compile(r"^(?:[A-Za-z].*[\w*])\n(\w+)\(", re.M)


def code(top, rooms, ending):
    for room in rooms:
        for path in sorted((top / room).rglob(f"*.{ending}")):
            yield path, COMMENT.sub("", path.read_text())


def definitions(top):
    """The functions that other files may call, and where they are."""
    for ending in "ch":
        for path, text in code(top, ROOMS, ending):
            for match in DEFINITION.finditer(text):
                if ending == "h" or "static" not in match[0].split("\n")[0]:
                    yield match[1], path.relative_to(top)


def uses(top, rooms):
    """Words that are neither a definition's name nor a header's declaration."""
    found = set()
    for path, text in (pair for ending in "chS"
                       for pair in code(top, rooms, ending)):
        for line in text.splitlines():
            if path.suffix == ".h" and not line.startswith(("\t", "#")):
                continue
            names = WORD.findall(line)
            found.update(names[1:] if line.startswith(tuple(names[:1]))
                         and line[len(names[0]):].startswith("(") else names)
    return found


def check(top):
    called = uses(top, CALLERS)
    tested = uses(top, ["tests", "bench"])
    promised = {name for header in PUBLIC
                for name in WORD.findall((top / header).read_text())}
    unused = [f"{path}: {name}()" for name, path in definitions(top)
              if name != "main" and name not in called
              and not (name in promised and name in tested)]
    assert not unused, "nothing calls:\n" + "\n".join(unused)


def main():
    tests = Tests()
    tests.case("each function has a caller", check, pathlib.Path(sys.argv[1]))
    tests.run()


main()
