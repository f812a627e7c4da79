#!/bin/sh
# usage: libdir.sh
#
# Print the option that meson needs to put libraries where this system looks for
# them; nothing where meson knows by itself.  On Debian and Ubuntu it asks
# dpkg-architecture, and without that, it takes lib64, where neither ld.so nor
# pkg-config looks.
set -eu

[ -e /etc/debian_version ] || exit 0
dpkg-architecture -qDEB_HOST_MULTIARCH >/dev/null 2>&1 ||
    echo '--libdir=lib'
