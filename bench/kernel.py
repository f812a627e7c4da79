"""usage: kernel.py RUN-KERNEL KERNEL [ROUNDS]

How fast our kernel dumps, beside a plain write of the same bytes by the same
driver, in the same run and onto the same emulated disk.  How long a wakeup takes
while many threads sleep, beside one while few do.  How long two CPUs that do so at the same
time take to allocate and free a page of kernel memory, beside a page.

One JSON object a line, as the other benchmarks print them.
"""

import functools
import json
import re
import statistics
import subprocess
import sys
import tempfile

MB = 1 << 20

# Name of the dump, megabytes of memory, what the kernel is told before.
DUMPS = (
    ("minidump, version 1", 512, "items 700000"),
    ("minidump, version 3", 512, "items 700000;sysctl debug.minidump_version=3"),
    ("large minidump, version 1", 800, "items 4000000"),
)

# Where the emulated disk keeps its bytes, and QEMU's words for that.  The host's
# cache is about as fast as memory: there the hardest to keep up with.
DISKS = (("host's cache", ""), ("host's disk", ",cache.direct=on"))


def measure(run_kernel, kernel, memory, script, disk_options, rounds):
    """Pairs of speeds in bytes per second: of the dump, of the plain write.

    The console goes to a file: who read it from a pipe would be woken up for
    each character, and take the processor from those who write the dump.
    """
    new_file = functools.partial(
        tempfile.NamedTemporaryFile, prefix="vmcore-bench-", dir="."
    )
    with new_file() as disk, new_file() as console:
        disk.truncate(512 * MB)
        subprocess.run(
            [run_kernel, "-m", str(memory), "-c", "1"]
            + ["-d", disk.name + disk_options, kernel, "dumpdev=vtbd0"]
            + [f'kern.script="{script};bench {rounds};exit"'],
            stdin=subprocess.DEVNULL,
            stdout=console,
            check=False,
        )
        console.seek(0)
        text = console.read().decode()
    found = re.findall(
        r"bench: (\d+) bytes, dump (\d+) us, plain (\d+) us", text
    )
    assert len(found) == rounds, text
    return [
        (int(size) / int(dump) * 1e6, int(size) / int(plain) * 1e6)
        for size, dump, plain in found[1:]  # the first warms up
    ]


def report(name, speeds):
    ratios = sorted(ours / limit for ours, limit in speeds)
    print(
        json.dumps(
            {
                "bench": f"the kernel dumps: {name}",
                "unit": "bytes/s",
                "ours": round(statistics.median(s[0] for s in speeds)),
                "limit": round(statistics.median(s[1] for s in speeds)),
                "limit_is": "plain write by the same driver",
                "ratio": round(statistics.median(ratios), 3),
                "ratio_min": round(ratios[0], 3),
                "ratio_max": round(ratios[-1], 3),
            }
        )
    )


def wakeup(run_kernel, kernel, sleepers):
    """Nanoseconds of a wakeup while so many threads sleep."""
    said = subprocess.run(
        [run_kernel, "-m", "1024", "-c", "1", kernel]
        + [f'kern.script="sleepers {sleepers};exit"'],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    ).stdout.decode(errors="replace")
    (ns,) = re.findall(r"a wakeup takes (\d+) ns", said)
    return int(ns)


def report_wakeups(run_kernel, kernel):
    many, few = (wakeup(run_kernel, kernel, n) for n in (10000, 20))
    print(
        json.dumps(
            {
                "bench": "a wakeup while 10000 threads sleep",
                "unit": "ns",
                "ours": many,
                "limit": few,
                "limit_is": "a wakeup while 20 threads sleep",
                "ratio": round(many / few, 3),
            }
        )
    )


def report_reads(run_kernel, kernel):
    """Reads of a page: by the queue, beside polled ones."""
    with tempfile.NamedTemporaryFile(prefix="vmcore-bench-", dir=".") as disk:
        disk.truncate(64 * MB)
        said = subprocess.run(
            [run_kernel, "-m", "128", "-c", "2", "-d", disk.name, kernel]
            + ['kern.script="diskbench 10000;exit"'],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        ).stdout.decode(errors="replace")
    (times,) = re.findall(r"a read takes (\d+) (\d+) (\d+) ns", said)
    polled, alone, many = map(int, times)
    for name, ours in ("one in flight", alone), ("as many as can be", many):
        print(
            json.dumps(
                {
                    "bench": f"a disk's page is read, {name}",
                    "unit": "ns",
                    "ours": ours,
                    "limit": polled,
                    "limit_is": "polled, nothing else runs",
                    "ratio": round(ours / polled, 3),
                }
            )
        )


def report_kmem(run_kernel, kernel):
    said = subprocess.run(
        [run_kernel, "-m", "256", "-c", "2", kernel]
        + ['kern.script="kmembench 1280;exit"'],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    ).stdout.decode(errors="replace")
    pattern = r"a pair takes (\d+) ns of pages, (\d+) ns of kernel memory"
    ((pages, kmem),) = re.findall(pattern, said)
    print(
        json.dumps(
            {
                "bench": "a page of kernel memory, 2 busy CPUs",
                "unit": "ns",
                "ours": int(kmem),
                "limit": int(pages),
                "limit_is": "a page",
                "ratio": round(int(kmem) / int(pages), 3),
            }
        )
    )


def main():
    run_kernel, kernel = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 25
    for name, memory, script in DUMPS:
        for place, options in DISKS:
            speeds = measure(
                run_kernel, kernel, memory, script, options, rounds
            )
            report(f"{name}, {place}", speeds)
    report_wakeups(run_kernel, kernel)
    report_reads(run_kernel, kernel)
    report_kmem(run_kernel, kernel)


main()
