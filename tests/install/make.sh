#!/bin/sh
# usage: make.sh TOP BUILD COMPILER ...
#
# `make install` builds what is missing and installs it, or says why it cannot;
# `make uninstall` takes all of it away.
set -u
. "$(dirname "$0")/../support/tap.sh"
top=$1
build=$2
shift 2

dest=$(mktemp -d "${TMPDIR:-/tmp}/vmcore-make.XXXXXX")
trap 'rm -rf "$dest"' EXIT

touch "$dest/file"
for below in "$dest/file" "$dest/file/further"; do
	said=$(make -s -C "$top" install BUILD="$build" DESTDIR="$below" \
	    PREFIX=/usr/local 2>&1)
	case $said in
	"install: $dest/file: not a folder"*) ;;
	*) false ;;
	esac
	report $? "refuses a DESTDIR of ${below#"$dest/"}, where file is none" "$said"
done

# Where neither DESTDIR nor PREFIX were there before.
said=$(make -s -C "$top" install uninstall BUILD="$build" \
    DESTDIR="$dest/new" PREFIX=/usr/local 2>&1)
report $? "uninstalls from a folder that install made" "$said"
left=$(find "$dest/new" 2>/dev/null)
[ -z "$left" ]
report $? "uninstall leaves nothing in it" "$left"

# In a namespace of its own, which some containers do not allow.
name="the README's lines work with nothing set"
namespace='unshare --mount'
[ "$(id -u)" -eq 0 ] || namespace='unshare --map-root-user --mount'
if said=$($namespace true 2>&1); then
	said=$($namespace "$top/tests/install/readme.sh" "$top" "$build" \
	    "$dest" "$@" 2>&1)
	report $? "$name" "$said"
else
	skip "$name" "$said"
fi
finish
