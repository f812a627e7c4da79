#!/bin/sh
# usage: debian.sh TOP VERSION
#
# The release's tarball has all that is needed to build and test, and to make
# Debian's packages, with which lintian is content.
set -u
. "$(dirname "$0")/../support/tap.sh"
top=$1
version=$2
for tool in git dpkg-buildpackage dh lintian; do
	command -v $tool >/dev/null || skip_all "no $tool here"
done
[ -e "$top/.git" ] || skip_all "not a checkout, so no release can be made of it"
work=$(mktemp -d "${TMPDIR:-/tmp}/vmcore-debian.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The checkout may be another user's, as in a container.
GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
# The environment of this build is not that of Debian's.
unset CC CFLAGS LDFLAGS CPPFLAGS DESTDIR MAKEFLAGS

said=$(git clone -q "$top" "$work/checkout" 2>&1 && cd "$work/checkout" &&
    meson setup build -Dtests=disabled -Dkernel=disabled 2>&1 &&
    meson dist -C build --no-tests 2>&1)
report $? "meson dist makes a release" "$said"
tarball=$work/checkout/build/meson-dist/vmcore-$version.tar.xz
said=$(cd "$work" && cp "$tarball" "vmcore_$version.orig.tar.xz" &&
    tar -xf "$tarball" && cp -r "vmcore-$version/packaging/debian" \
    "vmcore-$version/debian" 2>&1)
report $? "which is called and unpacks as it should" "$said"

cd "$work/vmcore-$version" || exit 1
said=$(dpkg-buildpackage -us -uc 2>&1)
report $? "Debian's packages build, and pass the tests" \
    "$(echo "$said" | tail -n 40)"
said=$(lintian --allow-root --fail-on error,warning \
    --suppress-tags initial-upload-closes-no-bugs ../vmcore_*.changes 2>&1)
report $? "lintian misses nothing but the bug that asks for a package" "$said"
said=$(dpkg-deb -c ../vmcore_*.deb)
for file in usr/bin/vmcore usr/share/man/man1/vmcore.1.gz \
    usr/share/bash-completion/completions/vmcore \
    usr/share/zsh/vendor-completions/_vmcore; do
	echo "$said" | grep -q " \./$file\$"
	report $? "vmcore has $file" "$said"
done
finish
