#include "tests/fuzz/exercise.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/unpack.h"

/* Bounds on what one input costs. */
#define MAX_CALLS 4000 /* of the walk's callback */
#define MAX_CHECK 40   /* pages whose bytes are compared */
#define READ_LEN  20000

struct pair {
	kvm_t *mapped;
	kvm_t *by_pread;
	int fd; /* the core file */
};

static void
disagree(const struct pair *pair, const char *what, uint64_t addr)
{
	(void)fprintf(stderr, "%s at %#jx: \"%s\" and \"%s\"\n", what,
	    (uintmax_t)addr, kvm_geterr(pair->mapped),
	    kvm_geterr(pair->by_pread));
	abort();
}

/* ---- reading ---- */

static void
check_text(kvm_t *kd)
{
	const char *text = kvm_geterr(kd);

	if (text[0] == '\0' || strchr(text, '\n') != NULL)
		abort();
}

static void
check_read(const struct pair *pair, uint64_t va, size_t len)
{
	static uint8_t a[READ_LEN], b[READ_LEN];
	kssize_t n = kvm_read2(pair->mapped, va, a, len);

	if (kvm_read2(pair->by_pread, va, b, len) != n)
		disagree(pair, "kvm_read2", va);
	if (n < 0) {
		check_text(pair->mapped);
		check_text(pair->by_pread);
	} else if ((size_t)n != len || memcmp(a, b, len) != 0) {
		disagree(pair, "bytes", va);
	}
}

static void
check_around(const struct pair *pair, uint64_t va)
{
	static const int64_t steps[] = { 0, 0, -1, -8, 1, 4088, 4096, 8191,
		0x1ffff8, 0x200000 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		check_read(pair, va + (uint64_t)steps[i], 16);
	check_read(pair, va, READ_LEN);
	check_read(pair, va, 0);
}

static void
check_reads(const struct pair *pair)
{
	const struct kvm_core *core = kvm_core(pair->mapped);
	const struct minidump_hdr *hdr =
	    core != NULL ? core->kc_minidump : NULL;

	check_around(pair, UINT64_MAX - 8);
	check_around(pair, UINT64_C(0xffffffff80000000));
	check_around(pair, 0xc0000000);
	check_around(pair, 0);
	if (hdr == NULL)
		return;
	check_around(pair, hdr->md_kernbase);
	check_around(pair, hdr->md_dmapbase);
	check_around(pair, hdr->md_dmapend);
	check_around(pair,
	    hdr->md_kernbase + (uint64_t)hdr->md_pmap_len / 8 * 4096);
}

/* ---- walking ---- */

struct walker {
	const struct pair *pair;
	unsigned int ncalls;
	unsigned int nchecks;
	uint64_t sum; /* of all that was reported */
};

/* A page that is said to be at a place of the file is what reads give. */
static void
check_page(const struct walker *w, const struct kvm_page *page)
{
	static uint8_t want[READ_LEN], got[READ_LEN];
	size_t len = page->kp_len < READ_LEN ? page->kp_len : READ_LEN;
	ssize_t n = pread(w->pair->fd, want, len, page->kp_offset);
	kvm_t *kd = w->pair->mapped;

	if (n != (ssize_t)len) {
		if (kvm_read_phys(kd, page->kp_paddr, got, len) >= 0)
			disagree(w->pair, "more than there is", page->kp_paddr);
		return;
	}
	if (kvm_read_phys(kd, page->kp_paddr, got, len) != (kssize_t)len ||
	    memcmp(want, got, len) != 0)
		disagree(w->pair, "page", page->kp_paddr);
	if (page->kp_kmap_vaddr != 0)
		check_read(w->pair, page->kp_kmap_vaddr, len);
}

static int
on_page(struct kvm_page *page, void *arg)
{
	struct walker *w = arg;

	w->sum = w->sum * 31 + page->kp_paddr;
	w->sum = w->sum * 31 + page->kp_kmap_vaddr;
	w->sum = w->sum * 31 + page->kp_dmap_vaddr;
	w->sum = w->sum * 31 + (uint64_t)page->kp_offset + page->kp_len +
	    page->kp_prot;
	if (page->kp_len == 0)
		abort();
	if (page->kp_offset >= 0 && w->nchecks < MAX_CHECK) {
		w->nchecks++;
		check_page(w, page);
	}
	return (++w->ncalls < MAX_CALLS);
}

static void
check_walk(const struct pair *pair)
{
	struct walker a = { .pair = pair };
	struct walker b = { .pair = pair, .nchecks = MAX_CHECK };
	int result = kvm_walk_pages(pair->mapped, on_page, &a);

	if (kvm_walk_pages(pair->by_pread, on_page, &b) != result ||
	    a.sum != b.sum || a.ncalls != b.ncalls)
		disagree(pair, "kvm_walk_pages", a.ncalls);
}

/* ---- everything else ---- */

void
exercise_symbols(kvm_t *kd)
{
	static const char *const names[] = { "mp_ncpus", "_allproc", "cpu_var",
		"msgbufp", "pcpu_entry_gen_value", "gen_value", "vnet0",
		"kernbase", "KPML4phys", "", "\377" };
	struct kvm_symbol sym;
	uint8_t buf[64];
	void *pcpu;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct kvm_nlist nl[2] = { { .n_name = names[i] } };

		if (kvm_nlist2(kd, nl) == 0 && nl[0].n_type != 0)
			(void)kvm_read2(kd, nl[0].n_value, buf, sizeof(buf));
		if (kvm_symbol_find(kd, names[i], &sym) &&
		    kvm_symbol_at(kd, sym.ksy_va, &sym))
			(void)kvm_read_exec(kd, sym.ksy_va, buf, sizeof(buf));
	}
	for (unsigned int i = 0; i < 64; i++)
		(void)kvm_symbol_at(kd, UINT64_MAX << i, &sym);
	for (int cpu = -1; cpu < 3; cpu++) {
		pcpu = kvm_getpcpu(kd, cpu);
		if (pcpu != (void *)-1)
			free(pcpu);
		(void)kvm_dpcpu_setcpu(kd, (unsigned int)cpu);
		(void)kvm_read_zpcpu(kd, 0, buf, sizeof(buf), cpu);
	}
}

/* Through what debug information and exported constants a kernel has. */
static void
exercise_processes(kvm_t *kd)
{
	struct kvm_swap swap[3];
	long cp_time[CPUSTATES];
	double load[3];
	int n = 0;

	if (kvm_getprocs(kd, KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0, &n) ==
		NULL &&
	    kvm_geterr(kd)[0] == '\0')
		abort();
	(void)kvm_getprocs(kd, KERN_PROC_UID, 0, &n);
	(void)kvm_getloadavg(kd, load, 3);
	(void)kvm_getcptime(kd, cp_time);
	(void)kvm_getswapinfo(kd, swap, 3, SWIF_DEV_PREFIX);
	(void)kvm_vnet_select(kd, 0);
	(void)kvm_vnet_select(kd, UINT64_C(0xffffffff80001200));
}

/* Calls about names in structures of a program's own. */
static void
exercise_shapes(kvm_t *kd)
{
	static const struct kvm_nlist_shape shapes[] = {
		{ 32, 8, 1, 16, 8 },
		{ 32, 8, 2, 16, 4 },
		{ 32, 8, 4, 16, 1 },
		{ 32, 0, 1, 16, 8 },
		{ 32, 8, 1, 0, 8 },
		{ 32, 8, 3, 16, 8 },
	};
	struct {
		const char *name;
		uint8_t rest[24];
	} list[] = { { .name = "mp_ncpus" }, { .name = "_none" },
		{ .name = "" } };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		(void)kvm_nlist_shaped(kd, list, &shapes[i]);
}

/* Other ways to open; once, as they differ in their arguments alone. */
static void
exercise_opening(const char *kernel, const char *core)
{
	static const char *const none = NULL;
	static char name[PATH_MAX + 1];
	static bool done;
	char why[2048];

	if (done)
		return;
	done = true;
	memset(name, 'x', sizeof(name) - 1);
	(void)kvm_close(kvm_open(kernel, core, NULL, O_RDONLY, NULL));
	(void)kvm_close(kvm_open(none, none, NULL, O_RDONLY, "fuzz"));
	(void)kvm_close(kvm_openfiles(kernel, core, NULL, O_RDONLY, why));
	(void)kvm_close(kvm_open2(name, core, O_RDONLY, why, NULL));
	(void)kvm_close(kvm_open2(kernel, core, O_RDONLY | O_TRUNC, why, NULL));
	(void)kvm_close(kvm_open_start(kernel, core, 8192, NULL));
	(void)kvm_geterr(NULL);
	for (size_t i = 0; kvm_format_name(i) != NULL; i++)
		continue;
	for (size_t i = 0; unpack_name(i) != NULL; i++)
		continue;
}

static void
check_msgbuf(const struct pair *pair)
{
	static uint8_t a[READ_LEN], b[READ_LEN];
	kssize_t n = kvm_read_msgbuf(pair->mapped, 7, a, sizeof(a));

	if (kvm_read_msgbuf(pair->by_pread, 7, b, sizeof(b)) != n ||
	    (n > 0 && memcmp(a, b, (size_t)n) != 0))
		disagree(pair, "kvm_read_msgbuf", 7);
}

static kvm_t *
open_one(const char *kernel, const char *core, kvm_resolver_t *resolver)
{
	char why[2048] = "";
	kvm_t *kd = kvm_open2(kernel, core, O_RDONLY, why, resolver);

	if (kd == NULL && (why[0] == '\0' || strchr(why, '\n') != NULL))
		abort();
	return (kd);
}

void
exercise(const char *kernel, const char *core, kvm_resolver_t *resolver,
    enum exercise what)
{
	struct pair pair;

	pair.mapped = open_one(kernel, core, resolver);
	(void)setenv("KVM_NOMAP", "1", 1);
	pair.by_pread = open_one(kernel, core, resolver);
	(void)unsetenv("KVM_NOMAP");
	if ((pair.mapped == NULL) != (pair.by_pread == NULL))
		abort();
	if (pair.mapped == NULL)
		return;
	pair.fd = open(core, O_RDONLY | O_CLOEXEC);
	if (pair.fd < 0)
		abort();
	check_reads(&pair);
	if (what == EXERCISE_ALL) {
		check_walk(&pair);
		check_reads(&pair);
	}
	check_msgbuf(&pair);
	exercise_symbols(pair.mapped);
	exercise_processes(pair.mapped);
	exercise_shapes(pair.mapped);
	exercise_opening(kernel, core);
	(void)kvm_native(pair.mapped);
	(void)kvm_getncpus(pair.mapped);
	(void)kvm_counter_u64_fetch(pair.mapped, 0);
	(void)close(pair.fd);
	(void)kvm_close(pair.mapped);
	(void)kvm_close(pair.by_pread);
}
