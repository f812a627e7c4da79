#!/bin/sh
# usage: run-kernel.sh [-ae] [-b BYTES] [-c CPUS] [-d DISK]... [-m MB] [-p MODEL] [-q SOCKET] KERNEL [NAME=VALUE]...
#
# Boot a kernel in QEMU with its console on this terminal; leave with "poweroff"
# or "exit", enter its debugger with Return ~ Ctrl-B.  Each DISK is a raw image,
# or what QEMU can make one of (blkdebug:RULES:IMAGE, to have it fail), vtbd0 the
# first; the words after KERNEL are its command line.
#
# -b: the disks have sectors of so many bytes, not of 512.
#
# -e: Ctrl-A is QEMU's escape key.  Ctrl-A b is a serial break, which enters the
# debugger as well, Ctrl-A x ends QEMU, and Ctrl-C goes to the kernel.
#
# -q: QEMU takes commands of its machine protocol (QMP) at this Unix socket.
#
# The processor is emulated, -p names its model.  -a: use the host's if a kernel boots on it within
# ten seconds; some hosts offer it and hang.
#
# "exit CODE" in the kernel ends this with the status 2 * CODE + 1.
set -eu

qemu=${QEMU:-qemu-system-x86_64}
accel=tcg
probe=no
cpus=2
sector=512
disks=
memory=8192
model=max
serial=stdio
qmp=null

# hardware_works KERNEL: does it boot with the host's own acceleration?
hardware_works()
{
	[ -w /dev/kvm ] || return 1
	status=0
	timeout 10 "$qemu" -accel kvm -cpu host -m 128 -display none \
	    -monitor none -serial null -no-reboot \
	    -device isa-debug-exit,iobase=0xf4,iosize=4 \
	    -kernel "$1" -append "kern.script=\"exit 21\"" \
	    >/dev/null 2>&1 </dev/null || status=$?
	[ "$status" -eq 43 ]
}

usage()
{
	sed -n '2s/^# //p' "$0" >&2
	exit 64
}

while getopts ab:c:d:em:p:q: option; do
	case $option in
	a) probe=yes ;;
	b) sector=$OPTARG ;;
	c) cpus=$OPTARG ;;
	d) disks="$disks $OPTARG" ;;
	e) serial=mon:stdio ;;
	m) memory=$OPTARG ;;
	p) model=$OPTARG ;;
	q) qmp=unix:$OPTARG,server=on,wait=off ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
kernel=$1
shift
cmdline=$*

if [ "$probe" = yes ] && hardware_works "$kernel"; then
	accel=kvm
fi

# Memory is not reserved on the host: what the guest never touches costs nothing.
set -- -accel "$accel" -cpu "$model" -smp "$cpus" -m "$memory" \
    -object "memory-backend-ram,id=ram,size=${memory}M,reserve=off" \
    -machine pc,memory-backend=ram \
    -display none -monitor none -serial "$serial" -no-reboot \
    -qmp "$qmp" -device isa-debug-exit,iobase=0xf4,iosize=4
for disk in $disks; do
	id=disk$#
	set -- "$@" \
	    -drive "if=none,id=$id,file=$disk,format=raw,werror=report" \
	    -device "virtio-blk-pci,drive=$id,logical_block_size=$sector,physical_block_size=$sector"
done
exec "$qemu" "$@" -kernel "$kernel" -append "$cmdline"
