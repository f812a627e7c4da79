#!/bin/sh
# usage: headers.sh TOP COMPILER ...
#
# Every header compiles by itself, included twice.  kvm.h does for programs in
# plain C11, GNU C and C++, and so does the example of its manual page.
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$1" || exit 1
shift

rooms='format dumper kernel libkvm kdebug disk rsp cli tests bench'
for header in $(find $rooms -name '*.h' | sort)
do
	said=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
	    "$@" -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L \
		'-DCRITICAL_INLINE="kernel/amd64/critical.h"' \
		-Wall -Wextra -Werror -fsyntax-only -I. -x c - 2>&1)
	report $? "$header compiles by itself" "$said"
done

# kvm.h as programs have it: no macro of ours, every warning.
public()
{
	name=$1 language=$2
	shift 2
	said=$(printf '#include "libkvm/kvm.h"\n#include "libkvm/kvm.h"\n' |
	    "$@" -Wall -Wextra -pedantic -Werror -fsyntax-only -I. \
		-x "$language" - 2>&1)
	report $? "libkvm/kvm.h is $name" "$said"
}

public 'plain C11' c "$@" -std=c11
public 'GNU C17' c "$@" -std=gnu17
public 'C17 without <nlist.h>' c "$@" -std=c17 -DKVM_NO_NLIST
if printf 'int x;\n' | "$@" -fsyntax-only -x c++ - 2>/dev/null; then
	public 'C++17' c++ "$@" -std=c++17
else
	skip 'libkvm/kvm.h is C++17' 'no C++ compiler'
fi

# The example is the block that includes a header.
said=$(sed -n '/^#include/,/^\.Ed/p' docs/kvm.3 |
    sed '/^\.Ed/d; s/\\e/\\/g' |
    "$@" -std=c11 -Wall -Wextra -Werror -fsyntax-only -Ilibkvm -x c - 2>&1)
report $? 'the example of kvm(3) is plain C11' "$said"
finish
