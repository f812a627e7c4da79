"""usage: gdb_frames.py VMCORE LAY_OUT_SCRIPT GENDUMP VARIANT ...

vmcore gdb: the frames that stock gdb sees, on real and on generated dumps, are
those that are known to be there, and their registers those of vmcore bt.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Skip, Tests, run

VMCORE, LAY_OUT, GENDUMP = (os.path.abspath(path) for path in sys.argv[1:4])
VARIANTS = sys.argv[4:]
FOLDER = tempfile.TemporaryDirectory()
SEED = "5"

# Architectures that Debian's gdb knows besides the host's.
NATIVE = {"x86_64": ("amd64", "i386"), "aarch64": ("arm64", "arm")}
NATIVE = NATIVE.get(os.uname().machine, ())

tests = Tests()


def path(name):
    return os.path.join(FOLDER.name, name)


# ---- gdb ----


def run_gdb(gdb, kernel, core, *commands):
    """What gdb printed, by command.  It is never at a loss."""
    if shutil.which(gdb) is None:
        raise Skip(f"{gdb} is not installed")
    words = []
    for number, command in enumerate(commands):
        words += ["-ex", f"echo <{number}>\\n", "-ex", command]
    result = run(
        *(VMCORE, "gdb", "--gdb", gdb, "-N", kernel, core, "--"),
        *("-nx", "-batch", "-iex", "set width 0", *words),
    )
    assert result.status == os.EX_OK, result
    for complaint in ("Python", "Traceback", "corrupt stack"):
        assert complaint not in result.out + result.err, result
    return re.split(r"^<\d+>\n", result.out, flags=re.MULTILINE)[1:]


def pcs_in(text):
    rows = re.findall(r"^#(\d+) +(0x[0-9a-f]+) in ", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(len(rows))), text
    return [int(pc, 16) for _, pc in rows]


def registers_in(text):
    rows = re.findall(r"^(\w+) +(0x[0-9a-f]+)[ \t]", text, re.MULTILINE)
    return {name: int(value, 16) for name, value in rows}


# ---- checks ----


def check_backtraces(gdb, kernel, core, threads):
    """bt in each thread whose backtrace is known."""
    known = {int(index): thread for index, thread in threads.items()}
    commands = [f"thread apply {index + 1} bt" for index in known]
    said = run_gdb(gdb, kernel, core, *commands)
    for text, thread in zip(said, known.values(), strict=True):
        want = [int(pc, 16) for pc in thread["backtrace_pcs"]]
        assert pcs_in(text) == want, (text, thread)


def interesting(threads):
    """The thread that crashed, and one that was interrupted."""
    some = [td for td in threads if td["state"] == "crashed"]
    some += [
        td
        for td in threads
        if any(frame["trap"] for frame in td["frames"][1:])
    ][:1]
    return some


def check_thread(gdb, kernel, core, thread):
    """frame N, up, and the registers that each frame shows."""
    frames = thread["frames"]
    commands = [f"thread {thread['index'] + 1}"]
    for number in range(len(frames)):
        commands += [f"frame {number}", "info registers"]
    commands += ["up", "frame"]
    *said, last = run_gdb(gdb, kernel, core, *commands)[1:]
    assert last.startswith(f"#{len(frames) - 1} "), last
    for number, frame in enumerate(frames):
        place, registers = said[2 * number : 2 * number + 2]
        assert re.match(rf"#{number} +{frame['pc']} in ", place), place
        got = registers_in(registers)
        if "cpsr" not in frame["registers"]:  # gdb cannot do without
            got.pop("cpsr", None)
        want = {
            name: int(value, 16) for name, value in frame["registers"].items()
        }
        assert got == want, (number, got, want)


def check_registers(gdb, kernel, core):
    result = run(VMCORE, "bt", "-a", "--json", "-N", kernel, core)
    assert result.status == os.EX_OK, result
    for thread in interesting(json.loads(result.out)):
        check_thread(gdb, kernel, core, thread)


# ---- real dumps ----


def lay_out():
    """expected.json, once the dumps are in FOLDER; none: why."""
    result = run("sh", LAY_OUT, FOLDER.name)
    if result.status != 0:
        return {}, result.err.strip() or "no real dumps"
    with open(path("expected.json")) as file:
        return json.load(file), None


def core_path(name):
    """It may be compressed."""
    return path(name) if os.path.exists(path(name)) else path(name + ".zst")


def real_cases():
    dumps, reason = lay_out()
    if not dumps:
        tests.case("real dumps", skip, reason)
    for name, want in sorted(dumps.items()):
        kernel, core = path(want["kernel"]), core_path(name)
        for gdb in gdbs_for(name.split("-")[1]):
            label = f"{gdb} on {name}"
            tests.case(
                f"{label}: backtraces",
                *(check_backtraces, gdb, kernel, core, want["threads"]),
            )
            tests.case(
                f"{label}: registers", check_registers, gdb, kernel, core
            )


def gdbs_for(arch):
    return ("gdb-multiarch", "gdb") if arch in NATIVE else ("gdb-multiarch",)


def skip(reason):
    raise Skip(reason)


# ---- generated dumps ----


def generate(variant, *words):
    kernel, core, expected = (
        path(f"{variant}.{part}") for part in ("kernel", "core", "json")
    )
    result = run(
        *(GENDUMP, "--variant", variant, "--seed", SEED, *words),
        *("-o", core, "-k", kernel, "--json", expected),
    )
    assert result.status == 0, result
    with open(expected) as file:
        return kernel, core, json.load(file)


def check_generated(gdb, variant):
    kernel, core, want = generate(variant, "--threads")
    assert len(want["threads"]) > 5, want
    check_backtraces(gdb, kernel, core, want["threads"])
    check_registers(gdb, kernel, core)


def check_no_threads(gdb):
    """gdb is left alone with a thread that the server knows nothing of."""
    kernel, core, _ = generate("amd64-v3")
    said = run_gdb(gdb, kernel, core, "info threads", "bt")
    assert "no threads found" in said[0], said
    assert re.match(r"#0 +0x0+ in ", said[1]), said


def check_not_stopped(gdb):
    """A thread without registers has a frame all the same; others stay."""
    words = ("--threads", "--live", "--cpus", "8")
    kernel, core, want = generate("amd64-v3", *words)
    stopped = [td["stopped"] for td in want["threads"].values()]
    index = stopped.index(False) + 1
    said = run_gdb(gdb, kernel, core, f"thread {index}", "bt", "info threads")
    assert said[1] == "#0  <unavailable> ()\n", said
    assert "not stopped" in said[0] + said[2], said


def check_requests(gdb):
    """To list threads, gdb asks for all of them at once, and no whole stack."""
    kernel, core, want = generate("amd64-v3", "--procs", "200")
    server = "gdb.frame_filters['vmcore'].server"
    show = f"python print(len({server}.tops), len({server}.stacks))"
    commands = ("info threads", show, "thread 7", "bt", show)
    said = run_gdb(gdb, kernel, core, *commands)
    count = len(want["threads"])
    assert count > 256, count
    assert len(re.findall("Thread [0-9]+ ", said[0])) == count, said[0]
    assert said[1] == f"{count} 0\n", said[1]
    pcs = [int(pc, 16) for pc in want["threads"]["6"]["backtrace_pcs"]]
    assert pcs_in(said[3]) == pcs, said[3]
    assert said[4].startswith(f"{count} 1\n"), said[4]


def check_by_hand(gdb):
    """Whoever attaches gdb without vmcore gdb can have the same."""
    kernel, core, want = generate("amd64-v3", "--threads")
    if shutil.which(gdb) is None:
        raise Skip(f"{gdb} is not installed")
    serve = f"target remote | {VMCORE} serve --stdio -N {kernel} {core}"
    load = "python exec(gdb.execute('monitor unwinder', False, True), {})"
    result = subprocess.run(
        [gdb, "-nx", "-batch", "-iex", "set osabi none", kernel]
        + ["-ex", serve, "-ex", load, "-ex", "thread 1", "-ex", "bt"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = result.stdout.split("[Switching to thread 1", 1)[1]
    pcs = [int(pc, 16) for pc in want["threads"]["0"]["backtrace_pcs"]]
    assert pcs_in(said.split("\n", 2)[2]) == pcs, result


def check_no_python(gdb):
    """Without the half of gdb that is written in Python: nothing is said."""
    kernel, core, _ = generate("amd64-v3", "--threads")
    if shutil.which(gdb) is None:
        raise Skip(f"{gdb} is not installed")
    result = run(
        *(VMCORE, "gdb", "--gdb", gdb, "-N", kernel, core, "--"),
        *("-nx", "-batch", f"--data-directory={FOLDER.name}", "-ex", "bt"),
    )
    assert re.search(r"^#0 +0x", result.out, re.MULTILINE), result
    assert "Error while executing" not in result.err, result
    assert "monitor" not in result.err, result


def generated_cases():
    for variant in VARIANTS:
        for gdb in gdbs_for(variant.split("-")[0]):
            tests.case(f"{gdb} on {variant}", check_generated, gdb, variant)
    gdb = "gdb-multiarch"
    tests.case("a dump without threads", check_no_threads, gdb)
    tests.case("a thread that was not stopped", check_not_stopped, gdb)
    tests.case("a list of threads", check_requests, gdb)
    tests.case("by hand", check_by_hand, gdb)
    tests.case("gdb without Python", check_no_python, gdb)


real_cases()
generated_cases()
tests.run()
