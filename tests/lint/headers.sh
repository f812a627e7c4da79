#!/bin/sh
# usage: headers.sh TOP COMPILER ...
#
# Every header compiles by itself, included twice.
set -u
. "$(dirname "$0")/../tap.sh"
cd "$1" || exit 1
shift

rooms='format dumper kernel libkvm kdebug cli tests bench'
for header in $(find $rooms -name '*.h' | sort)
do
	said=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
	    "$@" -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L \
		-Wall -Wextra -Werror -fsyntax-only -I. -x c - 2>&1)
	report $? "$header compiles by itself" "$said"
done
finish
