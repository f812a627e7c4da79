#!/bin/sh
# Build without assertions and run every benchmark.  JSON lines on stdout,
# everything else on stderr.
set -eu
cd "$(dirname "$0")/.."

scripts/build.sh build-bench --buildtype=release -Dtests=enabled >&2
exec meson test -C build-bench --benchmark --verbose
