#!/bin/sh
# usage: man.sh TOP
#
# Every man page is mdoc(7) that mandoc has nothing to say about.
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$1" || exit 1
command -v mandoc >/dev/null || skip_all "no mandoc here"

for page in $(find docs cli -name '*.[1-9]' | sort); do
	said=$(mandoc -T lint -W warning "$page" 2>&1)
	report $? "$page" "$said"
done
finish
