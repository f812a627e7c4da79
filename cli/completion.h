/*
 * Scripts by which shells complete a command line, made from the tables of the
 * commands and their options.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stddef.h>

#include "cli/cmd.h"

/*
 * Print the script for the shell that argv[1] names.  Returns an exit status;
 * EX_USAGE after a message.
 */
int completion_print(const struct command *commands, size_t ncommands, int argc,
    char **argv);

#endif
