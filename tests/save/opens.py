"""usage: opens.py VMCORE GENDUMP LAY_OUT_SCRIPT

What vmcore save has saved is what was dumped, and the other commands open it:
generated dumps, and real ones if they are there.
"""

import filecmp
import os
import subprocess
import sys
import tempfile

from images import SWAP, UFS, disk, dump4
from tap import Skip, Tests, expect, run

VMCORE, GENDUMP, LAY_OUT = sys.argv[1:]
FOLDER = tempfile.TemporaryDirectory()
REAL = os.path.join(FOLDER.name, "real")

tests = Tests()


def save_from_disk(core, **changed):
    """Put the core on a disk's second swap, save it; path of the result."""
    image = os.path.join(FOLDER.name, "disk.img")
    with open(core, "rb") as file:
        data = file.read()
    size = -(-len(data) // 4096) * 4096 + (1 << 20)
    swap = dump4(data, 4096, size=size, **changed)
    parts = [(SWAP, bytes(1 << 20)), (UFS, bytes(1 << 16)), (SWAP, swap)]
    with open(image, "wb") as file:
        file.write(disk(parts, 4096))
    result = run(VMCORE, "save", image, FOLDER.name)
    os.unlink(image)
    expect(result, os.EX_OK)
    return result.out.rstrip("\n")


def same_answers(kernel, core, saved):
    assert filecmp.cmp(core, saved, shallow=False)
    for words in (["info"], ["ps"], ["bt", "-a"], ["dmesg"]):
        before = run(VMCORE, *words, "-N", kernel, core)
        after = run(VMCORE, *words, "-N", kernel, saved)
        assert before.status == after.status == os.EX_OK, after
        assert before.out.replace(core, saved) == after.out, after
        # The real dump's message buffer was not kept by those who cut it.
        assert after.out != "" or words == ["dmesg"], words


def check_generated(variant):
    paths = [os.path.join(FOLDER.name, f"{variant}.{part}") for part in "ckj"]
    core, kernel, expected = paths
    result = run(
        *(GENDUMP, "--variant", variant, "--seed", "5", "--threads"),
        *("-o", core, "-k", kernel, "--json", expected),
    )
    assert result.status == 0, result
    same_answers(kernel, core, save_from_disk(core))


def check_real(name, kernel):
    for suffix, compression in (("", 0), (".zst", 2)):
        core = os.path.join(REAL, name + suffix)
        if os.path.exists(core):
            saved = save_from_disk(core, compression=compression)
            assert saved.endswith(suffix), saved
            same_answers(os.path.join(REAL, kernel), core, saved)
            return
    raise Skip(f"no {name} here")


os.mkdir(REAL)
subprocess.run(["sh", LAY_OUT, REAL], stderr=subprocess.DEVNULL, check=False)
for variant in ("amd64-v1", "amd64-v3", "i386-full", "arm-v2-be"):
    tests.case(f"saves and opens {variant}", check_generated, variant)
tests.case(
    "saves and opens a real minidump",
    *(check_real, "vmcore-amd64-minidump", "kernel-amd64"),
)
tests.run()
