/* See look.h. */
#include "tests/fuzz/claim.h"
#include "tests/fuzz/look.h"

#include "kdebug/escape.h"
#include "kdebug/kdebug.h"

#define MAX_BACKTRACES 20
#define MAX_SECTIONS   100

static void
check_text(const char *s)
{
	claim(s == NULL || escape_is_clean(s));
}

/* The user program at the end of a trace. */
static void
check_user(const struct kdebug_user *user)
{
	if (user == NULL)
		return;
	check_text(user->ku_abi);
	check_text(user->ku_syscall_name);
	claim(user->ku_syscall >= -1);
}

static void
check_backtrace(struct kdebug *kdb, const struct kdebug_thread *td)
{
	struct kdebug_trace *tr = kdebug_trace_create(kdb, td);
	struct kdebug_frame frame;
	size_t n = 0;

	if (tr == NULL)
		return;
	if (td->kt_index % 2 != 0)
		kdebug_trace_limit(tr, td->kt_index);
	while (kdebug_trace_next(tr, &frame)) {
		claim(++n <= KDEBUG_TRACE_MAX);
		check_text(frame.kf_symbol);
		check_text(frame.kf_file);
		check_text(frame.kf_module);
	}
	claim(!kdebug_trace_cut(tr) || n == KDEBUG_TRACE_MAX ||
	    n == td->kt_index);
	check_user(kdebug_trace_user(tr));
	kdebug_trace_destroy(tr);
}

static void
check_threads(struct kdebug *kdb)
{
	const struct kdebug_thread *threads;
	const struct kdebug_reg_desc *descs;
	size_t nregs = kdebug_reg_descs(kdb, &descs);
	size_t n = kdebug_threads(kdb, &threads);

	claim(nregs <= KDEBUG_MAXREGS);
	for (size_t i = 0; i < n; i++) {
		claim(threads[i].kt_index == i);
		claim(threads[i].kt_display_name != NULL);
		claim(nregs == 64 || threads[i].kt_regs.rs_valid >> nregs == 0);
		check_text(threads[i].kt_comm);
		check_text(threads[i].kt_name);
		check_text(threads[i].kt_display_name);
		check_text(threads[i].kt_wmesg);
		claim(kdebug_state_name(threads[i].kt_state) != NULL);
		(void)kdebug_run_name(threads[i].kt_run);
		if (i < MAX_BACKTRACES)
			check_backtrace(kdb, &threads[i]);
	}
	(void)kdebug_dumper(kdb);
	for (int role = KDEBUG_PC; nregs > 0 && role <= KDEBUG_FP; role++)
		claim(kdebug_reg_of(kdb, (enum kdebug_role)role) <= nregs);
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
check_modules(struct kdebug *kdb)
{
	const struct kdebug_module *modules;
	size_t n = kdebug_modules(kdb, &modules);
	struct kvm_symbol sym;
	const char *text;
	kvaddr_t va;

	for (size_t i = 0; i < n; i++) {
		size_t pos = 0;

		check_text(modules[i].km_name);
		check_text(modules[i].km_path);
		(void)kdebug_module_file(kdb, i, &text);
		check_text(text);
		for (int k = 0; k < MAX_SECTIONS; k++)
			if (!kdebug_module_section(kdb, i, &pos, &text, &va))
				break;
	}
	claim(kdebug_module_file(kdb, n, &text) == NULL);
	(void)kdebug_module_symbol(kdb, "zfs_open", &sym);
	(void)kdebug_module_symbol(kdb, "", &sym);
	(void)kdebug_kernel_module(kdb);
}

static void
check_rest(struct kdebug *kdb)
{
	const char *const *notes;
	unsigned char sum = 0;
	size_t n;

	(void)kdebug_msgbuf(kdb, KDEBUG_MSGBUF_ALL, touch_text, &sum);
	(void)kdebug_msgbuf(kdb, KDEBUG_MSGBUF_UNREAD, touch_text, &sum);
	check_text(kdebug_panic(kdb)->kx_text);
	check_text(kdebug_version(kdb)->kx_text);
	(void)kdebug_pairing(kdb);
	n = kdebug_notes(kdb, &notes);
	for (size_t i = 0; i < n; i++)
		check_text(notes[i]);
}

void
look(kvm_t *kd)
{
	struct kdebug *kdb = kdebug_create(kd);

	if (kdb == NULL)
		return;
	check_threads(kdb);
	check_modules(kdb);
	check_rest(kdb);
	kdebug_destroy(kdb);
}
