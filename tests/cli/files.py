"""usage: files.py VMCORE GENDUMP

Files as people have them: compressed, of another build, damaged.
"""

import gzip
import os
import struct
import subprocess
import sys
import tempfile

from tap import Tests, expect, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory()

tests = Tests()


def path(name):
    return os.path.join(FOLDER.name, name)


def load(name):
    with open(path(name), "rb") as file:
        return file.read()


def save(name, data):
    with open(path(name), "wb") as file:
        file.write(data)
    return path(name)


def generate(core, kernel, *words):
    subprocess.run(
        [GENDUMP, "--arch", "amd64", "--mem", "4M", "--threads", *words]
        + ["-o", path(core), "-k", path(kernel)],
        check=True,
    )


generate("core", "kern")
CORE, KERNEL = load("core"), load("kern")


# ---- a kernel of another build ----


def note(build):
    return struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes([build]) * 20


def put(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def with_build(kernel, build):
    """The kernel with a build id where its code ends, and at which offset."""
    phdrs = [struct.unpack_from("<IIQQQQQQ", kernel, 64 + 56 * i)
             for i in range(5)]
    text = next(ph for ph in phdrs if ph[0] == 1)
    last = text[5] - 64
    places = [place + last for place in text[2:5]]
    header = struct.pack("<IIQQQQQQ", 4, 4, *places, 36, 36, 4)
    return put(put(kernel, places[0], note(build)), 64, header), places[0]


def check_build(build, kernel, core, status, message):
    file, at = with_build(KERNEL, build)
    assert CORE.count(KERNEL[at : at + 64]) == 1
    dump = put(CORE, CORE.index(KERNEL[at : at + 64]), note(1))
    save("kern.id", gzip.compress(file, 1) if kernel else file)
    save("core.id", gzip.compress(dump, 1) if core else dump)
    result = run(VMCORE, "ps", "-N", path("kern.id"), path("core.id"))
    expect(result, status, message)


for kernel in (False, True):
    for core in (False, True):
        name = f"{'packed' if kernel else 'plain'} kernel, "
        name += f"{'packed' if core else 'plain'} core"
        tests.case(f"its own build: {name}", check_build, 1, kernel, core,
                   os.EX_OK, "")
        tests.case(f"another build: {name}", check_build, 2, kernel, core,
                   os.EX_DATAERR, f"build id {'02' * 20}, but ")

# ---- the kernel beside the dump ----


def check_beside(core, named, kernels, want):
    """Which of the kernels that lie beside crash/core is taken?"""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "crash"))
        files = {core: CORE} | {name: b"none" for name in kernels}
        for name, data in (files | {want: KERNEL}).items():
            data = gzip.compress(data, 1) if name.endswith(".gz") else data
            with open(os.path.join(folder, "crash", name), "wb") as file:
                file.write(data)
        os.symlink("crash/" + core, os.path.join(folder, "vmcore.last"))
        expect(run(VMCORE, "ps", named, cwd=folder), os.EX_OK)
        expect(run(VMCORE, "ps", os.path.basename(named),
                   cwd=os.path.join(folder, os.path.dirname(named))), os.EX_OK)


for core, named, kernels, want in (
    ("vmcore.3", "crash/vmcore.3", ["kernel.2", "kernel"], "kernel.3"),
    ("vmcore.3", "crash/vmcore.3", ["kernel.2", "kernel.33"], "kernel"),
    ("vmcore.3", "crash/vmcore.3", ["kernel"], "kernel.3.gz"),
    ("vmcore.3", "crash/vmcore.3", ["kernel.2"], "kernel.gz"),
    ("vmcore.12.gz", "crash/vmcore.12.gz", ["kernel.1", "kernel"], "kernel.12"),
    ("vmcore", "crash/vmcore", ["kernel.0"], "kernel"),
    ("vmcore3", "crash/vmcore3", ["kernel.3"], "kernel"),
    ("vmcore.3", "vmcore.last", ["kernel.last", "kernel"], "kernel.3"),
):
    tests.case(f"{want} for {named}", check_beside, core, named, kernels, want)

tests.run()
