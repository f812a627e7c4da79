#!/usr/bin/env python3
"""usage: expected-from-lldb.py TestFreeBSDKernelVMCore.py

Print, as JSON, what LLDB's own test expects to see in its FreeBSD dumps: for
each dump the number of threads, and for some of them the display name, the
backtrace and the registers.  The test is read, not run: its calls of
self.do_test() hold nothing but literals.
"""

import ast
import json
import sys

# LLDB's names for registers where they are not gdb's.
GDB_NAMES = {
    "fp": "x29",
    "lr": "x30",
}


def expected_thread(thread):
    return {
        "display_name": thread["name"],
        "backtrace_pcs": [hex(pc) for pc in thread["bt"]],
        "registers": {
            GDB_NAMES.get(name, name): value
            for name, value in thread["regs"].items()
        },
    }


def expected_dump(kernel_yaml, keywords):
    return {
        "kernel": kernel_yaml.removesuffix(".yaml"),
        "hz": keywords.get("hz", 100),
        "threads_total": keywords["numthread"],
        "threads": {
            str(index): expected_thread(thread)
            for index, thread in keywords["threads"].items()
        },
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as test:
        tree = ast.parse(test.read())

    dumps = {}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        if getattr(call.func, "attr", None) != "do_test":
            continue
        kernel_yaml, vmcore_bz2 = map(ast.literal_eval, call.args)
        keywords = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
        dumps[vmcore_bz2.removesuffix(".bz2")] = expected_dump(
            kernel_yaml, keywords)
    if not dumps:
        sys.exit(f"{sys.argv[1]}: no call of do_test()")
    json.dump(dumps, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
