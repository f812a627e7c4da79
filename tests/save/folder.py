"""usage: folder.py VMCORE

The folder that vmcore save saves into: numbers, room, names, and what is left
behind when it goes wrong.
"""

import fcntl
import functools
import os
import resource
import signal
import subprocess
import time

import images
from images import dump4, some_bytes
from scene import (
    CORES, DATA, HAS_SHA256, NO_DUMP, VMCORE, Scene, put, sha256_line,
)
from tap import Skip, Tests, expect

GOOD = dump4(DATA)
ZSTD = bytes.fromhex("28b52ffd") + some_bytes(7001)

tests = Tests()

# ---- names and numbers ----

# What bounds holds, and the number that the dump gets.
BOUNDS = [
    ("5\n", 5),
    ("5", 5),
    ("", 0),
    ("x\n", 0),
    ("-1\n", 0),
    ("99999999999\n", 0),
]


def check_bounds(text, number):
    with Scene(GOOD) as scene:
        put(scene, "bounds", text)
        expect(scene.save(), os.EX_OK)
        assert scene.read(f"vmcore.{number}") == DATA
        assert scene.read("bounds") == f"{number + 1}\n".encode()


for row in BOUNDS:
    tests.case(f"bounds: {row[0]!r}", check_bounds, *row)


def check_nothing_replaced():
    """A lost bounds file does not cost anybody a dump."""
    with Scene(GOOD) as scene:
        put(scene, "vmcore.0.zst", "old")
        put(scene, "info.1", "old")
        expect(scene.save(), os.EX_OK)
        assert scene.read("vmcore.0.zst") == b"old"
        assert scene.read("vmcore.2") == DATA


def check_max():
    """With -m old dumps are replaced, of whatever kind they were."""
    with Scene(dump4(ZSTD, compression=2)) as scene:
        expect(scene.save("-m", "2"), os.EX_OK)
        scene.write(GOOD)
        expect(scene.save("-k", "-m", "2"), os.EX_OK)
        assert os.readlink(scene.path("vmcore.last")) == "vmcore.1"
        assert "vmcore.last.zst" not in scene.names(), scene.names()
        expect(scene.save("-m", "2"), os.EX_OK)
        assert scene.read("vmcore.0") == DATA
        assert scene.read("bounds") == b"1\n"
        wanted = CORES + ["bounds", "info.1", "vmcore.1"]
        assert scene.names() == sorted(wanted), scene.names()


PACKINGS = ("", ".gz", ".zst", ".xz", ".bz2", ".lz4")
STEMS = ("vmcore", "vmcore_encrypted", "textdump.tar", "livecore")


def check_old_names(stem):
    """Nothing of an older dump stays beside the new one, compressed or not."""
    old = [f"{stem}.0{packing}" for packing in PACKINGS]
    with Scene(GOOD) as scene:
        for name in old + ["key.0", "vmcore.10", "kernel.0", "vmcore.0.txt"]:
            put(scene, name, "old")
        for packing in PACKINGS:
            os.symlink("old", scene.path(f"{stem}.last{packing}"))
        expect(scene.save("-m", "1"), os.EX_OK)
        wanted = CORES + ["bounds", "kernel.0", "vmcore.0.txt", "vmcore.10"]
        assert scene.names() == sorted(wanted), scene.names()
        assert scene.read("vmcore.0") == DATA


def check_number_used(name):
    with Scene(GOOD) as scene:
        put(scene, name, "old")
        expect(scene.save(), os.EX_OK)
        assert scene.read("vmcore.1") == DATA
        assert scene.read(name) == b"old"


def check_names_taken(make):
    """Links to the last dump are a convenience: without them it is saved, and
    not once more at the next run."""
    with Scene(GOOD) as scene:
        make(scene.path("vmcore.last"))
        make(scene.path("info.last"))
        result = scene.save()
        assert result.status == os.EX_OK, result
        assert scene.read("vmcore.0") == DATA
        assert scene.read("info.0").endswith(sha256_line(DATA).encode())
        expect(scene.save(), NO_DUMP, "saved before")
        assert not any(n.startswith(".saving") for n in scene.names())


def check_file_of_last():
    """A file that somebody has put there may be the only copy of a dump."""
    with Scene(GOOD) as scene:
        put(scene, "vmcore.last", "precious")
        expect(scene.save(), os.EX_OK, "vmcore.last cannot be made a link")
        assert scene.read("vmcore.last") == b"precious"
        assert os.readlink(scene.path("info.last")) == "info.0"


# Names by which save would remove or replace the image that it reads.
IMAGE_NAMES = [
    "vmcore.0", "vmcore.0.zst", "info.0", "key.0", "bounds", ".saving.core",
    ".saving.key", ".saving.info", ".saving.bounds", ".saving.lock",
    ".saving.old.vmcore.0", ".saving.old.info.0",
]


def check_image_in_folder(name, *words):
    """An image in the folder is not taken for a file of an older dump."""
    image = dump4(DATA, key=some_bytes(512, 3))
    with Scene(b"") as scene:
        scene.image = scene.path(name)
        scene.write(image)
        put(scene, "vmcore.9", "old")
        expect(scene.save(*words), os.EX_CANTCREAT, f"/{name}: the dump is read from it")
        assert scene.image_bytes() == image
        assert set(scene.names()) <= {"bounds", "vmcore.9", name}, scene.names()
        assert scene.read("vmcore.9") == b"old"


def check_image_beside(name, *words):
    """One that is in nothing's way is no reason to refuse."""
    with Scene(b"") as scene:
        scene.image = scene.path(name)
        scene.write(GOOD)
        put(scene, "bounds", "1\n")
        result = scene.save("-k", *words)
        expect(result, os.EX_OK)
        assert scene.read("vmcore.1") == DATA
        assert scene.image_bytes() == GOOD


def check_image_put_back():
    """Nor does an older dump get a name back that the image has."""
    with Scene(b"") as scene:
        scene.image = scene.path("vmcore.0")
        scene.write(GOOD)
        put(scene, OLD + "vmcore.0", "old")
        expect(scene.save(), os.EX_CANTCREAT, "/vmcore.0: the dump is read from it")
        assert scene.image_bytes() == GOOD
        assert scene.read(OLD + "vmcore.0") == b"old"


def check_folder_in_the_way(name):
    """With -m, somebody's folder stays, and so does the older dump."""
    with Scene(GOOD) as scene:
        old = {"vmcore.0", "info.0", "vmcore.0.zst"} - {name}
        for other in old:
            put(scene, other, "old")
        os.mkdir(scene.path(name))
        expect(scene.save("-m", "1"), os.EX_CANTCREAT, f"{name}: Is a directory")
        assert scene.names() == sorted(old | {"bounds", name}), scene.names()
        assert all(scene.read(other) == b"old" for other in old)
        assert scene.image_bytes() == GOOD


def check_no_number(name, text):
    """What is no number is said, and does not keep the dump from being saved."""
    with Scene(GOOD) as scene:
        put(scene, name, text)
        result = scene.save()
        expect(result, os.EX_OK, f"crash/{name}: not a number of ")
        shown = text.rstrip().replace("\x1b", "\\x1b")
        assert f'"{shown}"' in result.err, result
        assert scene.read("vmcore.0") == DATA


def check_number_link(name):
    """What a link leads to is nobody's business: no line of it is shown."""
    with Scene(GOOD) as scene:
        put(scene, "../secret", "secret\n")
        os.symlink("../secret", scene.path(name))
        result = scene.save()
        expect(result, os.EX_OK, f"crash/{name} is a link, which is not followed")
        assert "secret" not in result.err, result
        assert scene.read("vmcore.0") == DATA


def check_number_folder():
    with Scene(GOOD) as scene:
        os.mkdir(scene.path("minfree"))
        expect(scene.save(), os.EX_OK, "crash/minfree: Is a directory")


def check_minfree(share, fits):
    """minfree, in KiB, is a share of the file system: its free room changes
    while other tests run, and never by as much as this."""
    with Scene(GOOD) as scene:
        system = os.statvfs(scene.folder)
        blocks = system.f_bavail // 2 if share == "half the room" else system.f_blocks
        put(scene, "minfree", f"{blocks * system.f_frsize // 1024}\n")
        if fits:
            expect(scene.save(), os.EX_OK)
            return
        expect(scene.save(), os.EX_CANTCREAT, "no room")
        assert scene.names() == ["minfree"], scene.names()
        assert scene.image_bytes() == GOOD


def check_huge():
    """More than any disk holds is refused before anything is written."""
    length = 1 << 43
    with Scene(b"") as scene:
        header = images.header4(length)
        with open(scene.image, "wb") as file:
            try:
                file.truncate(length + 4096)
            except OSError:
                raise Skip("no sparse files of this length here")
            file.seek(4096 - 1024)
            file.write(header)
            file.seek(length + 4096 - 512)
            file.write(header)
        expect(scene.save(), os.EX_CANTCREAT, "no room for a dump of 8 TiB")
        assert scene.names() == [], scene.names()


def check_no_folder():
    with Scene(GOOD) as scene:
        os.rmdir(scene.folder)
        expect(scene.save(), os.EX_CANTCREAT, "crash: No such file")


def check_locked():
    with Scene(GOOD) as scene:
        lock = scene.path(".saving.lock")
        fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        expect(scene.save(), os.EX_TEMPFAIL, "another vmcore save is at work")
        assert scene.names() == [".saving.lock"], scene.names()
        os.close(fd)
        expect(scene.save(), os.EX_OK)
        assert scene.names() == sorted(["bounds"] + CORES), scene.names()


def check_strangers_lock():
    """Whoever may list the folder may lock it, which must not matter."""
    with Scene(GOOD) as scene:
        fds = [os.open(path, os.O_RDONLY) for path in (scene.folder, scene.image)]
        for fd in fds:
            fcntl.flock(fd, fcntl.LOCK_EX)
        expect(scene.save(), os.EX_OK)
        for fd in fds:
            os.close(fd)


def held_lock(path, owner=0, mode=0o600):
    """A file of that name, which somebody holds locked until it is closed."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    os.fchmod(fd, mode)
    os.chown(path, owner, owner)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def linked_lock(path):
    """Another name of a file that others can open."""
    fd = held_lock(path + ".other", os.geteuid(), 0o644)
    os.link(path + ".other", path)
    return fd


def check_strangers_file(make):
    """A lock that somebody else could hold keeps nobody out."""
    if os.geteuid() != 0:
        raise Skip("cannot give files away")
    with Scene(GOOD) as scene:
        os.chmod(scene.folder, 0o1777)
        fd = make(scene.path(".saving.lock"))
        result = scene.save()
        expect(result, os.EX_OK, "is no lock to be trusted: it was removed")
        assert result.err.count("\n") == 1, result
        assert scene.read("vmcore.0") == DATA
        assert ".saving.lock" not in scene.names(), scene.names()
        if fd is not None:
            os.close(fd)


def share(scene, mode, group=0):
    """Let other users save into the folder."""
    if os.geteuid() != 0:
        raise Skip("cannot become somebody else")
    os.chown(scene.folder, 0, group)
    for path, bits in [(scene.work.name, 0o711), (scene.image, 0o666),
                       (scene.folder, mode)]:
        os.chmod(path, bits)


def save_as(scene, user, *words, group=None):
    try:
        return scene.save(*words, user=user, group=user if group is None else group)
    except PermissionError:
        raise Skip("nobody else can run the command here")


def check_lock_stays(user, make):
    """What cannot be removed does not keep anybody out, either."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        make(scene.path(".saving.lock"))
        result = save_as(scene, user)
        expect(result, os.EX_OK, "nothing keeps another vmcore save out of there")
        assert result.err.count("\n") == 1, result
        assert scene.read("vmcore.0") == DATA
        assert ".saving.lock" in scene.names(), scene.names()


# Folders that a group or all may write to, and remove each other's files from.
SHARED = (0o2775, 0o777)


def check_colleagues_lock(mode, user, message, held=True):
    """There, a file of anybody's is a lock, and stays."""
    with Scene(GOOD) as scene:
        share(scene, mode, user)
        fd = held_lock(scene.path(".saving.lock"), 12345)
        if not held:
            os.close(fd)
        result = save_as(scene, user)
        expect(result, os.EX_TEMPFAIL, message)
        assert result.err.count("\n") == 1, result
        assert scene.names() == [".saving.lock"], scene.names()
        assert scene.image_bytes() == GOOD
        if held:
            os.close(fd)
        os.remove(scene.path(".saving.lock"))
        expect(save_as(scene, user), os.EX_OK)


def check_colleague_died(mode):
    """A lock that root can tell to be left from a crash is none."""
    if os.geteuid() != 0:
        raise Skip("cannot give files away")
    with Scene(GOOD) as scene:
        os.chmod(scene.folder, mode)
        os.close(held_lock(scene.path(".saving.lock"), 12345))
        result = scene.save()
        expect(result, os.EX_OK)
        assert result.err == "", result
        assert ".saving.lock" not in scene.names(), scene.names()


def check_leftovers():
    """What a crash has left, or somebody has put there, is not written to."""
    with Scene(GOOD) as scene:
        victim = os.path.join(scene.work.name, "victim")
        put(scene, "../victim", "precious")
        for name in ("core", "info", "bounds"):
            os.symlink(victim, scene.path(f".saving.{name}"))
        expect(scene.save(), os.EX_OK)
        with open(victim, encoding="ascii") as file:
            assert file.read() == "precious"
        assert scene.names() == sorted(["bounds"] + CORES), scene.names()


STRANGER = 12345
COLLEAGUE = 12346


def put_strangers(scene, name):
    """A file of a stranger's."""
    put(scene, name, "strange")
    os.chown(scene.path(name), STRANGER, STRANGER)


def make_strangers(scene, name):
    """A folder, which root cannot remove as a file, either."""
    os.mkdir(scene.path(name))
    os.chown(scene.path(name), STRANGER, STRANGER)


# Who saves, and what of a stranger's stays for all that.
IN_THE_WAY = [("a file", COLLEAGUE, put_strangers), ("a folder", 0, make_strangers)]
TEMPORARY = [".saving.core", ".saving.key", ".saving.info", ".saving.bounds"]


def check_temporary_taken(user, make):
    """Files on their way get other names where a stranger has theirs."""
    with Scene(dump4(DATA, key=some_bytes(512, 3))) as scene:
        share(scene, 0o1777)
        for name in TEMPORARY:
            make(scene, name)
        result = save_as(scene, user)
        expect(result, os.EX_OK)
        assert result.err == "", result
        assert scene.read("vmcore_encrypted.0") == DATA
        left = {n for n in scene.names() if n.startswith(".saving")}
        assert left == set(TEMPORARY), left
        assert {os.lstat(scene.path(n)).st_uid for n in left} == {STRANGER}


def check_count_strange(name, user, make):
    """Nobody is kept out by a number of a stranger's, or led by it."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        for old in ("vmcore.0", "vmcore.1"):
            put(scene, old, "old")
        make(scene, name)
        result = save_as(scene, user)
        expect(result, os.EX_OK, f"crash/{name} is not trusted: its owner is neither")
        assert result.err.count("\n") == 1, result
        assert scene.read("vmcore.2") == DATA
        lost = name == "bounds" and user == 0 and make is put_strangers
        want = user if lost else STRANGER
        assert os.lstat(scene.path(name)).st_uid == want


def put_minfree(scene, name):
    """More than there is anywhere."""
    put_strangers(scene, name)
    put(scene, name, "9999999999999\n")


def check_count_trusted(owner):
    """That of the folder's owner, for one, is believed."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        os.chown(scene.folder, STRANGER, STRANGER)
        put(scene, "bounds", "7\n")
        os.chown(scene.path("bounds"), owner, owner)
        put(scene, "minfree", "9999999999999\n")
        os.chown(scene.path("minfree"), owner, owner)
        expect(save_as(scene, COLLEAGUE), os.EX_CANTCREAT, "free above minfree")
        os.remove(scene.path("minfree"))
        expect(save_as(scene, COLLEAGUE), os.EX_OK)
        assert scene.read("vmcore.7") == DATA
        want = "8\n" if owner == COLLEAGUE else "7\n"
        assert scene.read("bounds") == want.encode()


def check_count_stays():
    """With -m, a number that the user cannot change would stay the same."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        put(scene, "bounds", "1\n")
        for number in 0, 1:
            expect(save_as(scene, COLLEAGUE, "-k", "-m", "3"), os.EX_OK)
            assert scene.read(f"vmcore.{number}") == DATA
        assert scene.read("bounds") == b"1\n"


def check_blocked(name, user, make):
    """-m goes on to a number that no stranger's file has, above them if need be."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        put(scene, "bounds", "1\n")
        os.chown(scene.path("bounds"), user, user)
        make(scene, f"{name}.1")
        for _ in range(2):
            expect(save_as(scene, user, "-k", "-m", "2"), os.EX_OK)
            assert scene.read("vmcore.0") == DATA
        os.remove(scene.path("vmcore.0"))
        os.remove(scene.path("info.0"))
        make(scene, f"{name}.0")
        for number in 2, 3:
            result = save_as(scene, user, "-k", "-m", "2")
            expect(result, os.EX_OK, "no number below 2 may be used")
            assert scene.read(f"vmcore.{number}") == DATA
        for number in 0, 1:
            assert os.lstat(scene.path(f"{name}.{number}")).st_uid == STRANGER


def check_blocked_twice(bounds):
    """Nor does one dump of a run replace another, whatever numbers are left."""
    other = some_bytes(5000, 7)
    parts = [(images.SWAP, dump4(data)) for data in (DATA, other)]
    with Scene(images.disk(parts)) as scene:
        share(scene, 0o1777)
        put(scene, "bounds", "0\n")
        os.chown(scene.path("bounds"), bounds, bounds)
        put(scene, "vmcore.0", "old")
        os.chown(scene.path("vmcore.0"), COLLEAGUE, COLLEAGUE)
        put_strangers(scene, "vmcore.1")
        expect(save_as(scene, COLLEAGUE, "-m", "2"), os.EX_OK, "no number below 2 may be used")
        assert {scene.read("vmcore.0"), scene.read("vmcore.2")} == {DATA, other}


def check_replaced_by_root():
    """Whoever may remove a stranger's dump replaces it."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        put_strangers(scene, "vmcore.0")
        expect(scene.save("-m", "1"), os.EX_OK)
        assert scene.read("vmcore.0") == DATA


def check_oldest(ages, number):
    """Without bounds, -m replaces the oldest dump, if any."""
    with Scene(GOOD) as scene:
        for old, age in enumerate(ages):
            if age is not None:
                put(scene, f"info.{old}", "old")
                os.utime(scene.path(f"info.{old}"), (age, age))
        expect(scene.save("-m", "3"), os.EX_OK)
        assert scene.read(f"vmcore.{number}") == DATA
        assert scene.read("bounds") == f"{number + 1}\n".encode()


STRAY = ".saving.core.123456789"


def check_stray(name, owner, locked, goes):
    """What a run that was cut off left under such a name goes if none can be at work."""
    with Scene(GOOD) as scene:
        share(scene, 0o1777)
        put(scene, name, "left")
        os.chown(scene.path(name), owner, owner)
        if not locked:
            put_strangers(scene, ".saving.lock")
        expect(save_as(scene, COLLEAGUE), os.EX_OK)
        assert os.path.exists(scene.path(name)) != goes, scene.names()
        assert scene.read("vmcore.0") == DATA


OLD = ".saving.old."

# Where a power cut may have left a run with -m that replaces dump 0, and which
# of its files that dump has then: old ones, new ones, ones under old names.
CUTS = [
    ("before the text is set aside", ["info.0", "vmcore.0"], [], []),
    ("after the text was set aside", ["vmcore.0"], [], ["info.0"]),
    ("after all was set aside", [], [], ["info.0", "vmcore.0"]),
    ("before the new text has its name", [], ["vmcore.0"], ["info.0", "vmcore.0"]),
    ("after the new text has its name", [], ["vmcore.0", "info.0"],
     ["info.0", "vmcore.0"]),
    ("while the old ones are removed", [], ["vmcore.0", "info.0"], ["vmcore.0"]),
    ("a dump without a text", [], [], ["vmcore.0"]),
]


def check_power_cut(old, new, aside):
    with Scene(GOOD) as scene:
        put(scene, "bounds", "1\n")
        for name in old:
            put(scene, name, "old")
        for name in new:
            put(scene, name, "new")
        for name in aside:
            put(scene, OLD + name, "old")
        want = b"new" if "info.0" in new else b"old"
        expect(scene.save("-m", "2"), os.EX_OK)
        for name in set(old + new + aside):
            assert scene.read(name) == want, name
        assert scene.read("vmcore.1") == DATA
        assert not any(n.startswith(OLD) for n in scene.names()), scene.names()


def check_two_power_cuts():
    """Each dump of which files are aside gets them back."""
    with Scene(GOOD) as scene:
        put(scene, "bounds", "2\n")
        for name in ("info.0", "vmcore.0.zst", "info.1", "vmcore.1"):
            put(scene, OLD + name, f"old {name}")
        expect(scene.save("-m", "3"), os.EX_OK)
        for name in ("info.0", "vmcore.0.zst", "info.1", "vmcore.1"):
            assert scene.read(name) == f"old {name}".encode()
        assert scene.read("vmcore.2") == DATA


def check_name_in_the_way():
    """What cannot get its name back is kept aside, however often that fails."""
    with Scene(GOOD) as scene:
        put(scene, "bounds", "1\n")
        for name in ("info.0", "vmcore.0"):
            put(scene, OLD + name, "old")
        os.mkdir(scene.path("vmcore.0"))
        for _ in range(2):
            result = scene.save("-k", "-m", "2")
            expect(result, os.EX_OK, "vmcore.0 cannot be made vmcore.0 again")
            assert scene.read(OLD + "vmcore.0") == b"old"
            put(scene, "bounds", "1\n")
        os.rmdir(scene.path("vmcore.0"))
        expect(scene.save("-k", "-m", "2"), os.EX_OK)
        assert scene.read("vmcore.0") == scene.read("info.0") == b"old"


def check_stranger_aside():
    """What somebody else has put there takes no dump's name."""
    if os.geteuid() != 0:
        raise Skip("cannot give files away")
    with Scene(GOOD) as scene:
        put(scene, "vmcore.0", "old")
        put(scene, OLD + "vmcore.0", "forged")
        os.chown(scene.path(OLD + "vmcore.0"), 12345, 12345)
        expect(scene.save("-m", "1"), os.EX_CANTCREAT, "somebody else's")
        assert scene.read("vmcore.0") == b"old"


tests.case("no dump is replaced without -m", check_nothing_replaced)
for what, *files in CUTS:
    tests.case(f"-m, cut off {what}", check_power_cut, *files)
tests.case("-m: two runs were cut off", check_two_power_cuts)
tests.case("-m, cut off: a name is taken since", check_name_in_the_way)
tests.case("-m: files of a stranger", check_stranger_aside)
tests.case("-m goes round", check_max)
for stem in STEMS:
    tests.case(f"-m replaces every {stem}.0", check_old_names, stem)
for name in ("vmcore.0.xz", "vmcore_encrypted.0.zst", "livecore.0", "key.0"):
    tests.case(f"the number of {name} is used", check_number_used, name)
for what, make in [
    ("folders", os.mkdir),
    ("fifos", os.mkfifo),
    ("links", lambda path: os.symlink("/nonexistent", path)),
    ("files", lambda path: open(path, "wb").close()),
]:
    tests.case(f"{what} named vmcore.last and info.last", check_names_taken, make)
tests.case("a file named vmcore.last is kept", check_file_of_last)
for name in IMAGE_NAMES:
    tests.case(f"-m: the image is named {name}", check_image_in_folder, name, "-m", "1")
for name in (".saving.core", ".saving.lock", "bounds", ".saving.old.vmcore.0"):
    tests.case(f"the image is named {name}", check_image_in_folder, name)
tests.case("an older dump's name is the image's", check_image_put_back)
for name in ("vmcore.0", "info.last", "vmcore.last", "disk.img"):
    tests.case(f"beside an image named {name}", check_image_beside, name)
    tests.case(f"-m: beside an image named {name}", check_image_beside, name, "-m", "2")
for name in ("vmcore.0", "info.0", "vmcore.0.zst", "key.0"):
    tests.case(f"-m: a folder named {name}", check_folder_in_the_way, name)
for name, text in [
    ("minfree", "2G\n"),
    ("minfree", "xx"),
    ("minfree", "-1\n"),
    ("minfree", "99999999999999999999999\n"),
    ("minfree", ""),
    ("minfree", "\x1b[2J\n"),
    ("bounds", "x\n"),
]:
    tests.case(f"{name} is no number: {text!r}", check_no_number, name, text)
tests.case("minfree is a folder", check_number_folder)
for name in ("minfree", "bounds"):
    tests.case(f"{name} is a link", check_number_link, name)
tests.case("minfree is honoured", check_minfree, "all of it", False)
tests.case("minfree leaves room", check_minfree, "half the room", True)
tests.case("a dump without end", check_huge)
tests.case("no folder", check_no_folder)
tests.case("one at a time", check_locked)
tests.case("a folder and a disk that others lock", check_strangers_lock)
for what, make in [
    ("of a stranger", lambda path: held_lock(path, 12345)),
    ("that a stranger may write", lambda path: held_lock(path, 0, 0o666)),
    ("that has another name", linked_lock),
    ("that is a link", lambda path: os.symlink("elsewhere", path)),
    ("that is a fifo", os.mkfifo),
]:
    tests.case(f"a lock {what}", check_strangers_file, make)
for what, user, make in [
    ("of a stranger", 12346, lambda path: held_lock(path, 12345)),
    ("that is a folder", 0, os.mkdir),
]:
    tests.case(f"a lock {what}, which stays", check_lock_stays, user, make)
for mode in SHARED:
    where = f"in a folder of mode {mode:o}"
    tests.case(
        f"a colleague's lock, {where}: root",
        *(check_colleagues_lock, mode, 0),
        "another vmcore save is at work there (.saving.lock of user 12345 is locked)",
    )
    for what, held in [("a colleague's lock", True), ("an old lock", False)]:
        tests.case(
            f"{what}, {where}: another user",
            *(check_colleagues_lock, mode, 12346),
            "save of user 12345 may be at work there: if none is, remove ",
            held,
        )
    tests.case(f"an old lock, {where}: root", check_colleague_died, mode)
tests.case("names that are taken", check_leftovers)
for what, *who in IN_THE_WAY:
    tests.case(f"{what} of a stranger under each name on the way", check_temporary_taken, *who)
for what, user, make in IN_THE_WAY + [("a file", 0, put_strangers)]:
    tests.case(
        f"bounds is {what} of a stranger, to {user}",
        *(check_count_strange, "bounds", user, make),
    )
tests.case("minfree is a stranger's", check_count_strange, "minfree", COLLEAGUE, put_minfree)
for what, owner in [("root", 0), ("the folder's owner", STRANGER), ("the user", COLLEAGUE)]:
    tests.case(f"bounds and minfree are of {what}", check_count_trusted, owner)
tests.case("-m: bounds is root's", check_count_stays)
for name in ("vmcore", "info", "key", ".saving.old.info", ".saving.old.vmcore"):
    for what, user, make in IN_THE_WAY:
        tests.case(
            f"-m: {what} of a stranger has the name {name}.N",
            *(check_blocked, name, user, make),
        )
for what, owner in [("told", COLLEAGUE), ("that stays", 0)]:
    tests.case(f"-m: two dumps and one number, {what}", check_blocked_twice, owner)
tests.case("-m: root replaces a stranger's dump", check_replaced_by_root)
for ages, number in [
    ((1000, None, 900), 1),
    ((1000, 900, 1100), 1),
    ((1000, 1100, 900), 2),
    ((900, 900, 900), 0),
]:
    tests.case(f"-m without bounds: ages {ages}", check_oldest, ages, number)
for what, *row in [
    ("of ours", STRAY, COLLEAGUE, True, True),
    ("of ours, without a lock", STRAY, COLLEAGUE, False, False),
    ("of a stranger", STRAY, STRANGER, True, False),
    ("with another number", STRAY + "0", COLLEAGUE, True, False),
    ("with a short number", STRAY[:-1], COLLEAGUE, True, False),
    ("with more", STRAY + "x", COLLEAGUE, True, False),
    ("of another kind", ".saving.Core.123456789", COLLEAGUE, True, False),
]:
    tests.case(f"a file that was left, {what}", check_stray, *row)

# ---- what goes wrong on the way ----


def check_file_limit():
    """Writing fails in the middle: nothing stays but the number."""
    data = some_bytes(1 << 22)
    image = dump4(data, size=1 << 23)
    limit = functools.partial(
        resource.setrlimit, resource.RLIMIT_FSIZE, (1 << 21, 1 << 21)
    )
    with Scene(image) as scene:
        result = scene.save(preexec_fn=limit)
        expect(result, os.EX_IOERR, "crash/.saving.core: File too large\n")
        assert scene.names() == ["bounds"], scene.names()
        assert scene.image_bytes() == image
        expect(scene.save(), os.EX_OK)
        assert scene.read("vmcore.1") == data


def check_full_disk():
    """The disk is full although there seemed to be room."""
    with Scene(GOOD) as scene:
        os.rmdir(scene.folder)
        os.mkdir(scene.folder)
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", scene.folder],
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if mount.returncode != 0:
            raise Skip("no file system may be mounted here")
        try:
            put(scene, "filler", "x" * 57344)
            result = scene.save()
            assert result.status in (os.EX_IOERR, os.EX_CANTCREAT), result
            left = set(scene.names()) - {"filler", "bounds"}
            assert not left, left
            assert scene.image_bytes() == GOOD
        finally:
            subprocess.run(["umount", scene.folder], check=True)


def start_long(scene, **options):
    """Start a long save, and return when it has made its files."""
    if not HAS_SHA256:
        raise Skip("only the SHA-256 of a hole takes long")
    process = subprocess.Popen(
        [VMCORE, "save", scene.image, scene.folder],
        stderr=subprocess.PIPE,
        env=os.environ | {"KVM_NOLIMIT": "1"},
        **options,
    )
    while process.poll() is None and not os.path.exists(
        scene.path(".saving.info")
    ):
        time.sleep(0.001)
    return process


def interrupted(scene, number):
    process = start_long(scene)
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def long_dump(scene):
    """A dump of 4 GB of zeros, which take no room."""
    length = 1 << 32
    with open(scene.image, "wb") as file:
        header = images.header4(length)
        file.seek(4096 - 512)
        file.write(header)
        file.seek(length + 4096)
        file.write(header)


def check_interrupted(number, leaves):
    with Scene(b"") as scene:
        long_dump(scene)
        assert interrupted(scene, number) == -number
        assert scene.names() == leaves, scene.names()
        expect(scene.check(), os.EX_OK)


def check_lock_left(mode, group):
    """A colleague can tell a lock that is held from one that is left."""
    with Scene(b"") as scene:
        share(scene, mode, group)
        long_dump(scene)
        try:
            process = start_long(scene, user=COLLEAGUE, group=group)
        except PermissionError:
            raise Skip("nobody else can run the command here")
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        result = save_as(scene, COLLEAGUE + 1, group=group)
        held = f"(.saving.lock of user {COLLEAGUE} is locked)"
        expect(result, os.EX_TEMPFAIL, f"another vmcore save is at work there {held}")
        process.kill()
        process.communicate(timeout=60)
        assert ".saving.lock" in scene.names(), scene.names()
        scene.write(GOOD)
        result = save_as(scene, COLLEAGUE + 1, group=group)
        expect(result, os.EX_OK)
        assert result.err == "", result
        assert scene.read("vmcore.1") == DATA
        assert ".saving.lock" not in scene.names(), scene.names()


for mode in SHARED + (0o775,):
    name = f"a colleague's lock that is left in a folder of mode {mode:o}"
    tests.case(name, check_lock_left, mode, 12347)
tests.case("a file that may not grow", check_file_limit)
tests.case("a full disk", check_full_disk)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    tests.case(
        f"{number.name} in the middle", check_interrupted, number, ["bounds"]
    )
tests.case(
    "SIGKILL in the middle",
    *(check_interrupted, signal.SIGKILL),
    [".saving.core", ".saving.info", ".saving.lock", "bounds"],
)
tests.run()
