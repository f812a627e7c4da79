#!/usr/bin/env python3
"""usage: count-tests.py BUILDDIR

Count the test cases of the last `meson test` in BUILDDIR.  A TAP test counts
as many times as it has cases, any other test once.  Describes failures and
skips on stderr; the last thing on stdout is "PASSED FAILED SKIPPED".
"""

import json
import pathlib
import sys
import xml.etree.ElementTree

GOOD = ("OK", "EXPECTEDFAIL")
TAIL = 20  # lines of a failed test's output that are shown


def tap_suites(path):
    """The cases of each TAP test, by the test's name."""
    if not path.exists():
        return {}
    suites = {}
    for suite in xml.etree.ElementTree.parse(path).getroot():
        project, _, name = suite.get("name").partition(".")
        if name:
            suites[name] = suite.findall("testcase")
    return suites


def output_of(test):
    lines = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
    return [line for line in lines if line.strip()]


def skip_reason(test):
    """What a test that skipped as a whole said about it."""
    lines = output_of(test)
    for line in lines:
        if "# SKIP" in line:
            return line.partition("# SKIP")[2].strip()
    return lines[-1] if lines else "it does not say why"


def count(test, cases):
    """Passed, failed and skipped cases of one test; tells of the latter."""
    name, result = test["name"], test["result"]
    if not cases:
        if result == "SKIP":
            print(f"  skipped: {name}: {skip_reason(test)}", file=sys.stderr)
            return 0, 0, 1
        cases = []

    failed = [c for c in cases
              if c.find("failure") is not None or c.find("error") is not None]
    skipped = [c for c in cases if c.find("skipped") is not None]
    for case in skipped:
        why = case.findtext("system-out") or case.get("name")
        print(f"  skipped: {name}: {why}", file=sys.stderr)

    if result in GOOD + ("SKIP",) and not failed:
        passed = len(cases) - len(skipped) if cases else 1
        return passed, 0, len(skipped)

    # A test can also fail outside of its cases: a crash, a time-out.
    print(f"  FAILED: {name}: {result}", file=sys.stderr)
    for case in failed:
        print(f"    not ok: {case.get('name')}", file=sys.stderr)
    told = [line for line in output_of(test) if not line.startswith("ok ")]
    for line in told[-TAIL:]:
        print(f"    | {line}", file=sys.stderr)
    return (len(cases) - len(failed) - len(skipped), max(1, len(failed)),
            len(skipped))


def main():
    logs = pathlib.Path(sys.argv[1]) / "meson-logs"
    suites = tap_suites(logs / "testlog.junit.xml")
    totals = [0, 0, 0]
    log = logs / "testlog.json"  # one test a line; absent if none ran
    for line in log.read_text("utf-8").splitlines() if log.exists() else []:
        test = json.loads(line)
        counts = count(test, suites.get(test["name"], []))
        totals = [sum(pair) for pair in zip(totals, counts)]
    print(*totals)


if __name__ == "__main__":
    main()
