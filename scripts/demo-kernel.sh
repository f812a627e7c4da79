#!/bin/sh
# usage: demo-kernel.sh BUILDDIR
#
# The whole way of a dump: our kernel, on an emulated machine with 8 GB that are
# all in use, is broken, writes a minidump, and the dump says what happened.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
. "$here/story.sh"

"$here/build.sh" "$build" >&2
build=$(cd "$build" && pwd)
kernel=$build/kernel/kernel
if [ ! -f "$kernel" ]; then
	echo "demo-kernel: the kernel is built on Linux on amd64 only" >&2
	exit 1
fi

PATH=$here:$build/cli:$PATH
rm -rf "$build/demo-kernel"
mkdir -p "$build/demo-kernel"
cd "$build/demo-kernel"
ln -s "$kernel" kernel
truncate -s 512M disk.img

say "A machine with 8 GB and two CPUs: 300,000 objects in the kernel's" \
    "allocator, all other memory full of user pages.  Then a call through NULL."
run "run-kernel.sh -m 8192 -d disk.img kernel dumpdev=vtbd0" \
    "'kern.script=\"items 300000;user;crash null\"'" \
    "kern.panic.exit_code=0 </dev/null || true"

say "The dump is at the end of the disk: save it, as savecore(8) does."
run "vmcore save disk.img ."

full=$((8192 * 1048576))
dump=$(wc -c <vmcore.0)
say "Memory: $full bytes.  A full dump would take as much; this one takes" \
    "$dump, one part in $((full / dump)).  It is made of:"
run "vmcore info -N kernel vmcore.0"

say "What did the thread do that crashed?"
run "vmcore bt -N kernel vmcore.0"

say "And the others?"
run "vmcore ps -N kernel vmcore.0"

say "The kernel's last words:"
run "vmcore dmesg -N kernel vmcore.0 | tail -n 8"
