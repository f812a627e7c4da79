/*
 * The dump path: what dumper/ has to know of this machine, and where dumps go.
 *
 *	dumpdev=vtbd0p2,vtbd1		the sinks, in the order to try them
 *	debug.minidump=1		0: a full dump
 *	debug.minidump_version=1	or 3
 *	debug.minidump_size		what a dump would take now, bytes
 */
#include "kernel/kern/kern_dump.h"

#include "dumper/dumper.h"
#include "kernel/dev/rtc.h"
#include "kernel/kern/kern_account.h"
#include "kernel/kern/kern_dumpdev.h"
#include "kernel/kern/kern_dumpsay.h"
#include "kernel/machine/bootmem.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pmap.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/command.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/msgbuf.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/version.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define CTRL_C 3

static int minidump = 1;
static int minidump_version = 1;

static char dumpdevs[64];
static bool configured; /* before, nothing is said about devices */

static struct dump_pages pages;
static struct dump_range ranges[VM_PHYSSEG_MAX];
static size_t nranges;
static struct dump_work work;
static struct dump_result result;
static struct dump_sink sinks[DUMPDEV_MAX];
static struct dump_machine machine;

void
dump_pages_startup(void)
{
	size_t len;
	void *mem;

	for (const vm_paddr_t *pair = dump_avail; pair[1] != 0; pair += 2)
		ranges[nranges++] = (struct dump_range){ pair[0], pair[1] };
	len = dump_pages_len(ranges, nranges);
	mem = boot_alloc(atop(round_page(len)));
	if (dump_pages_init(&pages, ranges, nranges, mem, len) != 0)
		panic("%s: %zu ranges of memory", __func__, nranges);
	dump_pages_install(&pages);

	/* The set itself, too; boot_alloc() registers what comes after it. */
	for (vm_paddr_t pa = boot_taken.phr_start; pa < boot_taken.phr_end;
	     pa += PAGE_SIZE)
		dump_add_page(pa);
}

static void
dump_pages_sysinit(const void *arg)
{
	(void)arg;
	dump_pages_startup();
}
SYSINIT(dump_pages, SI_SUB_VM, SI_ORDER_FIRST, dump_pages_sysinit, NULL);

/* ---- The machine ---- */

static const void *
machine_page(void *arg, uint64_t pa)
{
	(void)arg;
	return ((const void *)PHYS_TO_DMAP(pa));
}

/* Only the page array is registered as bulk. */
static bool
machine_describes(void *arg, uint64_t pa, unsigned int i,
    struct dump_range *out)
{
	(void)arg;
	return (vm_page_array_describes(pa, i, &out->r_start, &out->r_end));
}

static void
describe_machine(void)
{
	size_t ndevices;
	const struct dump_range *devices = pmap_device_ranges(&ndevices);

	machine = (struct dump_machine){
		.dm_pages = &pages,
		.dm_page = machine_page,
		.dm_describes = machine_describes,
		.dm_root_pa = KPML4phys,
		.dm_phys_bits = cpu_phys_bits(),
		.dm_kva_start = KERNBASE,
		.dm_kva_len = kernel_vm_end - KERNBASE,
		.dm_dmap_start = dmapbase,
		.dm_dmap_end = DMAP_MAX_ADDRESS,
		.dm_load_va = KERNBASE + KERNLOAD,
		.dm_load_pa = kernphys,
		.dm_devices = devices,
		.dm_ndevices = ndevices,
		.dm_msgbuf = msgbufp->msg_ptr,
		.dm_msgbuf_len = msgbufp->msg_size,
		.dm_msgbuf_tail = sizeof(*msgbufp),
		.dm_hostname = hostname,
		.dm_version = version,
		.dm_panic = panicstr,
		.dm_time = rtc_read(),
	};
}

static enum dump_format
wanted_minidump(void)
{
	return (minidump_version == 3 ? DUMP_FORMAT_MINIDUMP3 :
					DUMP_FORMAT_MINIDUMP1);
}

static enum dump_format
wanted_format(void)
{
	return (minidump == 0 ? DUMP_FORMAT_FULL : wanted_minidump());
}

/* ---- A dump ---- */

enum dump_phase
dumpsys_phase(void)
{
	return (dump_phase(&work));
}

static void
progress(void *arg, enum dump_phase phase, uint64_t done, uint64_t total)
{
	(void)arg;
	FAIL_POINT(FAIL_DUMP, NULL);
	dumpsay_progress(phase, done, total);
}

static bool
is_cancelled(void *arg)
{
	(void)arg;
	return (cncheckc() == CTRL_C);
}

static const struct dump_hooks hooks = {
	.dh_progress = progress,
	.dh_cancelled = is_cancelled,
	.dh_planned = dumpsay_planned,
	.dh_failed = dumpsay_failed,
};

static struct dump_request
make_request(void)
{
	struct dump_request request = {
		.dr_machine = &machine,
		.dr_format = wanted_format(),
		.dr_sinks = sinks,
		.dr_nsinks = dumpdev_sinks(sinks),
		.dr_hooks = &hooks,
		.dr_work = &work,
	};

	describe_machine();
	return (request);
}

int
dumpsys(void)
{
	struct dump_request req = make_request();
	int error;

	dumpsay_begin(&req);
	error = dump_write(&req, &result);
	dumpsay_end(error, &result);
	return (error);
}

/* ---- What a dump would be ---- */

/* What a dump would be now, if there is room.  0 or an errno. */
static int
estimate(enum dump_format format, struct dump_result *res)
{
	struct dump_request request = make_request();

	request.dr_format = format;
	request.dr_nsinks = 0;
	request.dr_hooks = NULL;
	return (dump_estimate(&request, res));
}

/* What a minidump would be made of now, to the byte. */
static void
db_show_pageset(const char *args)
{
	struct dump_result full, res;
	struct account ac;
	int error = estimate(DUMP_FORMAT_FULL, &full);

	(void)args;
	if (error == 0)
		error = estimate(wanted_minidump(), &res);
	if (error != 0) {
		printf("no estimate: error %d\n", error);
		return;
	}
	account_dump(&pages, &res, &ac);
	for (int kind = 0; kind < ACCOUNT_NKINDS; kind++)
		printf("%-16s %12ju\n", account_name((enum account_kind)kind),
		    (uintmax_t)ac.ac_bytes[kind]);
	printf("%-16s %12ju\n", "minidump", (uintmax_t)res.res_bytes);
	if (ac.ac_total != res.res_bytes)
		printf("%-16s %12ju: an error in the account\n", "sum",
		    (uintmax_t)ac.ac_total);
	printf("%-16s %12ju\n", "full dump", (uintmax_t)full.res_bytes);
	printf("%-16s %12ju\n", "memory", (uintmax_t)realmem);
	printf("pages registered as core %ju, bulk %ju, user %ju, never %ju; "
	       "%ju calls for what is no memory\n",
	    (uintmax_t)dump_pages_count(&pages, DUMP_CLASS_CORE),
	    (uintmax_t)dump_pages_count(&pages, DUMP_CLASS_BULK),
	    (uintmax_t)dump_pages_count(&pages, DUMP_CLASS_USER),
	    (uintmax_t)dump_pages_count(&pages, DUMP_CLASS_NEVER),
	    (uintmax_t)pages.dp_ignored);
}
COMMAND(show_pageset, "show pageset", CMD_DDB, db_show_pageset,
    "what a minidump is made of, bytes");

static int
sysctl_minidump_size(SYSCTL_HANDLER_ARGS)
{
	struct dump_result res;
	int error = estimate(wanted_format(), &res);

	(void)arg1;
	(void)arg2;
	if (error != 0)
		return (error);
	return (sysctl_handle_64(oidp, &res.res_bytes, 0, req));
}
SYSCTL_PROC(_debug, OID_AUTO, minidump_size, CTLTYPE_U64 | CTLFLAG_RD, NULL, 0,
    sysctl_minidump_size, "QU", "Bytes that a dump would take now");

/* ---- Where it will go ---- */

void
dump_announce(const char *when)
{
	struct dump_request req = make_request();
	struct dump_result res;
	int error = DUMP_ENXIO;

	req.dr_hooks = NULL;
	if (req.dr_nsinks > 0)
		error = dump_estimate(&req, &res);
	dumpsay_outcome(when, error, &req, &res);
}

static void
dump_configure(const void *arg)
{
	const char *names = kern_getenv("dumpdev");

	(void)arg;
	if (names != NULL)
		strlcpy(dumpdevs, names, sizeof(dumpdevs));
	dumpdev_configure(dumpdevs);
	configured = true;
	dump_announce("after a panic");
}
SYSINIT(dump, SI_SUB_DUMP, SI_ORDER_ANY, dump_configure, NULL);

/* A change of what is dumped: say at once what comes of it. */
static void
announce_change(void)
{
	if (configured && dumpdevs[0] != '\0')
		dump_announce("after a panic");
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
		dump_announce("after a panic");
	}
	return (error);
}
SYSCTL_NODE(_kern, OID_AUTO, shutdown, CTLFLAG_RD, NULL, "shutdown");
SYSCTL_PROC(_kern_shutdown, OID_AUTO, dumpdevname, CTLTYPE_STRING | CTLFLAG_RW,
    dumpdevs, sizeof(dumpdevs), sysctl_dumpdevname, "A",
    "Devices that take dumps, in order, with commas");
