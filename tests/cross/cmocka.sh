#!/bin/sh
# usage: cmocka.sh COMPILER DIR
#
# Build cmocka, which Debian has for no big-endian 32-bit machine, with
# COMPILER into DIR: a static library and cmocka.pc.  The source comes from
# Debian's source package, and is kept in the user's cache.
set -eu
compiler=$1
dir=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vmcore/source

[ -f "$dir/cmocka.pc" ] && exit 0

if ! ls "$cache"/cmocka_*.orig.tar.* >/dev/null 2>&1; then
	"$top/scripts/apt-source.sh" "$cache" cmocka
fi
rm -rf "$dir"
mkdir -p "$dir/source"
tar -x -f "$cache"/cmocka_*.orig.tar.* -C "$dir/source" --strip-components=1

# The results of its configure step, which are the same on every Linux.
have=$(printf -- '-DHAVE_%s=1 ' ASSERT_H INTTYPES_H SETJMP_H SIGNAL_H \
    STDARG_H STDDEF_H STDINT_H STDIO_H STDLIB_H STRING_H STRINGS_H TIME_H \
    UNISTD_H CLOCK_GETTIME CLOCK_REALTIME GCC_THREAD_LOCAL_STORAGE)
# shellcheck disable=SC2086 # $have is a list
"$compiler" -O2 -w -I"$dir/source/include" $have \
    -c "$dir/source/src/cmocka.c" -o "$dir/cmocka.o"
rm -f "$dir/libcmocka.a"
"${compiler%gcc}ar" rcs "$dir/libcmocka.a" "$dir/cmocka.o"

cat >"$dir/cmocka.pc" <<EOF
Name: cmocka
Description: unit tests
Version: $(basename "$cache"/cmocka_*.orig.tar.* | sed 's/cmocka_//; s/\.orig.*//')
Cflags: -I$dir/source/include
Libs: -L$dir -lcmocka
EOF
