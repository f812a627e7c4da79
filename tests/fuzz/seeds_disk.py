"""Transfers at offsets of a disk: fuzz_disk.c says how they are written."""

import random
import struct

SECTOR_LENS = [0, 1, 512, 520, 4096, 16384]
READ, WRITE, HOLES, FLUSH, CUT, OPEN = range(6)


def operation(kind, off, length=0):
    return struct.pack("<BI", kind, off)[:4] + struct.pack("<H", length)


def transfers(sector):
    """Of each kind: whole sectors, a part of one, ends inside of two."""
    end = 16 * sector
    for off, length in [
        (0, 0), (0, 1), (0, sector), (0, 3 * sector), (1, 1), (1, sector),
        (sector - 1, 2), (sector + 1, 2 * sector), (end - 1, 1), (end, 0),
        (end, 1), (end - 1, 2), (end + 1, 0), ((1 << 24) - 1, 65535),
    ]:
        yield off, min(length, 65535)


def rows(_):
    for number, sector in enumerate(SECTOR_LENS):
        first = bytes([number])
        places = list(transfers(sector or 64))
        for kind in (READ, WRITE, HOLES):
            yield first + b"".join(operation(kind, *place) for place in places)
        yield first + b"".join(operation(kind, *place) for place in places
                               for kind in (WRITE, READ, FLUSH, HOLES))
        for cut in (0, 1, 5, (sector or 64) * 5, (sector or 64) * 5 + 1):
            yield first + operation(WRITE, 0, 3000) + operation(CUT, cut) + b"".join(
                operation(kind, *place) for place in places for kind in (READ, WRITE, HOLES))
        chance = random.Random(number)
        yield first + b"".join(
            operation(chance.choice([READ, WRITE, HOLES]),
                      chance.randrange(17 * (sector or 64)),
                      chance.randrange(min(65536, 5 * (sector or 64))))
            for _ in range(200))
    yield bytes([0]) + b"".join(operation(OPEN, which) for which in range(3))
    yield b"\2" + operation(WRITE, 512, 65535)
