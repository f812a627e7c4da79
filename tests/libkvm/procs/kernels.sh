#!/bin/sh
# usage: kernels.sh SOURCE DIR DONE COMPILER ...
#
# Kernels for test_procs: as of today, as of FreeBSD 10, one without debug
# information, and one with a member that is wider than it can be.
set -eu
src=$1 dir=$2 done=$3
shift 3

# build NAME FLAG ...: the sanitizers and whatever else COMPILER is given have
# no place in data.
build()
{
	name=$1
	shift
	"$@" -std=gnu11 -nostdlib -static -fno-pic -mcmodel=kernel \
	    -fno-sanitize=all -fno-lto -Wl,--build-id=none \
	    -Wl,-z,max-page-size=4096 -Wl,-Ttext-segment=0xffffffff80001000 \
	    "$src" -o "$dir/$name"
}

mkdir -p "$dir"
build today "$@" -g
build old "$@" -g -DOLD
build bare "$@" -g0
build wide "$@" -g -DWIDE
touch "$done"
