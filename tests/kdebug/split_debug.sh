#!/bin/sh
# usage: split_debug.sh TOOLS KERNEL MODULE DIR STAMP
#
# Lay out what FreeBSD installs, once for each tool that can split files, or a
# way to do it: DIR/WAY/boot/kernel has a kernel and a module, zfs.ko, without
# their debug information, which is in DIR/WAY/usr/lib/debug/boot/kernel.
#
#	gnu	GNU objcopy
#	llvm	llvm-objcopy, where there is one
#	elfutils
#		eu-strip, where there is one
#	nophdrs	no program headers in what was split off, as elftoolchain's
#		objcopy makes it on FreeBSD, and fewer sections
#	whole	nothing is split off
#	other	beside the kernel, but of another build
#	clang	nothing is split off, but there is no .debug_aranges
set -eu
objcopy=$1 llvm_objcopy=$2 eu_strip=$3
kernel=$4 module=$5 dir=$6 stamp=$7

# Split FILE, the debug information going to DEBUG, with an objcopy.
split_objcopy()
{
	"$1" --only-keep-debug "$2" "$3"
	"$1" --strip-debug --add-gnu-debuglink="$3" "$2"
}

split_gnu()
{
	split_objcopy "$objcopy" "$@"
}

split_llvm()
{
	split_objcopy "$llvm_objcopy" "$@"
}

split_elfutils()
{
	"$eu_strip" -g -f "$2" "$1"
}

# Clear e_phoff, e_phentsize and e_phnum of a 64-bit file before the link to it
# is made, which has its checksum.
split_nophdrs()
{
	"$objcopy" --only-keep-debug -R .data -R .bss "$1" "$2"
	head -c 8 /dev/zero | dd of="$2" bs=1 seek=32 conv=notrunc 2>/dev/null
	head -c 4 /dev/zero | dd of="$2" bs=1 seek=54 conv=notrunc 2>/dev/null
	"$objcopy" --strip-debug --add-gnu-debuglink="$2" "$1"
}

split_whole()
{
	:
}

# Lay out WAY.
lay_out()
{
	boot=$dir/$1/boot/kernel debug=$dir/$1/usr/lib/debug/boot/kernel
	rm -rf "${dir:?}/$1"
	mkdir -p "$boot" "$debug"
	cp "$kernel" "$boot/kernel"
	cp "$module" "$boot/zfs.ko"
	"split_$1" "$boot/kernel" "$debug/kernel.debug"
	"split_$1" "$boot/zfs.ko" "$debug/zfs.ko.debug"
}

lay_out whole
lay_out gnu
lay_out nophdrs
[ -z "$llvm_objcopy" ] || lay_out llvm
[ -z "$eu_strip" ] || lay_out elfutils

rm -rf "$dir/other" "$dir/clang"
mkdir -p "$dir/other" "$dir/clang"
cp "$kernel" "$dir/other/kernel"
split_gnu "$dir/other/kernel" "$dir/other/kernel.debug"
echo >>"$dir/other/kernel.debug"
"$objcopy" --remove-section=.debug_aranges "$kernel" "$dir/clang/kernel"
: >"$stamp"
