#!/bin/sh
# usage: firstrun.sh TOP
#
# The output of the scripts that install and download for people.  Debian's
# tools are stubs here: nothing is installed or downloaded.
set -u
. "$(dirname "$0")/../support/tap.sh"
top=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/vmcore-firstrun.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/tmp"
TMPDIR=$work/tmp
PATH=$work/bin:$PATH
export TMPDIR PATH

# stub NAME: a program, from standard input.
stub()
{
	{ echo '#!/bin/sh'; cat; } >"$work/bin/$1"
	chmod +x "$work/bin/$1"
}

# ---- packages: as root on a host that has none of them ----

echo 'exit 1' | stub dpkg-query
echo 'exit 0' | stub apt-cache
echo 'echo 0' | stub id
stub apt-get <<'END'
[ "$1" = install ] || exit 0
i=0
while [ $i -lt 500 ]; do
	i=$((i + 1))
	echo "Setting up package $i ..."
done
[ ! -e "$0.broken" ] || { echo "E: no space left" >&2; exit 100; }
END

said=$("$top/scripts/install-deps.sh" build 2>&1)
report $? "packages are installed" "$said"
[ "$(echo "$said" | wc -l)" -eq 1 ]
report $? "in one line" "$said"
log=$(echo "$said" | sed -n "s/.*what apt says: \\([^)]*\\)).*/\\1/p")
[ "$(wc -l <"${log:-/dev/null}")" -eq 500 ]
report $? "which names a log that has the rest" "$said"

touch "$work/bin/apt-get.broken"
said=$("$top/scripts/install-deps.sh" build 2>&1)
[ $? -eq 1 ]
report $? "a failed installation fails" "$said"
echo "$said" | grep -q '^E: no space left' && [ "$(echo "$said" | wc -l)" -lt 30 ]
report $? "and shows why" "$said"

# ---- real dumps: a tarball that takes a while and holds the wrong thing ----

dumps=lldb/test/API/functionalities/postmortem/FreeBSDKernel
mkdir -p "$work/llvm/$dumps"
truncate -s 200M "$work/llvm/large"
echo wrong >"$work/llvm/$dumps/vmcore-amd64-full.bz2"
tar -C "$work" -I 'gzip -1' -cf "$work/llvm-toolchain-16_16.orig.tar.gz" llvm/large "llvm/$dumps"
echo 'exit 0' | stub yaml2obj
echo 'exit 0' | stub bzip2
stub apt-get <<END
case " \$* " in
*" source "*) cp "$work/llvm-toolchain-16_16.orig.tar.gz" . ;;
esac
END
said=$("$top/scripts/fetch-real-dumps.sh" "$work/real" 2>&1)
[ $? -eq 1 ]
report $? "wrong dumps are refused" "$said"
echo "$said" | grep -q 'holds is not what it should be'
report $? "and called that" "$said"
echo "$said" | grep -q '^\.'
report $? "unpacking shows that it goes on" "$said"

# ---- install: under the name that the library has on FreeBSD ----

build=$work/build
mkdir -p "$build/meson-info" "$build/meson-logs"
touch "$build/build.ninja"
echo "[{\"name\": \"prefix\", \"value\": \"$work\"}]" \
    >"$build/meson-info/intro-buildoptions.json"
echo "{\"name\": \"libdir\", \"value\": \"lib\"}" \
    >>"$build/meson-info/intro-buildoptions.json"
echo "$work/lib/pkgconfig/libvmcore-kvm.pc" >"$build/meson-logs/install-log.txt"
echo 'exit 0' | stub meson
echo 'exit 0' | stub ldconfig

echo '[ "$2" = libvmcore-kvm ]' | stub pkg-config
said=$(DESTDIR='' "$top/scripts/install.sh" "$build" "$work" 2>&1)
[ $? -eq 0 ] && [ -z "$said" ]
report $? "nothing is said if pkg-config finds the library" "$said"
echo 'exit 1' | stub pkg-config
said=$(DESTDIR='' "$top/scripts/install.sh" "$build" "$work" 2>&1)
echo "$said" | grep -q "PKG_CONFIG_PATH=$work/lib/pkgconfig"
report $? "else where it is" "$said"
finish
