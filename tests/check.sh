#!/bin/sh
# usage: check.sh [STAGE ...]
#
# Build and run the tests in every configuration, or in those named: gcc,
# real-dumps, clang, package, sanitize, races, fuzz, coverage, big-endian,
# soak-boot, soak-fuzz (these two take hours), soak-vm.  Ends in one line, "N
# passed, N failed", and exits 1 if anything failed.  What a stage said is kept in
# build-check/STAGE.log, what was built in build-check/STAGE.
set -u
cd "$(dirname "$0")/.." || exit 1

out=build-check
passed=0
failed=0
skipped=0

# stage_NAME sets up and tests build-check/NAME; its output is the log.

# As on a bare Debian, where meson has no dpkg-architecture to ask.
stage_gcc()
{
	stubs=$PWD/tests/install/bare:
	build gcc && run_tests --no-suite package
}

# Those of all four kinds that fetch-real-dumps.sh brings, where other stages
# take what is at hand.
stage_real_dumps()
{
	dir=$out/gcc
	rm -f "$dir"/meson-logs/testlog.*
	VMCORE_REAL_DUMPS=$(cd "$out/real-dumps" && pwd)
	export VMCORE_REAL_DUMPS
	build gcc && run_tests 'cli real' 'cli gdb' 'cli gdb_frames' \
	    'save opens' 'serve debuggers' 'serve transports' install
	set -- $?
	unset VMCORE_REAL_DUMPS
	return "$1"
}

# What is slow and looks at the commands from outside has the code of gcc, and in
# the stage sanitize that of clang.
stage_clang()
{
	build clang && run_tests $brief --suite host-kernel
}

# The flags of the packages of Ubuntu, Fedora and Arch; Debian's own are those of
# the suite package.  They change how code is made, not what it does: some of the
# tests are enough, and one boot of the kernel.
stage_package()
{
	set_up gcc "-Dc_args=$(package_flags CPPFLAGS CFLAGS) $others_flags" \
	    "-Dc_link_args=$(package_flags LDFLAGS)" &&
	    run_tests $brief --suite package
}

stage_sanitize()
{
	build clang $sanitizers &&
	    run_tests --no-suite lint --no-suite install --no-suite builds \
	    --no-suite boot --no-suite package
}

# Races: the host's tests of the kernel that have threads.
stage_races()
{
	set_up clang -Db_sanitize=thread -Db_lundef=false &&
	    run_tests --suite threads
}

stage_fuzz()
{
	set_up clang $sanitizers -Dfuzz=true && run_fuzzers
}

# How many inputs a second each fuzzer tried is the stage's table.
run_fuzzers()
{
	run_tests --suite fuzz
	set -- $?
	for fuzzed in "$dir"/tests/fuzz/corpus/*.log; do
		printf '%-12s %7s inputs a second\n' \
		    "$(basename "$fuzzed" .log)" "$(sed -n \
		    's/^stat::average_exec_per_sec: *//p' "$fuzzed")"
	done >"$out/$name.table"
	return "$1"
}

# What of each parser the fuzzers' corpora reach.
stage_coverage()
{
	set_up clang -Doptimization=0 -Dcoverage=true || return
	run_tests --suite coverage
	set -- $?
	cp "$dir/coverage/table" "$out/coverage.table"
	return "$1"
}

# The long forms, for "make soak": a hundred storms of allocations and 300 of
# address spaces, a million steps of these while swap fails, every boot test with
# the kernel that clang makes, ten million steps of page tables, two million of
# processes, and half an hour for each fuzzer.
stage_soak_boot()
{
	build clang -Dstorm_runs=100 -Dmoment_runs=300 \
	    -Dboot_storm_steps=5000 -Dmapped_memory=8192 &&
	    run_tests --suite boot
}

stage_soak_vm()
{
	build clang $sanitizers -Dpmap_storm_steps=10000000 \
	    -Dvm_storm_steps=2000000 -Dthreads_storm_steps=200000 \
	    -Dswap_storm_steps=60000 &&
	    run_tests 'host-kernel pmap storm' 'host-kernel vm storm' \
	        'host-kernel swap storm of 4' \
	        'host-kernel pmap storm with PCIDs' \
	        'host-kernel threads storm' \
	        'host-kernel threads storm with PCIDs'
}

stage_soak_fuzz()
{
	build clang $sanitizers -Dfuzz=true -Dfuzz_seconds=1800 && run_fuzzers
}

# The cross compiler's own libraries are all there is: cmocka is built first.
stage_big_endian()
{
	tests/cross/cmocka.sh powerpc-linux-gnu-gcc "$PWD/$out/cmocka" &&
	    build gcc -Drooms=portable -Dpkg_config_path="$PWD/$out/cmocka" \
	    --cross-file tests/cross/powerpc.ini &&
	    run_tests
}

sanitizers='-Db_sanitize=address,undefined -Db_lundef=false
    -Dc_args=-fno-sanitize-recover=all'

# What meson sets, and less freed memory that is kept: each helper process that
# starts copies the page tables of all of it.
ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_summary=1
export ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=4"

brief='--suite unit --suite roundtrip --suite install --suite smoke'

# The flags that Ubuntu, Fedora and Arch add.
others_flags='-fstack-clash-protection -fcf-protection -fexceptions'

# package_flags NAME ...: what dpkg-buildflags calls so, in one line, with LTO as
# on Ubuntu.
package_flags()
{
	for flags; do
		DEB_BUILD_MAINT_OPTIONS='hardening=+all optimize=+lto' \
		    dpkg-buildflags --get "$flags"
	done | tr '\n' ' '
}

# set_up COMPILER [meson setup option ...]: the tests that run then build what they
# take, and no more.
set_up()
{
	compiler=$1
	shift
	# shellcheck disable=SC2046 # an option or nothing
	[ -f "$dir/build.ninja" ] || CC=$compiler PATH=$stubs$PATH meson setup \
	    $(PATH=$stubs$PATH scripts/libdir.sh) \
	    -Dwerror=true -Dtests=enabled "$@" "$dir"
}

# build COMPILER [meson setup option ...]: everything is built, tested or not.
build()
{
	set_up "$@" && scripts/build.sh "$dir"
}

# How long a test takes on this host, today, says nothing about it: the limits
# are only there to end one that hangs, before the whole run is ended for it.
run_tests()
{
	meson test -C "$dir" --timeout-multiplier 20 "$@"
}

# Why a stage cannot run on this host; nothing if it can.
cannot()
{
	case $1 in
	gcc) need gcc ;;
	package)
		need gcc
		need dpkg-buildflags
		;;
	real-dumps)
		scripts/fetch-real-dumps.sh "$PWD/$out/real-dumps" >"$log" 2>&1 ||
		    echo "they could not be fetched: see $log"
		;;
	clang | sanitize | races | fuzz | soak-*) need clang ;;
	coverage)
		need clang
		need llvm-cov
		;;
	big-endian)
		need powerpc-linux-gnu-gcc
		need qemu-ppc
		;;
	*)
		echo "no such stage: $1" >&2
		exit 64
		;;
	esac
}

need()
{
	command -v "$1" >/dev/null || echo "no $1 here"
}

# Run one stage and add up what it found.
stage()
{
	name=$1
	dir=$out/$name
	log=$out/$name.log
	printf '%-12s' "$name"

	why=$(cannot "$name") || exit 64
	if [ -n "$why" ]; then
		skipped=$((skipped + 1))
		printf 'skipped: %s\n' "$why"
		return
	fi

	began=$(date +%s)
	stubs=
	rm -f "$dir"/meson-logs/testlog.* "$out/$name.table"
	"stage_$(echo "$name" | tr - _)" >"$log" 2>&1 </dev/null
	status=$?
	if [ -f "$dir/meson-logs/testlog.json" ]; then
		counts=$(tests/count-tests.py "$dir" 2>"$out/$name.said") ||
		    counts='0 1 0'
	else
		counts='0 1 0'
		tail -n 30 "$log" >"$out/$name.said"
	fi
	add "$status" $counts
	printf ' (%d s)\n' $(($(date +%s) - began))
	cat "$out/$name.said"
	[ ! -f "$out/$name.table" ] || cat "$out/$name.table"
}

# Add a stage's counts: exit status, passed, failed, skipped.  A stage that
# failed though no test of it did, or that ran no test, is a failure itself.
add()
{
	fails=$3
	if [ "$fails" -eq 0 ] && { [ "$1" -ne 0 ] || [ "$2" -eq 0 ]; }; then
		echo "  FAILED: status $1, $2 tests: see $log" >>"$out/$name.said"
		fails=1
	fi
	passed=$((passed + $2))
	failed=$((failed + fails))
	skipped=$((skipped + $4))
	printf '%4d passed, %d failed, %d skipped' "$2" "$fails" "$4"
}

mkdir -p "$out"
[ $# -gt 0 ] || set -- gcc real-dumps clang package sanitize races fuzz coverage \
    big-endian
for name; do
	stage "$name"
done

if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
