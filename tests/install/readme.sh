#!/bin/sh
# usage: readme.sh TOP BUILD WORK COMPILER ...
#
# What the README and kvm(3) tell people to do, with nothing set: install into
# /usr/local, and build a program with pkg-config.  make.sh runs this where
# /usr/local and /etc are not the host's.  WORK is a folder for what it makes.
set -eu
top=$1
build=$2
work=$3
shift 3
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH DESTDIR

mkdir "$work/local"
cp -a /etc "$work/etc" 2>/dev/null || true
mount --bind "$work/local" /usr/local
mount --bind "$work/etc" /etc
cd "$top"

make -s install BUILD="$build"
vmcore --version
tests/install/example.sh . >"$work/readme-hz.c"
# shellcheck disable=SC2046 # flags, to be split
"$@" -o "$work/readme-hz" "$work/readme-hz.c" $(pkg-config --cflags --libs libkvm)
"$work/readme-hz" "$work/no-kernel" "$work/no-core" 2>&1 | grep no-kernel

make -s uninstall BUILD="$build"
left=$(find /usr/local ! -type d)
[ -z "$left" ] || {
	echo "uninstall left: $left"
	exit 1
}
