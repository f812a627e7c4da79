/*
 * vmcore serve: the gdb remote protocol, for gdb and lldb.
 *
 * Over standard input and output, or for several clients over a Unix socket or
 * a TCP port of the loopback interface.  Never over the network: a dump holds
 * secrets, and the protocol asks nobody who they are.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cmd.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/serve_advice.h"
#include "cli/serve_loop.h"
#include "cli/serve_net.h"
#include "cli/serve_target.h"

/* Codes of our long options. */
enum { OPT_ONCE = OPT_OWN, OPT_STDIO, OPT_TCP, OPT_UNIX };

static const struct option serve_long[] = {
	OPTIONS_LONG,
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "stdio", no_argument, NULL, OPT_STDIO },
	{ "tcp", required_argument, NULL, OPT_TCP },
	{ "unix", required_argument, NULL, OPT_UNIX },
	{ NULL, 0, NULL, 0 },
};

const struct syntax serve_syntax = {
	.sy_name = "serve",
	.sy_synopsis = "[--once] [--stdio | --tcp [127.0.0.1:]PORT | "
		       "--unix PATH] [-N kernel] core",
	.sy_help =
	    "Serve a dump to gdb and lldb, by default on a new socket file"
	    " that only you\n"
	    "can connect to.\n"
	    "\n"
	    "      --once         end after the first client\n"
	    "      --stdio        speak on standard input and output\n"
	    "      --tcp PORT     listen on 127.0.0.1; 0: a free port\n"
	    "      --unix PATH    listen on a socket file\n",
	.sy_short = OPTIONS_SHORT,
	.sy_long = serve_long,
};

/* The options of the command line. */
struct serve {
	struct args sv_args;
	bool sv_once;
	bool sv_stdio;
	bool sv_tcp;
	uint16_t sv_port;    /* 0: any */
	const char *sv_path; /* of a socket file; NULL: a new one */
	int sv_transports;   /* how many were asked for */
};

/* ---- listening ---- */

static int
serve_sockets(const struct serve *sv, const struct dump *dump,
    const struct serve_target *target)
{
	struct listener ln;
	int status;

	serve_signals();
	if (sv->sv_tcp)
		status = listener_open_tcp(&ln, sv->sv_port);
	else
		status = listener_open_unix(&ln, sv->sv_path);
	if (status != 0) {
		if (sv->sv_tcp)
			warn("127.0.0.1:%u", sv->sv_port);
		else
			warn("%s",
			    sv->sv_path != NULL ? sv->sv_path :
						  "a new socket file");
		return (EX_UNAVAILABLE);
	}
	serve_advice(stderr, &ln, dump, target->svt_nthreads);
	return (serve_listener(&ln, &target->svt_rsp, sv->sv_once));
}

/* ---- the command ---- */

/* PORT, or 127.0.0.1:PORT. */
static bool
parse_port(const char *text, uint16_t *port)
{
	static const char loopback[] = "127.0.0.1:";
	uint64_t value;

	if (strncmp(text, loopback, sizeof(loopback) - 1) == 0)
		text += sizeof(loopback) - 1;
	if (!number_parse_decimal(text, UINT16_MAX, &value))
		return (false);
	*port = (uint16_t)value;
	return (true);
}

/* Take an option of ours.  EX_OK, or an exit status after a message. */
static int
take_option(struct serve *sv, int ch)
{
	switch (ch) {
	case OPT_ONCE:
		sv->sv_once = true;
		return (EX_OK);
	case OPT_STDIO:
		sv->sv_stdio = true;
		break;
	case OPT_TCP:
		if (!parse_port(optarg, &sv->sv_port)) {
			warnx("serve: %s: not a port of 127.0.0.1", optarg);
			return (options_usage(&serve_syntax));
		}
		sv->sv_tcp = true;
		break;
	case OPT_UNIX:
		sv->sv_path = optarg;
		break;
	default:
		return (sv->sv_args.a_status);
	}
	if (++sv->sv_transports > 1) {
		warnx("serve: --stdio, --tcp and --unix exclude each other");
		return (options_usage(&serve_syntax));
	}
	return (EX_OK);
}

static int
serve_dump(const struct serve *sv)
{
	struct dump dump = { 0 };
	struct serve_target target = { 0 };
	int status = open_debug(&sv->sv_args, &dump);

	if (status != EX_OK)
		goto done;
	if (serve_target_init(&target, &dump) != 0) {
		warn("%s", sv->sv_args.a_core);
		status = EX_OSERR;
		goto done;
	}
	open_warn(&dump);
	if (sv->sv_stdio)
		status = serve_stdio(&target.svt_rsp);
	else
		status = serve_sockets(sv, &dump, &target);
done:
	serve_target_fini(&target);
	open_close(&dump);
	return (status);
}

int
cmd_serve(int argc, char **argv)
{
	struct serve sv = { 0 };
	int ch, status;

	while ((ch = options_next(&serve_syntax, argc, argv, &sv.sv_args)) !=
	    -1) {
		status = take_option(&sv, ch);
		if (status != EX_OK || ch == '?')
			return (status);
	}
	if (!options_core(&serve_syntax, &argc, &argv, &sv.sv_args))
		return (EX_USAGE);
	return (serve_dump(&sv));
}
