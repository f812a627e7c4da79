#!/bin/sh
# usage: example.sh EXAMPLE VMCORE COMPILER ...
#
# The example's dump is one that vmcore opens, with what the example put into
# its memory.
set -u
. "$(dirname "$0")/../support/tap.sh"
example=$1
vmcore=$2
shift 2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
core=$work/core

said=$("$example" "$core" 2>&1)
report $? "the example writes a dump" "$said"

said=$("$vmcore" info --json "$core" 2>&1)
echo "$said" | tr -d ' \n' |
    grep -q '"dumped_pages":6,.*"version":3,.*"kernbase":"0xffffffff80000000"'
report $? "vmcore info describes it" "$said"

# A kernel is an ELF file with symbols.
case $("$@" -dumpmachine) in
x86_64*)
	;;
*)
	skip "vmcore read" "not a compiler for amd64"
	finish
	exit 0
	;;
esac
kernel=$work/kernel
echo 'char unused;' > "$work/kernel.c"
said=$("$@" -nostdlib -static -no-pie -Wl,-e,0 \
    -Wl,--defsym=kernel_data=0xffffffff80000000 \
    -o "$kernel" "$work/kernel.c" 2>&1)
report $? "a kernel with a symbol" "$said"

said=$("$vmcore" read -N "$kernel" --raw kernel_data 11 "$core" 2>&1)
[ "$said" = 'kernel data' ]
report $? "vmcore read: a symbol" "$said"

said=$("$vmcore" read -N "$kernel" --raw 0xfffff80000007000 22 "$core" 2>&1)
[ "$said" = 'data in the direct map' ]
report $? "vmcore read: the direct map" "$said"

said=$("$vmcore" dmesg -N "$kernel" "$core" 2>"$work/warnings")
[ "$said" = 'Hello from the message buffer
panic: example' ]
report $? "vmcore dmesg" "$said"
finish
