/*
 * The lines that the console prints about a dump: see kern_dumpsay.h.
 */
#include "kernel/kern/kern_dumpsay.h"

#include "kernel/kern/kern_dumpdev.h"
#include "kernel/machine/bootmem.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

/* State of the dump that is being written. */
static const struct dump_request *request;
static bool broken[DUMPDEV_MAX]; /* sinks that failed */
static bool said_outcome;
static int said_tenths; /* -1: not even that */

/* ---- Where it goes ---- */

static uintmax_t
kbytes(uint64_t bytes)
{
	return (((uintmax_t)bytes + 1023) >> 10);
}

/* Print the device, and what differs from what was asked for. */
static void
say_target(const struct dump_request *req, const struct dump_result *res)
{
	printf("%s of %ju KB to %s",
	    res->res_format == DUMP_FORMAT_FULL ? "full dump" : "minidump",
	    kbytes(res->res_bytes), req->dr_sinks[res->res_sink].ds_name);
	if (res->res_format != req->dr_format)
		printf("; all memory, %ju KB, does not fit", kbytes(realmem));
	if ((res->res_flags & DUMP_FLAG_NOOWNERS) != 0)
		printf("; owners of pages do not fit");
	if ((res->res_flags & DUMP_FLAG_NOBULK) != 0)
		printf("; the page array does not fit");
}

/*
 * Name those of the first n sinks that were too small; failures were printed.
 */
static void
say_too_small(const struct dump_sink *sinks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!broken[i])
			printf("; %s, %ju KB, is too small", sinks[i].ds_name,
			    kbytes(sinks[i].ds_media_len));
	}
}

static void
say_outcome(const char *when, int error, const struct dump_request *req,
    const struct dump_result *res)
{
	printf("dump: %s: ", when);
	switch (error) {
	case 0:
		say_target(req, res);
		say_too_small(req->dr_sinks, res->res_sink);
		break;
	case DUMP_E2BIG:
		printf("none; %ju KB are needed", kbytes(res->res_need));
		say_too_small(req->dr_sinks, req->dr_nsinks);
		break;
	case DUMP_ENXIO:
		printf("none");
		break;
	default:
		printf("none; error %d", error);
		break;
	}
	dumpdev_print_useless();
	printf("\n");
}

void
dumpsay_outcome(const char *when, int error, const struct dump_request *req,
    const struct dump_result *res)
{
	memset(broken, 0, sizeof(broken));
	say_outcome(when, error, req, res);
}

/* ---- A dump ---- */

void
dumpsay_begin(const struct dump_request *req)
{
	request = req;
	memset(broken, 0, sizeof(broken));
	said_outcome = false;
}

static void
say_anomalies(const struct dump_result *res)
{
	for (size_t i = 0; i < res->res_nrecorded; i++) {
		const struct dump_anomaly *da = &res->res_recorded[i];

		printf("dump: anomaly: %s: level %u entry for %#jx: %#jx\n",
		    dump_bad_name(da->da_kind), da->da_level,
		    (uintmax_t)da->da_va, (uintmax_t)da->da_entry);
	}
}

void
dumpsay_planned(void *arg, const struct dump_sink *sink,
    const struct dump_result *res)
{
	(void)arg;
	(void)sink;
	say_anomalies(res);
	say_outcome("now", 0, request, res);
	said_outcome = true;
	said_tenths = -1;
}

/* Print with the first data, not before: then the device works meanwhile. */
void
dumpsay_progress(enum dump_phase phase, uint64_t done, uint64_t total)
{
	int tenths = total == 0 ? 0 : (int)(done * 10 / total);

	if (phase < DUMP_PHASE_DATA)
		return;
	if (said_tenths < 0) {
		said_tenths = 0;
		printf("Dumping %ju out of %ju MB:", (uintmax_t)(total >> 20),
		    (uintmax_t)(realmem >> 20));
	}
	if (phase == DUMP_PHASE_DATA && tenths > said_tenths) {
		said_tenths = tenths;
		printf("..%d%%", tenths * 10);
	}
}

/* One that is too small is named with the outcome. */
void
dumpsay_failed(void *arg, const struct dump_sink *sink,
    const struct dump_result *res)
{
	(void)arg;
	if (res->res_error == DUMP_E2BIG)
		return;
	broken[res->res_sink] = true;
	printf("\ndump: %s: error %d%s%s\n", sink->ds_name, res->res_error,
	    res->res_section != NULL ? " in " : "",
	    res->res_section != NULL ? res->res_section : "");
}

void
dumpsay_end(int error, const struct dump_result *res)
{
	if (!said_outcome)
		say_outcome("now", error, request, res);
	if (request->dr_nsinks == 0)
		printf("Cannot dump. Device not defined or unavailable.\n");
	else if (error == 0)
		printf("\nDump complete\n");
	else
		printf("\nDump failed: error %d (%s)\n", error,
		    dump_phase_name(dump_phase(request->dr_work)));
}
