"""usage: transports.py VMCORE LAY_OUT_SCRIPT

How clients reach "vmcore serve" and how it ends: sockets, standard input and
output, clients side by side, signals, and command lines it refuses.
Needs a dump, any: one of the real ones.
"""

import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

import realdumps
from checks import holds, same, skip, tests
from server import TIMEOUT, Client, Server, frame
from tap import run

VMCORE, LAY_OUT = (os.path.abspath(path) for path in sys.argv[1:])

CLIENTS_MAX = 16  # SERVE_CLIENTS_MAX
DEAF_MAX = 8 << 20
LARGE = b"qXfer:features:read:target.xml:0,7f00"


def listening_addresses(port):
    """Where a TCP port is listened on; None if this host does not tell."""
    try:
        with open("/proc/net/tcp") as file:
            rows = [line.split() for line in file][1:]
    except OSError:
        return None
    local = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {
        int(address, 16).to_bytes(4, sys.byteorder)
        for address, at in local
        if int(at, 16) == port
    }


def try_tcp(serve):
    with Server([*serve, "--tcp", "0"]) as s:
        holds(
            "TCP: tells how to attach",
            f"gdb-remote {s.remote}'" in s.said,
            s.said,
        )
        where = listening_addresses(s.address[1])
        if where is None:
            skip("TCP: on the loopback address only", "no /proc/net/tcp")
        else:
            loopback = {bytes([127, 0, 0, 1])}
            same("TCP: on the loopback address only", where, loopback)
        first = Client(s.address)
        same("TCP: answers", first.ask(b"qAttached"), b"1")
        second = Client(s.address)
        same("TCP: serves two", second.ask(b"qAttached"), b"1")
        same("TCP: detaches one client", first.ask(b"D"), b"OK")
        same("TCP: hangs up", first.reply(), None)
        same("TCP: serves the other", second.ask(b"qAttached"), b"1")
        second.send(b"$qAtt")
        second.close()
        third = Client(s.address)
        same("TCP: a client may just go", third.ask(b"qAttached"), b"1")
        same("TCP: SIGINT ends it, client or not", s.stop(signal.SIGINT), 0)
        same("TCP: whose connection is closed", third.reply(), None)


MAPPED = "::ffff:127.0.0.1"


def has_ipv6():
    """Can a socket of IPv6 connect to an address of IPv4 here?"""
    if not socket.has_ipv6 or not os.path.exists("/proc/net/tcp6"):
        return False
    try:
        with socket.socket(socket.AF_INET6) as client:
            client.bind((MAPPED, 0))
    except OSError:
        return False
    return True


def try_mapped(serve):
    """A client of IPv6 is one of the same user's, too."""
    name = "TCP: serves a client of IPv6"
    if not has_ipv6():
        skip(name, "no IPv6 here")
        return
    with Server([*serve, "--tcp", "0"]) as s:
        client = Client((MAPPED, s.address[1]))
        same(name, client.ask(b"qAttached"), b"1")


# As another user, who asks once; prints what came.  It may not be able to read
# any file of Python's.
STRANGER = """
import encodings.idna, os, socket, sys
os.setgid(65534)
os.setuid(65534)
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as client:
    try:
        client.sendall(b"$qAttached#8f")
        print("came:", client.recv(100))
    except ConnectionError:
        print("came:", b"")
"""


def try_stranger(serve):
    """Another user of this host."""
    name = "TCP: another user is hung up on"
    if os.geteuid() != 0 or not os.path.exists("/proc/net/tcp"):
        skip(name, "not root, or not on Linux")
        return
    with Server([*serve, "--tcp", "0"]) as s:
        hosts = ["127.0.0.1"] + [MAPPED] * has_ipv6()
        for host in hosts:
            result = run(sys.executable, "-c", STRANGER, host, s.address[1])
            same(f"{name}: {host}", result.out + result.err, "came: b''\n")
        answer = Client(s.address).ask(b"qAttached")
        same("TCP: this one is not", answer, b"1")
    told = s.said.count("another user's client was turned away")
    same("TCP: another user is told of", told, len(hosts))


def try_private(serve, folder):
    """By default it listens in a new folder of its own, where there is room."""
    runtime, temp, long = (
        os.path.join(folder, name) for name in ("runtime", "temp", "x" * 100)
    )
    for name in runtime, temp, long:
        os.mkdir(name)
    gone = os.path.join(folder, "nothing")
    for name, env, want in (
        ("a runtime folder", (runtime, temp), runtime),
        ("no runtime folder", (None, temp), temp),
        ("a runtime folder that is not there", (gone, temp), temp),
        ("a relative runtime folder", ("runtime", temp), temp),
        ("folders with names too long", (long, long), "/tmp"),
        ("no folder", (None, None), "/tmp"),
    ):
        env = dict(zip(("XDG_RUNTIME_DIR", "TMPDIR"), env, strict=True))
        env = {key: value for key, value in env.items() if value is not None}
        with Server(serve, env=env, cwd=folder) as s:
            home, file = os.path.split(s.address)
            same(f"{name}: where", os.path.dirname(home), want)
            mode = stat.S_IMODE(os.stat(home).st_mode)
            same(f"{name}: for the user alone", oct(mode), oct(0o700))
            same(f"{name}: with nothing else", os.listdir(home), [file])
            answer = Client(s.address).ask(b"qAttached")
            same(f"{name}: answers", answer, b"1")
            lldb = f"process connect unix-connect://{s.address}"
            holds(f"{name}: lldb is told", lldb in s.said, s.said)
            same(f"{name}: ends", s.stop(), 0)
        holds(f"{name}: leaves nothing", not os.path.exists(home))
    left = os.listdir(runtime) + os.listdir(temp) + os.listdir(long)
    same("the folders are as they were", left, [])


def try_unix(serve, path):
    for signo in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        name = signal.Signals(signo).name
        with Server([*serve, "--unix", path]) as s:
            mode = stat.S_IMODE(os.stat(path).st_mode)
            same(f"Unix: {name}: private", oct(mode & 0o077), oct(0))
            client = Client(path)
            same(f"Unix: {name}: answers", client.ask(b"qAttached"), b"1")
            client.close()
            same(f"Unix: {name} ends it", s.stop(signo), 0)
        gone = not os.path.exists(path)
        holds(f"Unix: {name}: the socket file is gone", gone)


def put_file(path):
    with open(path, "w"):
        pass


def put_socket(path):
    """One that nobody listens on."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)


# What may lie where the socket is to be.
OTHERS = {
    "a file": put_file,
    "a folder": os.mkdir,
    "a link to nothing": lambda path: os.symlink("nothing", path),
    "a pipe": os.mkfifo,
}


def identity(path):
    st = os.lstat(path)
    return st.st_dev, st.st_ino, st.st_mode


def try_taken(serve, folder):
    """What lies at the path of --unix is replaced only if it is a dead socket."""
    for number, (name, put) in enumerate(OTHERS.items()):
        path = os.path.join(folder, f"other{number}")
        put(path)
        before = identity(path)
        command = [*serve, "--unix", path]
        refuse(f"Unix: {name}", os.EX_UNAVAILABLE, command, "File exists")
        same(f"Unix: {name} stays", identity(path), before)
    path = os.path.join(folder, "dead")
    put_socket(path)
    with Server([*serve, "--unix", path]) as s:
        answer = Client(path).ask(b"qAttached")
        same("Unix: replaces a dead socket", answer, b"1")
        command = [*serve, "--unix", path]
        refuse("Unix: a socket in use", os.EX_UNAVAILABLE, command, "in use")
        answer = Client(path).ask(b"qAttached")
        same("Unix: a socket in use stays", answer, b"1")
        s.stop(signal.SIGKILL)
    with Server([*serve, "--unix", path]):
        answer = Client(path).ask(b"qAttached")
        same("Unix: replaces what a killed server left", answer, b"1")


def try_replaced(serve, folder):
    """What came to the socket's path meanwhile stays there."""
    for number, (name, put) in enumerate(
        {**OTHERS, "a socket": put_socket}.items()
    ):
        path = os.path.join(folder, f"meanwhile{number}")
        with Server([*serve, "--unix", path]) as s:
            os.unlink(path)
            put(path)
            before = identity(path)
            s.stop()
            stays = os.path.lexists(path) and identity(path) == before
            holds(f"Unix: {name} in its socket's place stays", stays)


def try_ignored(serve):
    """As under nohup(1)."""
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *serve]
    with Server(command) as s:
        s.process.send_signal(signal.SIGHUP)
        client = Client(s.address)
        answer = client.ask(b"qAttached")
        same("a signal that was ignored still is", answer, b"1")


def try_once(serve):
    for packet in b"D", b"k", None:
        with Server([*serve, "--once"]) as s:
            client = Client(s.address)
            if packet:
                client.ask(packet)
            client.close()
            same(f"--once: ends after {packet}", s.wait(), 0)


def resident(pid):
    """Bytes of memory that a process has; None if this host does not tell."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return None


def selected(client):
    """The thread that a client's g packets are about."""
    return client.ask(b"qC")


def try_many(serve):
    """Clients that say nothing, as many as are served, and one more."""
    with Server(serve) as s:
        clients = [Client(s.address) for _ in range(CLIENTS_MAX)]
        last = clients.pop()
        same("silent clients hold up none", last.ask(b"qAttached"), b"1")
        other = clients.pop()
        first = selected(other)
        threads = last.ask(b"qfThreadInfo").lstrip(b"m").split(b",")
        thread = next(td for td in threads if b"QC" + td != first)
        same("one selects a thread", last.ask(b"Hg" + thread), b"OK")
        same("which is selected", selected(last), b"QC" + thread)
        same("not for the others", selected(other), first)
        more = Client(s.address)
        same("one too many is hung up on", more.reply(), None)
        other.close()
        deadline = time.monotonic() + TIMEOUT
        answer = None
        while answer is None and time.monotonic() < deadline:
            try:
                answer = Client(s.address).ask(b"qAttached")
            except ConnectionError:
                pass
        same("until another one goes", answer, b"1")
        same("and a signal ends it", s.stop(), 0)
        holds("who is turned away is told of", "turned away" in s.said, s.said)


def try_closed(serve):
    """Clients that have closed make room for one that comes as they go."""
    with Server(serve) as s:
        clients = [Client(s.address) for _ in range(CLIENTS_MAX)]
        answers = [client.ask(b"qAttached") for client in clients]
        same("there are as many as are served", answers, [b"1"] * CLIENTS_MAX)
        s.process.send_signal(signal.SIGSTOP)
        os.waitpid(s.process.pid, os.WUNTRACED)
        for client in clients:
            client.send(frame(b"qAttached") * 3)
            client.close()
        late = Client(s.address)
        s.process.send_signal(signal.SIGCONT)
        try:
            answer = late.ask(b"qAttached")
        except ConnectionError as error:
            answer = error
        same("one that comes as all go is served", answer, b"1")


FD_SETSIZE = 1024


def limit_descriptors(limit):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class Few:
    """Descriptors for a server, but not for all clients."""

    def __call__(self):
        limit_descriptors(CLIENTS_MAX)


class High:
    """Some descriptors that select(2) can wait for, and others."""

    def __init__(self, low):
        self.low = low

    def __call__(self):
        limit_descriptors(2 * FD_SETSIZE)
        for fd in range(3 + self.low, FD_SETSIZE):
            os.dup2(0, fd)


def try_descriptors(serve, name, setup, why="client was turned away: Too many"):
    """Clients that the server has no descriptors for."""
    with Server(serve, preexec_fn=setup, close_fds=False) as s:
        clients = [Client(s.address) for _ in range(CLIENTS_MAX)]
        answer = clients[0].ask(b"qAttached")
        same(f"{name}: serves the first client", answer, b"1")
        same(f"{name}: hangs up on the last", clients[-1].reply(), None)
        answer = clients[0].ask(b"qAttached")
        same(f"{name}: goes on", answer, b"1")
        same(f"{name}: ends", s.stop(), 0)
    holds(f"{name}: tells of it", why in s.said, s.said)


def try_all_descriptors(serve):
    try_descriptors(serve, "few descriptors", Few())
    if os.path.exists("/proc/net/tcp"):
        # The last descriptor is the client's, and none is left for the list of users.
        tcp = [*serve, "--tcp", "0"]
        why = "of an unknown user was turned away: Too many"
        try_descriptors(tcp, "TCP: few descriptors", Few(), why)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 2 * FD_SETSIZE:
        skip("high descriptors", "the limit is too low")
        return
    try_descriptors(serve, "high descriptors", High(CLIENTS_MAX))
    result = run(*serve, preexec_fn=High(0), close_fds=False)
    refused = "vmcore: a new socket file: Too many open files" in result.err
    holds("high descriptors: does not listen", refused, result)
    same("high descriptors: says so", result.status, os.EX_UNAVAILABLE)


def try_deaf(serve):
    """A client that asks and asks but never reads."""
    with Server(serve) as s:
        client = Client(s.address)
        client.ask(b"QStartNoAckMode")
        before = resident(s.process.pid)
        client.socket.setblocking(False)
        deadline = time.monotonic() + TIMEOUT
        stuck = 0
        while stuck < 20 and time.monotonic() < deadline:
            try:
                client.socket.send(frame(LARGE) * 100)
                stuck = 0
            except BlockingIOError:
                stuck += 1
                time.sleep(0.01)
        same("a client that never reads is held back", stuck, 20)
        held = resident(s.process.pid)
        if held is None:
            skip("and takes the memory of one answer", "no /proc")
        else:
            less = held - before < DEAF_MAX
            holds("and takes the memory of one answer", less, held - before)
        other = Client(s.address)
        same("and holds up none", other.ask(b"qAttached"), b"1")
        same("and does not keep a signal off", s.stop(), 0)


def try_stdio(serve):
    with subprocess.Popen(
        [*serve, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(frame(b"qAttached"))
        process.stdin.flush()
        want = b"+" + frame(b"1")
        same("stdio: answers", process.stdout.read(len(want)), want)
        process.send_signal(signal.SIGINT)
        process.stdin.write(b"+" + frame(b"qC"))
        process.stdin.flush()
        answer = process.stdout.read(4)
        same("stdio: gdb's ^C does not end it", answer, b"+$QC")
        process.stdin.close()
        same("stdio: the end of input does", process.wait(TIMEOUT), 0)
    done = subprocess.run(
        [*serve, "--stdio"],
        input=frame(b"D"),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    same("stdio: so does a detach", done.stdout, b"+" + frame(b"OK"))
    same("stdio: with success", done.returncode, 0)


def refuse(name, status, command, err=""):
    result = run(*command)
    holds(
        f"refused: {name}",
        result.status == status
        and result.err.startswith(("vmcore: ", "usage: vmcore"))
        and err in result.err,
        result,
    )


def try_refusals(kernel, core):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for name, status, args in (
            ("a port in use", os.EX_UNAVAILABLE, ["--tcp", port, core]),
            ("any address", os.EX_USAGE, ["--tcp", "0.0.0.0:0", core]),
            ("a host's name", os.EX_USAGE, ["--tcp", "example:1", core]),
            ("a port too large", os.EX_USAGE, ["--tcp", "65536", core]),
            ("a negative port", os.EX_USAGE, ["--tcp", "-1", core]),
            ("a port with a tail", os.EX_USAGE, ["--tcp", "1x", core]),
            ("no port", os.EX_USAGE, ["--tcp", "127.0.0.1:", core]),
            ("two transports", os.EX_USAGE, ["--stdio", "--tcp", "0", core]),
            ("a path too long", os.EX_UNAVAILABLE, ["--unix", "x" * 200, core]),
            ("no core", os.EX_USAGE, []),
            ("two cores", os.EX_USAGE, [core, core]),
            ("no such core", os.EX_NOINPUT, ["/nonexistent"]),
        ):
            refuse(name, status, [VMCORE, "serve", "-N", kernel, *args])


def main():
    with tempfile.TemporaryDirectory() as folder:
        for _, kernel, core, _ in realdumps.lay_out(LAY_OUT, folder)[-1:]:
            serve = [VMCORE, "serve", "-N", kernel, "-M", core]
            try_tcp(serve)
            try_mapped(serve)
            try_stranger(serve)
            try_private(serve, folder)
            try_unix(serve, os.path.join(folder, "socket"))
            try_taken(serve, folder)
            try_replaced(serve, folder)
            try_ignored(serve)
            try_once(serve)
            try_many(serve)
            try_closed(serve)
            try_all_descriptors(serve)
            try_deaf(serve)
            try_stdio(serve)
            try_refusals(kernel, core)
    tests.run()


main()
