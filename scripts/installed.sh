# Sourced by install.sh and uninstall.sh: what was installed, and the loader.

# Users have no sbin in theirs.
PATH=$PATH:/usr/sbin:/sbin

# option BUILDDIR NAME: what it was set up with; nothing if it is not set up.
option()
{
	sed -n "s/.*\"name\": \"$2\", \"value\": \"\([^\"]*\)\".*/\1/p" \
	    "$1/meson-info/intro-buildoptions.json" 2>/dev/null
}

# The folders in which the loader looks for libraries, where it can tell.
loader_folders()
{
	[ "$(uname -s)" = Linux ] || return 0
	ldconfig -N -X -v 2>/dev/null | sed -n 's/^\(\/[^:]*\):.*/\1/p'
}

# loader_knows FOLDER: by this name or another.  Yes, where it cannot tell.
loader_knows()
{
	folders=$(loader_folders)
	[ -n "$folders" ] || return 0
	for folder in $folders; do
		[ "$(real "$folder")" != "$(real "$1")" ] || return 0
	done
	return 1
}

real()
{
	(cd "$1" 2>/dev/null && pwd -P)
}

# The loader goes by a list of libraries, which root renews.
tell_loader()
{
	if [ "$(uname -s)" = Linux ] && [ "$(id -u)" -eq 0 ] &&
	    command -v ldconfig >/dev/null; then
		ldconfig
	fi
}
