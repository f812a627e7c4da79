/*
 * Generated dumps of every kind: each thread, frame and module, and the texts,
 * must come out as the generator put them in.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/kdebug.h"
#include "tests/gen/dumpgen.h"
#include "tests/kdebug/frames.h"
#include "tests/support/unit.h"

/* Frames of a recursion, in the dumps of FreeBSD 14. */
#define RECURSION 600

/* A dump of a variant, and what kdebug/ sees in it. */
struct dump {
	char d_dir[64];
	char d_core[96];
	char d_kernel[96];
	struct gen *d_gen;
	kvm_t *d_kd;
	struct kdebug *d_kdb;
};

static void
dump_init(struct dump *d, const struct gen_variant *gv, unsigned int osreldate,
    unsigned int flags)
{
	struct gen_spec spec = gen_variant_spec(gv, 1 + osreldate);
	char errbuf[2048] = "";
	const char *why;

	spec.gs_nprocs = 12;
	spec.gs_recursion = osreldate == 1400097 ? RECURSION : 0;
	spec.gs_flags |= flags;
	spec.gs_osreldate = osreldate;
	d->d_gen = gen_create(&spec, &why);
	if (d->d_gen == NULL)
		fail_msg("generator: %s", why);
	snprintf(d->d_dir, sizeof(d->d_dir), "/tmp/test_generated.XXXXXX");
	assert_non_null(mkdtemp(d->d_dir));
	snprintf(d->d_core, sizeof(d->d_core), "%s/vmcore", d->d_dir);
	snprintf(d->d_kernel, sizeof(d->d_kernel), "%s/kernel", d->d_dir);
	assert_int_equal(gen_write_core(d->d_gen, d->d_core), 0);
	assert_int_equal(gen_write_kernel(d->d_gen, d->d_kernel), 0);
	d->d_kd = kvm_open2(d->d_kernel, d->d_core, O_RDONLY, errbuf, NULL);
	if (d->d_kd == NULL)
		fail_msg("%s", errbuf);
	d->d_kdb = kdebug_create(d->d_kd);
	assert_non_null(d->d_kdb);
}

static void
dump_fini(struct dump *d)
{
	kdebug_destroy(d->d_kdb);
	kvm_close(d->d_kd);
	gen_destroy(d->d_gen);
	unlink(d->d_core);
	unlink(d->d_kernel);
	rmdir(d->d_dir);
}

/* The index of the register; -1: there is none. */
static int
reg_find(const struct kdebug *kdb, const char *name)
{
	const struct kdebug_reg_desc *descs;
	size_t n = kdebug_reg_descs(kdb, &descs);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(descs[i].rd_name, name) == 0)
			return ((int)i);
	}
	return (-1);
}

static void
check_regs(const struct dump *d, const struct kdebug_regs *got,
    const struct gen_thread *want)
{
	for (unsigned int i = 0; i < want->nregs; i++) {
		int reg = reg_find(d->d_kdb, want->regs[i].name);

		if (reg < 0)
			fail_msg("no register %s", want->regs[i].name);
		if ((got->rs_valid >> reg & 1) == 0)
			fail_msg("%s is not valid", want->regs[i].name);
		if (got->rs_value[reg] != want->regs[i].value)
			fail_msg("thread %d: %s is %#jx, not %#jx", want->tid,
			    want->regs[i].name, (uintmax_t)got->rs_value[reg],
			    (uintmax_t)want->regs[i].value);
	}
}

static void
check_frames(const struct dump *d, const struct kdebug_thread *got,
    const struct gen_thread *want)
{
	enum { MAX = GEN_MAX_FRAMES + RECURSION + 1 };
	static struct kdebug_frame frames[MAX];
	size_t n = take_frames(d->d_kdb, got, frames, MAX);

	for (size_t i = 0; i < n && i < want->nframes; i++) {
		if (frames[i].kf_pc != want->frames[i].pc)
			fail_msg("thread %d: frame %zu at %#jx, not %#jx",
			    want->tid, i, (uintmax_t)frames[i].kf_pc,
			    (uintmax_t)want->frames[i].pc);
		assert_non_null(frames[i].kf_symbol);
		assert_string_equal(frames[i].kf_symbol,
		    want->frames[i].symbol);
		assert_int_equal(frames[i].kf_offset, want->frames[i].offset);
	}
	if (n != want->nframes)
		fail_msg("thread %d: %zu frames, not %u", want->tid, n,
		    want->nframes);
}

/* Where user mode was left, if it was. */
static void
check_user(const struct dump *d, const struct kdebug_thread *got,
    const struct gen_thread *want)
{
	struct kdebug_trace *tr = kdebug_trace_create(d->d_kdb, got);
	const struct kdebug_user *user;
	struct kdebug_frame frame;

	assert_non_null(tr);
	while (kdebug_trace_next(tr, &frame))
		continue;
	user = kdebug_trace_user(tr);
	assert_int_equal(user != NULL, want->nframes > 0 && want->user_pc != 0);
	if (user != NULL) {
		const uint64_t *value = user->ku_regs.rs_value;

		assert_true(value[kdebug_reg_of(d->d_kdb, KDEBUG_PC)] ==
		    want->user_pc);
		assert_true(value[kdebug_reg_of(d->d_kdb, KDEBUG_SP)] ==
		    want->user_sp);
		assert_int_equal(user->ku_entry, KDEBUG_ENTRY_SYSCALL);
		assert_int_equal(user->ku_syscall, want->syscall);
		assert_non_null(user->ku_syscall_name);
		assert_string_equal(user->ku_syscall_name, want->syscall_name);
	}
	kdebug_trace_destroy(tr);
}

static void
check_thread(const struct dump *d, const struct kdebug_thread *got,
    const struct gen_thread *want)
{
	static const char *const states[] = {
		[GEN_CRASHED] = "crashed",
		[GEN_RUNNING] = "running",
		[GEN_STOPPED] = "stopped",
		[GEN_UNSTOPPED] = "running",
		[GEN_DUMPING] = "running",
	};

	assert_int_equal(got->kt_pid, want->pid);
	assert_int_equal(got->kt_tid, want->tid);
	assert_int_equal(got->kt_cpu, want->cpu);
	assert_string_equal(got->kt_comm, want->comm);
	assert_string_equal(got->kt_name, want->name);
	assert_string_equal(got->kt_display_name, want->display_name);
	assert_string_equal(kdebug_state_name(got->kt_state),
	    states[want->state]);
	assert_int_equal(got->kt_unstopped, want->state == GEN_UNSTOPPED);
	if (got->kt_unstopped)
		assert_true(got->kt_regs.rs_valid == 0);
	check_regs(d, &got->kt_regs, want);
	check_frames(d, got, want);
	check_user(d, got, want);
}

/* Returns how many were not stopped. */
static unsigned int
check_threads(const struct dump *d)
{
	unsigned int nunstopped = 0;
	const struct kdebug_thread *got;
	const struct gen_thread *want;
	unsigned int n;

	want = gen_threads(d->d_gen, &n);
	assert_int_equal(kdebug_threads(d->d_kdb, &got), n);
	assert_true(n > 12);
	for (unsigned int i = 0; i < n; i++) {
		check_thread(d, &got[i], &want[i]);
		nunstopped += got[i].kt_unstopped;
	}
	return (nunstopped);
}

/* The one thing to note is that some threads were not stopped. */
static void
check_notes(const struct dump *d, unsigned int nunstopped)
{
	const char *const *notes;
	size_t n = kdebug_notes(d->d_kdb, &notes);
	char want[80];

	snprintf(want, sizeof(want), "no registers of %u thread", nunstopped);
	if (n != (nunstopped != 0) ||
	    (n != 0 && strncmp(notes[0], want, strlen(want)) != 0))
		fail_msg("%zu notes: %s", n, n != 0 ? notes[0] : "");
}

static void
check_modules(const struct dump *d)
{
	const struct kdebug_module *got;
	const struct gen_module *want;
	unsigned int n;

	want = gen_modules(d->d_gen, &n);
	assert_int_equal(kdebug_modules(d->d_kdb, &got), n);
	for (unsigned int i = 0; i < n; i++) {
		assert_string_equal(got[i].km_name, want[i].name);
		assert_string_equal(got[i].km_path, want[i].path);
		assert_true(got[i].km_base == want[i].address);
		assert_true(got[i].km_len == want[i].size);
	}
}

/* Text that is still to come. */
struct rest {
	const char *bytes;
	size_t len;
};

static void
take_rest(void *arg, const char *bytes, size_t len)
{
	struct rest *rest = arg;

	assert_true(len <= rest->len);
	assert_memory_equal(bytes, rest->bytes, len);
	rest->bytes += len;
	rest->len -= len;
}

static void
check_texts(const struct dump *d)
{
	bool live = gen_panicstr(d->d_gen)[0] == '\0';
	const char *want;
	struct rest rest;
	size_t want_len;

	if (live)
		assert_int_equal(kdebug_panic(d->d_kdb)->kx_why,
		    KDEBUG_WHY_NONE);
	else
		assert_string_equal(kdebug_panic(d->d_kdb)->kx_text,
		    gen_panicstr(d->d_gen));
	assert_non_null(kdebug_version(d->d_kdb)->kx_text);
	want = gen_msgbuf_text(d->d_gen, &want_len);
	rest = (struct rest){ .bytes = want, .len = want_len };
	assert_int_equal(kdebug_msgbuf(d->d_kdb, KDEBUG_MSGBUF_ALL, take_rest,
			     &rest),
	    want_len);
	assert_int_equal(rest.len, 0);
}

static void
check_variant(const struct gen_variant *gv, unsigned int osreldate,
    unsigned int flags)
{
	unsigned int nunstopped;
	struct dump d;

	dump_init(&d, gv, osreldate, flags);
	nunstopped = check_threads(&d);
	check_modules(&d);
	check_texts(&d);
	check_notes(&d, nunstopped);
	dump_fini(&d);
}

/*
 * As the generator likes it, and as FreeBSD 13 and 14 lay things out; with a
 * recursion, of a system that went on, and with a stripped kernel file.
 */
static void
test_variant(void **state)
{
	const struct gen_variant *gv = *state;

	check_variant(gv, 0, 0);
	check_variant(gv, 1302001, 0);
	check_variant(gv, 1400097, 0);
	check_variant(gv, 1400097, GEN_LIVE);
	check_variant(gv, 1400097, GEN_STRIPPED);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	unsigned int n;
	const struct gen_variant *gv = gen_variants(&n);

	if (n > NROWS(tests))
		abort();
	for (unsigned int i = 0; i < n; i++)
		tests[i] = row_test(gv[i].gv_name, test_variant, &gv[i]);
	return (RUN_TESTS(tests, n));
}
