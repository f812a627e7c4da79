/*
 * vmcore dmesg: the kernel's message buffer, which kdebug finds, in a minidump
 * also without the kernel's file.
 */
#include <err.h>
#include <stdint.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/open.h"
#include "cli/text.h"

/* As much is printed, bytes: an escaped one is four. */
#define SHOWN_MAX ((size_t)16 << 20)

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

/*
 * Print the newest of it, as much as may be.  Returns the length of the text in
 * the dump, or -1.
 */
static int64_t
print(struct dump *dump, enum kdebug_msgbuf_part part)
{
	struct text all = { .tx_skip = SIZE_MAX };
	struct text tx = { 0 };
	int64_t len = kdebug_msgbuf(dump->d_kdb, part, put_text, &all);

	text_end(&all);
	if (len < 0)
		return (-1);
	if (all.tx_shown > SHOWN_MAX)
		tx.tx_skip = all.tx_shown - SHOWN_MAX;
	len = kdebug_msgbuf(dump->d_kdb, part, put_text, &tx);
	text_end(&tx);
	if (tx.tx_skip != 0)
		warnx("warning: message buffer: only the newest %zu MiB of its "
		      "escaped text shown",
		    SHOWN_MAX >> 20);
	return (len);
}

static int
show(struct dump *dump, const struct args *args, enum kdebug_msgbuf_part part)
{
	int64_t len = print(dump, part);

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

	status = open_minidump(&args, &dump);
	if (status == EX_OK)
		status = show(&dump, &args, part);
	open_close(&dump);
	return (status);
}
