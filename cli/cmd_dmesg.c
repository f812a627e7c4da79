/*
 * vmcore dmesg: the kernel's message buffer, which kdebug finds, in a minidump
 * also without the kernel's file.
 */
#include <err.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/open.h"
#include "cli/text.h"

static const struct option dmesg_long[] = {
	OPTIONS_LONG,
	{ "unread", no_argument, NULL, 'u' },
	{ NULL, 0, NULL, 0 },
};

const struct syntax dmesg_syntax = {
	.sy_name = "dmesg",
	.sy_synopsis = "[-u] [-N kernel] core",
	.sy_help = "Print the message buffer of a dumped kernel, oldest line"
		   " first.\n"
		   "A minidump does not need the kernel.\n"
		   "\n"
		   "  -u, --unread       only what syslogd had not read\n",
	.sy_short = OPTIONS_SHORT "u",
	.sy_long = dmesg_long,
};

static void
put_text(void *arg, const char *bytes, size_t len)
{
	text_add(arg, bytes, len);
}

static int
show(struct dump *dump, const struct args *args, enum kdebug_msgbuf_part part)
{
	struct text tx = { 0 };
	int64_t len = kdebug_msgbuf(dump->d_kdb, part, put_text, &tx);

	text_end(&tx);
	open_warn(dump);
	if (len >= 0)
		return (EX_OK);
	if (dump->d_kernel == NULL)
		return (open_no_kernel(args));
	warnx("%s: cannot read the message buffer", args->a_core);
	return (EX_DATAERR);
}

int
cmd_dmesg(int argc, char **argv)
{
	enum kdebug_msgbuf_part part = KDEBUG_MSGBUF_ALL;
	struct args args = { 0 };
	struct dump dump = { 0 };
	int ch, status;

	while ((ch = options_next(&dmesg_syntax, argc, argv, &args)) != -1) {
		switch (ch) {
		case 'u':
			part = KDEBUG_MSGBUF_UNREAD;
			break;
		default:
			return (args.a_status);
		}
	}
	if (!options_core(&dmesg_syntax, &argc, &argv, &args))
		return (EX_USAGE);

	status = open_core(&args, &dump);
	if (status == EX_OK)
		status = show(&dump, &args, part);
	open_close(&dump);
	return (status);
}
