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
# The log also names the folders that install made, some of them above $root.
stray=$(grep -v '^#' "$log" | grep -vF "$root/" | while read -r path; do
	[ -d "$path" ] || echo "$path"
done | head -n 1)
if [ -n "$stray" ]; then
	echo "uninstall: not under $root: $stray" >&2
	exit 1
fi
ninja -C "$build" uninstall
rm -f "$log"
[ -n "${DESTDIR:-}" ] || tell_loader
