/*
 * What an attempt reports while it runs: its progress, to the kernel's hooks,
 * and anomalies, to the result.
 */
#include "dumper/dumper_int.h"

void
attempt_phase(struct attempt *at, enum dump_phase phase)
{
	at->at_phase = phase;
	if (at->at_writing)
		__atomic_store_n(&at->at_work->wk_phase, (uint32_t)phase,
		    __ATOMIC_SEQ_CST);
}

int
attempt_poll(struct attempt *at, uint64_t done)
{
	const struct dump_hooks *hooks = at->at_req->dr_hooks;
	uint64_t total =
	    at->at_phase >= DUMP_PHASE_DATA ? at->at_res->res_bytes : 0;

	if (hooks == NULL)
		return (0);
	if (hooks->dh_watchdog != NULL)
		hooks->dh_watchdog(hooks->dh_arg);
	if (hooks->dh_progress != NULL && at->at_writing)
		hooks->dh_progress(hooks->dh_arg, at->at_phase, done, total);
	if (hooks->dh_cancelled != NULL && hooks->dh_cancelled(hooks->dh_arg))
		return (DUMP_ECANCELED);
	return (0);
}

void
attempt_record(struct attempt *at, const struct dump_anomaly *what)
{
	struct dump_result *res = at->at_res;

	res->res_bad[what->da_kind]++;
	if (res->res_nrecorded < DUMP_MAXRECORDED)
		res->res_recorded[res->res_nrecorded++] = *what;
}
