#!/bin/sh
# usage: run.sh FUZZER SEEDS SCRATCH SECONDS
#
# Run a libFuzzer target for a while.  What it finds on its way stays in
# SCRATCH, so that the next run goes on from there, and what it says in
# SCRATCH.log.
set -eu
mkdir -p "$3"
status=0
"$1" -max_total_time="$4" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$3/" "$3" "$2" >"$3.log" 2>&1 || status=$?
cat "$3.log"
exit "$status"
