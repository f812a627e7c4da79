#!/bin/sh
# usage: install.sh BUILDDIR PREFIX
#
# Install from BUILDDIR under PREFIX, below $DESTDIR.  What is built already
# is left alone, so that after `make` this can run as root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
prefix=$2

if ! grep -qsF "\"name\": \"prefix\", \"value\": \"$prefix\"" \
    "$build/meson-info/intro-buildoptions.json"; then
	"$here/build.sh" "$build" --prefix "$prefix"
else
	"$here/build.sh" "$build"
fi
exec meson install -C "$build" --no-rebuild
