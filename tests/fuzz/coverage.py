"""usage: coverage.py TOP WORK [TARGET REPLAY INPUTS... --] ...

Which lines and branches of each parser do the corpora of the fuzz targets reach
by themselves?  Replays them all in a build of -Dcoverage=true, and writes a
table into WORK/table.  A file fails below the limits; lines that no input can
reach do not count where unreached.txt says why.
"""

import collections
import os
import pathlib
import subprocess
import sys

import lists


class Coverage:
    """What of a file was reached: (line, was it) by function."""

    def __init__(self):
        self.starts = []  # (first line, function)
        self.lines = []
        self.branches = []

    def function(self, line):
        before = [start for start in self.starts if start[0] <= line]
        return max(before)[1] if before else ""

    def missed(self):
        """The functions of which something was not reached, and the lines."""
        found = collections.defaultdict(set)
        for line, reached in self.lines + self.branches:
            if not reached:
                found[self.function(line)].add(line)
        return found

    def percent(self, marks, excused):
        """Of those that are reached, or belong to no excused function."""
        count = [reached for line, reached in marks
                 if reached or self.function(line) not in excused]
        return 100 * sum(count) / len(count) if count else 100


def split_targets(words):
    """(name, program, folders of inputs) of each target."""
    while words:
        end = words.index("--")
        yield words[0], words[1], words[2:end]
        words = words[end + 1:]


def replay(target, work):
    """Run a target on its corpus: what it says last."""
    name, program, inputs = target
    env = {**os.environ, "MALLOC_PERTURB_": "0",
           "LLVM_PROFILE_FILE": str(work / f"{name}.profraw")}
    done = subprocess.run([program, *inputs], env=env, check=False,
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name}: status {done.returncode} after\n"
                 f"{done.stdout[-300:]}{done.stderr[-2000:]}")
    return f"{name:12} {done.stdout.splitlines()[-1]}"


def take_line(cov, kind, values):
    """One record of lcov's format: geninfo(1)."""
    if kind == "FN":
        cov.starts.append((int(values[0]), values[1].split(":")[-1]))
    elif kind == "DA":
        cov.lines.append((int(values[0]), int(values[1]) > 0))
    elif kind == "BRDA":
        cov.branches.append((int(values[0]), values[3] not in ("-", "0")))


def measure(targets, work):
    """The coverage of every file, by its path."""
    profile = work / "all.profdata"
    subprocess.run(["llvm-profdata", "merge", "-o", profile,
                    *[work / f"{name}.profraw" for name, _, _ in targets]],
                   check=True)
    objects = [word for target in targets for word in ("-object", target[1])]
    text = subprocess.run(
        ["llvm-cov", "export", "-format=lcov", "-instr-profile", profile,
         *objects], check=True, capture_output=True, text=True).stdout
    found = collections.defaultdict(Coverage)
    for line in text.splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            cov = found[os.path.realpath(rest)]
        elif rest:
            take_line(cov, kind, rest.split(","))
    return found


# What the corpora have to reach of each file, in percent.
LINES, BRANCHES = 90, 80

# Points: threads and the host's memory decide which of some lines are reached.
SLACK = 2


def judge(path, cov, reasons):
    """What is wrong with a file's coverage, if something is."""
    missed = cov.missed()
    excused = {function for function, _ in reasons}
    for function in sorted(excused - set(missed)):
        yield f"{path}: {function}() is reached: take it from unreached.txt"
    lines = cov.percent(cov.lines, excused)
    branches = cov.percent(cov.branches, excused)
    if lines < LINES - SLACK or branches < BRANCHES - SLACK:
        for function in sorted(set(missed) - excused):
            where = " ".join(map(str, sorted(missed[function])))
            yield f"{path}: {function}: not reached: {where}"


def table(top, found, wrong):
    """The lines of the table; appends what is wrong to a list."""
    reasons = lists.unreached(top)
    for path in set(reasons) - set(lists.parsers(top)):
        wrong.append(f"unreached.txt: {path} is not in parsers.txt")
    yield f"{'file':28} {'lines':>6} {'branches':>8}"
    for path in lists.parsers(top):
        cov = found.get(str(top / path))
        if cov is None:
            wrong.append(f"{path}: no target runs any of it")
            continue
        excused = {function for function, _ in reasons[path]}
        yield (f"{path:28} {cov.percent(cov.lines, excused):6.1f} "
               f"{cov.percent(cov.branches, excused):8.1f}")
        for function, reason in reasons[path]:
            yield f"    but for {function}(): {reason}"
        wrong += judge(path, cov, reasons[path])


def main():
    top, work = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    work.mkdir(parents=True, exist_ok=True)
    targets = list(split_targets(sys.argv[3:]))
    said = [replay(target, work) for target in targets]
    wrong = []
    said += table(top, measure(targets, work), wrong)
    (work / "table").write_text("\n".join(said) + "\n")
    print("\n".join(said))
    if wrong:
        sys.exit("\n" + "\n".join(wrong))


main()
