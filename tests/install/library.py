"""usage: library.py TOP GENDUMP COMPILER ...

The library as FreeBSD gets it, under a name that does not hide the one of the
base system, and as a static library: a program that knows only pkg-config
builds against it.  That program is the example of kvm(3).
"""

import json
import os
import re
import shutil
import sys
import tempfile

from tap import Tests, run

TOP, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
COMPILER = sys.argv[3:]
FOLDER = tempfile.TemporaryDirectory()
NAME = "libvmcore-kvm"
LIBRARIES = [f"libkvm/{NAME}.a", f"libkvm/{NAME}.so.1.1.0"]

tests = Tests()


def path(*names):
    return os.path.join(FOLDER.name, *names)


def must(*words, **options):
    result = run(*words, timeout=600, **options)
    assert result.status == 0, result
    return result.out


def build():
    """Build the library alone, and lay it out as it would be installed."""
    options = ["-Ddefault_library=both", "-Dlibkvm_name=vmcore-kvm"]
    options += ["-Dtests=disabled", "--prefix", path("root"), "--libdir", "lib"]
    must("meson", "setup", *options, path("build"), TOP)
    where = json.loads(must("meson", "introspect", "--installed", path("build")))
    ours = {
        target: source
        for source, target in where.items()
        if re.search(r"(kvm|kvm_proc)\.(h|pc|a|so[.0-9]*)$", target)
    }
    must("ninja", "-C", path("build"), *LIBRARIES)
    for target, source in ours.items():
        # That of a symbolic link is its name alone.
        if os.path.basename(source) == source:
            source = path("build", "libkvm", source)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
    return sorted(os.path.relpath(name, path("root")) for name in ours)


def check_names():
    assert build() == [
        "include/vmcore/kvm.h",
        "include/vmcore/kvm_proc.h",
        f"lib/{NAME}.a",
        f"lib/{NAME}.so",
        f"lib/{NAME}.so.1",
        f"lib/{NAME}.so.1.1.0",
        f"lib/pkgconfig/{NAME}.pc",
    ]


def check_soname():
    said = must("readelf", "-d", path("root", "lib", f"{NAME}.so"))
    assert f"[{NAME}.so.1]" in said, said


def flags(*options):
    return must("pkg-config", *options, "--cflags", "--libs", NAME).split()


def write_example():
    with open(os.path.join(TOP, "docs", "kvm.3")) as page:
        text = re.search(r"^#include.*?(?=^\.Ed)", page.read(), re.M | re.S)[0]
    with open(path("hz.c"), "w") as file:
        file.write(text.replace("\\e", "\\"))


def check_example(program, *options):
    write_example()
    must(*COMPILER, "-o", path(program), path("hz.c"), *flags(*options))
    core, kernel = path("core"), path("kernel")
    must(GENDUMP, "--arch", "amd64", "--mem", "4M", "-o", core, "-k", kernel)
    assert must(path(program), kernel, core) == "hz = 100\n"


def check_static():
    said = must("pkg-config", "--print-requires-private", NAME)
    assert {"libelf", "libzstd", "zlib"} <= set(said.split()), said
    libraries = path("root", "lib")
    for name in os.listdir(libraries):
        if ".so" in name:
            os.unlink(os.path.join(libraries, name))
    check_example("static", "--static")
    said = must("readelf", "-d", path("static"))
    assert NAME not in said, said


os.environ["PKG_CONFIG_PATH"] = path("root", "lib", "pkgconfig")
os.environ["LD_LIBRARY_PATH"] = path("root", "lib")
tests.case("names that FreeBSD's library does not have", check_names)
tests.case("the interface has a version of its own", check_soname)
tests.case("a program with the shared library", check_example, "shared")
tests.case("a program with the static library", check_static)
tests.run()
