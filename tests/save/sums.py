"""usage: sums.py VMCORE

vmcore info --check: whether a saved dump is still what was saved.
"""

import hashlib
import json
import os

import images
from images import dump4
from scene import DATA, HAS_SHA256, VMCORE, Scene, put
from tap import Skip, Tests, expect, run

tests = Tests()


def check(path, *words):
    return run(VMCORE, "info", "--check", *words, path)


def saved(scene, *words):
    expect(scene.save("-k", *words), os.EX_OK)
    if not HAS_SHA256:
        raise Skip("no OpenSSL in this build")


def change(scene, name, change_bytes):
    data = change_bytes(scene.read(name))
    with open(scene.path(name), "wb") as file:
        file.write(data)


# ---- whole ----


def check_whole(image, name):
    with Scene(image) as scene:
        saved(scene)
        result = check(scene.path(name))
        expect(result, os.EX_OK)
        info = scene.path("info." + ("last" if "last" in name else "0"))
        line = f"{scene.path(name)}: whole: its SHA-256 is that in {info}\n"
        assert result.out == line and result.err == "", result


for row in [
    ("a dump", dump4(DATA), "vmcore.0"),
    ("the last dump's link", dump4(DATA), "vmcore.last"),
    ("what the kernel compressed", dump4(DATA, compression=2), "vmcore.0.zst"),
    ("an encrypted dump", dump4(DATA, key=bytes(512)), "vmcore_encrypted.0"),
    ("a textdump", images.textdump(DATA[:9728]), "textdump.tar.0"),
    ("a dump that ends in a hole", dump4(DATA + bytes(99999)), "vmcore.0"),
]:
    tests.case(f"whole: {row[0]}", check_whole, *row[1:])



def check_capitals():
    with Scene(dump4(DATA)) as scene:
        saved(scene)
        text = scene.read("info.0").decode()
        digits = SUM.split()[1]
        put(scene, "info.0", text.replace(digits, digits.upper()))
        expect(check(scene.path("vmcore.0")), os.EX_OK)


tests.case("whole: the sum in capitals", check_capitals)

# ---- not whole ----


def check_not_whole(change_bytes):
    with Scene(dump4(DATA)) as scene:
        saved(scene)
        change(scene, "vmcore.0", change_bytes)
        result = check(scene.path("vmcore.0"))
        expect(result, os.EX_DATAERR, ": not whole: its SHA-256 is not that in ")
        assert result.out == "", result


for name, change_bytes in [
    ("one bit", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    ("one byte less", lambda data: data[:-1]),
    ("one byte more", lambda data: data + b"\0"),
    ("nothing left", lambda data: b""),
]:
    tests.case(f"not whole: {name}", check_not_whole, change_bytes)

# ---- no sum ----

SUM = f"  SHA-256: {hashlib.sha256(DATA).hexdigest()}"


def check_no_sum(info, why):
    with Scene(b"") as scene:
        with open(scene.path("vmcore.0"), "wb") as file:
            file.write(DATA)
        if info is not None:
            put(scene, "info.0", info)
        result = check(scene.path("vmcore.0"))
        expect(result, os.EX_NOINPUT, f"/vmcore.0: no sum: {why}\n")
        assert result.out == "", result


NO_LINE = "its info file has no SHA-256"
for row in [
    ("no info.N", None, "there is no info file of it"),
    ("an empty info.N", "", NO_LINE),
    ("savecore's info.N", "  Bounds: 0\n  Dump Status: good\n", NO_LINE),
    ("a digit too few", SUM[:-1] + "\n", NO_LINE),
    ("a digit too many", SUM + "0\n", NO_LINE),
    ("letters after it", SUM + "zz\n", NO_LINE),
    ("a blank after it", SUM + " \n", NO_LINE),
    ("other letters in it", SUM[:-4] + "abcg\n", NO_LINE),
    ("inside of another line", f"  Panic String: {SUM}\n", NO_LINE),
    ("in a version's second line", f"    root@x\n  {SUM}\n", NO_LINE),
    ("past 64 KB", "x\n" * (1 << 15) + SUM + "\n", NO_LINE),
]:
    tests.case(f"no sum: {row[0]}", check_no_sum, *row[1:])


def check_beside(name):
    with Scene(dump4(DATA, key=KEY)) as scene:
        saved(scene)
        expect(check(scene.path(name)), os.EX_NOINPUT, "vmcore_encrypted.N, ")


def check_fifo():
    """Nobody waits for an info.N that is a pipe."""
    with Scene(b"") as scene:
        put(scene, "vmcore.0", "x")
        os.mkfifo(scene.path("info.0"))
        expect(check(scene.path("vmcore.0")), os.EX_NOINPUT, "no sum")


def check_another_file(image, core, other):
    """The sum is of the file that was saved, and of none beside it."""
    with Scene(image) as scene:
        saved(scene)
        assert core in scene.names(), scene.names()
        put(scene, other, "x")
        result = check(scene.path(other))
        stem = core.replace(".0", ".N")
        expect(result, os.EX_NOINPUT, f"no sum: its info file has that of {stem}, ")
        expect(check(scene.path(core)), os.EX_OK)


def check_hollow():
    """Zeros that are not there are not counted."""
    with Scene(b"") as scene:
        put(scene, "vmcore.0", "x")
        os.truncate(scene.path("vmcore.0"), 1 << 40)
        if os.stat(scene.path("vmcore.0")).st_blocks > 1 << 20:
            raise Skip("no holes here")
        put(scene, "info.0", SUM + "\n")
        result = check(scene.path("vmcore.0"))
        expect(result, os.EX_NOINPUT, "almost all of it is a hole")


def check_device():
    """A device without an end is not read to it."""
    with Scene(b"") as scene:
        os.symlink("/dev/zero", scene.path("vmcore.0"))
        put(scene, "info.0", SUM + "\n")
        result = check(scene.path("vmcore.0"))
        expect(result, os.EX_NOINPUT, "not a regular file")


def check_no_core():
    with Scene(b"") as scene:
        result = check(scene.path("vmcore.0"))
        expect(result, os.EX_NOINPUT, "No such file")
        assert result.out == "", result


tests.case("no sum: info.N is a pipe", check_fifo)
KEY = bytes([1]) * 512
for row in [
    ("compressed later", dump4(DATA), "vmcore.0", "vmcore.0.zst"),
    ("unpacked", dump4(DATA, compression=2), "vmcore.0.zst", "vmcore.0"),
    ("packed anew", dump4(DATA, compression=1), "vmcore.0.gz", "vmcore.0.zst"),
    ("decrypted", dump4(DATA, key=KEY), "vmcore_encrypted.0", "vmcore.0"),
    (
        "decrypted, and compressed by the kernel",
        dump4(DATA, key=KEY, compression=2),
        *("vmcore_encrypted.0", "vmcore.0.zst"),
    ),
    ("a textdump's vmcore", images.textdump(DATA[:9728]), "textdump.tar.0", "vmcore.0"),
    ("a kernel", dump4(DATA), "vmcore.0", "kernel.0"),
    ("a report", dump4(DATA), "vmcore.0", "core.txt.0"),
    ("another stem", dump4(DATA), "vmcore.0", "myvmcore.0"),
    ("a shorter stem", dump4(DATA), "vmcore.0", "vmc.0"),
]:
    tests.case(f"no sum: {row[0]}", check_another_file, *row[1:])
for name in ("key.0", "info.0"):
    tests.case(f"no sum: {name}", check_beside, name)
tests.case("no sum: a hole", check_hollow)
tests.case("no sum: a device", check_device)
tests.case("no dump", check_no_core)

# ---- what else is said ----


def check_was_bad():
    """A dump that was bad when it was saved is not called whole without it."""
    image = dump4(DATA)
    image = image[:-2] + bytes([image[-2] ^ 1]) + image[-1:]
    with Scene(image) as scene:
        saved(scene, "-f")
        result = check(scene.path("vmcore.0"))
        expect(result, os.EX_OK, "it was not whole when it was saved")
        result = check(scene.path("vmcore.0"), "--json")
        found = json.loads(result.out)
        assert found["check"] == "whole" and found["saved_bad"] is True, found


def check_json():
    with Scene(dump4(DATA)) as scene:
        saved(scene)
        path = scene.path("vmcore.0")
        want = {"core": path, "check": "whole"}
        want["sha256"] = want["sha256_saved"] = SUM.split()[1]
        assert json.loads(check(path, "--json").out) == want
        change(scene, "vmcore.0", lambda data: data[:-1])
        want |= {"check": "not whole"}
        want["sha256"] = hashlib.sha256(DATA[:-1]).hexdigest()
        assert json.loads(check(path, "--json").out) == want
        os.unlink(scene.path("info.0"))
        want = {"core": path, "check": "no sum", "why": "there is no info file of it"}
        assert json.loads(check(path, "--json").out) == want


def check_without_openssl():
    if HAS_SHA256:
        raise Skip("this build has OpenSSL")
    with Scene(b"") as scene:
        put(scene, "vmcore.0", "x")
        put(scene, "info.0", SUM + "\n")
        expect(check(scene.path("vmcore.0")), os.EX_UNAVAILABLE, "no OpenSSL")


tests.case("a dump that was bad before", check_was_bad)
tests.case("JSON", check_json)
tests.case("a build without OpenSSL", check_without_openssl)

tests.run()
