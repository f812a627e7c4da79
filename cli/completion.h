/*
 * What shells know of the command line: scripts for their completions, made of
 * the commands and their tables of options.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stddef.h>

#include "cli/cmd.h"

/*
 * "completion bash" or "completion zsh", which argv[1] is: print the script.
 * Returns an exit status, EX_USAGE after a message.
 */
int completion_print(const struct command *commands, size_t ncommands, int argc,
    char **argv);

#endif
