#!/bin/sh
# usage: uninstall.sh BUILDDIR PREFIX
#
# Remove what the last install.sh from BUILDDIR put under PREFIX, below
# $DESTDIR.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
root=${DESTDIR:-}$2
log=$build/meson-logs/install-log.txt
. "$here/installed.sh"

if ! grep -qs "^[^#]" "$log"; then
	echo "uninstall: nothing was installed from $build" >&2
	exit 1
fi
if grep -v '^#' "$log" | grep -qvF "$root/"; then
	echo "uninstall: not under $root: $(grep -v '^#' "$log" | tail -n 1)" >&2
	exit 1
fi
ninja -C "$build" uninstall
rm -f "$log"
[ -n "${DESTDIR:-}" ] || tell_loader
