#!/bin/sh
# usage: test_run.sh RUN_SH
#
# However a fuzzer ends, meson must learn of it; without a time its inputs are
# the same each time.  The fuzzer is a script here.
set -eu
run=$1
dir=$(mktemp -d)
mkdir "$dir/seeds"
trap 'rm -rf "$dir"' EXIT
number=0

# check NAME COMMAND ...
check()
{
	number=$((number + 1))
	name=$1
	shift
	"$@" && echo "ok $number - $name" || echo "not ok $number - $name"
}

# fuzzer STATUS
fuzzer()
{
	printf '#!/bin/sh\necho "$@"\nexit %d\n' "$1" >"$dir/fuzzer"
	chmod +x "$dir/fuzzer"
}

# ends_with STATUS FUZZER_STATUS
ends_with()
{
	status=0
	fuzzer "$2"
	"$run" "$dir/fuzzer" "$dir/seeds" "$dir/scratch" 9 0 >/dev/null || status=$?
	[ "$status" = "$1" ]
}

# is_given SECONDS ARGUMENT
is_given()
{
	fuzzer 0
	"$run" "$dir/fuzzer" "$dir/seeds" "$dir/scratch" 9 "$1" | grep -qe "$2"
}

# left SECONDS: how many files of an earlier run are there still
left()
{
	mkdir -p "$dir/scratch"
	echo found >"$dir/scratch/found"
	fuzzer 0
	"$run" "$dir/fuzzer" "$dir/seeds" "$dir/scratch" 9 "$1" >/dev/null
	find "$dir/scratch" -type f | wc -l
}

is_left()
{
	[ "$(left "$1")" -eq "$2" ]
}

echo 1..9
check "nothing is found" ends_with 0 0
check "something is found" ends_with 1 77
check "an error that meson would take for its own" ends_with 1 99
check "another error" ends_with 1 1
check "a number of runs" is_given 0 '-runs=9'
check "the same chance each time" is_given 0 '-seed=1 '
check "a time" is_given 7 '-max_total_time=7 '
check "without a time it starts anew" is_left 0 0
check "with a time it goes on" is_left 7 1
