/*
 * The console shell: looks at the machine, sets its variables, breaks it.
 */
#include "kernel/lab/shell.h"

#include "kernel/ddb/ddb.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/reboot.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"

#define LINE_LEN  256
#define VALUE_LEN 256

SET_DECLARE(shell_command_set, const struct shell_command);

static void
sh_help(const char *args)
{
	const struct shell_command *const *sc;

	(void)args;
	SET_FOREACH(sc, shell_command_set)
		printf("%-10s %s\n", (*sc)->sc_name, (*sc)->sc_help);
}
SHELL_COMMAND(help, "help", sh_help, "list the commands");

static void
print_variable(const char *name, const struct sysctl_oid *oid)
{
	char value[VALUE_LEN];
	int error;

	(void)oid;
	error = kernel_sysctlbyname(name, value, sizeof(value), NULL);
	if (error != 0)
		printf("%s: error %d\n", name, error);
	else
		printf("%s: %s%s", name, value,
		    strchr(value, '\n') != NULL ? "" : "\n");
}

static void
set_variable(const char *name, const char *text)
{
	char old[VALUE_LEN];
	int error;

	error = kernel_sysctlbyname(name, old, sizeof(old), text);
	if (error != 0)
		printf("%s: error %d\n", name, error);
	else
		printf("%s: %s -> %s\n", name, old, text);
}

static void
sh_sysctl(const char *args)
{
	char name[LINE_LEN];
	const char *equals = strchr(args, '=');

	if (equals == NULL) {
		sysctl_foreach(args, print_variable);
		return;
	}
	strlcpy(name, args, (size_t)(equals - args) + 1);
	set_variable(name, equals + 1);
}
SHELL_COMMAND(sysctl, "sysctl", sh_sysctl, "[PREFIX | NAME=VALUE]");
DB_COMMAND(sysctl, "sysctl", sh_sysctl, "[PREFIX | NAME=VALUE]");

SHELL_COMMAND(ps, "ps", db_ps, "processes and threads");

static void
sh_ddb(const char *args)
{
	(void)args;
	kdb_enter("shell", "The console shell asks for the debugger");
}
SHELL_COMMAND(ddb, "ddb", sh_ddb, "enter the debugger");

static void
sh_reboot(const char *args)
{
	(void)args;
	kern_reboot(RB_AUTOBOOT);
}
SHELL_COMMAND(reboot, "reboot", sh_reboot, "reset the machine");

static void
sh_poweroff(const char *args)
{
	(void)args;
	kern_reboot(RB_POWEROFF);
}
SHELL_COMMAND(poweroff, "poweroff", sh_poweroff, "switch the machine off");

static void
sh_exit(const char *args)
{
	const char *end;

	cpu_exit_emulator((unsigned int)strtouq(args, &end));
}
SHELL_COMMAND(exit, "exit", sh_exit, "[CODE]: leave the emulator");

static void
sh_sleep(const char *args)
{
	const char *end;
	uint64_t seconds = strtouq(args, &end);

	pause("sleep", (int)(seconds < 3600 ? seconds : 3600) * hz);
}
SHELL_COMMAND(sleep, "sleep", sh_sleep, "SECONDS");

static void
shell_execute(char *line)
{
	const struct shell_command *const *sc;
	char *args = strchr(line, ' ');

	if (args != NULL)
		*args++ = '\0';
	SET_FOREACH(sc, shell_command_set) {
		if (strcmp((*sc)->sc_name, line) == 0) {
			(*sc)->sc_func(args != NULL ? args : "");
			return;
		}
	}
	printf("%s: no such command; try help\n", line);
}

/* A script comes from the command line, its commands parted by semicolons. */
static void
run_script(const char *script)
{
	char line[LINE_LEN];

	while (script != NULL && *script != '\0') {
		const char *end = strchr(script, ';');
		size_t len =
		    end != NULL ? (size_t)(end - script) : strlen(script);

		strlcpy(line, script, len < LINE_LEN ? len + 1 : LINE_LEN);
		printf("script# %s\n", line);
		shell_execute(line);
		script = end != NULL ? end + 1 : NULL;
	}
}

static void
shell_thread(void *arg)
{
	char line[LINE_LEN];

	(void)arg;
	run_script(kern_getenv("kern.script"));
	for (;;) {
		printf("# ");
		cngets(line, sizeof(line));
		if (line[0] != '\0')
			shell_execute(line);
	}
}

static void
shell_init(const void *arg)
{
	(void)arg;
	kproc_kthread_add(shell_thread, NULL, NULL, NULL, "shell", "shell");
}
SYSINIT(shell, SI_SUB_LAST, SI_ORDER_ANY, shell_init, NULL);
