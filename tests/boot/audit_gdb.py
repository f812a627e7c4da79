"""Walk all that a dumped kernel has, in gdb, and say what the dump lacks.

From the kernel's variables by the pointers in them to every structure, as the
debug information describes them; and from some structures to the memory that
they keep: stacks, slabs, buckets, page tables.  A line for each thing:

    lacks 0xffffffff8213f000 stack of thread 100012
    walked 312345 items

gdb knows what the kernel's structures are; whole pages are read by letter.py,
because gdb takes milliseconds for each.  CORE names the dump.
"""

import collections
import os
import pathlib
import re

import gdb
import letter
from letter import FRAME, LARGE, PAGE, PRESENT

VPG_SLAB = 2
UMA_ZONE_BULK = 0x200  # a dump does not need the items

# Structures in pages that a dump may leave out.
BULK = {"pv_chunk"}

# Described by themselves: see check_slab().
APART = {"vm_page"}

walked = collections.Counter()


def number(expression):
    return int(gdb.parse_and_eval(expression))


class Memory:
    """The dump, page by page."""

    def __init__(self, path):
        self.dump = letter.Minidump(pathlib.Path(path).read_bytes())
        self.pages = {}  # va -> bytes, None if the dump lacks it
        self.missed = set()

    def page(self, va):
        if va not in self.pages:
            try:
                self.pages[va] = self.dump.read(va, PAGE)
            except letter.Absent:
                self.pages[va] = None
        return self.pages[va]

    def has(self, va, length, what):
        """Are all bytes there?  What is not is said, once."""
        first = va - va % PAGE
        lacks = [
            page
            for page in range(first, va + length, PAGE)
            if self.page(page) is None
        ]
        for page in set(lacks) - self.missed:
            print(f"lacks {page:#x} {what}")
        self.missed.update(lacks)
        return not lacks

    def read(self, va, length):
        """Bytes that are there."""
        start = va % PAGE
        pages = range(va - start, va + length, PAGE)
        data = b"".join(self.page(page) for page in pages)
        return data[start : start + length]

    def word(self, va):
        return int.from_bytes(self.read(va, 8), "little")


memory = Memory(os.environ["CORE"])
DMAP = memory.dump.dmapbase


# ---- pointers from structure to structure ----


def target_of(type_):
    """The structure that a pointer of this type leads to, or None."""
    if type_.code != gdb.TYPE_CODE_PTR:
        return None
    target = type_.target().strip_typedefs().unqualified()
    if target.code != gdb.TYPE_CODE_STRUCT or target.tag in APART:
        return None
    return target if target.sizeof > 0 and target.fields() else None


def pointers_in(type_, offset=0):
    """(offset, structure) of all pointers in an object of this type."""
    type_ = type_.strip_typedefs().unqualified()
    if type_.code == gdb.TYPE_CODE_ARRAY:
        element = type_.target()
        inside = pointers_in(element)
        count = type_.sizeof // element.sizeof if inside else 0
        return [
            (offset + i * element.sizeof + at, target)
            for i in range(count)
            for at, target in inside
        ]
    if type_.code == gdb.TYPE_CODE_STRUCT:
        return [
            pointer
            for field in type_.fields()
            for pointer in pointers_in(field.type, offset + field.bitpos // 8)
        ]
    target = target_of(type_)
    return [(offset, target)] if target else []


class Reach:
    """All structures that pointers lead to."""

    def __init__(self):
        self.shapes = {}  # pointers_in() by the structure's name
        self.origins = {}  # (va, structure) -> (va, what) with the pointer
        self.todo = []

    def add(self, va, pointers, what):
        """Those in what is at va."""
        for offset, target in pointers:
            at = memory.word(va + offset)
            if at != 0 and (at, target.tag) not in self.origins:
                self.origins[at, target.tag] = (va, what)
                self.todo.append((at, target))

    def way(self, at, tag):
        """How it was reached, backwards, as far as a reader wants to know."""
        said = f"struct {tag}"
        for _ in range(6):
            if (at, tag) not in self.origins:
                break
            at, what = self.origins[at, tag]
            said += f", by {what} at {at:#x}"
            tag = what.removeprefix("struct ")
        return said

    def follow(self):
        while self.todo:
            at, type_ = self.todo.pop()
            what = f"struct {type_.tag}"
            walked["structures"] += 1
            if type_.tag in BULK and memory.page(at - at % PAGE) is None:
                walked["bulk"] += 1
            elif memory.has(at, type_.sizeof, self.way(at, type_.tag)):
                shape = type_.tag
                if shape not in self.shapes:
                    self.shapes[shape] = pointers_in(type_)
                self.add(at, self.shapes[shape], what)


def variables():
    """The kernel's variables, of all files."""
    listed = gdb.execute("info variables -q -n", to_string=True)
    names = set(re.findall(r"\b(\w+)(?:\[\d*\])*;$", listed, re.MULTILINE))
    for name in sorted(names):
        found = list(gdb.lookup_static_symbols(name))
        found.append(gdb.lookup_global_symbol(name))
        for symbol in found:
            if symbol and symbol.is_variable and not symbol.needs_frame:
                yield symbol


def check_variables():
    reach = Reach()
    for symbol in variables():
        value = symbol.value()
        if value.address is None:
            continue  # a constant, which is nowhere
        walked["variables"] += 1
        if memory.has(int(value.address), value.type.sizeof, symbol.name):
            pointers = pointers_in(value.type)
            reach.add(int(value.address), pointers, symbol.name)
    reach.follow()


# ---- the image ----


def check_image():
    """All of it, but for the guard pages of its stacks."""
    guards = {number("&thread0_stack.guard")}
    guards |= {number(f"&ist_stacks[{i}].guard") for i in range(3)}
    memory.missed |= guards
    for page in range(number("&_text"), number("&_end"), PAGE):
        walked["pages of the image"] += 1
        memory.has(page, PAGE, "image")
    assert not any(memory.page(guard) for guard in guards)
    msgbuf = gdb.parse_and_eval("*msgbufp")
    memory.has(int(msgbuf["msg_ptr"]), int(msgbuf["msg_size"]), "messages")


# ---- threads and CPUs ----


def linked(first, *link):
    """Values of a list, from the first pointer on."""
    while int(first) != 0:
        value = first.dereference()
        yield value
        for name in link:
            value = value[name]
        first = value


def check_thread(thread):
    walked["threads"] += 1
    length = int(thread["td_kstack_pages"]) * PAGE
    what = f"stack of thread {int(thread['td_tid'])}"
    memory.has(int(thread["td_kstack"]), length, what)


def check_threads():
    allproc = gdb.parse_and_eval("allproc.lh_first")
    for proc in linked(allproc, "p_list", "le_next"):
        for thread in linked(
            proc["p_threads"]["tqh_first"], "td_plist", "tqe_next"
        ):
            check_thread(thread)
    dead = gdb.parse_and_eval("dead.tqh_first")
    for thread in linked(dead, "td_runq", "tqe_next"):
        check_thread(thread)


def check_cpus():
    stack_len = number("sizeof(thread0_stack.stack)")
    for cpu in range(number("mp_ncpus")):
        walked["CPUs"] += 1
        tss = gdb.parse_and_eval(f"cpuid_to_pcpu[{cpu}]->pc_tss")
        for i in range(3):
            top = int(tss["tss_ist"][i])
            what = f"stack {i} of CPU {cpu}"
            memory.has(top - stack_len, stack_len, what)


# ---- UMA ----


class PageArray:
    """Where the structures of pages are, and whether they are there."""

    def __init__(self):
        page = gdb.lookup_type("struct vm_page")
        self.entry_len = page.sizeof
        self.flags_at = page["flags"].bitpos // 8
        self.start = number("vm_page_array")
        self.segments = [
            tuple(
                number(f"vm_phys_segs[{i}].{field}")
                for field in ("start", "end", "first")
            )
            for i in range(number("vm_phys_nsegs"))
        ]

    def entry(self, va):
        pa = memory.dump.physical(va)
        for start, end, first in self.segments:
            if start <= pa < end:
                index = first + (pa - start) // PAGE
                return self.start + index * self.entry_len
        raise AssertionError(f"{va:#x} is at {pa:#x}, which is not memory")

    def check(self, va, slab):
        """The page at va belongs to a slab, and knows it."""
        entry = self.entry(va)
        if memory.has(entry, self.entry_len, "page array"):
            assert memory.word(entry) == slab, hex(va)
            flags = memory.read(entry, self.entry_len)[self.flags_at]
            assert flags & VPG_SLAB, hex(va)


def is_bulk(keg):
    return int(keg["uk_flags"]) & UMA_ZONE_BULK != 0


def check_slab(keg, slab, array):
    """Its memory, and that memory's pages."""
    walked["slabs"] += 1
    name = keg["uk_name"].string()
    data, length = int(slab["us_data"]), int(slab["us_size"])
    if is_bulk(keg) and memory.page(data) is None:
        walked["slabs of bulk"] += 1
    elif memory.has(data, length, f"slab of {name}"):
        for va in range(data, data + length, PAGE):
            array.check(va, int(slab.address))


def check_bucket(keg, bucket, count):
    """Itself, and count items in it if a keg has them; NULL is none."""
    if int(bucket) == 0:
        return
    walked["buckets"] += 1
    room = int(bucket["ub_entries"])
    memory.has(int(bucket), bucket.type.target().sizeof + 8 * room, "bucket")
    for i in range(int(count)):
        item = int(bucket["ub_bucket"][i])
        if keg is not None and not is_bulk(keg):
            memory.has(item, int(keg["uk_size"]), "item in a bucket")


def check_zone(keg, zone):
    walked["zones"] += 1
    for cpu in range(number("mp_maxid") + 1):
        cache = zone["uz_cpu"][cpu]
        for held in (cache["uc_loaded"], cache["uc_spare"]):
            check_bucket(keg, held["ucb_bucket"], held["ucb_cnt"])
    for first in (zone["uz_full_bucket"], zone["uz_free_bucket"]):
        for bucket in linked(first, "ub_next"):
            check_bucket(keg, bucket.address, bucket["ub_cnt"])


def is_free(slab, i):
    return int(slab["us_bits"][i // 64]) >> i % 64 & 1


def is_mapped(va):
    """By the kernel's own page tables, not by the dump's copy of them."""
    table = number("KPML4phys")
    for shift in (39, 30, 21, 12):
        entry = memory.word(DMAP + table + 8 * (va >> shift & 511))
        if not entry & PRESENT or entry & LARGE:
            break
        table = entry & FRAME
    return bool(entry & PRESENT)


def check_large(keg, slab):
    """
    What malloc() has beyond a page hangs on headers without a keg; some threads
    that were stopped had a header, and were about to map its memory.
    """
    header = gdb.lookup_type("struct uma_slab").pointer()
    for i in range(int(keg["uk_ipers"])):
        at = int(slab["us_data"]) + i * int(keg["uk_rsize"])
        if not is_free(slab, i):
            large = gdb.Value(at).cast(header)
            data, length = int(large["us_data"]), int(large["us_size"])
            pages = range(data, data + length, PAGE)
            if int(large["us_keg"]) == 0 and all(map(is_mapped, pages)):
                walked["large allocations"] += 1
                memory.has(data, length, "malloc")


def check_slabs(keg, array):
    of_slabs = int(keg.address) == number("slabzone->uz_keg")
    for which in ("uk_part", "uk_free", "uk_full"):
        for slab in linked(keg[which]["sl_first"], "us_next"):
            check_slab(keg, slab, array)
            used = int(keg["uk_ipers"]) - int(slab["us_freecount"])
            walked["items"] += used
            if of_slabs:
                check_large(keg, slab)


def check_uma():
    array = PageArray()
    for keg in linked(gdb.parse_and_eval("uma_kegs"), "uk_next"):
        for zone in linked(keg["uk_zones"], "uz_link"):
            check_zone(keg, zone)
        check_slabs(keg, array)
    for zone in linked(gdb.parse_and_eval("uma_cachezones"), "uz_link"):
        check_zone(None, zone)


# ---- page tables, and maps of memory ----


def check_table(pa, level):
    va = DMAP + pa
    walked["page tables"] += 1
    if memory.has(va, PAGE, f"page table of level {level}") and level > 0:
        for i in range(512):
            entry = memory.word(va + 8 * i)
            if entry & PRESENT and not entry & LARGE:
                check_table(entry & FRAME, level - 1)


def check_maps():
    check_table(number("KPML4phys"), 3)
    bits = number("kva_arena.ka_npages") // 8
    memory.has(number("kva_arena.ka_bits"), bits, "map of kernel addresses")
    words = number("kernel_dump_pages.dp_nwords")
    classes = "sizeof(kernel_dump_pages.dp_class) / sizeof(long)"
    for class_ in range(number(classes)):
        at = number(f"kernel_dump_pages.dp_class[{class_}]")
        memory.has(at, 8 * words, "page set")


CHECKS = (
    check_image,
    check_threads,
    check_cpus,
    check_maps,
    check_uma,
    check_variables,
)
for check in CHECKS:
    try:
        check()
    except gdb.MemoryError as error:  # a link of a list that is followed
        print(f"lacks what {check.__name__} needs: {error}")
for name, count in walked.items():
    print(f"walked {count} {name}")
