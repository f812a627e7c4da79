#!/bin/sh
# usage: install.sh BUILDDIR PREFIX
#
# Install from BUILDDIR under PREFIX, below $DESTDIR.  What is built already
# is left alone, so that after `make` this can run as root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
prefix=$2
. "$here/installed.sh"

# meson answers a file in the place of a folder with a traceback.
there=${DESTDIR:-}$prefix
while [ ! -e "$there" ]; do
	there=$(dirname "$there")
done
if [ ! -d "$there" ]; then
	echo "install: $there: not a folder, so nothing goes below it" >&2
	exit 1
fi

if [ "$(option "$build" prefix)" = "$prefix" ]; then
	"$here/build.sh" "$build"
else
	"$here/build.sh" "$build" --prefix "$prefix"
fi
meson install -C "$build" --no-rebuild
[ -z "${DESTDIR:-}" ] || exit 0

tell_loader
libdir=$(option "$build" libdir)
case $libdir in
/*) ;;
*) libdir=$prefix/$libdir ;;
esac
if ! loader_knows "$libdir"; then
	echo "The loader does not look into $libdir: programs that use libkvm" \
	    "need LD_LIBRARY_PATH=$libdir, or that folder in ld.so.conf(5)"
fi
# Where the system has a libkvm of its own, this one has another name.
library=$(sed -n 's|.*/\(lib[a-z-]*kvm\)\.pc$|\1|p' \
    "$build/meson-logs/install-log.txt")
if ! pkg-config --exists "$library"; then
	echo "pkg-config does not look into $libdir/pkgconfig: it needs" \
	    "PKG_CONFIG_PATH=$libdir/pkgconfig"
fi
