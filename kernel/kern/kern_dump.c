/*
 * A dump of this kernel: puts together what dumper/ has to know, and runs it.
 *
 * Allocates nothing and takes no lock: a dying kernel cannot be relied on.
 */
#include "kernel/kern/kern_dump.h"

#include "kernel/dev/rtc.h"
#include "kernel/kern/kern_dumpdev.h"
#include "kernel/kern/kern_dumppages.h"
#include "kernel/kern/kern_dumpsay.h"
#include "kernel/kern/kern_owner.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/dump_machine.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/msgbuf.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/version.h"

#define CTRL_C 3

static struct dump_work work;
static struct dump_result result;
static struct dump_sink sinks[DUMPDEV_MAX];
static struct dump_machine machine;

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

static void
describe_machine(void)
{
	machine = (struct dump_machine){
		.dm_pages = &kernel_dump_pages,
		.dm_owners = page_owners,
		.dm_msgbuf = msgbufp->msg_ptr,
		.dm_msgbuf_len = msgbufp->msg_size,
		.dm_msgbuf_tail = sizeof(*msgbufp),
		.dm_hostname = hostname,
		.dm_version = version,
		.dm_panic = panicstr,
		.dm_time = rtc_read(),
	};
	cpu_describe_memory(&machine);
}

static struct dump_request
make_request(enum dump_format format)
{
	struct dump_request request = {
		.dr_machine = &machine,
		.dr_format = format,
		.dr_sinks = sinks,
		.dr_nsinks = dumpdev_sinks(sinks),
		.dr_work = &work,
	};

	describe_machine();
	return (request);
}

int
dumpsys(enum dump_format format)
{
	struct dump_request req = make_request(format);
	int error;

	req.dr_hooks = &hooks;
	dumpsay_begin(&req);
	error = dump_write(&req, &result);
	dumpsay_end(error, &result);
	return (error);
}

int
dumpsys_estimate(enum dump_format format, struct dump_result *res)
{
	struct dump_request req = make_request(format);

	req.dr_nsinks = 0;
	return (dump_estimate(&req, res));
}

void
dumpsys_announce(enum dump_format format)
{
	struct dump_request req = make_request(format);
	struct dump_result res;
	int error = DUMP_ENXIO;

	if (req.dr_nsinks > 0)
		error = dump_estimate(&req, &res);
	dumpsay_outcome("after a panic", error, &req, &res);
}

enum dump_phase
dumpsys_phase(void)
{
	return (dump_phase(&work));
}
