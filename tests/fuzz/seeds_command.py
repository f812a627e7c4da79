"""Command lines about dumps; the text before the file is that of cmdline.h."""

import gzip
import hashlib
import pathlib
import random

import seeds_file

# Words after the command's name.
READ = """
kernbase
allproc
allproc+8
allproc+0x
allproc+99999999999999999999
+
nothing
0xffffffff80200000
0xffffffffffffffff
0xffffffff80200000+0xffffffffffffffff
-l 64 version
-l 0 version
-l 1k version
-l 1M version
-l 1G 0
-l 16E 0
-l x version
-l version
--length=7 version
--raw version
--raw -l 5000 version
-p 0
-p 0x1000
-p -l 20000 0x1000
-p allproc
--cpu 0 gen_value
--cpu 1 gen_value
--cpu 99 gen_value
--cpu x gen_value
--cpu 4294967296 gen_value
--cpu 0 allproc
--vnet 0 gen_value
--vnet 1 gen_value
--vnet 0xffffffff80200000 gen_value
gen_value
version 7
version 7 8
-l 7 version 7
version x
0x
0xg
017
1z
""".strip().splitlines()

DUMP = {
    "info": ["", "--check", "--check --json", "--json", "-v", "--quack", "--json=1", "more"],
    "dmesg": ["", "--json", "-a", "-u", "--all", "--unread"],
    "modules": ["", "--json", "-v"],
    "ps": ["", "--json", "-H", "-t"],
    "bt": ["", "-a", "-a --json", "--json", "-t 100001", "-t 7", "-t x", "-t",
           "-a -t 1", "-n 3", "-n 0", "-v", "-a -v", "--full", "-p 0", "-p x"],
}

# In which the kernel and the dump are named, after the command and its options.
NAMED = ["@core{0}", "-N @kernel{0} @core{0}", "-N @kernel{0} -M @core{0}",
         "-N @kernel{0}", "-N @kernel{1} @core{0}", "-N nothing @core{0}",
         "--force -N @kernel{1} @core{0}", "@core{0} @core{0}", "nothing",
         "-N @core{0} @kernel{0}", "@file", "-N @file @core{0}", "@folder", "-h"]

NBASES = 29
FILES = [b"", b"x", b"\x7fELF", b"\x1f\x8b\x08\0", b"minidump FreeBSD/amd64".ljust(4096)]


def failing(command, base, kind, number):
    return f"{command} -N @kernel{base} @core{base}\n{kind} {number}\n\n".encode()


MONITOR = ["", "bt", "bt 100001", "bt 7", "bt x", "bt 1 2", "bt 1 2 3", "frames",
           "frames 100001", "frames 7", "notes", "stacks", "stacks 100001",
           "stacks 100001 2", "stacks 100001 x", "stacks 1 2 3", "help",
           "unwinder", "gdb-modules", "lldb-modules", "quack", "help me"]

# Dumps that are in the folder, by names that the command finds kernels by.
BESIDE = [
    ["bt vmcore.0", "vmcore.0>@core2", "kernel.0>@kernel2"],
    ["bt vmcore.0", "vmcore.0>@core2", "kernel0>@kernel2"],
    ["bt vmcore.last", "vmcore.last>vmcore.7", "vmcore.7>@core2", "kernel.7>@kernel2"],
    ["bt vmcore.last", "vmcore.last>vmcore.7", "vmcore.7>@core2", "kernel>@kernel2"],
    ["ps vmcore.x", "vmcore.x>@core2", "kernel>@kernel2"],
    ["ps vmcore.0", "vmcore.0>@core2", "kernel.0/", "kernel.0.gz>@kernel2"],
    ["info --json vm\udcffcore.0", "vm\udcffcore.0>@core2"],
    ["info vmcore.0.gz", "vmcore.0.gz>@core2", "info.0=Dump header from device"],
]


# A dump that was saved, and the text about it.
SAVED = "what was saved"
SUM = hashlib.sha256(SAVED.encode()).hexdigest()
INFO = [
    f"  SHA-256: {SUM}",
    f"  SHA-256: {SUM[::-1]}",
    f"  SHA-256: {SUM[:-1]}",
    f"  SHA-256: {SUM.upper()}",
    f"a\n\n  SHA-256: {SUM}\n  Dump Status: bad\n",
    "a\n  Dump Status: bad",
    f"  Compression: none\n  SHA-256: {SUM}\n  Dump Status: bade\n",
    f"  Compression: gzip\n  SHA-256: {SUM}\n  Dump Status: good",
    "a\0b",
    "x" * 70000,
    "",
]


def checked():
    """Dumps whose sums are compared with what info.N says."""
    def row(core, *entries, option="", info=""):
        return ("\n".join((f"info --check {option}{core}",) + entries)
                + "\n\n" + info).encode()
    for info in INFO:
        for name in ("vmcore.0", "vmcore.0.gz"):
            for option in ("", "--json "):
                yield row(name, "info.0>@file", f"{name}={SAVED}",
                          option=option, info=info)
    for entries in (["info.0/"], ["info.0|"], ["info.0>nowhere"], []):
        yield row("vmcore.0", "vmcore.0=x", *entries)
    for entry in ("vmcore.0>nowhere", "vmcore.0/", "vmcore.0|"):
        yield row("vmcore.0", entry, f"info.0={INFO[0]}")
    yield row("vmcore", "vmcore=x")
    yield row("vmcore.", "vmcore.=x", f"info.={INFO[0]}")
    for number in range(1, 25):
        for failure in ("!memory", "!files", "!places"):
            yield row("vmcore.0", f"vmcore.0={SAVED}", f"info.0={INFO[0]}",
                      f"{failure} {number}", option="--json ")
    yield row("vmcore.0", f"vmcore.0={SAVED}", f"info.0={INFO[0]}", "!bad 3 1 1")
    yield row("vmcore.0", f"vmcore.0={SAVED}", f"info.0={INFO[0]}", "!full")


def changes():
    """Bytes of base.h: words of the kernel that get others' values, or odd ones."""
    rng = random.Random(7)
    for _ in range(150):
        data = b"\0"
        for _ in range(rng.randrange(1, 12)):
            where = rng.randrange(3000).to_bytes(3, "little")
            if rng.random() < 0.7:
                other = rng.randrange(3000).to_bytes(3, "little")
                data += b"\x1f" + where + other
            else:
                data += b"\x17" + where + rng.choice(
                    [bytes(8), b"\xff" * 8, b"\1" + bytes(7)])
        yield data


def texts():
    """Minidumps with odd messages, or damaged ones."""
    whole = seeds_file.minidump()
    start = whole.index(b"text\n")
    for text in (b"", "\u20ac\u00e4".encode() * 400, b"x" * 2000, b"a\0b\n" * 400,
                 b"x" + "\u20ac".encode() * 600, b"\x80" * 2000):
        yield whole[:start] + text[:2000].ljust(2000, b"\0") + whole[start + 2000:]
    page = seeds_file.PAGE
    long = seeds_file.minidump(msgbuf=page)
    for text in (b"xx" + "\u20ac".encode() * 1364 + b"\xe2\x82", b"\x80" * page):
        yield long[:start] + text + long[start + page:]
    yield whole[:-5000]
    packed = gzip.compress(whole, mtime=0)
    yield packed[:-9]
    yield packed[:len(packed) // 2]
    yield packed[:500] + bytes([packed[500] ^ 0x55]) + packed[501:]


def owned():
    """Dumps that say who owned the pages that they left out."""
    every = bytes(range(256))
    for data in (seeds_file.minidump(owners=every), seeds_file.minidump(2, owners=every),
                 seeds_file.minidump(owners=b"\x55"), seeds_file.minidump(owners=every)[:-1],
                 seeds_file.minidump(owners=every)[:-4 * seeds_file.PAGE]):
        for command in ("info", "info --json", "read -N @kernel2 -M @file -p 0x3000",
                        "read -N @kernel2 -M @file -p 0x7000"):
            words = command if "@file" in command else f"{command} @file"
            yield f"{words}\n\n".encode() + data


def own(files):
    """Kernels with a dump of their own data."""
    for folder in files:
        for path in sorted(pathlib.Path(folder).iterdir()):
            for command in ("ps", "ps --json", "bt -a", "bt -a --json", "info",
                            "modules", "info --json", "dmesg"):
                yield f"{command} -N @file @own\n\n".encode() + path.read_bytes()


def unlucky():
    """What fails deep inside, and where the output has no room."""
    for command in ("bt -a --json", "ps --json", "modules --json", "info --json"):
        for number in [*range(90, 400, 17), *range(400, 3000, 151)]:
            yield failing(command, 2, "!memory", number)
    for command in ("bt -a --json", "bt -a", "ps", "ps --json", "modules",
                    "modules --json", "info", "info --json", "dmesg", "read version"):
        for base in (2, 20):
            yield f"{command} -N @kernel{base} @core{base}\n!full\n\n".encode()
        for places in ("4096 65536 999", "40960 4096 999"):
            yield f"{command} -N @kernel2 @core2\n!bad {places}\n\n".encode()


def monitor():
    """What a debugger asks of the remote server."""
    for words in MONITOR:
        for base in (0, 2, 6):
            yield f"monitor @kernel{base} @core{base} {words}\n\n".encode()
    yield b"monitor @kernel3 @core2 bt\n\n"
    yield b"monitor @kernel0 nothing bt\n\n"
    yield b"monitor @kernel2 @file bt\n\n" + gzip.compress(seeds_file.minidump(), mtime=0)
    yield b"monitor\n\n"
    for number in range(1, 400, 31):
        for command in ("frames", "bt", "gdb-modules"):
            yield (f"monitor @kernel0 @core0 {command}\n"
                   f"!memory {number}\n\n").encode()


def rows(files):
    for words in BESIDE:
        yield ("\n".join(words) + "\n\n").encode("utf-8", "surrogateescape")
    yield from own(files)
    for number, data in enumerate(changes()):
        base = (2, 2, 9, 20)[number % 4]
        for command in ("bt -a", "bt -a --json", "ps", "modules --json"):
            yield f"{command} -N @kernel{base} @change{base}\n\n".encode() + data
    for data in texts():
        for command in ("dmesg", "info", "info --json", "bt -N @kernel2", "dmesg -u",
                        "ps -N @kernel2", "dmesg -N @kernel2"):
            yield f"{command} @file\n\n".encode() + data
    for off in (0, 4096, 8192, 20000, 100000):
        for command in ("info", "dmesg", "bt -a -N @kernel2", "ps -N @kernel2"):
            yield f"{command} @core2\n!bad {off} 1 4096\n!files 1\n\n".encode()
            yield f"{command} @core2\n!bad {off} 1 99999999\n\n".encode()
    for words in READ:
        for base in ("2", "9"):
            yield f"read -N @kernel{base} -M @core{base} {words}\n\n".encode()
    for command, options in DUMP.items():
        for words in options:
            yield f"{command} {words} -N @kernel2 @core2\n\n".encode()
    for base in (2, 9, 20, 22):
        for number in range(1, 100):
            yield failing("bt -a", base, "!memory", number)
        for number in range(1, 40):
            yield failing("bt -a", base, "!files", number)
            yield failing("bt -a", base, "!places", number)
    for command in ("info --json", "dmesg", "modules --json", "ps --json",
                    "bt -a --json", "read version"):
        for number in range(20, 90):
            yield failing(command, 2, "!memory", number)
            yield f"{command} @core2\n!memory {number - 19}\n\n".encode()
        for number in range(1, 20):
            yield f"{command} @core2\n!files {number}\n\n".encode()
    for base in range(0, NBASES):
        yield f"bt -a --json -N @kernel{base} @core{base}\n\n".encode()
        yield f"info -N @kernel{base} @core{base}\n\n".encode()
        yield f"bt -N @kernel{base} @core{base}\n\n".encode()
        yield f"ps -N @kernel{base} @core{base}\n\n".encode()
    for named in NAMED:
        for number, file in enumerate(FILES):
            command = list(DUMP)[number % len(DUMP)]
            words = named.format(2, 3)
            yield f"{command} {words}\nkernel.0=x\n\n".encode() + file
            yield f"info --json {words}\n\n".encode() + file
    for more in (checked, monitor, owned, unlucky):
        yield from more()
