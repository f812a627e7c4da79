#!/bin/sh
# usage: run.sh BUILDDIR [NAME=VALUE]...
#
# Boot our kernel with 8 GB, two CPUs and a disk for dumps, BUILDDIR/dump.img,
# on this terminal.  The words are added to its command line.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
disk=$build/dump.img
saved=

[ -f "$disk" ] || truncate -s 512M "$disk"

cat <<END
Keys:  Return ~ Ctrl-B   into the kernel's debugger (Ctrl-A b does the same)
       Ctrl-A x          end the emulator, whatever the machine does
At #   help   crash null   ddb   poweroff
At db> help   bt   ps   show pageset   dump   panic   continue   poweroff
After a panic, or "dump", the dump is at the end of $disk.

END

# The terminal's own signals go to the machine.
restore()
{
	[ -z "$saved" ] || stty "$saved"
}
trap restore EXIT
saved=$(stty -g 2>/dev/null) || saved=
[ -z "$saved" ] || stty raw -echo
"$here/run-kernel.sh" -e -d "$disk" "$build/kernel/kernel" \
    dumpdev=vtbd0 kern.panic.poweroff=1 "$@" || true
restore

if "$build/cli/vmcore" save -C "$disk" >/dev/null 2>&1; then
	cat <<END

There is a dump.  To save it and look into it:

    $build/cli/vmcore save $disk $build
    $build/cli/vmcore gdb -N $build/kernel/kernel $build/vmcore.last
END
fi
