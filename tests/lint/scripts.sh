#!/bin/sh
# usage: scripts.sh TOP
#
# Shell scripts parse, can be executed, and shellcheck warns of nothing.
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$1" || exit 1

for script in .ci/run $(find scripts tests bench -name '*.sh' | sort); do
	said=$(sh -n "$script" 2>&1)
	report $? "$script parses" "$said"
	if command -v shellcheck >/dev/null; then
		said=$(shellcheck -s sh -S warning -e SC1091 "$script" 2>&1)
		report $? "$script: shellcheck" "$said"
	fi
done
finish
