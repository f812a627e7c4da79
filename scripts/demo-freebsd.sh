#!/bin/sh
# usage: demo-freebsd.sh BUILDDIR
#
# The whole story in one terminal: a real FreeBSD kernel panicked; what was
# it doing?  Every command is shown before it runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
. "$here/story.sh"

"$here/build.sh" "$build" >&2
build=$(cd "$build" && pwd)
"$here/find-real-dumps.sh" >/dev/null 2>&1 || "$here/fetch-real-dumps.sh"
"$here/lay-out-real-dumps.sh" "$build/demo"

PATH=$build/cli:$PATH
cd "$build/demo"
core=$(ls vmcore-amd64-minidump*)

say "A FreeBSD/amd64 machine panicked and left this minidump."
run "vmcore info -N kernel-amd64 $core"

say "What was running?"
run "vmcore ps -N kernel-amd64 $core | head -n 8"

say "And what did the thread that panicked do?"
run "vmcore bt -N kernel-amd64 $core"

say "The same dump in stock gdb, which cannot read it on its own: threads," \
    "the panicked thread's backtrace, and the registers of its second frame."
run "vmcore gdb -N kernel-amd64 $core -- -batch -ex 'info threads'" \
    "-ex bt -ex up -ex 'info registers rip rsp rbp'"

next "$build" "vmcore read -N kernel-amd64 hz $core" \
    "vmcore bt -a -N kernel-amd64 $core" \
    "vmcore gdb -N kernel-amd64 $core"
