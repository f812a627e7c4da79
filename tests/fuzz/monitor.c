#include "tests/fuzz/monitor.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/serve_target.h"

#define MAX_COMMAND 256

static int
answer(const struct dump *dump, int argc, char **argv)
{
	struct serve_target target;
	char command[MAX_COMMAND] = "";

	for (int i = 0; i < argc; i++) {
		size_t len = strlen(command);

		(void)snprintf(command + len, sizeof(command) - len, "%s%s",
		    i > 0 ? " " : "", argv[i]);
	}
	if (serve_target_init(&target, dump) != 0)
		return (EX_OSERR);
	(void)target.svt_rsp.rt_monitor(target.svt_rsp.rt_arg, command);
	serve_target_fini(&target);
	return (EX_OK);
}

int
monitor_run(int argc, char **argv)
{
	struct dump dump = { 0 };
	struct args args = { 0 };
	int status;

	if (argc < 3)
		return (EX_USAGE);
	args.a_kernel = argv[1];
	args.a_core = argv[2];
	status = open_check_build(&args, args.a_kernel);
	if (status == EX_OK)
		status = open_debug(&args, &dump);
	if (status == EX_OK)
		status = answer(&dump, argc - 3, argv + 3);
	open_close(&dump);
	return (status);
}
