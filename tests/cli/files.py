"""usage: files.py VMCORE GENDUMP

Files as people have them: compressed, of another build, damaged.
"""

import functools
import gzip
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

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
    files = ["-N", path("kern.id"), path("core.id")]
    expect(run(VMCORE, "ps", *files), status, message)
    expect(run(VMCORE, "gdb", "--gdb", "true", *files), status, message)


for kernel in (False, True):
    for core in (False, True):
        name = f"{'packed' if kernel else 'plain'} kernel, "
        name += f"{'packed' if core else 'plain'} core"
        tests.case(f"its own build: {name}", check_build, 1, kernel, core,
                   os.EX_OK, "")
        tests.case(f"another build: {name}", check_build, 2, kernel, core,
                   os.EX_DATAERR, f"build id {'02' * 20}, but ")


def check_same_build(what, old, new):
    """By its build id, it is the kernel: what is not the same is damaged."""
    file, at = with_build(KERNEL, 1)
    dump = put(CORE, CORE.index(KERNEL[at : at + 64]), note(1))
    assert dump.count(old) == 1
    files = ["-N", save("kern.id", file), save("core.id", dump.replace(old, new))]
    for words in (["ps"], ["info", "--json"]):
        result = run(VMCORE, *words, *files)
        expect(result, os.EX_OK, what)
        message = "is damaged in the dump, which has the build id of the kernel's"
        assert message in result.err, result
        assert "another kernel" not in result.err, result
    assert json.loads(result.out)["kernel_matches"] is True, result


tests.case("its own build, another version", check_same_build, "the version",
           b"FreeBSD 1", b"FreeBSD 9")
tests.case("its own build, a version that is no text", check_same_build, "the version",
           b"FreeBSD 1", b"FreeBSD\xff1")
# The version is not in the dump, and of the constants after it, one is another.
VERSION = CORE.index(b"FreeBSD 1")
CONSTANT = CORE.index(b"\xd4\0\0\0", VERSION)
tests.case("its own build, another constant", check_same_build, "_off_",
           CORE[VERSION : CONSTANT + 1], bytes(CONSTANT - VERSION) + b"\xd5")


def check_build_beside():
    """A minidump's messages need no kernel, so that one of another build does no harm."""
    file, at = with_build(KERNEL, 2)
    dump = put(CORE, CORE.index(KERNEL[at : at + 64]), note(1))
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("vmcore.7", dump), ("kernel.7", file)):
            with open(os.path.join(folder, name), "wb") as out:
                out.write(data)
        result = run(VMCORE, "dmesg", "vmcore.7", cwd=folder)
        expect(result, os.EX_OK, "kernel.7: not the kernel of vmcore.7, which is read without")
        assert result.raw != b"", result


tests.case("dmesg beside a kernel of another build", check_build_beside)

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


# ---- damaged and cut dumps ----

WHOLE = run(VMCORE, "ps", "-N", path("kern"), path("core"))
PIECE = 1 << 20


def zstd(data):
    words = ["zstd", "-qc", "-1", f"--stream-size={len(data)}"]
    return subprocess.run(words, input=data, check=True,
                          capture_output=True).stdout


def flip(data, at):
    return put(data, at, bytes([data[at] ^ 0x10]))


def frames(pack):
    return [pack(CORE[at : at + PIECE]) for at in range(0, len(CORE), PIECE)]


def check_cut_packed(pack, tail):
    """A dump that was cut is used, and is not trusted."""
    core = save("cut.packed", pack(CORE)[:-tail])
    result = run(VMCORE, "ps", "-N", path("kern"), core)
    expect(result, os.EX_DATAERR, "bytes could not be verified\n")
    assert " 0 bytes" not in result.err, result
    assert "this may be wrong" in result.err, result
    assert result.out == WHOLE.out, result


def check_flip(pack, at):
    """One wrong byte, and the last one is missing: never good."""
    packed = pack(CORE)
    core = save("flip.packed", flip(packed, int(at * len(packed)))[:-1])
    for words in (["ps"], ["bt"], ["info"]):
        result = run(VMCORE, *words, "-N", path("kern"), core)
        assert result.status == os.EX_DATAERR, result
        assert " 0 bytes" not in result.err, result


def check_frame(pack):
    """Of one damaged piece among others, only that is lost."""
    pieces = frames(pack)
    last = len(pieces) - 2
    pieces[last] = flip(pieces[last], len(pieces[last]) // 2)
    core = save("frame.packed", b"".join(pieces))
    result = run(VMCORE, "read", "-N", path("kern"), "hz", core)
    expect(result, os.EX_OK, "data from byte ")
    info = run(VMCORE, "info", "--json", "-N", path("kern"), core)
    info = json.loads(info.out)
    lost = info["lost_bytes"] + info["unverified_bytes"]
    assert lost == PIECE and info["missing_bytes"] == 0, info
    assert " is damaged" in info["damage"], info


LOST_MESSAGE = "this may not be all: some of it is in bytes that are lost"


def check_lost():
    """What is in a lost piece is not just said not to be in the dump."""
    words = ["bt", "-a", "-N", path("kern")]
    whole = run(VMCORE, *words, path("core"))
    results = []
    for at in range(1, len(frames(zstd)) - 1):
        pieces = frames(zstd)
        pieces[at] = flip(pieces[at], len(pieces[at]) // 2)
        core = save("lost.zst", b"".join(pieces))
        results.append(run(VMCORE, *words, core))
        same = results[-1].out == whole.out
        assert results[-1].status == os.EX_DATAERR or same, results[-1]
    assert any(LOST_MESSAGE in result.err for result in results), results


def check_sums(data, says):
    core = save("sums.packed", data)
    text = run(VMCORE, "info", "-N", path("kern"), core)
    expect(text, os.EX_OK)
    assert ("not for all of the compressed file" in text.out) == says, text
    data = json.loads(run(VMCORE, "info", "--json", core).out)
    assert data.get("verifiable") == (False if says else None), data


def check_two_frames(pack, before):
    """Two damaged pieces that touch look like one: what follows is no good."""
    pieces = frames(pack)
    start = len(pieces[0]) + len(pieces[1]) - before(pieces[1])
    end = len(pieces[0]) + len(pieces[1]) + 100
    packed = b"".join(pieces)
    core = save("two.packed", packed[:start] + bytes(end - start) + packed[end:])
    info = run(VMCORE, "info", "--json", "-N", path("kern"), core)
    info = json.loads(info.out)
    good = info["file_bytes"] - info["lost_bytes"] - info["unverified_bytes"]
    assert good == PIECE, info
    for words in (["ps"], ["bt", "-a"], ["read", "hz"]):
        whole = run(VMCORE, *words, "-N", path("kern"), path("core"))
        result = run(VMCORE, *words, "-N", path("kern"), core)
        assert result.status == os.EX_DATAERR or result.out == whole.out, result


for name, pack in (("gzip", gzip.compress), ("zstd", zstd)):
    for tail in (1, 8):
        tests.case(f"{name}: without its last {tail} bytes", check_cut_packed,
                   pack, tail)
    for at in (0.1, 0.5, 0.9):
        tests.case(f"{name}: a wrong byte at {at}, and cut", check_flip, pack,
                   at)
    tests.case(f"{name}: a damaged piece", check_frame, pack)


tests.case("gzip: two damaged pieces that touch", check_two_frames,
           gzip.compress, lambda piece: 8)
tests.case("zstd: two damaged pieces that touch", check_two_frames,
           zstd, lambda piece: len(piece) // 2)


tests.case("zstd: what was asked for is lost", check_lost)

# ---- compression that is no gzip and no zstd ----


@functools.cache
def packed(data, *command):
    return subprocess.run([*command, "-c"], input=data, check=True,
                          capture_output=True).stdout


def check_packed(command, how, message=None):
    result = run(VMCORE, "ps", "-N", save("kern.packed", packed(KERNEL, *command)),
                 save("core.packed", how(packed(CORE, *command))))
    if message is None:
        expect(result, os.EX_OK)
        assert result.out == WHOLE.out, result
    else:
        expect(result, os.EX_DATAERR, message)


def knows(compressor):
    said = run(VMCORE, "--version", "--json")
    return compressor in json.loads(said.out)["compressors"]


for command in (["xz", "-1"], ["bzip2", "-1"], ["lz4", "-q"]):
    if not shutil.which(command[0]):
        continue
    if not knows(command[0]):
        core = save("core.none", packed(CORE, *command))
        tests.case(f"{command[0]}: built without it", expect,
                   run(VMCORE, "info", core), os.EX_DATAERR, "this build without lib")
        continue
    tests.case(f"{command[0]}", check_packed, command, lambda data: data)
    tests.case(f"{command[0]}: cut in half", check_packed, command,
               lambda data: data[: len(data) // 2], "data is cut short")


# ---- files of several pieces ----

AT = len(CORE) // 2  # where the second piece starts
PIECES = [["gzip", "-1"], ["zstd", "-q1"], ["xz", "-1"], ["bzip2", "-1"], ["lz4", "-q"]]


def info_of(data):
    core = save("pieces", data)
    return json.loads(run(VMCORE, "info", "--json", "-N", path("kern"), core).out)


def check_pieces(command):
    """Pieces, and text after them: all but the text is certain."""
    core = save("pieces", packed(CORE[:AT], *command)
                + packed(CORE[AT:], *command) + b"text")
    result = run(VMCORE, "ps", "-N", path("kern"), core)
    assert result.out == WHOLE.out, result
    assert "may be wrong" not in result.err, result
    assert "is damaged" in result.err or "is cut short" in result.err, result


def check_zeros(command, pieces, gap, status):
    """Zeros between two pieces stand for what is lost; xz has 4, 8 and so on."""
    first, *rest = [packed(piece, *command) for piece in pieces]
    core = save("pieces", first + bytes(gap) + b"".join(rest) + bytes(512))
    result = run(VMCORE, "read", "--raw", "-N", path("kern"), "hz", core)
    whole = run(VMCORE, "read", "--raw", "-N", path("kern"), "hz", path("core"))
    expect(result, status, "")
    assert result.status != 0 or result.out == whole.out, result
    if status != 0:
        assert f" data from byte {len(first)} on is damaged" in result.err, result


def check_gone(command, gap):
    """A whole piece is missing: what follows is nowhere taken for good."""
    pieces = [CORE[:AT], CORE[AT : AT + PIECE], CORE[AT + PIECE :]]
    first, _, last = [packed(piece, *command) for piece in pieces]
    info = info_of(first + bytes(gap) + last)
    assert info["damage"].startswith(f"{command[0]} data ends before the dump"), info
    assert info["unverified_bytes"] == len(pieces[2]), info
    for words in (["ps"], ["bt", "-a"], ["read", "hz"]):
        whole = run(VMCORE, *words, "-N", path("kern"), path("core"))
        result = run(VMCORE, *words, "-N", path("kern"), path("pieces"))
        assert result.status == os.EX_DATAERR or result.out == whole.out, result


def check_header(command):
    """A later piece without its magic number is not the end of the file."""
    first, second = packed(CORE[:AT], *command), packed(CORE[AT:], *command)
    for i in range(3):
        info = info_of(first + flip(second, i))
        assert info["damage"].startswith(f"{command[0]} data from byte {len(first)} on"), info
        assert info["unverified_bytes"] == 0, info


def check_skippable(command):
    """Frames without data come first, as pzstd and seekable files have them."""
    frames = b"".join(struct.pack("<II", magic, size) + bytes(size)
                      for magic, size in [(0x184d2a50, 4), (0x184d2a5f, 100)])
    result = run(VMCORE, "ps", "-N", path("kern"),
                 save("skippable", frames + packed(CORE, *command)))
    assert (result.status, result.out) == (0, WHOLE.out), result


for command in [["zstd", "-q1"], ["lz4", "-q"]]:
    if shutil.which(command[0]) and knows(command[0]):
        tests.case(f"{command[0]}: frames without data come first", check_skippable, command)

for command in PIECES:
    if shutil.which(command[0]) and knows(command[0]):
        tests.case(f"{command[0]}: pieces, and text after them", check_pieces, command)
        tests.case(f"{command[0]}: a piece is gone", check_gone, command, 0)
        for gap in (1, 4, 512):
            padding = command[0] == "xz" and gap % 4 == 0
            tests.case(f"{command[0]}: pieces, and {gap} zeros between them", check_zeros,
                       command, (CORE[:AT], CORE[AT:]), gap,
                       os.EX_OK if padding else os.EX_DATAERR)
        tests.case(f"{command[0]}: a later piece's header", check_header, command)


def check_unsummed(command, option):
    """One piece without a checksum, whichever it is."""
    parts = CORE[:AT], CORE[AT:]
    for which in range(2):
        options = [[], option][:: 1 - 2 * which]
        check_sums(b"".join(packed(part, *command, *more)
                            for part, more in zip(parts, options)), True)
    check_sums(b"".join(packed(part, *command) for part in parts), False)


for command, option in [
    (["zstd", "-q1", "--check"], ["--no-check"]),
    (["xz", "-1"], ["--check=none"]),
    (["lz4", "-q"], ["--no-frame-crc"]),
    (["lz4", "-q"], ["--no-frame-crc", "-BX"]),
    (["gzip", "-1"], None),
    (["bzip2", "-1"], None),
]:
    if not shutil.which(command[0]) or not knows(command[0]):
        continue
    if option is None:
        tests.case(f"{command[0]}: has checksums", lambda command=command:
                   check_sums(packed(CORE, *command), False))
    else:
        tests.case(f"{command[0]}: a piece with {' '.join(option)}", check_unsummed,
                   command, option)


def xz(data, *options):
    return packed(data, "xz", *options)


def check_xz_unknown():
    """A kind of checksum that does not exist yet: of four bytes, as CRC32 is."""
    data = bytearray(xz(CORE, "-1", "--check=crc32"))
    flags = bytes([0, 2])
    data[6:12] = flags + struct.pack("<I", zlib.crc32(flags))
    data[-4:-2] = flags
    data[-12:-8] = struct.pack("<I", zlib.crc32(data[-8:-2]))
    check_sums(bytes(data), True)


def check_xz_memory():
    core = save("core.xz", xz(CORE[:9000]) + xz(CORE[9000:], "--lzma2=dict=256MiB"))
    words = ["ps", "-N", path("kern"), core]
    expect(run(VMCORE, *words), os.EX_DATAERR, " MB of memory to unpack, more")
    result = run(VMCORE, *words, env=os.environ | {"KVM_NOLIMIT": "1"})
    expect(result, os.EX_OK)
    assert result.out == WHOLE.out, result


if shutil.which("xz") and knows("xz"):
    tests.case("xz: zeros in the place of a piece", check_gone, ["xz", "-1"], 4096)
    tests.case("xz: an unknown kind of checksum", check_xz_unknown)
    tests.case("xz: a dictionary that takes memory", check_xz_memory)


# ---- what unpacking may cost ----


def check_hole(start, hole, end):
    """A file of gigabytes that takes no room on the disk."""
    core = save("hollow", start)
    os.truncate(core, len(start) + hole)
    with open(core, "ab") as file:
        file.write(end)
    if os.stat(core).st_blocks * 512 > hole // 16:
        return  # the file system has no holes
    expect(run(VMCORE, "info", core), os.EX_DATAERR, "compressed file is a hole")


tests.case("zeros after a dump are a hole", check_hole, gzip.compress(CORE, 1), 64 << 30, b"")
tests.case("a hole is in a frame without data", check_hole,
           struct.pack("<II", 0x184d2a50, 4095 << 20), 4095 << 20, zstd(CORE))


with open(VMCORE, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()


def limits():
    """No more memory than an input below 5 MB may take; a sanitizer has its own."""
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_DATA, (256 << 20, 256 << 20))


def check_bomb(start, message):
    """Little that unpacks to much: a start, and zeros or other bytes."""
    core = save("bomb.zst", start)
    result = run(VMCORE, "ps", "-N", path("kern"), core, preexec_fn=limits)
    expect(result, os.EX_DATAERR, message)


# The start of a dump that says to be longer than may be unpacked.
LONG = put(CORE, 28, b"\0\0\xf0\xff")[:100000]
FOREIGN = zstd(bytes(64 << 20)) * 100
ZEROS = zstd(LONG) + zstd(bytes(64 << 20)) * 150
LETTERS = zstd(LONG) + zstd(b"A" * (1 << 20)) * 400

tests.case("zeros are no dump", check_bomb, FOREIGN, "neither a minidump")
tests.case("a dump with too many zeros", check_bomb, ZEROS, "than 4096 MB with")
tests.case("a dump of too many bytes", check_bomb, LETTERS, "KVM_NOLIMIT=1")

# A short file takes no more time than its limit does: 64 MB of zeros, as often
# as go beyond it.
SHORT = {
    "gzip": (["gzip", "-9"], 2048),
    "xz": (["xz", "-1"], 1024),
    "bzip2": (["bzip2", "-9"], 256),
}


def check_short(command, limit):
    zeros = packed(bytes(64 << 20), *command)
    bomb = packed(LONG, *command) + zeros * (limit // 64 + 1)
    assert len(bomb) < 5000000, len(bomb)
    check_bomb(bomb, f"than {limit} MB with its zeros")


def few_seconds():
    limits()
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))


def check_members():
    """Places where a member might start, each of which takes all that follows."""
    damaged = bytearray(gzip.compress(CORE[:200000]))
    damaged[-8] ^= 1
    named = b"\x1f\x8b\x08\x08" + b"\x01" * 8  # a file name comes, without an end
    empty = b"\0\0\0\xff\xff"  # a stored block of no bytes
    core = save("members.gz", bytes(damaged) + named * 50000 + b"\0"
                + empty * 120000 + b"\7" * 4)
    result = run(VMCORE, "info", "-N", path("kern"), core, preexec_fn=few_seconds)
    expect(result, os.EX_DATAERR, "gzip data from byte 0 on is damaged")


tests.case("gzip: places where a member might start", check_members)

for kind, row in SHORT.items():
    if shutil.which(kind) and knows(kind):
        tests.case(f"{kind}: a short file with too many zeros", check_short, *row)


# ---- what follows a dump ----


def check_follows(pack, extra, status, message):
    """No more is unpacked than may follow a dump."""
    core = save("follows", pack(CORE + extra))
    result = run(VMCORE, "info", "--json", "-N", path("kern"), core,
                 preexec_fn=limits)
    if status == os.EX_OK:
        expect(result, status)
        assert result.err == "", result
    else:
        expect(result, status, message)
    info = json.loads(result.out)
    assert info["file_bytes"] <= len(CORE) + (17 << 20), info
    assert info["missing_bytes"] == 0, info


PACKERS = {"gzip": lambda data: gzip.compress(data, 1), "zstd": zstd}
for kind, pack in PACKERS.items():
    for name, extra, *want in [
        ("a few letters", b"A" * (1 << 20), os.EX_OK, ""),
        ("many letters", b"A" * (64 << 20), os.EX_OK, ""),
        ("many zeros", bytes(64 << 20), os.EX_OK, ""),
    ]:
        tests.case(f"{kind}: {name} after a dump", check_follows, pack, extra, *want)


def check_endless():
    """A frame of five gigabytes of zeros after the dump's: only that is doubtful."""
    zeros = (1 << 1 | (128 << 10) << 3).to_bytes(3, "little") + b"\0"
    core = save("endless", zstd(CORE) + b"\x28\xb5\x2f\xfd\0\x38" + zeros * (5 << 13))
    words = ["-N", path("kern"), core]
    info = json.loads(run(VMCORE, "info", "--json", *words, preexec_fn=limits).out)
    assert "goes on after the dump's end" in info["damage"], info
    assert info["unverified_bytes"] == 16 << 20, info
    result = run(VMCORE, "ps", *words)
    expect(result, os.EX_OK)
    assert result.out == WHOLE.out, result


tests.case("zstd: gigabytes after a dump", check_endless)


def check_io(**environment):
    core = save("core.gz", gzip.compress(CORE, 1))
    result = run(VMCORE, "info", "-N", path("kern"), core,
                 env=os.environ | environment)
    expect(result, os.EX_IOERR, "TMPDIR")


tests.case("no folder to unpack into", lambda: check_io(TMPDIR="/nonexistent"))

tests.run()
