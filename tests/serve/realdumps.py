"""The real dumps, laid out for a test: kernels unpacked, dumps as they are."""

import json
import os

from checks import skip
from tap import run


def lay_out(script, folder):
    """(name, kernel, core, expectation) of each dump; none: it says why."""
    result = run("sh", script, folder)
    if result.status != 0:
        skip("real dumps", result.err.strip() or "none")
        return []
    with open(os.path.join(folder, "expected.json")) as file:
        expected = json.load(file)
    return [
        (name, os.path.join(folder, want["kernel"]), core(folder, name), want)
        for name, want in sorted(expected.items())
    ]


def core(folder, name):
    """It may be compressed."""
    path = os.path.join(folder, name)
    return path if os.path.exists(path) else path + ".zst"
