#!/bin/sh
# usage: lay-out-real-dumps.sh DIR
#
# Make DIR a working folder with the real dumps that find-real-dumps.sh knows:
# kernels unpacked, as a debugger must map them; dumps linked as they are,
# compressed or not; expected.json linked.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dumps=$("$here/find-real-dumps.sh")
dir=$1

mkdir -p "$dir"
for file in "$dumps"/vmcore-* "$dumps"/expected.json; do
	[ -e "$file" ] && ln -sf "$file" "$dir/"
done
for kernel in "$dumps"/kernel-*; do
	case $kernel in
	*.zst)
		plain=$dir/$(basename "$kernel" .zst)
		[ -f "$plain" ] || zstd -dqf "$kernel" -o "$plain"
		;;
	*) ln -sf "$kernel" "$dir/" ;;
	esac
done
