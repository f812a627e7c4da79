#!/bin/sh
# usage: typed_kernels.sh OBJCOPY PYTHON SOURCES DIR DONE COMPILER ...
#
# Kernels with debug information of every kind: by version of DWARF, packed, and
# split off into a file of its own, as test_types opens them.
set -eu
objcopy=$1 python=$2 src=$3 dir=$4 done=$5
shift 5

build()
{
	"$@" -nostdlib -static -Wl,--build-id=none
}

# split NAME: the half that stays is NAME, the other one NAME.debug.
split()
{
	"$objcopy" --only-keep-debug dwarf5 "$1.debug"
	"$objcopy" -g --add-gnu-debuglink="$1.debug" dwarf5 "$1"
}

# Without program headers, as elftoolchain's objcopy makes it.
drop_phdrs()
{
	"$python" - "$1" <<-EOF
	import struct, sys
	elf = bytearray(open(sys.argv[1], 'rb').read())
	struct.pack_into('<Q', elf, 32, 0)
	struct.pack_into('<HH', elf, 54, 0, 0)
	open(sys.argv[1], 'wb').write(elf)
	EOF
}

rm -rf "$dir"
mkdir -p "$dir/split"
cd "$dir"
for version in 2 4 5; do
	build "$@" -g -gdwarf-$version "$src/structs.c" -o dwarf$version
done
build "$@" -g -gz "$src/structs.c" -o compressed
build "$@" -g0 "$src/structs.c" -o none
build "$@" "$src/loops.S" -o loops
for name in split/kernel split/foreign split/nophdrs; do
	split $name
done
printf x >>split/foreign.debug
drop_phdrs split/nophdrs.debug
"$objcopy" --add-gnu-debuglink=split/nophdrs.debug none split/nophdrs
touch "$done"
