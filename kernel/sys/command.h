/*
 * Commands that are typed at the console: to the shell, to the debugger, or to
 * either of them.
 *
 *	COMMAND(ps, "ps", CMD_SHELL | CMD_DDB, db_ps, "processes and threads");
 */
#ifndef KERNEL_SYS_COMMAND_H
#define KERNEL_SYS_COMMAND_H

#include "kernel/sys/kernel.h"

/* Where a command can be given. */
#define CMD_SHELL 0x01
#define CMD_DDB	  0x02

/* The longest line, with its NUL; a longer one is cut. */
#define COMMAND_LEN 256

struct console_command {
	const char *cc_name;   /* one word or more: "bt", "show registers" */
	unsigned int cc_where; /* CMD_SHELL, CMD_DDB */
	void (*cc_func)(const char *args); /* args: the rest of the line */
	const char *cc_help;
};

#define COMMAND(uniq, name, where, func, help)                                 \
	static const struct console_command uniq##_command = { name, where,    \
		func, help };                                                  \
	DATA_SET(command_set, uniq##_command)

/* Runs one command.  false: the commands after it are not run. */
typedef bool command_runner(const struct console_command *cc, const char *args);

/*
 * Run the commands of a line or script, which semicolons separate.  prompt is
 * printed with each command before it is run; NULL: neither is.
 */
void command_run(const char *commands, unsigned int where, const char *prompt,
    command_runner *run);

#endif
