/*
 * vmcore dmesg: the kernel's message buffer.
 *
 * With the kernel's file, kdebug finds the buffer.  Without it, a minidump
 * still has a copy in a section of its own; the sequence numbers that say where
 * its text begins usually stand right behind it.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/open.h"
#include "cli/peek.h"
#include "cli/text.h"
#include "format/msgbuf.h"

#define CHUNK_LEN 4096

static const struct option dmesg_long[] = {
	OPTIONS_LONG,
	{ "unread", no_argument, NULL, 'u' },
	{ NULL, 0, NULL, 0 },
};

const struct syntax dmesg_syntax = {
	.sy_name = "dmesg",
	.sy_synopsis = "[-u] [-N kernel] core",
	.sy_help =
	    "Print the message buffer of a dumped kernel, oldest line"
	    " first.\n"
	    "A minidump does not need the kernel.\n"
	    "\n"
	    "  -u, --unread       only what syslogd had not read\n",
	.sy_short = OPTIONS_SHORT "u",
	.sy_long = dmesg_long,
};

/* Finish tx.  An empty buffer is no error, but worth a word. */
static void
finish(struct text *tx, const struct args *args)
{
	text_end(tx);
	if (tx->tx_total == 0)
		warnx("warning: %s: nothing in the message buffer",
		    args->a_core);
}

static int
dmesg_with_kernel(const struct args *args, enum kdebug_msgbuf_part part)
{
	struct dump dump = { 0 };
	struct text tx = { 0 };
	size_t len = 0;
	char *text = NULL;
	int status = open_debug(args, &dump);

	if (status == EX_OK) {
		text = kdebug_msgbuf(dump.d_kdb, part, &len);
		if (text != NULL) {
			text_add(&tx, text, len);
			finish(&tx, args);
		} else {
			warnx("%s: cannot read the message buffer",
			    args->a_core);
			status = EX_DATAERR;
		}
		open_warn(&dump);
	}
	free(text);
	open_close(&dump);
	return (status);
}

/* ---- without the kernel ---- */

/*
 * The boot-time struct msgbuf lies directly behind its ring, so that the
 * section, which is a whole number of pages, has a copy of it too.
 */
static bool
find_msgbuf(const struct peek *peek, struct msgbuf *mb)
{
	const struct minidump_hdr *hdr = &peek->pk_hdr;
	uint32_t in_page = hdr->md_msgbuf_len % hdr->md_page_size;
	uint8_t buf[MSGBUF_LEN];
	const char *why;

	if (in_page == 0 || hdr->md_page_size - in_page < sizeof(buf))
		return (false);
	if (peek_read(peek, hdr->md_msgbuf_off + hdr->md_msgbuf_len, buf,
		sizeof(buf)) != (ssize_t)sizeof(buf))
		return (false);
	return (msgbuf_decode((struct span){ .base = buf, .len = sizeof(buf) },
		    hdr->md_order, peek->pk_core.kc_ptr_len, mb, &why) &&
	    mb->mb_size == hdr->md_msgbuf_len);
}

/* Print a part of the ring.  Returns an exit status. */
static int
print_run(const struct peek *peek, struct msgbuf_run run, struct text *tx)
{
	uint64_t off = peek->pk_hdr.md_msgbuf_off + run.off;
	char buf[CHUNK_LEN];

	while (run.len > 0) {
		size_t want = run.len < CHUNK_LEN ? run.len : CHUNK_LEN;
		ssize_t n = peek_read(peek, off, buf, want);

		if (n < 0) {
			warn("%s", peek->pk_core.kc_core_path);
			return (EX_IOERR);
		}
		text_add(tx, buf, (size_t)n);
		if ((size_t)n < want) {
			warnx("%s: cut short inside the message buffer",
			    peek->pk_core.kc_core_path);
			return (EX_DATAERR);
		}
		off += want;
		run.len -= (uint32_t)want;
	}
	return (EX_OK);
}

static int
print_section(const struct peek *peek, const struct args *args,
    enum kdebug_msgbuf_part part)
{
	/* Without sequence numbers: once round the ring as it lies there. */
	struct msgbuf_run runs[2] = { { .off = 0,
	    .len = peek->pk_hdr.md_msgbuf_len } };
	struct text tx = { 0 };
	struct msgbuf mb;
	int status = EX_OK;

	if (find_msgbuf(peek, &mb)) {
		if (part == KDEBUG_MSGBUF_UNREAD)
			msgbuf_unread(&mb, runs);
		else
			msgbuf_all(&mb, runs);
	} else if (part == KDEBUG_MSGBUF_UNREAD) {
		warnx("%s: only the kernel tells what is unread: name it "
		      "with -N",
		    args->a_core);
		return (EX_NOINPUT);
	}
	for (size_t i = 0; i < 2 && status == EX_OK; i++)
		status = print_run(peek, runs[i], &tx);
	if (status == EX_OK)
		finish(&tx, args);
	else
		text_end(&tx);
	return (status);
}

static int
dmesg_of_core(const struct args *args, enum kdebug_msgbuf_part part)
{
	struct peek peek;
	int status = peek_open(args->a_core, &peek);

	if (status != EX_OK)
		return (status);
	if (peek.pk_core.kc_minidump != NULL)
		status = print_section(&peek, args, part);
	else
		status = open_no_kernel(args);
	peek_close(&peek);
	return (status);
}

int
cmd_dmesg(int argc, char **argv)
{
	enum kdebug_msgbuf_part part = KDEBUG_MSGBUF_ALL;
	struct args args = { 0 };
	char *kernel;
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

	kernel = open_find_kernel(&args);
	if (kernel != NULL)
		status = dmesg_with_kernel(&args, part);
	else
		status = dmesg_of_core(&args, part);
	free(kernel);
	return (status);
}
