#!/bin/sh
# usage: apt-source.sh DIR PACKAGE ...
#
# Download into DIR the source tarballs of the first PACKAGE that Debian or
# Ubuntu, as this host's apt is set up to reach it, has.  Works without deb-src
# lines and without root: apt gets lists and caches of its own in a temporary
# folder, and nothing of the system's is touched.
set -eu
dir=$1
shift

if ! command -v apt-get >/dev/null; then
	echo "apt-source: this host has no apt-get" >&2
	exit 1
fi

state=$(mktemp -d "${TMPDIR:-/tmp}/apt-source.XXXXXX")
trap 'rm -rf "$state"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$state/parts" "$state/lists/partial" "$state/cache/archives/partial"

# The host's own sources, asked for source packages instead of binary ones.
# Two styles: one line each, and stanzas.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ -r "$file" ] || continue
	sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file"
done >"$state/sources.list"
for file in /etc/apt/sources.list.d/*.sources; do
	[ -r "$file" ] || continue
	sed 's/^Types:.*/Types: deb-src/' "$file" \
	    >"$state/parts/$(basename "$file")"
done

apt()
{
	apt-get -qq -o Dir::Etc::SourceList="$state/sources.list" \
	    -o Dir::Etc::SourceParts="$state/parts" \
	    -o Dir::State::Lists="$state/lists" \
	    -o Dir::Cache="$state/cache" \
	    -o APT::Sandbox::User="$(id -un)" "$@"
}

# A third party's archive may hold no sources, which is an error to apt and
# nothing to us: what counts is whether the package is found.
apt update >"$state/update.log" 2>&1 || true

mkdir -p "$dir"
cd "$dir"
for package; do
	apt source --download-only --tar-only "$package" \
	    >"$state/source.log" 2>&1 && exit 0
done

echo "apt-source: none of these could be downloaded: $*" >&2
sed 's/^/    /' "$state/update.log" "$state/source.log" >&2
exit 1
