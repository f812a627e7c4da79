#!/bin/sh
# usage: skeletons.sh TOP VERSION
#
# The files in packaging/ parse, and have this version.
set -u
. "$(dirname "$0")/../support/tap.sh"
top=$1
version=$2
cd "$top/packaging" || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/vmcore-skeletons.XXXXXX")
trap 'rm -rf "$work"' EXIT

# has NAME FILE PATTERN
has()
{
	grep -q "$3" "$2"
	report $? "$1" "$2 does not say $3"
}

has "Debian's version" debian/changelog "^vmcore ($version-[0-9]*) "
has "the port's version" freebsd/Makefile "^DISTVERSION=[[:space:]]*$version\$"
has "the formula's version" homebrew/vmcore.rb "/vmcore-$version\.tar\.xz\"\$"
has "the change log's version" "$top/CHANGELOG" "^$version, "

if command -v bmake >/dev/null; then
	# The ports tree's own files are not here.
	echo 'all: ; @echo ${PORTNAME}-${DISTVERSION}' >"$work/bsd.port.mk"
	said=$(bmake -r -n -m "$work" -C freebsd 2>&1)
	[ "$said" = "echo vmcore-$version" ]
	report $? "the port parses" "$said"
else
	skip "the port parses" "no bmake here"
fi

if command -v ruby >/dev/null; then
	said=$(ruby -wc homebrew/vmcore.rb 2>&1)
	report $? "the formula parses" "$said"
else
	skip "the formula parses" "no ruby here"
fi
finish
