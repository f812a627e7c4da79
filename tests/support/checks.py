"""Cases whose outcome is known when they are added, for tap.py."""

from tap import Skip, Tests

tests = Tests()


def holds(name, ok, said=""):
    """said explains a failure."""
    tests.case(name, _holds, ok, said)


def same(name, got, want):
    tests.case(name, _same, got, want)


def skip(name, why):
    tests.case(name, _skip, why)


def _holds(ok, said):
    assert ok, said


def _same(got, want):
    assert got == want, f"got:  {got}\nwant: {want}"


def _skip(why):
    raise Skip(why)
