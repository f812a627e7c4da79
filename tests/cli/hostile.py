"""usage: hostile.py VMCORE GENDUMP OBJCOPY

Kernel files that want memory: no command dies of one, takes more than the
project allows itself, or keeps silent about what it had to leave out.
"""

import gzip
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Skip, Tests

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
OBJCOPY, SANITIZER = sys.argv[3:5]
FOLDER = tempfile.TemporaryDirectory()

# Of anonymous memory, for any input below 5 MB.  A sanitizer takes its own.
MEMORY_MAX = 256 << 20
with open(VMCORE, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()

tests = Tests()


def path(name):
    return os.path.join(FOLDER.name, name)


class Ran:
    """What a command did, and the memory that it and its helpers had."""

    def __init__(self, *words, **options):
        with open(path("out"), "wb+") as out, open(path("err"), "wb+") as err:
            process = subprocess.Popen(
                [VMCORE, *words], stdout=out, stderr=err, **options
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            self.out = out.read(1 << 20).decode()
            self.err = err.read(1 << 20).decode()
        self.status = process.returncode
        self.cpu = usage.ru_utime
        unit = 1 if sys.platform == "darwin" else 1024
        self.memory = usage.ru_maxrss * unit

    def __repr__(self):
        return f"status {self.status}, {self.memory >> 20} MiB\n{self.err}"


def check(*words, status=os.EX_OK, err="", **options):
    ran = Ran(*words, **options)
    assert ran.status == status, ran
    assert err in ran.err, ran
    assert SANITIZED or ran.memory <= MEMORY_MAX, ran
    return ran


def make_dump():
    subprocess.run(
        [GENDUMP, "--variant", "amd64-v3", "--threads", "--mem", "4M"]
        + ["--seed", "7", "-o", path("core"), "-k", path("kernel")]
        + ["--json", path("json")],
        check=True,
    )


def add_sections(name, sections, *options):
    """A copy of the kernel with more sections."""
    words = [OBJCOPY, *options]
    for section, data in sections.items():
        part = path(name + section)
        with open(part, "wb") as file:
            file.write(data)
        words += ["--add-section", f"{section}={part}"]
    subprocess.run(words + [path("kernel"), path(name)], check=True)
    return path(name)


# ---- DWARF by hand, version 4 ----

ABBREVS = bytes(
    [1, 0x11, 0]  # a compile unit without children
    + [0x11, 0x01]  # DW_AT_low_pc, DW_FORM_addr
    + [0x12, 0x01]  # DW_AT_high_pc, DW_FORM_addr
    + [0x10, 0x17]  # DW_AT_stmt_list, DW_FORM_sec_offset
    + [0, 0, 0]
)


def unit():
    die = struct.pack("<BQQI", 1, 0, 2**64 - 2, 0)
    body = struct.pack("<HIB", 4, 0, 8) + die
    return struct.pack("<I", len(body)) + body


def line_table(nrows):
    """A line program of nrows special opcodes: one byte makes one row."""
    header = struct.pack("<BBBbBB", 1, 1, 1, -5, 14, 13)
    header += bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])
    header += b"\0" + b"x.c\0\0\0\0" + b"\0"
    program = struct.pack("<BBBQ", 0, 9, 2, 0x1000) + b"\x4b" * nrows
    program += b"\x00\x01\x01"
    body = struct.pack("<HI", 4, len(header)) + header + program
    return struct.pack("<I", len(body)) + body


def frame_table(nstates):
    """.debug_frame: one function, with nstates times DW_CFA_remember_state."""
    cie = struct.pack("<IB", 2**32 - 1, 4) + b"\0" + b"\x08\0\x01\x78\x10"
    cie += b"\x0c\x07\x08\x90\x01"
    cie += bytes(-len(cie) % 8)
    fde = struct.pack("<IQQ", 0, 0xFFFFFFFF80000000, 0x7FFFFFF0)
    fde += b"\x0a" * nstates
    fde += bytes(-len(fde) % 8)
    return b"".join(struct.pack("<I", len(e)) + e for e in (cie, fde))


def debug_sections(nrows):
    return {
        ".debug_abbrev": ABBREVS,
        ".debug_info": unit(),
        ".debug_line": line_table(nrows),
    }


# ---- cases ----


def without_debug(*words):
    return check(*words, "-N", path("kernel"), path("core")).out


def check_line_table(options):
    kernel = add_sections("lines", debug_sections(4000000), *options)
    ran = check("bt", "-a", "-N", kernel, path("core"), err="lines: its debug")
    assert "MiB of memory (VMCORE_DEBUG_LIMIT)" in ran.err, ran
    assert ran.err.count("VMCORE_DEBUG_LIMIT") == 1, ran
    assert ran.out == without_debug("bt", "-a")


def check_limit_raised():
    kernel = add_sections("few_lines", debug_sections(100000))
    small = dict(os.environ, VMCORE_DEBUG_LIMIT="2")
    ran = check("bt", "-N", kernel, path("core"), err="than 2 MiB", env=small)
    assert " at x.c:" not in ran.out, ran.out
    ran = check("bt", "-N", kernel, path("core"))
    assert ran.err == "", ran


def check_members_limit():
    """What memory did not suffice for is not taken for missing."""
    info = {".debug_info": unit() + b"\1" * (4 << 20)}
    kernel = add_sections("much_info", info)
    check("ps", "-N", kernel, path("core"),
          err="kernel's debug information needs more than 2 MiB",
          env=dict(os.environ, VMCORE_DEBUG_LIMIT="2"))


def check_small_stack():
    """The process that reads lines takes the stack that it may have."""
    if SANITIZED:
        raise Skip("a sanitizer takes more stack")
    kernel = add_sections("stack_lines", debug_sections(1000))
    little = 48 << 10

    def limit(hard):
        resource.setrlimit(resource.RLIMIT_STACK, (little, hard))

    words = ("bt", "-N", kernel, path("core"))
    env = {"PATH": os.defpath}
    usual = check(*words)
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    ran = check(*words, preexec_fn=lambda: limit(hard), env=env)
    assert (ran.out, ran.err) == (usual.out, usual.err), ran
    check(*words, preexec_fn=lambda: limit(little), env=env,
          err="needs a stack of more than 48 KB (ulimit -Hs)")


def check_little_memory():
    """Where the host has no memory for lines, that is said."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (16 << 20, 16 << 20))

    if SANITIZED:
        raise Skip("a sanitizer takes more memory")
    kernel = add_sections("memory_lines", debug_sections(10))
    ran = Ran("bt", "-N", kernel, path("core"), preexec_fn=limit)
    assert "out of memory" in ran.err, ran
    assert "VMCORE_DEBUG_LIMIT" not in ran.err, ran
    assert ran.status == os.EX_OSERR, ran


def check_unpack_memory():
    """Memory that is wanting is no damage."""
    if shutil.which("zstd") is None:
        raise Skip("no zstd here")
    with open(path("core"), "rb") as core, open(path("long.zst"), "wb") as out:
        # From a pipe, so that the frame asks for a window of 128 MB.
        cat = subprocess.Popen(["cat"], stdin=core, stdout=subprocess.PIPE)
        subprocess.run(
            ["zstd", "-q", "--long=27"], stdin=cat.stdout, stdout=out, check=True
        )
        cat.stdout.close()
        assert cat.wait() == 0

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (100 << 20, 100 << 20))

    check("info", path("long.zst"), status=os.EX_OSERR, err="out of memory",
          preexec_fn=limit)  # fmt: skip
    check("info", path("long.zst"))


def check_frames():
    kernel = add_sections("frames", {".debug_frame": frame_table(4000000)})
    ran = check("bt", "-a", "-N", kernel, path("core"), err="frames: its debug")
    assert ran.out == without_debug("bt", "-a")


def check_packed():
    """A compressed file allows no more than its own bytes are worth."""
    kernel, part = path("packed_info"), path("info")
    with open(part, "wb") as file:
        file.write(unit())
        for _ in range(90):
            file.write(b"\1" * (1 << 20))
    words = ["--add-section", f".debug_info={part}", path("kernel"), kernel]
    subprocess.run([OBJCOPY, *words], check=True)
    with open(kernel, "rb") as file, gzip.open(kernel + ".gz", "wb", 1) as out:
        shutil.copyfileobj(file, out, 1 << 20)
    needs = "debug information needs more than 80 MiB of memory"
    for command, what in ("bt", kernel + ".gz: its"), ("ps", "the kernel's"):
        ran = check(command, "-N", kernel + ".gz", path("core"))
        assert ran.err.count(f"{what} {needs}") == 1, ran
        assert ran.out == without_debug(command)


def find_compressed(data, name):
    """Where in the file the compressed section starts."""
    shoff = struct.unpack_from("<Q", data, 40)[0]
    shnum, shstrndx = struct.unpack_from("<HH", data, 60)
    headers = [
        struct.unpack_from("<IIQQQQ", data, shoff + 64 * i)
        for i in range(shnum)
    ]
    for header in headers:
        at = headers[shstrndx][4] + header[0]
        if data[at:].startswith(name.encode() + b"\0"):
            assert header[2] & 0x800, "not compressed"
            return header[4]
    raise AssertionError(f"no section {name}")


def change_header(kernel, name, field, value):
    """Change a field of the header of a compressed section."""
    with open(kernel, "rb+") as file:
        file.seek(find_compressed(file.read(), name) + field)
        file.write(value)


def compressed(name):
    """A kernel whose debug information is compressed."""
    sections = debug_sections(1000)
    sections[".debug_info"] += bytes(10000)
    sections[".debug_abbrev"] += bytes(10000)
    kernel = add_sections(name, sections)
    # objcopy packs what it finds, not what it adds.
    subprocess.run(
        [OBJCOPY, "--compress-debug-sections=zlib-gabi", kernel], check=True
    )
    return kernel


def check_unpacked_length(section, length):
    kernel = compressed("packed")
    change_header(kernel, section, 8, struct.pack("<Q", length))
    for command in ("bt", "ps"):
        ran = check(command, "-N", kernel, path("core"))
        assert ran.out == without_debug(command)


def make_hole(name, source):
    """A copy that goes on as a hole of 64 GiB."""
    shutil.copyfile(source, path(name))
    try:
        os.truncate(path(name), 64 << 30)
    except OSError as why:
        raise Skip(f"no file of 64 GiB: {why}") from why
    if os.stat(path(name)).st_blocks * 512 > 1 << 30:
        raise Skip("no holes in this file system")
    return path(name)


def check_hole_linked():
    link = b"debug.half\0\0" + struct.pack("<I", 0x12345678)
    kernel = add_sections("linked", {".gnu_debuglink": link})
    make_hole("debug.half", path("kernel"))
    ran = check("bt", "-a", "-N", kernel, path("core"))
    assert ran.out == without_debug("bt", "-a")


def check_hole_kernel():
    kernel = make_hole("hole", path("kernel"))
    check(
        "bt", "-N", kernel, path("core"), status=os.EX_DATAERR, err="is a hole"
    )


def check_hole_core():
    """A core in the kernel's place is called one, be it a hole or not."""
    with open(path("kernel"), "rb") as kernel:
        header = bytearray(kernel.read(64))
    header[16:18] = struct.pack("<H", 4)  # e_type: ET_CORE
    with open(path("holecore"), "wb") as core:
        core.write(header)
        core.truncate(256 << 20)
    check(
        "bt",
        "-N",
        path("holecore"),
        path("core"),
        status=os.EX_DATAERR,
        err="but an ELF core: name the kernel",
    )


def check_no_process():
    """Where no process can be made, there are no lines, and that is said."""

    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        if os.geteuid() == 0:  # who is above the limit
            os.setuid(65534)

    if SANITIZED:
        raise Skip("the sanitizer makes a process of its own")
    os.chmod(FOLDER.name, 0o755)
    kernel = add_sections("no_process", debug_sections(10))
    ran = check("bt", "-N", kernel, path("core"), preexec_fn=limit)
    assert "no process can be made" in ran.err, ran
    assert ran.out == without_debug("bt")


def check_damaged(section):
    """Lines that cannot be read are not just missing."""
    kernel = compressed("damaged")
    change_header(kernel, section, 0, struct.pack("<I", 99))  # ch_type
    ran = check("bt", "-a", "-N", kernel, path("core"))
    assert ran.out == without_debug("bt", "-a")
    note = f"{kernel}: its debug information is damaged: {section} cannot be unpacked"
    assert ran.err.count(note) == 1, ran
    ran = check("ps", "-N", kernel, path("core"))
    assert f"needs {section}, which cannot be unpacked" in ran.err, ran


def check_damaged_half(section):
    """Nor are those of a file that was split off."""
    half = path("split.debug")
    words = ["--only-keep-debug", compressed("unsplit"), half]
    subprocess.run([OBJCOPY, *words], check=True)
    change_header(half, section, 0, struct.pack("<I", 99))
    words = [f"--add-gnu-debuglink={half}", path("kernel"), path("split")]
    subprocess.run([OBJCOPY, *words], check=True)
    ran = check("bt", "-N", path("split"), path("core"))
    assert ran.out == without_debug("bt")
    assert f"{section} cannot be unpacked" in ran.err, ran


# ---- debug information that names further files ----


def check_fifo(sections, said=""):
    """A FIFO that is named as a file to read is not opened."""
    if not os.path.exists(path("fifo")):
        os.mkfifo(path("fifo"))
    kernel = add_sections("fifo_named", sections)
    for command in ("bt", "ps"):
        ran = check(command, "-N", kernel, path("core"))
        assert ran.out == without_debug(command)
        assert said in ran.err, ran


def dwz_sections():
    """A structure whose name is in dwz's file."""
    abbrevs = bytes([1, 0x11, 1, 0, 0, 2, 0x13, 0, 3, 0xA1, 0x3E, 0, 0, 0])
    body = struct.pack("<HIB", 4, 0, 8) + b"\1\2" + bytes(4) + b"\0"
    return {
        ".debug_abbrev": abbrevs,
        ".debug_info": struct.pack("<I", len(body)) + body,
        ".gnu_debugaltlink": b"fifo\0" + b"\x11" * 20,
    }


def dwo_sections():
    """Split DWARF: a structure whose name would be that of its unit."""
    named = bytes([0x76, 8])  # DW_AT_dwo_name, DW_FORM_string
    abbrevs = bytes([1, 0x13, 1]) + named + bytes([0, 0])
    abbrevs += bytes([2, 0x13, 0, 0x47, 0x13, 0, 0, 0])  # specification, ref4
    body = struct.pack("<HBBIQ", 5, 4, 8, 0, 1) + b"\1fifo\0"
    body += b"\2" + struct.pack("<I", 20) + b"\0"
    return {
        ".debug_abbrev": abbrevs,
        ".debug_info": struct.pack("<I", len(body)) + body,
    }


# ---- segments of notes ----


def check_notes(count, length):
    """Program headers of notes, which all lie in the same bytes of the file."""
    with open(path("kernel"), "rb") as file:
        kernel = bytearray(file.read())
    start = struct.unpack_from("<Q", kernel, 32)[0]
    old = struct.unpack_from("<H", kernel, 56)[0]
    headers = kernel[start : start + 56 * old]
    for i in range(count):
        headers += struct.pack(
            "<IIQQQQQQ", 4, 4, 4 * i, TEXT_VA, 0, length, length, 4
        )
    struct.pack_into("<Q", kernel, 32, len(kernel))
    struct.pack_into("<H", kernel, 56, old + count)
    kernel += headers + bytes(length + 4 * count)
    with open(path("notes"), "wb") as file:
        file.write(kernel)
    check("bt", "-N", path("notes"), path("core"))


# ---- kernels by hand: a section of instructions, and symbols ----

TEXT_VA = 0xFFFFFFFF80200000


def section_header(*words):
    return struct.pack("<IIQQQQIIQQ", *words)


def kernel_of(name, names, more=b""):
    """With functions of these names; more follows them in the string table."""
    text, strings, symbols = bytes(len(names)), bytearray(1), bytearray(24)
    for i, word in enumerate(names):
        va = TEXT_VA + i
        symbols += struct.pack("<IBBHQQ", len(strings), 18, 0, 1, va, 1)
        strings += word + b"\0"
    titles = b"\0.text\0.symtab\0.strtab\0"
    body, places = bytearray(64 + 56), []
    for part in (text, symbols, strings + more, titles):
        places.append((len(body), len(part)))
        body += part + bytes(-len(part) % 16)
    headers = section_header(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    headers += section_header(1, 1, 6, TEXT_VA, *places[0], 0, 0, 16, 0)
    headers += section_header(7, 2, 0, 0, *places[1], 3, 1, 8, 24)
    headers += section_header(15, 3, 0, 0, *places[2], 0, 0, 1, 0)
    headers += section_header(7, 3, 0, 0, *places[3], 0, 0, 1, 0)
    size, end = len(text), len(body)
    body[:64] = b"\x7fELF\2\1\1\x09" + bytes(8) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, TEXT_VA, 64, end, 0, 64, 56, 1, 64, 5, 4
    )
    body[64:120] = struct.pack(
        "<IIQQQQQQ", 1, 5, places[0][0], TEXT_VA, TEXT_VA, size, size, 4096
    )
    with open(path(name), "wb") as file:
        file.write(body + headers)
    return path(name)


def crowded(count):
    """Names whose FNV hashes begin alike, in a table of twice as many slots."""
    found, prime, mask = [], 0x100000001B3, 2**64 - 1
    slots = 1 << (2 * count - 1).bit_length()
    for i in range(2**20):
        start = b"%05x" % i
        hash = 0xCBF29CE484222325
        for byte in start:
            hash = (hash ^ byte) * prime & mask
        for byte in range(33, 127):
            last = (hash ^ byte) * prime & mask
            if ((last ^ last >> 32) & slots - 1) * 64 < slots:
                found.append(start + bytes([byte]))
        if len(found) >= count:
            return found[:count]


def check_symbols(names, more=b""):
    """These names cost about as much as others, not a hundred times that."""
    plain = kernel_of("plain", [b"%06x" % i for i in range(len(names))])
    kernel = kernel_of("symbols", names, more)
    usual = check("bt", "-N", plain, path("core"), status=os.EX_DATAERR)
    ran = check("bt", "-N", kernel, path("core"), status=os.EX_DATAERR)
    assert ran.cpu < 20 * max(usual.cpu, 0.1), (ran.cpu, usual.cpu)


# ---- answers of vmcore serve ----

RECURSION = ("ffs_read", "bread")
ANSWER_MAX = 32 << 20  # of text; its packets have two digits for a byte


def packet(command):
    payload = "qRcmd," + command.encode().hex()
    return f"${payload}#{sum(payload.encode()) & 0xFF:02x}"


def check_monitor(command):
    """What one command says is bounded, and says so where it is cut."""
    core, kernel = path("deep"), path("deep_kernel")
    subprocess.run(
        [GENDUMP, "--variant", "amd64-v3", "--procs", "4", "--mem", "6M"]
        + ["--recursion", "20000", "-o", core, "-k", path("short_names")],
        check=True,
    )
    renamed = [f"--redefine-sym={n}={n[0]}{chr(1) * 505}" for n in RECURSION]
    subprocess.run([OBJCOPY, *renamed, path("short_names"), kernel], check=True)
    with open(path("in"), "w") as file:
        file.write("+" + packet(command))
    with open(path("in")) as file:
        check("serve", "--stdio", "-N", kernel, core, stdin=file)
    with open(path("out"), "rb") as out:
        assert os.path.getsize(out.fileno()) < 2.1 * ANSWER_MAX
        said = b"".join(re.findall(rb"\$O([0-9a-f]*)#", out.read()))
    said = bytes.fromhex(said.decode())
    assert len(said) > ANSWER_MAX // 2, len(said)
    if command == "frames":
        frames = json.loads(said)
        assert [i for i, frame in enumerate(frames) if frame.get("cut")] == \
            [len(frames) - 1], len(frames)
    else:
        assert said.endswith(b"[... cut at 32 MB ...]\n"), said[-200:]


make_dump()
for command in ("frames", "stacks"):
    tests.case(f"monitor {command} of long names", check_monitor, command)
tests.case(
    "60,000 names in a part of the hash table", check_symbols, crowded(60000)
)
tests.case(
    "a string table without an end",
    check_symbols,
    [b"%06x" % i for i in range(60000)],
    b"x" * (6 << 20),
)
if SANITIZER == "none":  # memory is not bounded under one
    tests.case("a line table of 4 million rows", check_line_table, [])
    tests.case("a limit that is raised", check_limit_raised)
    tests.case("structures in little memory", check_members_limit)
    tests.case("a window of 128 MiB in 100", check_unpack_memory)
    tests.case("90 MiB from a file of 90 KB", check_packed)
tests.case("lines on a small stack", check_small_stack)
tests.case("lines in little memory", check_little_memory)
tests.case("an unwind table that remembers 4 million states", check_frames)
for section in (".debug_info", ".debug_abbrev", ".debug_line"):
    for length in (1 << 30, 1 << 40, 2**64 - 1):
        tests.case(
            f"{section} unpacks to {length} bytes",
            check_unpacked_length,
            section,
            length,
        )
    tests.case(f"{section} is damaged", check_damaged, section)
    tests.case(f"{section} is damaged, split off", check_damaged_half, section)
tests.case("a FIFO for dwz's file", check_fifo, dwz_sections(),
           "(.gnu_debugaltlink), which is not read")
tests.case("a FIFO for a .dwo", check_fifo, dwo_sections())
tests.case("a debug link to a hole of 64 GiB", check_hole_linked)
tests.case("a thousand segments of notes", check_notes, 1000, 1 << 20)
tests.case("a kernel that is a hole of 64 GiB", check_hole_kernel)
tests.case("a core that is a hole, for the kernel", check_hole_core)
tests.case("no process to be had", check_no_process)
tests.run()
FOLDER.cleanup()
