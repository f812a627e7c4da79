/*
 * The commands that attach a debugger to "vmcore serve".
 */
#ifndef CLI_SERVE_ADVICE_H
#define CLI_SERVE_ADVICE_H

#include <stdio.h>

#include "cli/open.h"
#include "cli/serve_net.h"

/* Tell what is served at ln, and a command line for gdb and one for lldb. */
void serve_advice(FILE *out, const struct listener *ln, const struct dump *dump,
    size_t nthreads);

#endif
