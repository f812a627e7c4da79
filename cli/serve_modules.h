/*
 * Commands that make a debugger read the symbols of the kernel's modules.
 */
#ifndef CLI_SERVE_MODULES_H
#define CLI_SERVE_MODULES_H

#include <stdio.h>

#include "cli/open.h"

/*
 * Print, for each module whose file was found, a command line of gdb's, or two
 * of lldb's, that puts each section of the file where it was loaded.
 */
void serve_modules_gdb(FILE *out, const struct dump *dump);
void serve_modules_lldb(FILE *out, const struct dump *dump);

#endif
