"""usage: prefixes.py TOP

The prefix of a structure's fields has one owner, so that grep finds the uses of
a field and nothing else.  Structures that are one thing in several parts may
share theirs: MODULES lists those.  Outside of the kernel, where FreeBSD's names
are, a structure's tag has one owner, too.
"""

import collections
import pathlib
import re
import sys

from tap import Tests

ROOMS = "format dumper kernel libkvm kdebug disk rsp cli".split()

# Structures that are one thing in several parts.
MODULES = [
    {"ksym", "ksyms"},
    {"mtx", "rwlock", "sx"},
    {"dwfile_cu", "dwfile_cus"},
]

# FreeBSD's names, which are what they are.
FREEBSD = {
    "cdev", "cdevsw", "kinfo_proc", "kvm_nlist", "kvm_page", "kvm_swap",
    "malloc_type", "mmap_req", "nlist", "proc", "region_descriptor", "vm_object",
    "vnode",
}

STRUCT = re.compile(
    r"^(?:static const |static |typedef )?(?:struct|union)\s+(\w+)\s*\{(.*?)^\}",
    re.S | re.M,
)
FIELD = re.compile(r"\b([a-z][a-z0-9]{0,4})_\w+(?:\[[^\]]*\])*\s*(?:[;,:]|\)\()")
ENUM = re.compile(r"^enum dump_(\w+) \{(.*?)^\}", re.S | re.M)
CONSTANT = re.compile(r"\bDUMP_\w+")
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def tags(top):
    """The files that define each structure, the kernel's left out."""
    found = collections.defaultdict(list)
    for room in ROOMS:
        for path in sorted((top / room).rglob("*.[ch]")):
            if room != "kernel":
                for struct, _ in STRUCT.findall(path.read_text()):
                    found[struct].append(str(path.relative_to(top)))
    return found


def owners(top):
    """The structures that use each prefix."""
    found = collections.defaultdict(set)
    for room in ROOMS:
        for path in sorted((top / room).rglob("*.[ch]")):
            text = COMMENT.sub("", path.read_text())
            for struct, body in STRUCT.findall(text):
                for prefix in FIELD.findall(body):
                    found[prefix].add(struct)
    return found


def collisions(top):
    for prefix, structs in sorted(owners(top).items()):
        others = structs - FREEBSD
        if len(others) > 1 and not any(others <= part for part in MODULES):
            yield prefix, sorted(others)


def check_owners(top):
    found = [f"{prefix}_: {' '.join(structs)}"
             for prefix, structs in collisions(top)]
    assert not found, "\n".join(found)


def check_tags(top):
    found = [f"struct {tag}: {' '.join(files)}"
             for tag, files in tags(top).items() if len(files) > 1]
    assert not found, "\n".join(found)


def check_constants(header):
    """Those of enum dump_class are DUMP_CLASS_*, and DUMP_NCLASSES."""
    for word, body in ENUM.findall(COMMENT.sub("", header.read_text())):
        stem = word.upper()
        for name in CONSTANT.findall(body):
            assert name.startswith((f"DUMP_{stem}_", f"DUMP_N{stem}")), (
                f"{name} of enum dump_{word}")


def main():
    top = pathlib.Path(sys.argv[1])
    tests = Tests()
    tests.case("no prefix of fields has a second owner", check_owners, top)
    tests.case("no tag of a structure has a second owner", check_tags, top)
    tests.case("a constant of the dumper names its enumeration",
               check_constants, top / "dumper/dumper.h")
    tests.run()


main()
