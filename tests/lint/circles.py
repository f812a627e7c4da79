"""usage: circles.py BUILD

Calls between the files of a room run one way: no file calls another that calls
it back, directly or through others.  The kernel is left out: panic() is called
everywhere, and calls nearly everything.
"""

import collections
import pathlib
import subprocess
import sys

from tap import Tests

ROOMS = "format dumper libkvm kdebug disk rsp cli"
DEFINED = set("TDBRVW")


def symbols(path):
    """Names that an object defines, and those that it uses."""
    out = subprocess.run(
        ["nm", path], capture_output=True, text=True, check=True
    ).stdout
    words = [line.split() for line in out.splitlines()]
    defined = {w[2] for w in words if len(w) == 3 and w[1] in DEFINED}
    return defined, {w[1] for w in words if len(w) == 2 and w[0] == "U"}


def calls(room):
    """Which object of the room uses which."""
    objects = {path.name: symbols(path) for path in sorted(room.rglob("*.o"))}
    owner = {
        name: path for path, (defined, _) in objects.items() for name in defined
    }
    assert len(objects) > 2, f"no objects in {room}"
    return {
        path: {owner[name] for name in used if name in owner} - {path}
        for path, (_, used) in objects.items()
    }


def circle(graph):
    """A circle as a list of objects, or an empty list."""
    left = collections.Counter({path: len(to) for path, to in graph.items()})
    users = collections.defaultdict(list)
    for path, to in graph.items():
        for other in to:
            users[other].append(path)
    free = [path for path, count in left.items() if count == 0]
    while free:
        for user in users[free.pop()]:
            left[user] -= 1
            if left[user] == 0:
                free.append(user)
    return sorted(path for path, count in left.items() if count > 0)


def check_room(room):
    found = circle(calls(room))
    assert not found, "in a circle, or above one: " + " ".join(found)


def main():
    tests = Tests()
    build = pathlib.Path(sys.argv[1])
    for room in ROOMS.split():
        tests.case(f"{room}: calls run one way", check_room, build / room)
    tests.run()


main()
