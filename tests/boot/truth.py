"""usage: truth.py RUN-KERNEL KERNEL VMCORE SAME-MEMORY

One machine, stopped in its debugger, is dumped three times: version 1, version
3, and all of its memory.  All say the same, and what the kernel printed.
"""

import functools
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import letter
import machine
import tap

run_kernel, kernel, vmcore, same_memory = sys.argv[1:]
scratch = tempfile.TemporaryDirectory(prefix="vmcore-boot-")
work = pathlib.Path(scratch.name)

MB = 1 << 20
MEMORY = 64 * MB
SCRIPT = "fill 9;items 3000;freed;user 4194304"

# Settings in the debugger before each dump, and the format that they give.
KINDS = {
    "v1": ("debug.minidump=1", "debug.minidump_version=1"),
    "v3": ("debug.minidump=1", "debug.minidump_version=3"),
    "full": ("debug.minidump=0",),
}

# The variables that the dump path writes; it also uses a stack, and a part of
# the page set.
DUMP_PATH_VARIABLES = {
    "dumppcb",  # registers, by doadump()
    "minidump",  # set in the debugger
    "minidump_version",
    "dumpdevs",
    "devs",
    "ndevs",
    "machine",  # what the writer is told: the time; and what it says
    "sinks",
    "work",
    "result",
    "said_tenths",
    "disks",  # the driver, and its queues
    "polled_mem",
    "msgbuf_space",  # what was printed
}


def tool(*words):
    return subprocess.run(
        [str(word) for word in words], check=True, capture_output=True
    ).stdout


class Symbols:
    """The kernel's variables and functions."""

    def __init__(self):
        self.place = {}  # name -> (start, end)
        for line in tool("nm", "-S", kernel).decode().splitlines():
            fields = line.split()
            if len(fields) == 4:
                start, length = int(fields[0], 16), int(fields[1], 16)
                self.place[fields[3]] = (start, start + length)

    def at(self, va):
        for name, (start, end) in self.place.items():
            if start <= va < end:
                return name
        return None


class Dumped:
    """The machine's console, and its three dumps."""

    def __init__(self):
        self.disks = {
            kind: machine.make_disk(work / f"disk.{kind}", MEMORY + 2 * MB)
            for kind in KINDS
        }
        with machine.Machine(
            *(run_kernel, kernel, f'kern.script="{SCRIPT}"'),
            memory=MEMORY // MB,
            disks=self.disks.values(),
        ) as m:
            m.wait_for("(?m)^# ")
            m.send("ddb\r")
            m.wait_for("(?m)^db> ")
            for number, kind in enumerate(KINDS):
                self.dump(m, kind, f"vtbd{number}")
            self.thread = m.command("show thread", prompt="db> ")
        self.text = m.text
        self.cores = {
            kind: machine.dump_of(disk, work / f"core.{kind}")
            for kind, disk in self.disks.items()
        }

    def dump(self, m, kind, disk):
        for setting in (*KINDS[kind], f"kern.shutdown.dumpdevname={disk}"):
            assert " -> " in m.command(f"sysctl {setting}", prompt="db> ")
        assert "Dump complete" in m.command("dump", prompt="db> ")

    def find(self, pattern):
        found = re.findall(pattern, self.text)
        assert found, (pattern, self.text)
        return found


the_machine = functools.cache(Dumped)
the_symbols = functools.cache(Symbols)


def place_of(name):
    """Address and length of a variable."""
    start, end = the_symbols().place[name]
    return start, end - start


def minidump(kind):
    return letter.Minidump(the_machine().cores[kind].read_bytes())


def read(kind, where, length, *options):
    """Through libkvm; None: it is not in the dump."""
    result = subprocess.run(
        [vmcore, "read", "--raw", *options, "-N", kernel]
        + [hex(where), str(length), the_machine().cores[kind]],
        capture_output=True,
        check=False,
    )
    return result.stdout if result.returncode == 0 else None


# ---- what the kernel printed ----


def checksum(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total


def check_patterns(reader):
    fills = the_machine().find(r"fill: (0x\w+) (\d+) bytes, sum (0x\w+)")
    assert len(fills) == 9
    for va, length, want in fills:
        data = reader(int(va, 16), int(length))
        assert data is not None and len(data) == int(length), va
        assert checksum(data) == int(want, 16), va


def check_items(reader):
    ((count, last),) = the_machine().find(r"items: (\d+), the last at (0x\w+)")
    where = int(last, 16)
    for number in reversed(range(int(count))):
        link, this, check = struct.unpack("<3Q", reader(where, 24))
        assert this == number
        assert (link ^ this) * 0x5851F42D4C957F2D % (1 << 64) == check
        where = link
    assert where == 0


def patterns(kind):
    check_patterns(functools.partial(read, kind))


def no_panic(kind):
    """The debugger's thread took the dump; none crashed."""
    core = the_machine().cores[kind]

    def ask(command):
        words = [vmcore, command, "--json", "-N", kernel, core]
        return json.loads(
            subprocess.run(words, capture_output=True, check=True).stdout
        )

    info, threads = ask("info"), ask("ps")
    assert info["panic"] is None and info["panic_why"] == "none", info
    (dumper,) = (td for td in threads if "(dumping)" in td["display_name"])
    assert dumper["state"] == "running" and dumper["stopped"], dumper
    assert "rip" in dumper["registers"], dumper
    assert all(td["state"] != "crashed" and td["stopped"] for td in threads)
    assert str(dumper["tid"]) in the_machine().thread, dumper


def gone():
    """Physical addresses of freed slabs, and of memory of user land."""
    m = the_machine()
    slabs = " ".join(m.find(r"freed: \w+ map: (.*)\n")).split()
    user = m.find(r"user: 1024 pages.*, the last at (0x\w+)")
    assert len(slabs) == 24
    return [int(pa, 16) for pa in slabs + user]


def not_dumped(kind):
    for pa in gone():
        assert (read(kind, pa, 8, "-p") is not None) == (kind == "full"), pa


# ---- three dumps of one machine ----


def stack_of_dumper():
    (stack,) = re.findall(r"stack (0x\w+)-(0x\w+)", the_machine().thread)
    return tuple(int(bound, 16) for bound in stack)


def chosen_pages():
    """The part of the page set that each dump writes: dp_base, dp_frozen."""
    fields = struct.unpack_from("<10Q", read("v1", *place_of("kernel_dump_pages")))
    return fields[8], fields[9] + 8 * fields[3]


@functools.cache
def written_by_dumps():
    """Ranges of addresses, ascending."""
    variables = [the_symbols().place[name] for name in DUMP_PATH_VARIABLES]
    return sorted([*variables, stack_of_dumper(), chosen_pages()])


def may_differ(start, end):
    for low, high in written_by_dumps():
        if low <= start < high:
            start = high
    return start >= end


def same(kind, other):
    m = the_machine()
    said = tool(same_memory, kernel, m.cores[kind], m.cores[other]).decode()
    assert "lacks" not in said, said
    npages = len(list(minidump(kind).pages()))
    assert said.endswith(f"pages {npages}\n"), said[-100:]
    for differs in re.findall(r"differs (0x\w+) (0x\w+)", said):
        start, end = (int(bound, 16) for bound in differs)
        assert may_differ(start, end), (differs, the_symbols().at(start))


# ---- to the letter ----


def device(kind):
    dev = letter.Device(the_machine().disks[kind])
    dev.check()
    version = read(kind, *place_of("version"))
    assert dev.version_string.encode() + b"\0" == version
    assert dev.panic_string == ""
    assert dev.hostname == "vmcore"
    assert dev.dump() == the_machine().cores[kind].read_bytes()


def by_the_letter(kind):
    dump = minidump(kind)
    dump.check()
    check_patterns(dump.read)
    check_items(dump.read)
    for pa in gone():
        assert dump.offset(pa - pa % letter.PAGE) is None


def full_by_the_letter():
    dump = letter.FullDump(the_machine().cores["full"].read_bytes())
    dump.check([segment[:2] for segment in minidump("v3").segments])


def page_array(kind):
    """Each page of a dump is described by a page of the dump."""
    dump = minidump(kind)
    (array,) = letter.words(dump.read(*place_of("vm_page_array")))
    segments = dump.read(*place_of("vm_phys_segs"))
    pages = set(dump.pages())
    for start, end, first in struct.iter_unpack("<QQI4x", segments):
        for pa in range(start, end, letter.PAGE):
            if pa in pages:
                va = array + 32 * (first + (pa - start) // letter.PAGE)
                assert len(dump.read(va, 32)) == 32


def kernel_file():
    """FreeBSD's tools know it for a kernel."""
    head = pathlib.Path(kernel).read_bytes()[:8]
    assert head == b"\x7fELF\2\1\1\x09", head
    said = tool("readelf", "-p", ".interp", kernel).decode()
    assert "/red/herring" in said, said
    start, _ = the_symbols().place["btext"]
    for kind in ("v1", "v3"):  # LLDB looks for the file's header there
        assert read(kind, start - start % letter.PAGE, 8) == head, kind


tests = tap.Tests()
tests.case("the kernel's file is a FreeBSD kernel's", kernel_file)
for name in KINDS:
    tests.case(f"{name}: memory is what the kernel printed", patterns, name)
    tests.case(f"{name}: the dump on its device", device, name)
    tests.case(f"{name}: nothing panicked or crashed", no_panic, name)
    tests.case(f"{name}: freed slabs and user memory", not_dumped, name)
for name in ("v1", "v3"):
    tests.case(f"{name}: to the letter", by_the_letter, name)
    tests.case(f"{name}: its pages are described", page_array, name)
tests.case("full: to the letter", full_by_the_letter)
for pair in (("v1", "v3"), ("v1", "full"), ("v3", "full")):
    tests.case("{}: {} has the same bytes".format(*pair), same, *pair)
tests.run()
