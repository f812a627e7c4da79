"""The lists of this folder: parsers.txt and unreached.txt."""

import collections


def rows(top, name):
    """The lines of a list, without comments."""
    for line in (top / "tests/fuzz" / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line


# What the seeds have to reach of a parser, in percent of lines and branches.
LIMITS = (90, 80)


def parsers(top):
    """The files that decode what is not trusted: the target and the limits."""
    found = {}
    for line in rows(top, "parsers.txt"):
        path, target, *limits = line.split()
        found[path] = target, tuple(map(int, limits)) or LIMITS
    return found


def unreached(top):
    """[(function, reason)] of each file."""
    found = collections.defaultdict(list)
    for line in rows(top, "unreached.txt"):
        path, function, reason = line.split(":", 2)
        found[path].append((function, reason.strip()))
    return found
