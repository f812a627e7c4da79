#!/bin/sh
# usage: install.sh TOP BUILD COMPILER ...
#
# `make install` puts everything where it can be found: the command runs, man
# pages are there, and a program that knows only pkg-config builds against
# the library.  That program is the example of kvm(3), so it is tried as well.
# `make uninstall` takes all of it away.
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

# The example is the block that includes a header.
sed -n '/^#include/,/^\.Ed/p' "$top/docs/kvm.3" |
    sed '/^\.Ed/d; s/\\e/\\/g' >"$dest/hz.c"
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

touch "$dest/file"
for below in "$dest/file" "$dest/file/further"; do
	said=$(make -s -C "$top" install BUILD="$build" DESTDIR="$below" \
	    PREFIX=/usr/local 2>&1)
	case $said in
	"install: $dest/file: not a folder"*) ;;
	*) false ;;
	esac
	report $? "refuses a DESTDIR of ${below#"$dest/"}, where file is none" "$said"
done

# Where neither DESTDIR nor PREFIX were there before.
said=$(make -s -C "$top" install uninstall BUILD="$build" \
    DESTDIR="$dest/new" PREFIX=/usr/local 2>&1)
report $? "uninstalls from a folder that install made" "$said"
left=$(find "$dest/new" 2>/dev/null)
[ -z "$left" ]
report $? "uninstall leaves nothing in it" "$left"

# In a namespace of its own, which some containers do not allow.
name="the README's lines work with nothing set"
namespace='unshare --mount'
[ "$(id -u)" -eq 0 ] || namespace='unshare --map-root-user --mount'
if said=$($namespace true 2>&1); then
	said=$($namespace "$top/tests/install/readme.sh" "$top" "$build" \
	    "$dest" "$@" 2>&1)
	report $? "$name" "$said"
else
	skip "$name" "$said"
fi
finish
