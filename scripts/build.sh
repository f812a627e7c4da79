#!/bin/sh
# usage: build.sh DIR [meson setup option ...]
#
# Build everything in DIR, which is set up first if it is new.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift

if ! command -v meson >/dev/null; then
	echo "meson is missing: scripts/install-deps.sh installs what is needed" >&2
	exit 1
fi
if [ ! -f "$build/build.ninja" ]; then
	# shellcheck disable=SC2046 # an option or nothing
	meson setup $("$here/libdir.sh") "$@" "$build"
elif [ $# -gt 0 ]; then
	meson setup --reconfigure "$build" "$@"
fi
exec meson compile -C "$build"
