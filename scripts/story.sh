# Sourced by the demos: how they tell what they do.

# say LINE...: a remark between the commands.
say()
{
	echo
	printf '# %s\n' "$@"
}

# run WORD...: a command of the shell, shown before it runs.
run()
{
	printf '$ %s\n' "$*"
	sh -c "$*"
}

# next BUILDDIR COMMAND...: where the files are, and what could be tried there.
next()
{
	folder=$(pwd)
	say "The dump and its kernel are in $folder.  To look around:"
	echo "  cd $folder && PATH=$1/cli:\$PATH"
	shift
	printf '  %s\n' "$@"
}
