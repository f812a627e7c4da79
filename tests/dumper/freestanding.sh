#!/bin/sh
# usage: freestanding.sh TOP COMPILER ...
#
# The writer compiles as kernels do it, and wants nothing from whom it is linked
# into but what a compiler wants anyway.
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$1" || exit 1
shift

case $("$@" -dumpmachine) in
x86_64*) ;;
*) skip_all "not a compiler for amd64" ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

for file in dumper/*.c format/arch.c format/dumpset.c format/elfcore.c \
    format/kerneldump.c format/minidump.c format/owner.c format/paging.c; do
	said=$("$@" -std=c11 -ffreestanding -mno-red-zone -mgeneral-regs-only \
	    -mcmodel=kernel -fno-pic -fno-omit-frame-pointer \
	    -fno-stack-protector -U_FORTIFY_SOURCE -O2 -Wall -Wextra -Werror -I. -c "$file" \
	    -o "$work/$(echo "$file" | tr / _).o" 2>&1)
	report $? "$file compiles for a kernel" "$said"
done

said=$(ld -r "$work"/*.o -o "$work/all" 2>&1)
report $? "all of it links" "$said"
wanted=$(nm -u "$work/all" | sed 's/^ *U //' |
    grep -vx -e memcmp -e memcpy -e memmove -e memset)
[ -z "$wanted" ]
report $? "it wants memcpy, memset and memcmp, nothing else" "$wanted"
finish
