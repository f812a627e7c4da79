#!/bin/sh
# usage: install.sh TOP BUILD COMPILER ...
#
# What is built is installed where it can be found: the command runs, man pages
# are there, and a program that knows only pkg-config builds against the library.
# That program is the example of kvm(3), so it is tried as well.
set -u
. "$(dirname "$0")/../support/tap.sh"
top=$1
build=$2
shift 2

dest=$(mktemp -d "${TMPDIR:-/tmp}/vmcore-install.XXXXXX")
trap 'rm -rf "$dest"' EXIT

said=$(meson install -C "$build" --no-rebuild --destdir "$dest" 2>&1)
report $? "installs below DESTDIR" "$said"

installed()
{
	found=$(find "$dest" -path "*/$1" | head -n 1)
	[ -n "$found" ]
	report $? "installs $1" "not below $dest"
}

installed bin/vmcore
vmcore=$found
installed share/bash-completion/completions/vmcore
installed share/zsh/site-functions/_vmcore
installed include/kvm.h
installed include/kvm_proc.h
for page in "$top"/docs/*.3; do
	installed "man/man3/$(basename "$page")"
done
installed man/man3/kvm_read2.3
installed pkgconfig/libkvm.pc
PKG_CONFIG_PATH=$(dirname "$found")
PKG_CONFIG_SYSROOT_DIR=$dest
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH

version=$(pkg-config --modversion libkvm)
soname=$(readelf -d "$LD_LIBRARY_PATH/libkvm.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
[ "$soname" = libkvm.so.1 ] && [ "$version" = "$(sed -n "s/^  version: '\(.*\)',/\1/p" "$top/meson.build" | head -n 1)" ]
report $? "the library's interface has a version apart from the project's" \
    "$soname of $version"

said=$(nm -D --defined-only "$LD_LIBRARY_PATH/libkvm.so" |
    awk '$3 !~ /^kvm_/ { print $3 }')
[ -z "$said" ]
report $? "the library exports kvm_* only" "$said"

said=$("$vmcore" --help 2>&1)
report $? "the installed command runs" "$said"

"$top/tests/install/example.sh" "$top" >"$dest/hz.c"
# shellcheck disable=SC2046 # flags, to be split
said=$("$@" -Wall -Wextra -Werror -o "$dest/hz" "$dest/hz.c" \
    $(pkg-config --cflags --libs libkvm) 2>&1)
report $? "the example of kvm(3) builds with pkg-config" "$said"

name="the example of kvm(3) reads a real dump"
if dumps=$("$top/scripts/lay-out-real-dumps.sh" "$dest/dumps" 2>&1); then
	said=$("$dest/hz" "$dest"/dumps/kernel-amd64 \
	    "$dest"/dumps/vmcore-amd64-minidump* 2>&1)
	[ "$said" = "hz = 100" ]
	report $? "$name" "$said"
else
	skip "$name" "$dumps"
fi
finish
