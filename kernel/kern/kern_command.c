/*
 * The table of the console's commands: looks them up, cuts scripts into them,
 * and lists them.  Takes no lock and allocates nothing: the debugger uses it.
 */
#include "kernel/sys/command.h"

#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

SET_DECLARE(command_set, const struct console_command);

static const char *
skip_blanks(const char *s)
{
	while (*s == ' ')
		s++;
	return (s);
}

/*
 * Does line start with the words of name?  Then what follows them, a modifier
 * with its slash included: "x/2w hz" is the command "x" with "/2w hz".
 */
static const char *
match(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0 ||
	    (line[len] != '\0' && line[len] != ' ' && line[len] != '/'))
		return (NULL);
	return (skip_blanks(line + len));
}

/* false: no more commands are to be run. */
static bool
run_line(const char *line, unsigned int where, command_runner *run)
{
	const struct console_command *const *cc;

	line = skip_blanks(line);
	if (*line == '\0')
		return (true);
	SET_FOREACH(cc, command_set)
	{
		const char *args = match(line, (*cc)->cc_name);

		if (args != NULL && ((*cc)->cc_where & where) != 0)
			return (run(*cc, args));
	}
	printf("No such command: \"%s\"; use \"help\"\n", line);
	return (true);
}

/* Copy the first command to line; what comes after it. */
static const char *
cut_command(const char *commands, char line[COMMAND_LEN])
{
	const char *end = strchr(commands, ';');
	size_t len = end != NULL ? (size_t)(end - commands) : strlen(commands);

	strlcpy(line, commands, len < COMMAND_LEN ? len + 1 : COMMAND_LEN);
	return (end != NULL ? end + 1 : commands + len);
}

void
command_run(const char *commands, unsigned int where, const char *prompt,
    command_runner *run)
{
	char line[COMMAND_LEN];
	bool more = true;

	while (*commands != '\0' && more) {
		commands = cut_command(commands, line);
		if (prompt != NULL)
			printf("%s%s\n", prompt, line);
		more = run_line(line, where, run);
	}
}

static void
list_commands(unsigned int where)
{
	const struct console_command *const *cc;

	SET_FOREACH(cc, command_set)
	{
		if (((*cc)->cc_where & where) != 0)
			printf("%-18s %s\n", (*cc)->cc_name, (*cc)->cc_help);
	}
}

static void
help_in_shell(const char *args)
{
	(void)args;
	list_commands(CMD_SHELL);
}
COMMAND(shell_help, "help", CMD_SHELL, help_in_shell, "list the commands");

static void
help_in_ddb(const char *args)
{
	(void)args;
	list_commands(CMD_DDB);
}
COMMAND(ddb_help, "help", CMD_DDB, help_in_ddb, "list the commands");
