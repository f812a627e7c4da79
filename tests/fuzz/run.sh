#!/bin/sh
# usage: run.sh FUZZER SEEDS SCRATCH SECONDS
#
# Run a libFuzzer target for a while.  What it finds on its way stays in
# SCRATCH, so that the next run goes on from there.
set -eu
mkdir -p "$3"
exec "$1" -max_total_time="$4" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$3/" "$3" "$2"
