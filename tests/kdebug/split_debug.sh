#!/bin/sh
# usage: split_debug.sh OBJCOPY KERNEL DIR STAMP
#
# Lay out what FreeBSD installs: DIR/boot/kernel/kernel without its debug
# information, which is in DIR/usr/lib/debug/boot/kernel/kernel.debug.
# DIR/other has the same, but the debug information is of another build.
# DIR/clang has it whole, but without .debug_aranges, as clang does it.
set -eu
objcopy=$1 kernel=$2 dir=$3 stamp=$4

split()
{
	mkdir -p "$1" "$2"
	cp "$kernel" "$1/kernel"
	"$objcopy" --only-keep-debug "$1/kernel" "$2/kernel.debug"
	"$objcopy" --strip-debug --add-gnu-debuglink="$2/kernel.debug" \
	    "$1/kernel"
}

split "$dir/boot/kernel" "$dir/usr/lib/debug/boot/kernel"
split "$dir/other" "$dir/other"
echo >>"$dir/other/kernel.debug"
mkdir -p "$dir/clang"
"$objcopy" --remove-section=.debug_aranges "$kernel" "$dir/clang/kernel"
: >"$stamp"
