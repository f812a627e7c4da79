#!/bin/sh
# usage: includes.sh TOP
#
# Data flows one way through the rooms, and includes follow it: which room may
# include which is written here, and nothing else may be.
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$1" || exit 1

# The includes of FILE, as "LINE:<x.h>" or "LINE:"x.h"".
includes_of()
{
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*/\1/p' "$1"
}

# allow ROOM 'ROOM ...' [HEADER ...]
# The sources of the first room include headers of the others and, if any are
# named, of the system only those.
allow()
{
	room=$1
	# shellcheck disable=SC2086 # one line, however many it was
	rooms=$(echo $2)
	shift 2
	[ -d "$room" ] || return 0

	bad=
	for file in $(find "$room" -name '*.[ch]' | sort); do
		for include in $(includes_of "$file"); do
			allowed "$include" "$@" ||
			    bad="$bad$file includes $include
"
		done
	done
	[ -z "$bad" ]
	report $? "$room includes only: $rooms $*" "$bad"
}

allowed()
{
	name=$(echo "$1" | tr -d '<>"')
	case $1 in
	\"kvm_proc.h\")
		# Installed beside kvm.h, where there are no rooms.
		return 0
		;;
	\<*)
		shift
		[ $# -eq 0 ] && return 0
		for header; do
			[ "$name" = "$header" ] && return 0
		done
		;;
	*)
		for other in $rooms; do
			[ "${name%/*}" = "$other" ] && return 0
		done
		;;
	esac
	return 1
}

# private HEADER PREFIX
# In the kernel, only files whose names begin with this may include it.
private()
{
	bad=$(grep -l -r "^#include \"$1\"" kernel | grep -v "^$2")
	[ -z "$bad" ]
	report $? "$1 is included only by $2*" "$bad"
}

allow format 'format' assert.h limits.h stdbool.h stddef.h stdint.h string.h
allow dumper 'dumper format' assert.h stdbool.h stddef.h stdint.h string.h
# The kernel's rooms, by the lines "kernel/ROOM -> ROOM ..." of the house page.
# All may use the compiler's headers, and string.h as the rooms below them do.
law=$(sed -n 's|^    \(kernel/[a-z0-9]*\) *->|\1|p' docs/house.md)
while read -r room others; do
	inner=
	for other in $others; do
		[ -d "kernel/$other" ] && other=kernel/$other
		inner="$inner $other"
	done
	allow "$room" "$room $inner" assert.h stdarg.h stdbool.h stddef.h \
	    stdint.h string.h
done <<EOF
$law
EOF
unruled=$(find kernel -mindepth 1 -type d ! -name '__*' |
    grep -v -x -F "$(echo "$law" | sed 's/ .*//')")
[ -z "$unruled" ]
report $? 'the house page has a line for every room of the kernel' "$unruled"
private kernel/vm/uma_int.h 'kernel/vm/uma_'
allow libkvm 'libkvm format'
allow kdebug 'kdebug libkvm format'
allow examples dumper
allow rsp 'rsp format' assert.h stdbool.h stddef.h stdint.h stdio.h string.h
allow disk 'disk format'
allow cli 'cli disk rsp kdebug libkvm format'
finish
