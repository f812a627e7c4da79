#!/bin/sh
# usage: demo.sh BUILDDIR [MB]
#
# The whole story in one terminal: a kernel, on an emulated machine whose 8 GB
# are all in use, breaks and is taken into its debugger; a dump is forced, saved
# from the disk, and explains what happened.  Every command is shown before it
# runs.  Fails if the dump has more than 48 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
memory=${2:-8192}
limit=$((48 * 1024 * 1024))
. "$here/story.sh"

PATH=$here:$build/cli:$PATH
rm -rf "$build/demo"
mkdir -p "$build/demo"
cd "$build/demo"
ln -s "$build/kernel/kernel" kernel
truncate -s 512M disk.img

# size NAME: what the machine said in "show pageset", bytes.
size()
{
	sed -n "s/^$1  *\([0-9]*\).*/\1/p" console
}

# row NAME BYTES: of the table of sizes.
row()
{
	printf '%-24s %12d bytes\n' "$1" "$2"
}

say "A machine with $memory MB and two CPUs.  Threads that sleep and one that" \
    "runs, 300,000 objects in the kernel's allocator, all other memory full of" \
    "pages that the kernel has not mapped, as those of programs and of the file" \
    "cache are (allocated, not written to, so that your host need not have the" \
    "memory).  Then the kernel calls through NULL, and its debugger gets the" \
    "commands that an operator would type: a backtrace, the threads, what a dump" \
    "would be made of, and the dump."
run "run-kernel.sh -m $memory -d disk.img kernel dumpdev=vtbd0" \
    "debug.debugger_on_panic=1" \
    "'kern.script=\"workers 3 1;items 300000;user untouched;crash null\"'" \
    "'ddb.script=\"bt;ps;show pageset;dump;poweroff\"'" \
    "</dev/null | tee console"

say "The dump is at the end of the disk.  Save it, as savecore(8) does."
run "vmcore save disk.img ."

dump=$(wc -c <vmcore.0)
say "How large is that?"
row 'the machine'\''s memory' "$(size memory)"
row 'a full dump of it' "$(size 'full dump')"
row 'this dump' "$dump"
for part in 'kernel text' 'kernel data' 'UMA' 'stacks' 'page array' \
    'page tables' 'message buffer' 'other'; do
	row "    $part" "$(size "$part")"
done
echo "One part in $(($(size memory) / dump)) of the memory."
[ "$dump" -le "$limit" ] || {
	echo "demo: the dump has more than $limit bytes" >&2
	exit 1
}

say "Why did the machine panic?"
run "vmcore info -N kernel vmcore.0"

say "What did the thread do that crashed?"
run "vmcore bt -N kernel vmcore.0"

say "And the others?"
run "vmcore ps -N kernel vmcore.0"

say "In gdb: all threads, and what one of those that sleep is waiting for."
run "vmcore gdb -N kernel vmcore.0 -- -batch -ex 'info threads'" \
    "-ex 'thread 2' -ex bt"

say "The kernel's last words:"
run "vmcore dmesg -N kernel vmcore.0 | tail -n 8"

next "$build" "vmcore gdb -N kernel vmcore.0" "vmcore bt -a -N kernel vmcore.0" \
    "vmcore read -N kernel panicstr vmcore.0"
