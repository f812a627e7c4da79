#!/bin/sh
# usage: run.sh FUZZER SEEDS SCRATCH RUNS SECONDS
#
# Run a libFuzzer target: with RUNS inputs, which are the same each time; or, if
# SECONDS is not 0, for as long as that, with inputs made by chance.  Then what it
# finds on its way stays in SCRATCH, so that the next run goes on from there.
# What it says is in SCRATCH.log.
set -eu
fuzzer=$1 seeds=$2 scratch=$3 runs=$4 seconds=$5
if [ "$seconds" = 0 ]; then
	rm -rf "$scratch"
	# By default libFuzzer reads the folder again each second, and tries
	# values that were compared, addresses among them.
	set -- -seed=1 -runs="$runs" -reload=0 -use_cmp=0 -timeout=300
else
	set -- -max_total_time="$seconds" -timeout=60
fi
mkdir -p "$scratch"
# A folder's own order is another one on each file system.
find "$seeds" -type f | LC_ALL=C sort | paste -sd, - >"$scratch.seeds"
# meson takes libFuzzer's 77, "found something", for "skipped".
status=0
"$fuzzer" "$@" -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$scratch/" -seed_inputs="@$scratch.seeds" "$scratch" \
    >"$scratch.log" 2>&1 || status=1
cat "$scratch.log"
exit "$status"
