/*
 * The settings of dumps: what is dumped, and to which devices.
 *
 *	dumpdev=vtbd0p2,vtbd1		the devices, in the order to try them
 *	kern.shutdown.dumpdevname	the same, once the machine runs
 *	debug.minidump=1		0: a full dump
 *	debug.minidump_version=1	or 3
 *	debug.minidump_size		what a dump would take now, bytes
 *
 * Each change is answered with a line that says where the next dump goes.
 */
#include "kernel/kern/kern_dumpconf.h"

#include "kernel/kern/kern_dump.h"
#include "kernel/kern/kern_dumpdev.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/sysctl.h"

static int minidump = 1;
static int minidump_version = 1;

static char dumpdevs[64];
static bool configured; /* before, nothing is said about devices */

enum dump_format
dumpconf_minidump(void)
{
	return (minidump_version == 3 ? DUMP_FORMAT_MINIDUMP3 :
					DUMP_FORMAT_MINIDUMP1);
}

enum dump_format
dumpconf_format(void)
{
	return (minidump == 0 ? DUMP_FORMAT_FULL : dumpconf_minidump());
}

static int
sysctl_minidump_size(SYSCTL_HANDLER_ARGS)
{
	struct dump_result res;
	int error = dumpsys_estimate(dumpconf_format(), &res);

	(void)arg1;
	(void)arg2;
	if (error != 0)
		return (error);
	return (sysctl_handle_64(oidp, &res.res_bytes, 0, req));
}
SYSCTL_PROC(_debug, OID_AUTO, minidump_size, CTLTYPE_U64 | CTLFLAG_RD, NULL, 0,
    sysctl_minidump_size, "QU", "Bytes that a dump would take now");

static void
dump_configure(const void *arg)
{
	const char *names = kern_getenv("dumpdev");

	(void)arg;
	if (names != NULL)
		strlcpy(dumpdevs, names, sizeof(dumpdevs));
	dumpdev_configure(dumpdevs);
	configured = true;
	dumpsys_announce(dumpconf_format());
}
SYSINIT(dump, SI_SUB_DUMP, SI_ORDER_ANY, dump_configure, NULL);

/* Say at once what a change of the format means for the next dump. */
static void
announce_change(void)
{
	if (configured && dumpdevs[0] != '\0')
		dumpsys_announce(dumpconf_format());
}

static int
sysctl_minidump(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_handle_int(oidp, arg1, arg2, req);

	if (error == 0 && req->newtext != NULL)
		announce_change();
	return (error);
}
SYSCTL_PROC(_debug, OID_AUTO, minidump, CTLTYPE_INT | CTLFLAG_RWTUN, &minidump,
    0, sysctl_minidump, "I", "Dump what the kernel uses, not all memory");

static int
sysctl_minidump_version(SYSCTL_HANDLER_ARGS)
{
	int v = minidump_version;
	int error = sysctl_handle_int(oidp, &v, arg2, req);

	(void)arg1;
	if (error != 0 || req->newtext == NULL)
		return (error);
	if (v != 1 && v != 3)
		return (EINVAL);
	minidump_version = v;
	announce_change();
	return (0);
}
SYSCTL_PROC(_debug, OID_AUTO, minidump_version, CTLTYPE_INT | CTLFLAG_RWTUN,
    NULL, 0, sysctl_minidump_version, "I", "Format of minidumps: 1 or 3");

static int
sysctl_dumpdevname(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_handle_string(oidp, arg1, arg2, req);

	if (error == 0 && req->newtext != NULL) {
		dumpdev_configure(dumpdevs);
		dumpsys_announce(dumpconf_format());
	}
	return (error);
}
SYSCTL_NODE(_kern, OID_AUTO, shutdown, CTLFLAG_RD, NULL, "shutdown");
SYSCTL_PROC(_kern_shutdown, OID_AUTO, dumpdevname, CTLTYPE_STRING | CTLFLAG_RW,
    dumpdevs, sizeof(dumpdevs), sysctl_dumpdevname, "A",
    "Devices that take dumps, in order, with commas");
