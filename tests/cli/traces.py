"""usage: traces.py VMCORE GENDUMP VARIANT ...

vmcore bt of generated dumps: a recursion is folded and the trace goes on to
its end, and a thread that came from user mode says from where.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from tap import Tests, run

VMCORE, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:3])
VARIANTS = sys.argv[3:]
FOLDER = tempfile.TemporaryDirectory()

tests = Tests()


def generate(variant, recursion=600, mem="4M"):
    core = os.path.join(FOLDER.name, f"{variant}-{recursion}")
    subprocess.run(
        [GENDUMP, "--variant", variant, "--threads"]
        + ["--recursion", str(recursion), "--mem", mem, "--seed", "7"]
        + ["-o", core, "-k", core + ".kernel", "--json", core + ".json"],
        check=True,
    )
    with open(core + ".json") as file:
        return core, list(json.load(file)["threads"].values())


def bt(core, *words):
    result = run(VMCORE, "bt", "-N", core + ".kernel", *words, core)
    assert result.status == os.EX_OK, result
    return result.out


def number(text):
    return int(text, 16)


# ---- text ----


def frames_in(lines):
    """Of a thread's lines: pcs of the frames, None for each that was folded."""
    pcs = []
    for line in lines:
        folded = re.match(r"\[\.\.\. (\d+) more frames of (.*) \.\.\.\]$", line)
        if folded:
            pcs += [None] * int(folded[1])
        elif line.startswith("#"):
            n, pc = re.match(r"#(\d+) +0x([0-9a-f]+) in ", line).groups()
            assert int(n) == len(pcs), lines
            pcs.append(number(pc))
    return pcs


def check_recursion(core, threads):
    crashed = [td for td in threads if td["state"] == "crashed"][0]
    lines = bt(core).splitlines()
    pcs = frames_in(lines)
    want = [number(pc) for pc in crashed["backtrace_pcs"]]
    assert len(want) > 600 and len(lines) < 50, lines
    assert len(pcs) == len(want), (len(pcs), len(want))
    assert all(pc in (None, right) for pc, right in zip(pcs, want)), lines
    assert pcs.count(None) >= 594, lines
    folds = [line for line in lines if line.startswith("[")]
    assert len(folds) == 1, folds
    names = re.search(r"of (.*) \.\.\.\]", folds[0])[1].split(" <- ")
    assert sorted(names) == ["bread", "ffs_read"], folds


def check_recursion_json(core, threads):
    """There, nothing is folded or cut."""
    crashed = [td for td in threads if td["state"] == "crashed"][0]
    (thread,) = json.loads(bt(core, "--json"))
    pcs = [frame["pc"] for frame in thread["frames"]]
    assert pcs == crashed["backtrace_pcs"], thread
    assert "frames_cut" not in thread, thread


def check_user_lines(core, threads):
    parts = bt(core, "-a").split("\n\n")
    assert len(parts) == len(threads)
    seen = 0
    for part, td in zip(parts, threads):
        last = part.splitlines()[-1]
        if "user_pc" not in td or not td["frames"]:
            assert not last.startswith("---"), part
            continue
        said = re.match(
            r"--- syscall \((\d+), FreeBSD ELF(?:32|64), (\w+)\),"
            r" \w+ = (0x[0-9a-f]+), \w+ = (0x[0-9a-f]+),"
            r" \w+ = 0x[0-9a-f]+ ---$",
            last,
        )
        assert said, last
        assert int(said[1]) == td["syscall"], (last, td)
        assert said[2] == td["syscall_name"], (last, td)
        assert number(said[3]) == number(td["user_pc"]), (last, td)
        assert number(said[4]) == number(td["user_sp"]), (last, td)
        seen += 1
    assert seen > 0, parts


def check_user_json(core, threads):
    for got, td in zip(json.loads(bt(core, "-a", "--json")), threads):
        if "user_pc" not in td or not td["frames"]:
            assert got["user"] is None, got
            continue
        user = got["user"]
        assert user["pc"] == td["user_pc"], (user, td)
        assert user["sp"] == td["user_sp"], (user, td)
        assert user["entry"] == "syscall" and user["trap"] is None, user
        assert user["syscall"] == td["syscall"], (user, td)
        assert user["syscall_name"] == td["syscall_name"], (user, td)
        assert user["syscall_abi"].startswith("FreeBSD ELF"), user
        assert user["pc"] in user["registers"].values(), user


# ---- a stack without an end ----

MOST = 65536


def check_cut(core, threads):
    """A trace as long as they may be says that it is not all."""
    crashed = [td for td in threads if td["state"] == "crashed"][0]
    assert len(crashed["backtrace_pcs"]) > MOST
    lines = bt(core).splitlines()
    assert len(frames_in(lines)) == MOST, lines
    last = f"[... the stack goes on after {MOST} frames ...]"
    assert lines[-1] == last, lines
    (thread,) = json.loads(bt(core, "--json"))
    pcs = [frame["pc"] for frame in thread["frames"]]
    assert pcs == crashed["backtrace_pcs"][:MOST]
    assert thread["frames_cut"] is True and thread["user"] is None


def share_stack(core):
    """Let all threads that were switched out stand where the crashed one is."""
    threads = json.loads(bt(core, "-a", "--json"))
    names = ("rbp", "rsp", "rbx", "rip")  # as in amd64's struct pcb
    deep = [td for td in threads if td["state"] == "crashed"][0]
    with open(core, "rb") as file:
        data = file.read()

    def pcb(td):
        registers = td["registers"]
        return b"".join(
            number(registers[name]).to_bytes(8, "little") for name in names
        )

    for td in threads:
        if td["state"] == "stopped":
            assert data.count(pcb(td)) == 1, td
            data = data.replace(pcb(td), pcb(deep))
    with open(core, "wb") as file:
        file.write(data)
    return MOST + len(data) // 256


def check_shared(core, threads):
    """All traces together have no more frames than the dump's size allows."""
    assert sum(td["state"] == "stopped" for td in threads) > 4
    budget = share_stack(core)
    lines = bt(core, "-a").splitlines()
    assert len(lines) < 1000, len(lines)
    cut = [line for line in lines if "the stack goes on after" in line]
    assert "after 65536 frames ...]" in cut[0], cut
    assert "after 0 frames: more of all threads than" in cut[-1], cut
    got = json.loads(bt(core, "-a", "--json"))
    assert len(got) == len(threads)
    assert sum(len(td["frames"]) for td in got) == budget
    assert sum("frames_cut" in td for td in got) == len(cut)


CHECKS = [
    ("a recursion is folded", check_recursion),
    ("a recursion as JSON", check_recursion_json),
    ("where user mode was left", check_user_lines),
    ("where user mode was left, as JSON", check_user_json),
]

for variant in VARIANTS:
    made = generate(variant)
    for title, function in CHECKS:
        tests.case(f"{variant}: {title}", function, *made)
made = generate("amd64-v3", MOST, "16M")
tests.case("amd64-v3: more frames than there may be", check_cut, *made)
tests.case("amd64-v3: all threads on one stack", check_shared, *made)
tests.run()
