#!/bin/sh
# usage: fetch-real-dumps.sh [DIR]
#
# Put real FreeBSD crash dumps, their kernels, and what a debugger must see in
# them (expected.json) into DIR, by default the user's cache.  They are the
# test data of LLDB, taken out of Debian's source package of LLVM.  Downloads
# 130 MB once; a second run finds everything there and does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/vmcore/real-dumps}

# The data is the same in every version; the one named first is what the sums
# below were taken from, the others are for distributions that dropped it.
packages='llvm-toolchain-16 llvm-toolchain-15 llvm-toolchain-17
    llvm-toolchain-14 llvm-toolchain-18 llvm-toolchain-19'

# The files that the package must have, and their checksums.
sums='
a7b1d98f9077e6a22c41bc439f6c507c2a9a7454f3a6deb7954a3ef6ed15be7c  vmcore-amd64-full.bz2
a685f935836ad749636e13b9357e663cf23248ab748767c791ad8e498776575c  vmcore-amd64-minidump.bz2
17c314dd01cee766c61c193ae130d90c97e226df6ee0e2ee9b8435e79b77b7d4  vmcore-arm64-minidump.bz2
87b81100a3ee1560ba9b0c1b87b435222ee60a1dc5daa35a0e62195d7164fa5b  vmcore-i386-minidump.bz2
581f6060f25111684c8f661bb5562c6d6ebbd5cf44a3931307c7a0bc7fb62a2b  kernel-amd64.yaml
4d427ad427b88e67cd404dd25bf9f23fdac84fbe7e81a01853818af24ee769fa  kernel-arm64.yaml
31ca0d93ac2c75689c9ae3910079a2d69cb0b77e7da3311bcb96ddbdde3ac3f3  kernel-i386.yaml
'

fail()
{
	echo "fetch-real-dumps: $*" >&2
	exit 1
}

# The newest yaml2obj there is; Debian keeps them beside each LLVM.
find_yaml2obj()
{
	command -v yaml2obj && return 0
	ls -d /usr/lib/llvm-*/bin/yaml2obj 2>/dev/null | sort -V | tail -n 1 |
	    grep .
}

# unpack TARBALL [tar option ...]: xz takes most of a minute, so it says how far
# it is: a line for each tenth of what is in there, about 1.6 GB.
unpack()
{
	tarball=$1
	shift
	echo "Unpacking $(basename "$tarball"), of which little is kept ..." >&2
	tar -x -f "$tarball" --checkpoint=16000 \
	    --checkpoint-action='exec=printf . >&2' "$@" || return 1
	echo >&2
}

if [ -f "$dir/complete" ]; then
	echo "$dir has them" >&2
	exit 0
fi
yaml2obj=$(find_yaml2obj) ||
    fail "no yaml2obj, which makes the kernels: install LLVM's tools (llvm)"
command -v bzip2 >/dev/null || fail "no bzip2: install it"
command -v python3 >/dev/null || fail "no python3: install it"

mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

echo "Downloading LLVM's source package (130 MB) ..." >&2
"$here/apt-source.sh" "$work" $packages ||
    fail "no source package of LLVM; put the dumps into a folder by hand" \
    "and name it in VMCORE_REAL_DUMPS"

tarball=$(ls "$work"/llvm-toolchain-*.orig.tar.*)
unpack "$tarball" -C "$work" --no-same-owner --strip-components=7 \
    --wildcards '*/lldb/test/API/functionalities/postmortem/FreeBSDKernel/*' ||
    fail "$(basename "$tarball") does not hold LLDB's FreeBSD dumps"
(cd "$work" && echo "$sums" | grep . | sha256sum --check --quiet -) ||
    fail "what $(basename "$tarball") holds is not what it should be"

for dump in "$work"/vmcore-*.bz2; do
	bzip2 -d "$dump"
done
for yaml in "$work"/kernel-*.yaml; do
	# The kernels leave room for the text that their symbols name.
	"$yaml2obj" --max-size=31457280 -o "${yaml%.yaml}" "$yaml"
done
python3 "$here/expected-from-lldb.py" "$work/TestFreeBSDKernelVMCore.py" \
    >"$work/expected.json"

mv "$work"/vmcore-* "$work"/expected.json "$dir"
for yaml in "$work"/kernel-*.yaml; do
	mv "${yaml%.yaml}" "$dir"
done
touch "$dir/complete"
echo "The dumps are in $dir" >&2
