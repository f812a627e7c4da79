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
