#!/bin/sh
# usage: find-real-dumps.sh
#
# Print the folder that holds real dumps: $VMCORE_REAL_DUMPS when it is set,
# else ../shared/real-dumps beside this checkout, else the cache that
# fetch-real-dumps.sh fills.  Exit 1, with the reason on stderr, if there are
# none.  Files in it may be plain or compressed (.zst).
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/vmcore/real-dumps

if [ -n "${VMCORE_REAL_DUMPS:-}" ]; then
	if [ ! -d "$VMCORE_REAL_DUMPS" ]; then
		echo "VMCORE_REAL_DUMPS: $VMCORE_REAL_DUMPS: no such folder" >&2
		exit 1
	fi
	(cd "$VMCORE_REAL_DUMPS" && pwd)
elif [ -d "$top/../shared/real-dumps" ]; then
	(cd "$top/../shared/real-dumps" && pwd)
elif [ -f "$cache/complete" ]; then
	echo "$cache"
else
	echo "no real dumps: set VMCORE_REAL_DUMPS, or run" \
	    "scripts/fetch-real-dumps.sh" >&2
	exit 1
fi
