"""A kernel module made of C, as a generated kernel may have loaded it."""

import os
import shutil

from tap import Skip, run

SOURCE = """
int zfs_numbers[5] = { 1, 2, 3 };
static int zfs_zeros[3] __attribute__((used));
int zfs_open(int n) { return (zfs_numbers[n] + zfs_zeros[n]); }
int zfs_close(int n) { return (zfs_open(n) + 1); }
int hz;
"""
VARIABLES = {"zfs_numbers": 20, "zfs_zeros": 12}  # and their lengths


def build(path):
    """Make it for amd64: a relocatable file, whose .text comes first."""
    cc = shutil.which("cc")
    if cc is None or os.uname().machine != "x86_64":
        raise Skip("no compiler for amd64")
    result = run(
        *(cc, "-g", "-O1", "-c", "-fno-pic", "-mcmodel=kernel"),
        *("-fno-asynchronous-unwind-tables", "-x", "c", "-o", path, "-"),
        text=SOURCE,
    )
    assert result.status == 0, result


def build_shared(path):
    """Make it for arm64: a shared object."""
    clang = shutil.which("clang")
    if clang is None or shutil.which("ld.lld") is None:
        raise Skip("no compiler for arm64")
    result = run(
        *(clang, "--target=aarch64-unknown-freebsd", "-g", "-O1", "-shared"),
        *("-fPIC", "-nostdlib", "-fuse-ld=lld", "-Wl,-z,max-page-size=4096"),
        *("-x", "c", "-o", path, "-"),
        text=SOURCE,
    )
    assert result.status == 0, result
