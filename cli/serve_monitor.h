/*
 * What "monitor" does in a debugger that is attached: the commands that are
 * about the dump as a kernel, which the remote protocol knows nothing of.
 */
#ifndef CLI_SERVE_MONITOR_H
#define CLI_SERVE_MONITOR_H

#include "cli/serve_target.h"

/*
 * What the command has to say; one that is not known says so.  The caller frees
 * it.  NULL: no memory.
 */
char *serve_monitor(const struct serve_target *target, const char *command);

#endif
