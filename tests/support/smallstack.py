"""Programs that run with the stack of a small thread."""

import os
import resource

from tap import Skip

LENGTH = 48 << 10


def limit():
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (LENGTH, hard))


def options(program):
    """For tap.run(); no program with a sanitizer gets on with so little."""
    with open(program, "rb") as file:
        if b"__asan_init" in file.read():
            raise Skip("a sanitizer takes more stack")
    # Arguments and environment may take a quarter of it.
    return {"preexec_fn": limit, "env": {"PATH": os.defpath}}
