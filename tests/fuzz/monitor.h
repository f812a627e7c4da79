/*
 * A "monitor" command, as a debugger sends it to "vmcore serve", about a dump:
 *
 *	monitor KERNEL CORE bt 100001
 */
#ifndef TESTS_FUZZ_MONITOR_H
#define TESTS_FUZZ_MONITOR_H

/* Returns an exit status, as the commands of cli/cmd.h do. */
int monitor_run(int argc, char **argv);

#endif
