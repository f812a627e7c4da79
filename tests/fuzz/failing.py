"""Inputs before which stands what is to fail: fail.h."""


def memory(data, last):
    """The same input, with another allocation that fails each time."""
    for number in range(1, last):
        yield bytes([ord("M"), number]) + data


def files(data, last):
    """The same with the calls that are about files."""
    for number in range(1, last):
        for kind in b"FP":
            yield bytes([kind, number]) + data
