/* The kernel as an operating system, in dumps that are nearly right: base.h. */
#include "kdebug/escape.h"
#include "kdebug/kdebug.h"

#include <fcntl.h>
#include <stdlib.h>

#include "libkvm/kvm_core.h"
#include "tests/fuzz/base.h"

#define MAX_BACKTRACES 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool ok)
{
	if (!ok)
		abort();
}

static void
check_text(const char *s)
{
	need(s == NULL || escape_is_clean(s));
}

static void
check_backtrace(struct kdebug *kdb, const struct kdebug_thread *td)
{
	struct kdebug_trace *tr = kdebug_trace_create(kdb, td);
	struct kdebug_frame frame;
	size_t n = 0;

	while (tr != NULL && kdebug_trace_next(tr, &frame)) {
		need(++n <= KDEBUG_TRACE_MAX);
		check_text(frame.kf_symbol);
		check_text(frame.kf_file);
		check_text(frame.kf_module);
	}
	need(tr == NULL || !kdebug_trace_cut(tr) || n == KDEBUG_TRACE_MAX);
	kdebug_trace_destroy(tr);
}

static void
check_threads(struct kdebug *kdb)
{
	const struct kdebug_thread *threads;
	const struct kdebug_reg_desc *descs;
	size_t nregs = kdebug_reg_descs(kdb, &descs);
	size_t n = kdebug_threads(kdb, &threads);

	need(nregs <= KDEBUG_MAXREGS);
	for (size_t i = 0; i < n; i++) {
		need(threads[i].kt_index == i);
		need(threads[i].kt_display_name != NULL);
		need(nregs == 64 || threads[i].kt_regs.rs_valid >> nregs == 0);
		check_text(threads[i].kt_comm);
		check_text(threads[i].kt_name);
		check_text(threads[i].kt_display_name);
		(void)kdebug_state_name(threads[i].kt_state);
		if (i < MAX_BACKTRACES)
			check_backtrace(kdb, &threads[i]);
	}
	(void)kdebug_dumper(kdb);
}

/* Read each byte of a piece of the message buffer. */
static void
touch_text(void *arg, const char *bytes, size_t len)
{
	unsigned char *sum = arg;

	for (size_t i = 0; i < len; i++)
		*sum ^= (unsigned char)bytes[i];
}

static void
check_rest(struct kdebug *kdb)
{
	const struct kdebug_module *modules;
	const char *const *notes;
	unsigned char sum = 0;
	size_t n;

	n = kdebug_modules(kdb, &modules);
	for (size_t i = 0; i < n; i++) {
		check_text(modules[i].km_name);
		check_text(modules[i].km_path);
	}
	(void)kdebug_msgbuf(kdb, KDEBUG_MSGBUF_ALL, touch_text, &sum);
	(void)kdebug_msgbuf(kdb, KDEBUG_MSGBUF_UNREAD, touch_text, &sum);
	check_text(kdebug_panic(kdb)->kx_text);
	n = kdebug_notes(kdb, &notes);
	for (size_t i = 0; i < n; i++)
		check_text(notes[i]);
}

static void
check(kvm_t *kd)
{
	struct kdebug *kdb = kdebug_create(kd);

	if (kdb == NULL)
		return;
	check_threads(kdb);
	check_rest(kdb);
	kdebug_destroy(kdb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct base *ba = base_apply(data, size);
	kvm_t *kd;

	if (ba == NULL)
		return (0);
	kd = kvm_open2(ba->ba_kernel.path, ba->ba_core.path, O_RDONLY, NULL,
	    NULL);
	if (kd != NULL)
		check(kd);
	if (kd != NULL)
		(void)kvm_close(kd);
	base_restore(ba);
	return (0);
}
