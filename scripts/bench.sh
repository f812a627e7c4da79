#!/bin/sh
# Build without assertions and run every benchmark: one JSON object a line on
# stdout, everything else on stderr.
set -eu
cd "$(dirname "$0")/.."
build='build-bench'

scripts/build.sh "$build" --buildtype=release -Dtests=enabled >&2
status=0
meson test -C "$build" --benchmark --logbase benchmarklog --no-rebuild \
    --timeout-multiplier 0 >&2 || status=$?

# The output of the benchmarks, from meson's log of the run.
python3 - "$build/meson-logs/benchmarklog.json" <<'EOF'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        print(json.loads(line).get("stdout", ""), end="")
EOF
exit "$status"
