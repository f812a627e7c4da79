/*
 * The console's shell: runs the commands that are typed or in kern.script.
 */
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/reboot.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"

#define VALUE_LEN 256

static void
print_variable(const char *name)
{
	char value[VALUE_LEN];
	int error;

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
	char name[COMMAND_LEN];
	const char *equals = strchr(args, '=');

	if (equals == NULL) {
		sysctl_foreach(args, print_variable);
		return;
	}
	strlcpy(name, args, (size_t)(equals - args) + 1);
	set_variable(name, equals + 1);
}
COMMAND(sysctl, "sysctl", CMD_SHELL | CMD_DDB, sh_sysctl,
    "[PREFIX | NAME=VALUE]");

static void
sh_ddb(const char *args)
{
	(void)args;
	kdb_enter("shell", "The console shell asks for the debugger");
}
COMMAND(ddb, "ddb", CMD_SHELL, sh_ddb, "enter the debugger");

static void
sh_reboot(const char *args)
{
	(void)args;
	kern_reboot(RB_AUTOBOOT);
}
COMMAND(reboot, "reboot", CMD_SHELL, sh_reboot, "reset the machine");

static void
sh_poweroff(const char *args)
{
	(void)args;
	kern_reboot(RB_POWEROFF);
}
COMMAND(poweroff, "poweroff", CMD_SHELL, sh_poweroff, "switch the machine off");

static void
sh_sleep(const char *args)
{
	const char *end;
	uint64_t seconds = strtouq(args, &end);

	pause("sleep", (int)(seconds < 3600 ? seconds : 3600) * hz);
}
COMMAND(sleep, "sleep", CMD_SHELL, sh_sleep, "SECONDS");

static bool
run_command(const struct console_command *cc, const char *args)
{
	cc->cc_func(args);
	return (true);
}

static void
shell_thread(void *arg)
{
	const char *script = kern_getenv("kern.script");
	char line[COMMAND_LEN];

	(void)arg;
	if (script != NULL)
		command_run(script, CMD_SHELL, "script# ", run_command);
	for (;;) {
		printf("# ");
		cngets(line, sizeof(line));
		command_run(line, CMD_SHELL, NULL, run_command);
	}
}

static void
shell_init(const void *arg)
{
	(void)arg;
	kproc_kthread_add(shell_thread, NULL, NULL, NULL, "shell", "shell");
}
SYSINIT(shell, SI_SUB_LAST, SI_ORDER_ANY, shell_init, NULL);
