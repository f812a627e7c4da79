"""usage: names.py VMCORE GENDUMP

What a terminal obeys in the names of files and in the words of a command line
does not reach it, whatever the command prints them for.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import images
from tap import Tests, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:])
FOLDER = tempfile.TemporaryDirectory()

# A colour, a forged message, a title, two kinds of C1, text that runs from
# right to left, no width, no UTF-8; and characters that may stay.
BAD = (
    b"\x1b[31m\nvmcore: forged\x1b]0;title\x07\x7f\xc2\x9b\x9b"
    b"\xe2\x80\xae\xe2\x80\x8b\xff\xc3\xa9"
)
SHOWN = (
    r"\x1b[31m\x0avmcore: forged\x1b]0;title\x07\x7f\xc2\x9b\x9b"
    r"\xe2\x80\xae\xe2\x80\x8b\xffé"
)
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")

HOME = os.path.join(os.fsencode(FOLDER.name), BAD)
KERNEL = os.path.join(HOME, b"kernel")
CORE = os.path.join(HOME, b"vmcore" + BAD)
NOTHING = os.path.join(HOME, b"nothing")
JUNK = os.path.join(HOME, b"junk" + BAD)
DISK = os.path.join(HOME, b"disk" + BAD)
CUT = os.path.join(HOME, b"cut" + BAD)
SPOOL = os.path.join(HOME, b"spool")

tests = Tests()


def lay_out():
    for folder in HOME, SPOOL:
        os.mkdir(folder)
    plain = [os.path.join(FOLDER.name, name) for name in ("kernel", "core")]
    result = run(
        *(GENDUMP, "--variant", "amd64-v3", "--seed", "5", "--threads"),
        *("-o", plain[1], "-k", plain[0]),
    )
    assert result.status == os.EX_OK, result
    for source, path in zip(plain, (KERNEL, CORE), strict=True):
        shutil.move(source, path)
    with open(CORE, "rb") as core, open(CUT, "wb") as out:
        out.write(core.read(100000))
    for path, data in (JUNK, b"junk"), (DISK, images.dump4(b"x" * 9000)):
        with open(path, "wb") as out:
            out.write(data)


def check_safe(raw):
    """Text for a terminal; returns it."""
    text = raw.decode()  # which fails if it is no UTF-8
    assert not UNSAFE.search(text), raw
    assert "\nvmcore: forged" not in text, raw
    return text


def check(status, shown, *words):
    """The command ends so and shows the name, in whole, safely."""
    done = subprocess.run(
        [VMCORE, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == status, done
    said = check_safe(done.stdout) + check_safe(done.stderr)
    assert not shown or SHOWN in said, said


def check_serve(*words):
    with subprocess.Popen(
        [VMCORE, "serve", *words, CORE], stderr=subprocess.PIPE
    ) as process:
        said = b""
        for line in process.stderr:
            said += line
            if line.startswith(b"  lldb"):
                break
        process.terminate()
        said += process.stderr.read()
    assert process.returncode == os.EX_OK, said
    assert SHOWN in check_safe(said), said


def check_json():
    """The name is there as it is; if it is not UTF-8, it is escaped."""
    for name, want in (
        ("name\x1b\n\x9b\u202eé".encode(), "name\x1b\n\x9b\u202eé"),
        (BAD, SHOWN),
    ):
        folder = os.path.join(os.fsencode(FOLDER.name), b"json", name)
        os.makedirs(folder)
        kernel = os.path.join(folder, b"kernel")
        shutil.copy(KERNEL, kernel)
        words = [VMCORE, "modules", "--json", "-N", kernel, CORE]
        done = subprocess.run(words, capture_output=True, check=False)
        assert done.returncode == os.EX_OK, done
        check_safe(done.stdout)
        check_safe(done.stderr)
        file = json.loads(done.stdout)[0]["file"]
        assert file.endswith(f"/{want}/kernel"), file


def check_bar():
    """The bar that unpacking shows on a terminal."""
    packed = os.path.join(HOME, b"p" + BAD[:20] + b".gz")
    with open(packed, "wb") as out:
        out.write(gzip.compress(bytes(1 << 30), 1))
    terminal, end = os.openpty()
    process = subprocess.Popen(
        [VMCORE, "info", "-N", KERNEL, packed], stderr=end
    )
    os.close(end)
    said = b""
    try:
        while piece := os.read(terminal, 4096):
            said += piece
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(terminal)
    process.wait()
    check_safe(said.replace(b"\r", b""))


lay_out()
for name, status, shown, *words in (
    ("an option", os.EX_USAGE, True, "bt", b"--" + BAD),
    ("an argument", os.EX_USAGE, True, "ps", "-N", "x", BAD, CORE),
    ("a command", os.EX_USAGE, True, BAD),
    ("help of a command", os.EX_USAGE, True, "help", BAD),
    ("a shell", os.EX_USAGE, True, "completion", BAD),
    ("a version", os.EX_USAGE, True, "--version", BAD),
    ("a thread", os.EX_USAGE, True, "bt", "-t", BAD, CORE),
    ("a symbol", os.EX_DATAERR, False, "read", "x" + "\x1b", CORE),
    ("a length", os.EX_USAGE, True, "read", "-l", BAD, "0", CORE),
    ("no core", os.EX_NOINPUT, True, "info", NOTHING),
    ("no kernel", os.EX_NOINPUT, True, "bt", "-N", NOTHING, CORE),
    ("no dump", os.EX_DATAERR, True, "bt", "-N", KERNEL, JUNK),
    ("no dump for info", os.EX_DATAERR, True, "info", JUNK),
    ("a bad kernel", os.EX_DATAERR, True, "bt", "-N", JUNK, CORE),
    ("a cut dump", os.EX_DATAERR, True, "ps", "-N", KERNEL, CUT),
    ("info", os.EX_OK, False, "info", CORE),
    ("ps", os.EX_OK, False, "ps", CORE),
    ("bt", os.EX_OK, False, "bt", CORE),
    ("dmesg", os.EX_OK, False, "dmesg", CORE),
    ("modules", os.EX_OK, True, "modules", CORE),
    ("gdb", os.EX_UNAVAILABLE, True, "gdb", "--gdb", NOTHING, CORE),
    ("serve on a taken path", os.EX_UNAVAILABLE, True)
    + ("serve", "--unix", JUNK, CORE),
    ("a port", os.EX_USAGE, True, "serve", "--tcp", BAD, CORE),
    ("save, asked", os.EX_OK, True, "save", "-C", DISK),
    ("save", os.EX_OK, True, "save", "-v", DISK, SPOOL),
    ("save from nowhere", os.EX_NOINPUT, True, "save", NOTHING, SPOOL),
    ("save to nowhere", os.EX_CANTCREAT, True, "save", DISK, NOTHING),
):
    tests.case(name, check, status, shown, *words)
tests.case("serve", check_serve)
tests.case("JSON", check_json)
tests.case("the bar", check_bar)
tests.run()
