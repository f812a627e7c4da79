#!/bin/sh
# usage: kernel-host.sh STEP
#
# Can our kernel be built and run on this host?  If not, say so in a line that
# names what "make" can do instead of STEP.
set -eu
step=$1

cannot()
{
	echo "$step: $*; 'make demo-freebsd' opens a real FreeBSD dump" >&2
	exit 1
}

case $(uname -s)/$(uname -m) in
Linux/x86_64 | Linux/amd64) ;;
*) cannot "our kernel is built on Linux on amd64 only" ;;
esac

# Where there is apt-get, install-deps.sh sees to it.
command -v "${QEMU:-qemu-system-x86_64}" >/dev/null ||
    command -v apt-get >/dev/null ||
    cannot "there is no qemu-system-x86_64 to run our kernel"
