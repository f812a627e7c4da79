"""usage: manual.py RUN-KERNEL KERNEL DOCS

What the kernel's man pages name is there: commands, crashes, variables and
their defaults.
"""

import functools
import pathlib
import re
import sys

import machine
import tap

run_kernel, kernel, docs = sys.argv[1:]
boot = functools.partial(machine.Machine, run_kernel, kernel)


def items(page, section):
    """The list items of a section: each one's name, and what follows it."""
    text = (pathlib.Path(docs) / page).read_text()
    body = re.search(rf"(?ms)^\.S[sh] {section}\n(.*?)^\.S[sh] ", text)[1]
    for item in re.findall(r"(?m)^\.It (.*)$", body):
        for part in item.split(" , "):
            name = re.sub(r"^(Ic|Va|Cm) ", "", part)
            yield re.split(r" (?:Op|Ar|Pq|Ns) ", name, maxsplit=1)


def documented(page, section):
    found = {item[0] for item in items(page, section)}
    assert len(found) > 5, found
    return found


def helped(text, width):
    """The names in the first column of what help says."""
    return {line[:width].strip() for line in text.splitlines()}


def shell_commands():
    with boot() as m:
        m.wait_for("# ")
        listed = helped(m.command("help"), 18)
        assert documented("vmcore-kernel.7", "The shell") <= listed, listed


def debugger_commands():
    with boot() as m:
        m.wait_for("# ")
        m.send("ddb\r")
        m.wait_for("(?m)^db> $")
        listed = helped(m.command("help", prompt="db> "), 18)
        assert documented("vmcore-ddb.4", "Commands") <= listed, listed


def crashes():
    with boot() as m:
        m.wait_for("# ")
        listed = set(re.findall(r"\w+", m.command("crash")))
        assert documented("vmcore-kernel.7", "Crashes") <= listed, listed


def variables():
    with boot() as m:
        m.wait_for("# ")
        said = m.command("sysctl") + m.command("sysctl vm.zone_stats.")
        zone = m.command("sysctl vm.uma.256.")
        names = re.findall(r"(?m)^vm\.uma\.256\.(\S+): ", zone)
        assert documented("vmcore-kernel.7", "Zones") == set(names), zone
        said += zone
        values = dict(re.findall(r"(?m)^(\S+): (.*)$", said))
        for name, *rest in items("vmcore-kernel.7", "Variables"):
            if rest and rest[0].startswith("Ar ."):  # all that is below it
                assert any(key.startswith(f"{name}.") for key in values), name
                continue
            assert name in values, (name, said)
            default = re.search(r"tunable, \\?(\S+)", "".join(rest))
            assert not default or values[name] == default[1], name


tests = tap.Tests()
tests.case("commands of the shell", shell_commands)
tests.case("commands of the debugger", debugger_commands)
tests.case("crashes", crashes)
tests.case("variables and their defaults", variables)
tests.run()
