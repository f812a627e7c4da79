"""The lists of this folder: parsers.txt and unreached.txt."""

import collections


def rows(top, name):
    """The lines of a list, without comments."""
    for line in (top / "tests/fuzz" / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line


def parsers(top):
    """The files that decode what is not trusted, each with its target."""
    return dict(line.split() for line in rows(top, "parsers.txt"))


def unreached(top):
    """[(function, reason)] of each file."""
    found = collections.defaultdict(list)
    for line in rows(top, "unreached.txt"):
        path, function, reason = line.split(":", 2)
        found[path].append((function, reason.strip()))
    return found
