#!/bin/sh
# usage: install-deps.sh [build | demo | demo-freebsd | check | bench | run]
#
# See to it that the named step has what it needs.  Debian and Ubuntu: install
# what is missing, and ask for nothing when nothing is.  Elsewhere: if the
# tools are there, fine; if not, name the packages and stop.
set -eu

# A|B: the first that the distribution knows.  A trailing ?: do without it
# where the distribution has none; the tests that want it then skip.
deb_build='meson ninja-build pkgconf|pkg-config gcc libc6-dev libelf-dev
    libdw-dev zlib1g-dev libzstd-dev libjansson-dev liblzma-dev?
    libbz2-dev? liblz4-dev? libssl-dev?'
deb_freebsd='python3 gdb zstd bzip2 xz-utils llvm ca-certificates'
deb_bench='libcmocka-dev python3 libjemalloc2? qemu-system-x86?'
deb_run='python3 qemu-system-x86'
deb_demo="$deb_run gdb"
deb_check='libcmocka-dev clang libclang-rt-dev? gdb-multiarch
    lldb-19|lldb? mandoc qemu-user gcc-powerpc-linux-gnu?
    libc6-dev-powerpc-cross? clang-format shellcheck dpkg-dev elfutils?
    git build-essential debhelper lintian bmake? ruby? zsh? lz4
    libdebuginfod1|libdebuginfod1t64?'

fedora_build='meson ninja-build pkgconf-pkg-config gcc elfutils-libelf-devel
    elfutils-devel zlib-devel libzstd-devel jansson-devel xz-devel
    bzip2-devel lz4-devel openssl-devel'
fedora_tests='libcmocka-devel gdb lldb clang compiler-rt mandoc qemu-user
    zstd llvm clang-tools-extra ShellCheck python3 elfutils
    elfutils-debuginfod-client'
freebsd_build='meson ninja pkgconf elfutils zstd jansson liblz4'
freebsd_tests='cmocka gdb llvm python3 bash'
brew_build='meson ninja pkgconf libelf zstd jansson lz4 xz openssl@3'
brew_tests='cmocka gdb llvm python3'

main()
{
	step=${1:-build}
	case $step in
	build | demo | demo-freebsd | check | bench | run) ;;
	*)
		echo "usage: install-deps.sh [build | demo | demo-freebsd | check | bench | run]" >&2
		exit 64
		;;
	esac

	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
	then
		install_debian "$step"
	elif ! tools_are_there "$step"; then
		name_packages "$step"
		exit 1
	fi
}

install_debian()
{
	wanted=$deb_build
	case $1 in
	demo) wanted="$wanted $deb_demo" ;;
	demo-freebsd) wanted="$wanted $deb_freebsd" ;;
	bench) wanted="$wanted $deb_bench" ;;
	run) wanted="$wanted $deb_run" ;;
	check) wanted="$wanted $deb_freebsd $deb_demo $deb_check" ;;
	esac

	any_missing $wanted || return 0
	as_root apt-get update -qq >&2 ||
	    echo "apt-get update failed; trying with the lists as they are" >&2
	packages=$(pick_packages $wanted)
	[ -n "$packages" ] || return 0
	log=$(mktemp "${TMPDIR:-/tmp}/vmcore-install.XXXXXX")
	echo "Installing (what apt says: $log):" $packages >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends $packages >"$log" 2>&1 || apt_failed "$log"
}

# apt's last words tell which package it was, and why.
apt_failed()
{
	tail -n 20 "$1" >&2
	echo "apt-get install failed; all that it said is in $1" >&2
	exit 1
}

# Is there an entry of which no alternative is installed, though one could be?
any_missing()
{
	for entry; do
		name=${entry%\?}
		entry_installed "$name" && continue
		if [ "$entry" = "$name" ] || first_known "$name" >/dev/null
		then
			return 0
		fi
	done
	return 1
}

entry_installed()
{
	for package in $(echo "$1" | tr '|' ' '); do
		dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null |
		    grep -q '^ii' && return 0
	done
	return 1
}

# For each entry that is not installed, the first alternative that is known.
pick_packages()
{
	for entry; do
		name=${entry%\?}
		entry_installed "$name" && continue
		if ! first_known "$name" && [ "$entry" = "$name" ]; then
			# Let apt-get say what is wrong with it.
			echo "${name%%|*}"
		fi
	done
}

first_known()
{
	for package in $(echo "$1" | tr '|' ' '); do
		if apt-cache show "$package" >/dev/null 2>&1; then
			echo "$package"
			return 0
		fi
	done
	return 1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "not root, and no sudo; as root, run: $*" >&2
		return 1
	fi
}

tools_are_there()
{
	commands='meson ninja pkg-config cc'
	# Not libdw, which macOS lacks: without it there are no line numbers.
	libraries='libelf zlib libzstd jansson'
	case $1 in
	run) commands="$commands python3" ;;
	demo) commands="$commands python3 gdb" ;;
	demo-freebsd) commands="$commands gdb zstd" ;;
	bench) libraries="$libraries cmocka" ;;
	check)
		commands="$commands gdb zstd clang python3"
		libraries="$libraries cmocka"
		;;
	esac

	for command in $commands; do
		command -v "$command" >/dev/null || return 1
	done
	for library in $libraries; do
		pkg-config --exists "$library" || return 1
	done
}

name_packages()
{
	if command -v dnf >/dev/null; then
		install='dnf install' build=$fedora_build tests=$fedora_tests
	elif command -v brew >/dev/null; then
		install='brew install' build=$brew_build tests=$brew_tests
	elif [ "$(uname -s)" = FreeBSD ]; then
		install='pkg install' build=$freebsd_build tests=$freebsd_tests
	else
		install='install, in your system'\''s words:'
		build=$fedora_build tests=$fedora_tests
	fi
	[ "$1" = build ] && tests=

	echo "Something that 'make $1' needs is missing.  Please" >&2
	echo "    $install" $build $tests >&2
	echo "and try again." >&2
}

main "$@"
