#!/bin/sh
# usage: run.sh BUILD
#
# Build, and boot our kernel with 8 GB, two CPUs and a disk for dumps, BUILD's
# dump.img, on this terminal.
set -eu
cd "$(dirname "$0")/.."
build=$1

scripts/build.sh "$build" >&2
if [ ! -f "$build/kernel/kernel" ]; then
	echo "run: the kernel is built on Linux on amd64 only" >&2
	exit 1
fi
[ -f "$build/dump.img" ] || truncate -s 512M "$build/dump.img"

cat <<END
Booting.  At the prompt #: help lists commands, "crash null" breaks the machine,
poweroff switches it off.  Return, then ~ Ctrl-B, calls its debugger; there,
"dump" writes a dump and "c" goes on.  The dump will be in $build/dump.img.

END
# The terminal's own signals go to the machine.
saved=$(stty -g 2>/dev/null) || saved=
[ -z "$saved" ] || stty raw -echo
status=0
scripts/run-kernel.sh -d "$build/dump.img" "$build/kernel/kernel" \
    dumpdev=vtbd0 kern.panic.poweroff=1 || status=$?
[ -z "$saved" ] || stty "$saved"
exit "$status"
