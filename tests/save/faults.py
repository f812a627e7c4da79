"""usage: faults.py VMCORE FAULTS_LIBRARY

vmcore save from disks that cannot be read everywhere, or that change while they
are read.
"""

import errno
import os
import sys

import images
from images import SWAP, UFS, dump4, falsify, some_bytes
from scene import HAS_SHA256, VMCORE, Scene, put, sha256_line
from tap import Skip, Tests, expect, run

LIBRARY = sys.argv[2]
DATA = some_bytes(3 << 20)
IMAGE = dump4(DATA, size=4 << 20)
LAST = len(IMAGE) - 512
START = LAST - len(DATA)
FIRST = START - 512

UNMARKED = (
    "not marked as saved: the header after it, for the mark, cannot be read:"
    " the next save -f will save it again\n"
)

tests = Tests()


def environment(**faults):
    if sys.platform != "linux":
        raise Skip("no LD_PRELOAD here")
    return os.environ | {
        "LD_PRELOAD": LIBRARY,
        # A program with a sanitizer wants to be first.
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        "TZ": "UTC",
        **faults,
    }


def eio(scene, *places):
    return environment(
        FAULT_FILE=scene.image, FAULT_EIO=",".join(str(at) for at in places)
    )


# ---- sectors that cannot be read ----


def zeroed(data, *places, sector=512):
    data = bytearray(data)
    for at in places:
        start = (at - START) // sector * sector
        data[start : start + sector] = bytes(sector)
    return bytes(data)


def check_refused(places, message):
    with Scene(IMAGE) as scene:
        result = scene.save(env=eio(scene, *places))
        expect(result, os.EX_IOERR, message)
        assert result.err.count("\n") == 1, result
        assert set(scene.names()) <= {"bounds"}, scene.names()
        assert scene.image_bytes() == IMAGE


def check_salvaged(places, lines):
    with Scene(IMAGE) as scene:
        result = scene.save("-kf", env=eio(scene, *places))
        expect(result, os.EX_OK)
        saved = scene.read("vmcore.0")
        assert saved == zeroed(DATA, *places)
        info = scene.read("info.0").decode()
        end = "  Dump Status: bad\n" + lines + sha256_line(saved)
        assert info.endswith(end), info
        for line in lines.splitlines():
            assert line.split()[1] + " bytes at" in result.err, result


A, B = START + 1000, START + (2 << 20) + 7
for name, places, lines in [
    ("one sector", [A], "  Unreadable: 512 bytes at 512 of the dump\n"),
    (
        "neighbours",
        [A, A + 512],
        "  Unreadable: 1024 bytes at 512 of the dump\n",
    ),
    (
        "two places",
        [A, B],
        "  Unreadable: 512 bytes at 512 of the dump\n"
        "  Unreadable: 512 bytes at 2097152 of the dump\n",
    ),
    (
        "the first and the last sector",
        [START, LAST - 1],
        "  Unreadable: 512 bytes at 0 of the dump\n"
        "  Unreadable: 512 bytes at 3145216 of the dump\n",
    ),
]:
    tests.case(
        f"unreadable: {name}", check_refused, places, "Input/output error (-f saves"
    )
    tests.case(f"unreadable, with -f: {name}", check_salvaged, places, lines)


def check_many():
    """Only the first places are named one by one; neighbours are one place."""
    places = [START + 1024 * i for i in range(40)]
    places.append(places[-1] + 512)
    with Scene(IMAGE) as scene:
        result = scene.save("-kf", env=eio(scene, *places))
        expect(result, os.EX_OK, "and 24 more places; in all 20992 bytes")
        assert scene.read("vmcore.0") == zeroed(DATA, *places)
        info = scene.read("info.0").decode()
        assert "  Unreadable: 20992 bytes in all\n" in info, info


def check_text():
    """A textdump lies backwards on the disk."""
    text = some_bytes(512 * 100, 3)
    image = images.textdump(text)
    bad = len(image) - 512 - 512 * 10  # the tenth block
    with Scene(image) as scene:
        result = scene.save("-kf", env=eio(scene, bad + 5))
        expect(result, os.EX_OK, f"512 bytes at {bad} cannot be read")
        want = text[: 512 * 9] + bytes(512) + text[512 * 10 :]
        assert scene.read("textdump.tar.0") == want


def check_header(place, status, message, forced):
    with Scene(IMAGE) as scene:
        env = eio(scene, place)
        expect(scene.save(env=env), status, message)
        assert scene.names() == [], scene.names()
        result = scene.save("-kf", env=env)
        expect(result, os.EX_OK if forced else status, message)
        if forced:
            assert scene.read("vmcore.0") == DATA
            assert b"Dump Status: bad\n" in scene.read("info.0")


def check_header_by_offset(place):
    """Without one header a dump is found by the other, whatever follows it."""
    with Scene(IMAGE + DATA + DATA) as scene:
        env = eio(scene, place)
        words = ("-k", "--offset", "0")
        expect(
            scene.save(*words, env=env),
            *(os.EX_IOERR, "cannot be read (-f saves it"),
        )
        expect(scene.save(*words, "-f", env=env), os.EX_OK, "cannot be read")
        assert scene.read("vmcore.0") == DATA


def check_short(sector, length):
    """The first header of a short dump lies where a last one might be."""
    data = DATA[: sector * length]
    image = dump4(data, sector)
    with Scene(image) as scene:
        env = eio(scene, len(image) - sector)
        message = "the header after the dump cannot be read"
        expect(scene.save("-k", env=env), os.EX_IOERR, message)
        result = scene.save("-f", env=env)
        expect(result, os.EX_IOERR, UNMARKED)
        assert scene.read("vmcore.0") == data
        assert scene.image_bytes() == image


# A dump that was written over an older and larger one.
OLDER = images.header4(len(DATA) + 4096 + 512, time=1)
OVER = falsify(IMAGE, FIRST - 4096 - 512, OLDER)
ON_DISK = images.disk([(UFS, bytes(4096)), (SWAP, IMAGE)])
ON_SLICE = images.mbr_disk([(0x83, bytes(4096)), (0xA5, images.slice_of(IMAGE))])

# Name, image, bytes of it before IMAGE, options.
LAST_LOST = [
    ("after an older dump's first", OVER, 0, []),
    ("on a mirror", images.geom(IMAGE), 0, []),
    ("on a partition", ON_DISK, ON_DISK.index(IMAGE), []),
    ("in a label's partition", ON_SLICE, ON_SLICE.index(IMAGE), []),
    (
        "where a partition lies that is named",
        *(UFS + bytes(496) + IMAGE + DATA, 512),
        ["--offset", "512", "--length", str(len(IMAGE))],
    ),
]


def check_last(media, before, words):
    """Under -f the first header is searched, and nothing is marked."""
    with Scene(media) as scene:
        env = eio(scene, before + LAST)
        result = scene.save("-k", *words, env=env)
        expect(result, os.EX_IOERR, "(-f looks for the header before a dump")
        assert scene.names() == [], scene.names()
        result = scene.save("-f", *words, env=env)
        expect(result, os.EX_IOERR, "the header after the dump cannot be read")
        assert UNMARKED in result.err, result
        assert scene.read("vmcore.0") == DATA
        assert b"Dump Status: bad\n" in scene.read("info.0")
        assert scene.image_bytes() == media


def check_two_last():
    """Each partition is searched for its own dump only."""
    small = dump4(DATA[:9999])
    disk = images.disk([(SWAP, IMAGE), (SWAP, small)])
    at = disk.index(IMAGE), disk.index(small)
    with Scene(disk) as scene:
        env = eio(scene, at[0] + LAST, at[1] + len(small) - 1)
        expect(scene.save("-kf", env=env), os.EX_OK, "cannot be read")
        assert scene.read("vmcore.0") == DATA
        assert scene.read("vmcore.1") == DATA[:9999]
        assert "vmcore.2" not in scene.names(), scene.names()


def check_tables():
    """A copy of the table makes up for one that cannot be read."""
    small = dump4(DATA[:9999])
    with Scene(images.disk([(UFS, bytes(4096)), (SWAP, small)])) as scene:
        expect(scene.save("-k", env=eio(scene, 512)), os.EX_OK)
        expect(scene.save("-k", env=eio(scene, 1024)), os.EX_OK)
        both = eio(scene, 512, os.path.getsize(scene.image) - 1)
        expect(scene.save("-k", env=both), os.EX_IOERR, "cannot read")


def check_key():
    key = some_bytes(512, 3)
    image = dump4(DATA[:5120], key=key)
    with Scene(image) as scene:
        env = eio(scene, image.index(key) + 9)
        for words in ("-k", "-kf"):
            result = scene.save(words, env=env)
            expect(result, os.EX_IOERR, "cannot be decrypted without its key")
            assert "-f saves" not in result.err, result
        assert scene.names() == ["bounds"], scene.names()


tests.case("unreadable: many places", check_many)
tests.case("unreadable: a textdump", check_text)
tests.case(
    "unreadable: the first header",
    *(check_header, FIRST, os.EX_IOERR, "before the dump cannot be read", True),
)
tests.case(
    "unreadable: the last header",
    *(check_header, LAST, os.EX_IOERR, "cannot read 512 bytes at", True),
)
for name, media, before, words in LAST_LOST:
    tests.case(f"unreadable: the last header {name}", *(check_last, media, before, words))
tests.case("unreadable: two last headers", check_two_last)
for name, place in [("first", FIRST), ("last", LAST)]:
    tests.case(
        f"unreadable: the {name} header, with --offset", check_header_by_offset, place
    )
for sector, length in [(512, 1), (512, 6), (4096, 2)]:
    tests.case(
        f"unreadable: the last header of a dump of {length} sectors of {sector}",
        *(check_short, sector, length),
    )
tests.case("unreadable: partition tables", check_tables)
tests.case("unreadable: a key", check_key)

# ---- holes of an image ----


def write_sparse(scene, image):
    """Write it with holes for blocks of zeros."""
    with open(scene.image, "wb") as file:
        for at in range(0, len(image), 4096):
            block = image[at : at + 4096]
            if block.strip(b"\0"):
                file.seek(at)
                file.write(block)
        file.truncate(len(image))


def hole_middle(scene, inside):
    """A byte in the middle of the hole that the byte inside is in."""
    with open(scene.image, "rb") as file:
        try:
            end = os.lseek(file.fileno(), inside, os.SEEK_DATA)
        except OSError:
            raise Skip("no holes here")
    if end == inside:
        raise Skip("no holes here")
    return (inside + end) // 2


HOLE = 8 << 20
SOME = some_bytes(512 * 20, 4)


def check_hole(image, name, data):
    """What is in a hole of an image is not read."""
    with Scene(b"") as scene:
        write_sparse(scene, image)
        at = hole_middle(scene, len(image) - HOLE // 2)
        expect(scene.save("-k", env=eio(scene, at)), os.EX_OK)
        assert scene.read(name) == data
        assert scene.read("info.0").decode().endswith(sha256_line(data))
        assert os.stat(scene.path(name)).st_blocks * 512 < HOLE // 2


for name, image, saved, data in [
    (
        "of a dump",
        dump4(SOME + bytes(HOLE) + SOME, size=HOLE + (1 << 20)),
        *("vmcore.0", SOME + bytes(HOLE) + SOME),
    ),
    (
        "of a textdump",
        images.textdump(SOME + bytes(HOLE) + SOME, size=HOLE + (1 << 20)),
        *("textdump.tar.0", SOME + bytes(HOLE) + SOME),
    ),
]:
    tests.case(f"a hole {name} is not read", check_hole, image, saved, data)


def check_hollow():
    """A dump that is all hole takes no time for its sum."""
    length = 5 << 28
    header = images.header4(length)
    with Scene(header) as scene:
        with open(scene.image, "r+b") as file:
            file.truncate(512 + length)
            file.seek(512 + length)
            file.write(header)
        at = hole_middle(scene, length // 2)
        result = scene.save("-k", env=eio(scene, at))
        if "no room for a dump" in result.err:
            raise Skip("no room for a file of 1.3 GB")
        expect(result, os.EX_OK, "no SHA-256 of the dump")
        assert os.path.getsize(scene.path("vmcore.0")) == length
        assert b"SHA-256" not in scene.read("info.0")


tests.case("a dump that is a hole", check_hollow)

# ---- work ----


def scattered(count, step, *pieces):
    """Blocks of data with holes between them, after pieces that are given."""
    blocks = [(i * step, SOME[:4096]) for i in range(count)]
    return [*blocks, *pieces]


def write_pieces(scene, length, pieces):
    with open(scene.image, "wb") as file:
        file.truncate(length)
        for off, data in pieces:
            file.seek(off)
            file.write(data)
    if os.stat(scene.image).st_blocks * 512 > length // 2:
        raise Skip("no holes here")


def bounded(scene, nread, nseeks):
    return environment(
        FAULT_FILE=scene.image, FAULT_READ_MAX=str(nread), FAULT_SEEK_MAX=str(nseeks)
    )


def check_scattered_search():
    """--offset reads what is there, not what is between."""
    count, step = 200, 17 << 20
    dump = images.header4(512) + SOME[:512] + images.header4(512)
    with Scene(b"") as scene:
        pieces = scattered(count, step, (99 * step + 4096, dump))
        write_pieces(scene, count * step, pieces)
        env = bounded(scene, 3 * 4096 * count, 10 * count)
        expect(scene.save("--offset", "0", env=env), os.EX_OK)
        assert scene.read("vmcore.0") == SOME[:512]


def check_many_dumps():
    """Holes are found once, not once for each dump that may have them."""
    count, blocks, step = 120, 200, 64 << 10
    length = blocks * step + 512 * (count - 1)
    heads = images.header4(length) * count
    with Scene(b"") as scene:
        tail = 512 * count + blocks * step
        pieces = [(512 * count + at, data) for at, data in scattered(blocks, step)]
        write_pieces(scene, tail + len(heads), [*pieces, (0, heads), (tail, heads)])
        env = bounded(scene, 4 * tail + (count << 17), 10 * (blocks + count))
        result = scene.save("-k", "--offset", "0", env=env)
        expect(result, os.EX_DATAERR, "overlaps dumps that were saved before")
        assert result.err.count("\n") == count - 1, result


def check_scattered_dump(text):
    """A copy reads no more, either, of what lies backwards on the disk."""
    count, step = 40, 1 << 20
    length = count * step
    changed = {"magic": images.TEXT, "arch_version": 4} if text else {}
    header = images.header4(length, **changed)
    with Scene(b"") as scene:
        pieces = [(512 + at, data) for at, data in scattered(count, step)]
        end = 512 + length
        write_pieces(scene, end + 512, [*pieces, (0, header), (end, header)])
        most = 3 << 16 if text else 4 * 4096
        env = bounded(scene, most * count, 30 * count)
        expect(scene.save("-k", env=env), os.EX_OK)
        saved = scene.read("textdump.tar.0" if text else "vmcore.0")
    want = b"".join(data.ljust(step, b"\0") for _, data in scattered(count, step))
    if text:
        blocks = [want[i : i + 512] for i in range(0, length, 512)]
        want = b"".join(reversed(blocks))
    assert saved == want


def check_hollow_keys():
    """The key of an encrypted dump may be a hole, too."""
    key_len = 1 << 30
    header = images.header4(512, key_len=key_len)
    end = 512 + key_len + 512
    with Scene(b"") as scene:
        pieces = [(0, header), (end - 512, SOME[:512]), (end, header)]
        write_pieces(scene, end + 512, pieces)
        result = scene.save("-k", env=bounded(scene, 1 << 20, 100))
        if "no room for a dump" in result.err:
            raise Skip("no room for a file of 1 GB")
        expect(result, os.EX_OK)
        assert os.path.getsize(scene.path("key.0")) == key_len
        assert scene.read("vmcore_encrypted.0") == SOME[:512]


def check_links():
    """The last of many dumps gets the links that tell it, and no other."""
    image = b"".join(dump4(SOME[:n], size=1 << 16) for n in (512, 1024, 1536))
    with Scene(image) as scene:
        env = environment(FAULT_LINK_MAX="2")
        expect(scene.save("-k", "--offset", "0", env=env), os.EX_OK)
        assert scene.read("vmcore.last") == SOME[:1536]
        assert os.readlink(scene.path("info.last")) == "info.2"


tests.case("links to the last dump are made once", check_links)
tests.case("--offset over scattered data", check_scattered_search)
tests.case("a dump of scattered data", check_scattered_dump, False)
tests.case("a textdump of scattered data", check_scattered_dump, True)
def check_hollow_sum():
    """Nor does info --check read what is not there."""
    count, step = 50, 1 << 20
    with Scene(b"") as scene:
        scene.image = scene.path("vmcore.0")
        write_pieces(scene, count * step, scattered(count, step))
        put(scene, "info.0", sha256_line(scene.read("vmcore.0")))
        env = bounded(scene, 2 * 4096 * count, 10 * count)
        expect(run(VMCORE, "info", "--check", scene.image, env=env), os.EX_OK)


tests.case("a key that is a hole", check_hollow_keys)
if HAS_SHA256:
    tests.case("the sum of scattered data", check_hollow_sum)
tests.case("many dumps with the same holes", check_many_dumps)

# ---- disks that change ----

OTHER = dump4(some_bytes(3 << 20, 77), size=4 << 20, time=1650009999)


def check_changed(image, after, nth, kept):
    """Another dump is written after the nth read of a byte."""
    with Scene(IMAGE) as scene:
        put(scene, "../disk.img.new", "")
        with open(scene.image + ".new", "wb") as file:
            file.write(image)
        env = environment(
            FAULT_FILE=scene.image, FAULT_PATCH=f"{after}:{nth}:{scene.image}"
        )
        result = scene.save(env=env)
        expect(result, os.EX_TEMPFAIL, "the dump has changed meanwhile")
        assert scene.image_bytes() == image
        if not kept:
            assert scene.names() == ["bounds"], scene.names()
            return
        # All of it was read before.
        assert scene.read("vmcore.0") == DATA


def only(header):
    """The same dump with one header of another."""
    return IMAGE[:header] + OTHER[header : header + 512] + IMAGE[header + 512 :]


for name, image in [
    ("all of it", OTHER),
    ("the first header", only(FIRST)),
    ("the last header", only(LAST)),
    ("no header is left", IMAGE[:FIRST] + bytes(len(IMAGE) - FIRST)),
]:
    tests.case(
        f"changed while it was read: {name}",
        *(check_changed, image, START + (2 << 20), 1, False),
    )
tests.case("changed before it was cleared", check_changed, OTHER, FIRST, 2, True)

# A byte after whose reading the disk is cut, and how long it is then.
CUTS = [
    ("in the middle of the dump", START, LAST - 4096),
    ("before the dump", START, 4096),
    ("the last header", START + (2 << 20), LAST),
    ("the last header's last byte", START + (2 << 20), LAST + 511),
]


def check_cut(after, length):
    with Scene(IMAGE) as scene:
        env = environment(FAULT_FILE=scene.image, FAULT_CUT=f"{after}:1:{length}")
        expect(scene.save(env=env), os.EX_IOERR, ": the disk ends before\n")
        assert scene.names() == ["bounds"], scene.names()
        assert scene.image_bytes() == IMAGE[:length]


for name, *row in CUTS:
    tests.case(f"cut while it was read: {name}", check_cut, *row)

# ---- names ----


def check_name(name):
    """With -m, a name that cannot be given leaves the older dump as it was."""
    with Scene(IMAGE) as scene:
        expect(scene.save("-k", "-m", "1"), os.EX_OK)
        before = {n: scene.read(n) for n in ("vmcore.0", "info.0")}
        new = dump4(DATA[:999], size=4 << 20)
        scene.write(new)
        env = environment(FAULT_RENAME=name)
        expect(scene.save("-m", "1", env=env), os.EX_CANTCREAT, name)
        assert {n: scene.read(n) for n in before} == before
        left = ["bounds", "info.0", "info.last", "vmcore.0", "vmcore.last"]
        assert scene.names() == left, scene.names()
        assert scene.image_bytes() == new


def check_taken_meanwhile(name):
    """Another program may have taken the number while the dump was copied."""
    with Scene(IMAGE) as scene:
        put(scene, "new", "theirs")
        os.rename(scene.path("new"), scene.path(f"{name}.new"))
        env = environment(
            FAULT_FILE=scene.image, FAULT_PATCH=f"{START}:1:{scene.path(name)}"
        )
        expect(scene.save(env=env), os.EX_TEMPFAIL, f"/{name}: another has taken")
        assert scene.read(name) == b"theirs"
        assert scene.image_bytes() == IMAGE
        expect(scene.save(), os.EX_OK)
        assert scene.read("vmcore.1") == DATA


def check_taken_late(name, links):
    """Nor is it replaced if that happens at the last moment."""
    with Scene(IMAGE) as scene:
        put(scene, f"{name}.new", "theirs")
        env = environment(FAULT_TAKE=name, **links)
        expect(scene.save(env=env), os.EX_TEMPFAIL, f"/{name}: another has taken")
        assert scene.read(name) == b"theirs"
        assert scene.names() == sorted(["bounds", name]), scene.names()
        assert scene.image_bytes() == IMAGE
        expect(scene.save(env=environment(**links)), os.EX_OK)
        assert scene.read("vmcore.1") == DATA


def check_taken_max(name, links):
    """With -m, the older dump does not replace it, either."""
    with Scene(IMAGE) as scene:
        for other in ("vmcore.0", "info.0"):
            put(scene, other, "old")
        put(scene, f"{name}.new", "theirs")
        env = environment(FAULT_TAKE=name, **links)
        result = scene.save("-m", "1", env=env)
        expect(result, os.EX_TEMPFAIL, f"/{name}: another has taken")
        assert scene.read(name) == b"theirs"
        assert scene.read(f".saving.old.{name}") == b"old"
        assert scene.image_bytes() == IMAGE


def check_saved_meanwhile():
    """With -m, another run's dump is none of the older ones that go."""
    with Scene(IMAGE) as scene:
        for name in ("vmcore.0", "info.0"):
            put(scene, name, "theirs")
        os.rename(scene.path("info.0"), scene.path("info.0.new"))
        env = environment(
            FAULT_FILE=scene.image, FAULT_PATCH=f"{START}:1:{scene.path('info.0')}"
        )
        result = scene.save("-m", "1", env=env)
        expect(result, os.EX_TEMPFAIL, "/info.0: another has taken")
        assert scene.read("vmcore.0") == scene.read("info.0") == b"theirs"
        assert scene.image_bytes() == IMAGE


def check_linkless(links):
    """Without hard links, files get their names all the same, with -m too."""
    with Scene(IMAGE) as scene:
        for name in ("vmcore.0", "info.0"):
            put(scene, name, "old")
        expect(scene.save("-m", "1", env=environment(**links)), os.EX_OK)
        assert scene.read("vmcore.0") == DATA
        left = ["bounds", "info.0", "info.last", "vmcore.0", "vmcore.last"]
        assert scene.names() == left, scene.names()


def check_swapped(name):
    """What somebody else has put there gets no name of a dump for good."""
    with Scene(IMAGE) as scene:
        env = environment(FAULT_SWAP=name)
        expect(scene.save(env=env), os.EX_TEMPFAIL, f"/{name}: another file took")
        assert set(scene.names()) <= {"bounds"}, scene.names()
        assert scene.image_bytes() == IMAGE


NOBODY = 65534


def check_squashed():
    """root's own files are trusted, whomever NFS says they belong to."""
    if os.geteuid() != 0:
        raise Skip("not root")
    with Scene(IMAGE) as scene:
        os.chown(scene.folder, 12345, 12345)
        os.chmod(scene.folder, 0o1777)
        put(scene, ".saving.old.vmcore.5", "old")
        put(scene, ".saving.core.123456789", "left")
        for number in range(2):
            faults = environment(FAULT_SQUASH=str(NOBODY))
            result = scene.save("-k", "-m", "2", env=faults)
            expect(result, os.EX_OK)
            assert result.err == "", result
            assert scene.read(f"vmcore.{number}") == DATA
        assert scene.read("vmcore.5") == b"old"
        left = [n for n in scene.names() if n.startswith(".saving")]
        assert left == [], left


def check_no_locks(error):
    """Where nothing can be locked, a dump is saved all the same."""
    with Scene(IMAGE) as scene:
        result = scene.save(env=environment(FAULT_FLOCK=str(error)))
        reason = f".saving.lock: {os.strerror(error)}: nothing keeps another vmcore save out"
        expect(result, os.EX_OK, reason)
        assert result.err.count("\n") == 1, result
        assert scene.read("vmcore.0") == DATA
        assert not any(n.startswith(".saving") for n in scene.names()), scene.names()


def check_lock_fails():
    with Scene(IMAGE) as scene:
        env = environment(FAULT_FLOCK=str(errno.EIO))
        expect(scene.save(env=env), os.EX_IOERR, ".saving.lock: Input/output error")
        assert scene.image_bytes() == IMAGE


tests.case("NFS makes root nobody", check_squashed)
for error in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
    tests.case(f"no locks: {os.strerror(error)}", check_no_locks, error)
tests.case("locking fails", check_lock_fails)

LINKS = [
    ("with links", {}),
    ("without links", {"FAULT_NO_LINKS": "1"}),
    ("without links and NOREPLACE", {"FAULT_NO_LINKS": "2"}),
]
for what, links in LINKS:
    for name in ("vmcore.0", "info.0"):
        case = f"{name} is taken at the last moment, {what}"
        tests.case(case, check_taken_late, name, links)
        tests.case(f"-m: {case}", check_taken_max, name, links)
    tests.case(f"-m: files get their names {what}", check_linkless, links)
tests.case("-m: another run saves meanwhile", check_saved_meanwhile)
for name in ("vmcore.0", "info.0", "bounds"):
    tests.case(f"another file comes to be {name}", check_swapped, name)
for name in ("vmcore.0", "info.0", "vmcore.0.zst"):
    tests.case(f"{name} comes to be meanwhile", check_taken_meanwhile, name)
for name in ("vmcore.0", "info.0"):
    tests.case(f"-m: no name {name} to be had", check_name, name)

tests.run()
