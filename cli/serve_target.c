/*
 * The dump as the remote server sees it: see serve_target.h.
 *
 * A client knows a thread by its FreeBSD tid.  One whose tid is not positive,
 * or was another's before it, as only a damaged dump has it, is known by
 * FIRST_MADE_ID and its place in the list instead: above every real tid.
 */
#include "cli/serve_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/serve_monitor.h"

#define FIRST_MADE_ID 0x80000000U

static const struct rsp_thread no_thread = {
	.rth_id = 1,
	.rth_name = "no threads found",
};

/* ---- threads ---- */

/* Order by tid; the same tids by place, so that the first keeps it. */
static int
compare_tids(const void *a, const void *b)
{
	const struct kdebug_thread *const *ta = a, *const *tb = b;

	if ((*ta)->kt_tid != (*tb)->kt_tid)
		return ((*ta)->kt_tid < (*tb)->kt_tid ? -1 : 1);
	return (*ta < *tb ? -1 : *ta > *tb);
}

/* Replace the ids of threads that share theirs.  0, or -1 without memory. */
static int
separate_ids(struct serve_target *st)
{
	const struct kdebug_thread **sorted;
	size_t idx;

	sorted = calloc(st->svt_nthreads, sizeof(*sorted));
	if (sorted == NULL)
		return (-1);
	for (size_t i = 0; i < st->svt_nthreads; i++)
		sorted[i] = &st->svt_threads[i];
	qsort(sorted, st->svt_nthreads, sizeof(*sorted), compare_tids);
	for (size_t i = 1; i < st->svt_nthreads; i++) {
		if (sorted[i]->kt_tid == sorted[i - 1]->kt_tid) {
			idx = (size_t)(sorted[i] - st->svt_threads);
			st->svt_shown[idx].rth_id = FIRST_MADE_ID + idx;
		}
	}
	free(sorted);
	return (0);
}

static int
show_threads(struct serve_target *st)
{
	const struct kdebug_thread *td;

	st->svt_shown = calloc(st->svt_nthreads, sizeof(*st->svt_shown));
	if (st->svt_shown == NULL)
		return (-1);
	for (size_t i = 0; i < st->svt_nthreads; i++) {
		td = &st->svt_threads[i];
		st->svt_shown[i].rth_name = td->kt_display_name;
		st->svt_shown[i].rth_id =
		    td->kt_tid > 0 ? (uint64_t)td->kt_tid : FIRST_MADE_ID + i;
	}
	return (separate_ids(st));
}

/* "panic: ..." of the thread that crashed.  0, or -1 without memory. */
static int
find_reason(struct serve_target *st, struct kdebug *kdb)
{
	const struct kdebug_thread *dumper = kdebug_dumper(kdb);
	const char *panic = kdebug_panic(kdb)->kx_text;
	const char *prefix = "panic: ";
	size_t len;

	if (dumper == NULL || dumper->kt_state != KDEBUG_CRASHED)
		return (0);
	if (panic == NULL) {
		prefix = "";
		panic = "crashed";
	}
	len = strlen(prefix) + strlen(panic) + 1;
	st->svt_reason = malloc(len);
	if (st->svt_reason == NULL)
		return (-1);
	snprintf(st->svt_reason, len, "%s%s", prefix, panic);
	return (0);
}

/* ---- registers ---- */

static void
map_registers(struct serve_target *st, const struct kdebug *kdb)
{
	const struct kdebug_reg_desc *descs;
	const struct rsp_tdesc *tdesc = &st->svt_rsp.rt_tdesc;
	size_t ndescs = kdebug_reg_descs(kdb, &descs);
	size_t reg;

	for (size_t i = 0; i < RSP_MAXREGS; i++)
		st->svt_reg_idx[i] = KDEBUG_MAXREGS;
	for (size_t i = 0; i < ndescs; i++) {
		reg = rsp_tdesc_reg(tdesc, descs[i].rd_name);
		if (reg < tdesc->rtd_nregs)
			st->svt_reg_idx[reg] = i;
	}
}

static bool
get_reg(const struct serve_target *st, size_t thread, size_t reg,
    uint64_t *value)
{
	const struct kdebug_regs *regs;
	size_t idx = st->svt_reg_idx[reg];

	if (thread >= st->svt_nthreads || idx >= KDEBUG_MAXREGS)
		return (false);
	regs = &st->svt_threads[thread].kt_regs;
	*value = regs->rs_value[idx];
	return ((regs->rs_valid >> idx & 1) != 0);
}

static bool
target_reg(void *arg, size_t thread, size_t reg, uint64_t *value)
{
	return (get_reg(arg, thread, reg, value));
}

/* The thread that dumped, or one to look at in its place. */
static size_t
first_thread(const struct serve_target *st, struct kdebug *kdb)
{
	const struct kdebug_thread *dumper = kdebug_dumper(kdb);
	uint64_t pc;

	if (dumper != NULL)
		return (dumper->kt_index);
	for (size_t i = 0; i < st->svt_nthreads; i++) {
		if (get_reg(st, i, st->svt_rsp.rt_tdesc.rtd_pc, &pc))
			return (i);
	}
	return (0);
}

/* ---- memory ---- */

static size_t
target_read(void *arg, uint64_t addr, void *buf, size_t len)
{
	const struct serve_target *st = arg;
	kssize_t n = kvm_read_some(st->svt_kd, addr, buf, len, NULL);

	return (n > 0 ? (size_t)n : 0);
}

/* ---- commands ---- */

static const char *
target_monitor(void *arg, const char *command)
{
	struct serve_target *st = arg;

	free(st->svt_said);
	st->svt_said = serve_monitor(st, command);
	return (st->svt_said);
}

/* ---- the target ---- */

int
serve_target_init(struct serve_target *st, const struct dump *dump)
{
	const struct kvm_core *core = dump->d_core;

	*st = (struct serve_target){ .svt_kd = dump->d_kd, .svt_dump = dump };
	st->svt_nthreads = kdebug_threads(dump->d_kdb, &st->svt_threads);
	st->svt_rsp = (struct rsp_target){
		.rt_order = core->kc_order,
		.rt_threads = &no_thread,
		.rt_nthreads = 1,
		.rt_reg = target_reg,
		.rt_read = target_read,
		.rt_monitor = target_monitor,
		.rt_arg = st,
	};
	rsp_tdesc_init(&st->svt_rsp.rt_tdesc, core->kc_arch, core->kc_order);
	map_registers(st, dump->d_kdb);
	if (st->svt_nthreads == 0)
		return (0);

	if (show_threads(st) != 0 || find_reason(st, dump->d_kdb) != 0) {
		serve_target_fini(st);
		return (-1);
	}
	st->svt_rsp.rt_threads = st->svt_shown;
	st->svt_rsp.rt_nthreads = st->svt_nthreads;
	st->svt_rsp.rt_reason = st->svt_reason;
	st->svt_rsp.rt_first = first_thread(st, dump->d_kdb);
	return (0);
}

void
serve_target_fini(struct serve_target *st)
{
	free(st->svt_shown);
	free(st->svt_reason);
	free(st->svt_said);
	st->svt_shown = NULL;
	st->svt_reason = NULL;
	st->svt_said = NULL;
}
