#!/bin/sh
# usage: split_debug.sh OBJCOPY LLVM_OBJCOPY EU_STRIP KERNEL MODULE DIR STAMP WAY...
#
# Lay out what FreeBSD installs, once for each WAY to split a file in two:
# DIR/WAY/boot/kernel has a kernel and a module, zfs.ko, without their debug
# information, which is in DIR/WAY/usr/lib/debug/boot/kernel.  A way whose tool
# is "" is left out.
#
#	whole	nothing is split off
#	clang	the same, without .debug_aranges, which clang does not make
#	gnu	GNU objcopy
#	llvm	llvm-objcopy
#	elfutils
#		eu-strip
#	nophdrs	no program headers in what was split off, as elftoolchain's
#		objcopy makes it on FreeBSD, and fewer sections
#	other	what was split off is of another build
#	buildid	it is in usr/lib/debug/.build-id, and there is no link to it
#	debuginfod
#		the same, in DIR/server, as a debuginfod server has it
set -eu
objcopy=$1 llvm_objcopy=$2 eu_strip=$3
kernel=$4 module=$5 dir=$6 stamp=$7
shift 7

# Each splits FILE, the debug information going to DEBUG.

split_whole()
{
	:
}

split_clang()
{
	"$objcopy" --remove-section=.debug_aranges "$1"
}

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

# e_phoff, e_phentsize and e_phnum of a 64-bit file are cleared before the link
# to it is made, which has its checksum.
split_nophdrs()
{
	"$objcopy" --only-keep-debug -R .data -R .bss "$1" "$2"
	head -c 8 /dev/zero | dd of="$2" bs=1 seek=32 conv=notrunc 2>/dev/null
	head -c 4 /dev/zero | dd of="$2" bs=1 seek=54 conv=notrunc 2>/dev/null
	"$objcopy" --strip-debug --add-gnu-debuglink="$2" "$1"
}

split_other()
{
	split_gnu "$@"
	echo >>"$2"
}

split_unlinked()
{
	mkdir -p "$(dirname "$2")"
	"$objcopy" --only-keep-debug "$1" "$2"
	"$objcopy" --strip-debug "$1"
}

build_id()
{
	"$objcopy" --dump-section .note.gnu.build-id="$dir/note" "$1" /dev/null
	tail -c +17 "$dir/note" | od -An -tx1 -v | tr -d ' \n'
}

split_buildid()
{
	id=$(build_id "$1")
	split_unlinked "$1" \
	    "$dir/buildid/usr/lib/debug/.build-id/${id%"${id#??}"}/${id#??}.debug"
}

split_debuginfod()
{
	split_unlinked "$1" "$dir/server/buildid/$(build_id "$1")/debuginfo"
}

rm -rf "${dir:?}"
mkdir -p "$dir"
for way; do
	case $way in
	llvm) [ -n "$llvm_objcopy" ] || continue ;;
	elfutils) [ -n "$eu_strip" ] || continue ;;
	esac
	boot=$dir/$way/boot/kernel debug=$dir/$way/usr/lib/debug/boot/kernel
	mkdir -p "$boot" "$debug"
	cp "$kernel" "$boot/kernel"
	cp "$module" "$boot/zfs.ko"
	"split_$way" "$boot/kernel" "$debug/kernel.debug"
	"split_$way" "$boot/zfs.ko" "$debug/zfs.ko.debug"
done
: >"$stamp"
