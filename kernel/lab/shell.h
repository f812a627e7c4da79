/*
 * Commands of the console shell.
 */
#ifndef KERNEL_LAB_SHELL_H
#define KERNEL_LAB_SHELL_H

#include "kernel/sys/kernel.h"

struct shell_command {
	const char *sc_name;
	void (*sc_func)(const char *args); /* args: the rest of the line */
	const char *sc_help;
};

#define SHELL_COMMAND(uniq, name, func, help)                                  \
	static const struct shell_command uniq##_shell_command = { name, func, \
		help };                                                        \
	DATA_SET(shell_command_set, uniq##_shell_command)

#endif
