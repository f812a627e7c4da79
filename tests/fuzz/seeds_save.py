"""Disks with dumps on them, and the folders that they are saved into: the text
before the image is that of cmdline.h."""

import gzip

import images
from images import (
    FILLER, SWAP, UFS, extended_disk, falsify, geom, label, mbr_disk, slice_of,
    some_bytes, table,
)

DATA = some_bytes(3000)
SIZE = 16384
KEY = (b"\1" + some_bytes(32, 2) + b"\0\0\1\0" + some_bytes(256, 3)).ljust(512, b"\0")


def dump(data=DATA, sector=512, **changed):
    return images.dump4(data, sector, **({"size": 4 * SIZE} | changed))


def lines(*words):
    return ("\n".join(words) + "\n\n").encode()


GOOD = dump()
SMALL = dump(size=SIZE)
TAR = some_bytes(512 * 9, 7)
DISK = images.disk([(UFS, bytes(1024)), (SWAP, GOOD), (SWAP, bytes(1024))])
LAST = SIZE * 4 - 512

# A disk each: saved, and looked at.
DISKS = [
    GOOD,
    DISK,
    *(dump(sector=sector) for sector in (1024, 2048, 4096, 8192)),
    dump(b"x"),
    dump(extent=8192),
    images.dump1(DATA[:1024], size=SIZE),
    dump(gzip.compress(DATA), compression=1),
    dump(DATA, compression=2),
    dump(DATA, compression=7),
    dump(key=KEY),
    dump(key=KEY, compression=2),
    dump(key=KEY[:500], key_len=500),
    images.textdump(TAR, size=SIZE),
    images.textdump(TAR[:512], size=SIZE),
    dump(length=1 << 63),
    dump(length=0),
    dump(extent=4096, length=8192),
    dump(block=0),
    dump(block=513),
    dump(version=1),
    dump(version=9),
    dump(arch=b"pdp11"),
    dump(magic=b"FreeBSD Kernel Dumb"),
    dump(panic=b"\n\x1b[31m" + bytes(range(128, 255)), host=b"a\nb"),
    *(dump(time=time) for time in (1 << 63, 1 << 60, (1 << 63) - 1)),
    *(dump(text=b"FreeBSD\n" + text) for text in [
        b"", b"\n", b"    root@host:/usr/obj", b"    a: b\n", b"    a:\tb\n    c\n",
        b"    a:\n", b"   a\n", b"x" * 180]),
    dump(text=b""),
    falsify(GOOD, LAST + 100, b"?"),
    falsify(GOOD, LAST, b"Cleared Kernel Dump"),
    falsify(GOOD, GOOD.index(images.KERNEL) + 100, b"?"),
    falsify(GOOD, GOOD.index(images.KERNEL), bytes(512)),
    images.disk([(UFS, bytes(4096)), (SWAP, dump(sector=4096))], 4096),
    images.disk([(SWAP, GOOD)], 1024),
    falsify(DISK, 512, bytes(512)),
    falsify(DISK, 600, b"?"),
    falsify(DISK, 1024, b"?"),
    falsify(falsify(DISK, 512, bytes(512)), -512, bytes(512)),
    falsify(falsify(DISK, 600, b"?"), -400, b"?"),
    DISK[:-512],
    DISK + bytes(8192),
    *(images.disk([(SWAP, GOOD)], primary={name: value}, backup={name: value})
      for name, value in [
          ("revision", 0), ("len", 91), ("len", 4096), ("lba", 7), ("crc", 1),
          ("array_lba", 1 << 63), ("array_lba", 1 << 40), ("count", 0),
          ("count", 1 << 31), ("entry_len", 127), ("entry_len", 1 << 30),
          ("array_crc", 1), ("array_lba", 1), ("other", 0), ("first", 1 << 60),
      ]),
    *(images.disk([(SWAP, GOOD)], entries=b"".join(parts)) for parts in [
        [images.entry(34, 100), images.entry(90, 161)],
        [images.entry(100, 34)],
        [images.entry(34, 1 << 40)],
        [images.entry(0, 161), images.entry(0, 161)],
        [images.entry(34, 161)] * 3,
    ]),
    *(geom(dump(sector=sector), sector) for sector in (512, 4096)),
    geom(geom(GOOD)),
    *(mbr_disk([(kind, GOOD)]) for kind in (0xA5, 0x82, 0x83, 0x0F, 0x05, 0)),
    *(mbr_disk([(0x83, FILLER), (0xA5, slice_of(dump(sector=sector), sector))],
               sector) for sector in (512, 1024, 2048, 4096)),
    *(mbr_disk([(0xA5, slice_of(GOOD, kind=kind, raw=raw))])
      for kind, raw in [(0, 0), (7, 0), (1, 63), (14, 1 << 20), (1, 1 << 31)]),
    slice_of(GOOD),
    extended_disk(GOOD),
    mbr_disk([(0xA5, GOOD)])[:-len(GOOD) // 2],
    mbr_disk([(0x05, table((1, 8, 0x83), (0, 100, 5)) + FILLER)]),
    mbr_disk([(0x05, table((1, 8, 0xA5), (1, 100, 5)) + FILLER)]),
    mbr_disk([(0x05, FILLER)]),
    *(mbr_disk([(0xA5, bytes(512) + label(parts))]) for parts in [
        [((1 << 32) - 1, (1 << 32) - 1, 1)], [(0, 0, 0)] * 8, [(1, 1 << 31, 1)] * 8]),
    *(mbr_disk([(0xA5, falsify(slice_of(GOOD), where, data))]) for where, data in [
        (512, b"x"), (512 + 132, b"x"), (512 + 138, b"\xff\xff"), (512 + 40, bytes(4)),
        (512 + 138, bytes(2)), (512 + 160, b"\7")]),
    images.disk([(bytes.fromhex("b47c6e51cf6ed6118ff800022d09712b"), slice_of(GOOD))]),
    images.disk([(bytes.fromhex("b47c6e51cf6ed6118ff800022d09712b"), FILLER)]),
    images.mbr(1, 10) + bytes(4096),
    images.mbr(1, 10)[:510] + bytes(2 + 4096),
    images.mbr(8, (4 * SIZE) // 512).ljust(4096, b"\0") + GOOD + bytes(512),
    b"",
    images.header4(3000 + 512 * 3) * 4 + DATA + images.header4(3000 + 512 * 3) * 4,
    b"x" * 511,
    b"x" * 1000,
    *(magic.ljust(4096, b"\0") + GOOD for magic in [
        b"QFI\xfb\0\0\0\3", b"KDMV", b"<<< Oracle VM", b"vhdxfile", b"\x1f\x8b\x08",
        b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"conectix"]),
]

# What else the folder has, and what is asked for.
FOLDERS = [
    ["save @file @folder", "bounds=7", "minfree=10"],
    ["save @file @folder", "bounds=x", "minfree=x"],
    ["save @file @folder", "bounds=99999999999999999999", "minfree=-1"],
    ["save @file @folder", "bounds=4294967295"],
    ["save @file @folder", "bounds/", "minfree>bounds"],
    ["save @file @folder", "minfree=99999999999999"],
    ["save @file @folder", "minfree=18446744073709551615"],
    ["save @file @folder", "bounds=3", "vmcore.3=x", "info.4=x"],
    ["save -m 5 @file @folder", "bounds=5", "vmcore.0=x", "vmcore.0.gz=x",
     "key.0=x", "vmcore.last>vmcore.0"],
    ["save -m 5 @file @folder", "bounds=3", "info.3/", "vmcore.3/"],
    ["save @file @folder", "vmcore.last/", "info.last=x"],
    ["save @file @folder", "vmcore.last=x", "info.last>elsewhere"],
    ["save -f -v -k @file @folder"],
    ["save -C @file"],
    ["save -Cv @file"],
    ["save -c @file"],
    ["save -cC @file"],
    ["save -c x", "x>/dev/null"],
    ["save -c x", "x>.."],
    ["save -ck @file"],
    ["save -m 0 @file @folder"],
    ["save -m x @file @folder"],
    ["save -m 4294967296 @file @folder"],
    ["save -m @file"],
    ["save @folder @file"],
    ["save @file nowhere"],
    ["save nothing @folder"],
    ["save @folder @folder"],
    ["save @file @folder more"],
    ["save"],
    ["save -h"],
    ["save --help"],
    ["save --quack @file"],
    ["save -Q @file"],
    ["save --offset 0 @file @folder"],
    ["save --offset 512 @file @folder"],
    ["save --offset 1G @file @folder"],
    ["save --offset 0 --length 16K @file @folder"],
    ["save --offset 0 --length 16G @file @folder"],
    ["save --offset x @file @folder"],
    ["save --length x @file @folder"],
    ["save --length 7 @file @folder"],
]

# What another program, or a save that was cut off, has left there.
LEFT = [
    [".saving.lock#"], [".saving.lock="], [".saving.lock|"], [".saving.lock/"],
    [".saving.lock>x"], [".saving.core=x", ".saving.info/", ".saving.last/"],
    [".saving.bounds/"], [".saving.old.vmcore.3=x", ".saving.old.info.3=x"],
    [".saving.old.vmcore.3=x", "info.3=x"], [".saving.old.vmcore.3.gz=x", "bounds=3"],
    [".saving.old.vmcore.0=x", "vmcore.0=y"], [".saving.old.x", ".saving.old.info.="],
    [".saving.old.info.7/", "info.7=x", "bounds=7"],
    ["bounds=7 \t ", "minfree=\t"], ["bounds|"], ["bounds>@folder"], ["info.0|"],
    [".saving.core/"], [".saving.core/", ".saving.info/", ".saving.bounds/"],
    [".saving.core.123456789=x", ".saving.core.12345678=x", ".saving.core.12345678x=x"],
    [".saving.core.123456789x=x", ".saving.Core.123456789=x", ".saving.core.x=x"],
    [".saving.core.123456789/", ".saving.info.123456789>x", ".saving.x=x"],
    ["info.0=x"], ["info.0=x", "info.1=x", "info.2=x", "info.3=x"], ["vmcore.0/"],
    ["bounds=3", "info.3=x"], ["bounds=4", "info.0=x", "vmcore.0=x"], ["bounds=9"],
    ["bounds|", "bounds=3"], ["bounds|", "bounds#"], ["bounds=3", "bounds>x", "bounds/"],
]

# Disks on which some places cannot be read: where, how far apart, how many.
WIDE = some_bytes(512 * 81, 4)
BAD = [
    (dump(WIDE, size=8 * SIZE), 8 * SIZE - 512 * 82 + 9, 1024, 40),
    (dump(WIDE, size=8 * SIZE), 8 * SIZE - 512 * 40, 512, 7),
    (GOOD, 1 << 30, 1, 1),
    (GOOD, LAST - 1024, 512, 1),
    (DISK, 512, 512, 1),
    (dump(WIDE, size=8 * SIZE), 8 * SIZE - 512, 512, 1),
    (SMALL + dump(WIDE, size=8 * SIZE), SIZE + 8 * SIZE - 512, 512, 1),
    (slice_of(dump(WIDE)), len(slice_of(dump(WIDE))) - 512, 512, 1),
    (FILLER, len(FILLER) - 512, 512, 1),
    (dump(DATA[:1024]), LAST, 512, 1),
    (geom(geom(dump(b"\x1f\x8b\x08" + DATA[:1021]))), LAST, 512, 1),
    (dump(key=KEY), LAST - 3072 - 100, 512, 1),
    (images.textdump(TAR), (1 << 20) - 512 * 2, 512, 1),
    (images.textdump(TAR), (1 << 20) - 512 * 9, 512, 4),
    (images.textdump(TAR), (1 << 20) - 512 * 9, 1024, 3),
]

# What may be asked of a disk on which something is wrong.
ANY = [["save -k @file @folder"], ["save -fv @file @folder"],
       ["save --offset 0 @file @folder"]]


def rows(_):
    for image in DISKS:
        for folder in ANY:
            yield lines(*folder) + image
    for number in range(1, 90):
        for failure in ("!memory", "!files", "!places"):
            for image in (SMALL, images.disk([(SWAP, SMALL)]),
                          mbr_disk([(0xA5, slice_of(SMALL))])):
                yield lines("save -f @file @folder", "bounds=1",
                            f"{failure} {number}") + image
    for off, size in [(0, 512), (LAST, 512), (4096, 512), (SIZE, 1), (0, 1 << 40),
                      (LAST - 4000, 512), (LAST - 3000, 1), (LAST - 2560, 1536),
                      (SIZE - 4096, 1536), (SIZE - 2560, 1)]:
        for image in (GOOD, DISK, dump(gzip.compress(DATA), compression=1),
                      images.textdump(TAR, size=SIZE)):
            for command in ("save -f @file @folder", "save @file @folder",
                            "save -c @file", "save -fv @file @folder"):
                yield lines(command, f"!bad {off} 1 {size}") + image
    for image, *places in BAD:
        for words in ("save @file @folder", "save -f @file @folder", "save -Cf @file"):
            yield lines(words, "!bad " + " ".join(map(str, places))) + image
    for left in LEFT:
        for words in ("save @file @folder", "save -fm 4 @file @folder"):
            yield lines(words, *left) + SMALL
    for folder in FOLDERS:
        yield lines(*folder) + GOOD
        yield lines(*folder) + DISK
