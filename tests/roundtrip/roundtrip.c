/*
 * roundtrip VARIANT SEED...: what was generated is what libkvm reads.
 *
 * Every mapping is read byte for byte, at all alignments and lengths, and what
 * a reader must refuse is asked for as well.  All of it happens twice: through
 * the mapped file, and with one pread(2) per access.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libkvm/kinfo.h"
#include "libkvm/kvm_core.h"
#include "tests/gen/dumpgen.h"
#include "tests/gen/random.h"
#include "tests/gen/scratch.h"
#include "tests/support/report.h"

#define MAX_READ     65536
#define RANDOM_READS 20000

static struct {
	const char *variant;
	uint64_t seed;
	struct report report;
	struct gen *g;
	kvm_t *kd;
	struct rng rng;
	uint64_t nread;	   /* bytes compared */
	uint64_t nrefused; /* reads that were refused, and had to be */
} rt;

static void
rt_compare(const char *what, uint64_t addr, size_t len, kssize_t n,
    const uint8_t *expected, const uint8_t *actual)
{
	size_t i = 0;

	if (n != (kssize_t)len) {
		report_fail(&rt.report, "%s %#jx, %zu bytes: %jd: %s", what,
		    (uintmax_t)addr, len, (intmax_t)n, kvm_geterr(rt.kd));
		return;
	}
	rt.nread += len;
	if (memcmp(expected, actual, len) == 0)
		return;
	while (expected[i] == actual[i])
		i++;
	report_fail(&rt.report, "%s %#jx, %zu bytes: byte %zu is %#x, not %#x",
	    what, (uintmax_t)addr, len, i, actual[i], expected[i]);
}

/* Read kernel memory; the oracle says what must come of it. */
static void
rt_read(uint64_t va, size_t len)
{
	static uint8_t expected[MAX_READ], actual[MAX_READ];
	enum gen_result result;
	kssize_t n;
	size_t got;

	memset(actual, 0x5a, len);
	result = gen_read(rt.g, va, expected, len, &got);
	n = kvm_read2(rt.kd, va, actual, len);
	if (result == GEN_OK) {
		rt_compare("read", va, len, n, expected, actual);
		return;
	}
	rt.nrefused++;
	if (n != -1)
		report_fail(&rt.report,
		    "read %#jx, %zu bytes: %jd, must be refused at %#jx",
		    (uintmax_t)va, len, (intmax_t)n, (uintmax_t)(va + got));
	else
		report_check_text(&rt.report, "read", kvm_geterr(rt.kd));
}

static void
rt_read_phys(uint64_t pa, size_t len)
{
	static uint8_t expected[MAX_READ], actual[MAX_READ];
	enum gen_result result;
	kssize_t n;
	size_t got;

	result = gen_read_phys(rt.g, pa, expected, len, &got);
	n = kvm_read_phys(rt.kd, pa, actual, len);
	if (result == GEN_OK) {
		rt_compare("read physical", pa, len, n, expected, actual);
		return;
	}
	rt.nrefused++;
	if (n != -1)
		report_fail(&rt.report,
		    "read physical %#jx, %zu bytes: %jd, must be refused",
		    (uintmax_t)pa, len, (intmax_t)n);
	else
		report_check_text(&rt.report, "read physical",
		    kvm_geterr(rt.kd));
}

static size_t
rt_random_len(void)
{
	switch (rng_below(&rt.rng, 4)) {
	case 0:
		return (rng_range(&rt.rng, 1, 16));
	case 1:
		return (rng_range(&rt.rng, 1, MAX_READ));
	default:
		return (rng_range(&rt.rng, 1, 12000));
	}
}

/* The whole mapping in pieces, and over both of its ends. */
static bool
rt_read_mapping(const struct gen_mapping *m, void *arg)
{
	uint64_t off = 0;
	size_t n;

	(void)arg;
	while (off < m->len && m->state == GEN_OK) {
		n = rt_random_len();
		if (n > m->len - off)
			n = (size_t)(m->len - off);
		rt_read(m->va + off, n);
		off += n;
	}
	for (unsigned i = 0; i < 8 && m->state != GEN_OK; i++)
		rt_read(m->va + rng_below(&rt.rng, m->len), 1 + 3 * i);
	rt_read(m->va - 1, 1);
	rt_read(m->va - 3, 7);
	rt_read(m->va + m->len - 1, 1);
	rt_read(m->va + m->len - 3, 7);
	rt_read(m->va + m->len, 8);
	return (true);
}

/* Each page by its physical address, and through the direct map. */
static bool
rt_read_page(const struct gen_page *page, void *arg)
{
	const struct gen_facts *f = arg;

	rt_read_phys(page->pa, f->page_size);
	if (page->dmap_va != 0)
		rt_read(page->dmap_va, f->page_size);
	return (true);
}

/* Around the bounds of the segments: where holes begin and end. */
static void
rt_read_bounds(const struct gen_facts *f)
{
	uint64_t size = f->page_size;

	for (unsigned i = 0; i < f->nsegs; i++) {
		for (uint64_t back = 0; back <= 16; back++) {
			uint64_t start = f->segs[i].start / size * size;
			uint64_t end = f->segs[i].end / size * size;
			uint64_t pa[2] = { start + (back - 8) * size,
				end + (back - 8) * size };

			for (unsigned j = 0; j < 2; j++) {
				rt_read_phys(pa[j], 16);
				rt_read_phys(pa[j] + size - 8, 16);
				if (f->dmapend == 0)
					continue;
				rt_read(f->dmapbase + pa[j] - f->dmapphys, 16);
			}
		}
	}
}

/* Anywhere near the kernel map, the direct map and the ends of the world. */
static void
rt_read_anywhere(const struct gen_facts *f)
{
	struct rng *rng = &rt.rng;
	uint64_t bases[] = { f->kernbase, f->dmapbase, f->dmapend, 0 };

	for (unsigned i = 0; i < RANDOM_READS; i++) {
		uint64_t va = bases[rng_below(rng, 4)];

		va += rng_next(rng) >> rng_range(rng, 8, 60);
		rt_read(va, rng_range(rng, 1, 64));
	}
	for (unsigned back = 1; back <= 64; back++)
		rt_read(-(uint64_t)back, 64);
}

/* The pages that a walk reported. */
struct walk {
	const struct gen_facts *f;
	uint64_t ndumped;
	uint64_t nabsent;
	uint8_t *seen; /* by number in the file */
};

static void
rt_walk_dumped(struct walk *walk, const struct kvm_page *p, uint64_t off)
{
	uint64_t n, at;

	if (!gen_page_off(rt.g, p->kp_paddr + off, &at) ||
	    at != (uint64_t)p->kp_offset + off) {
		report_fail(&rt.report, "walk: page %#jx is not at %#jx",
		    (uintmax_t)(p->kp_paddr + off),
		    (uintmax_t)((uint64_t)p->kp_offset + off));
		return;
	}
	n = (at - walk->f->pages_off) / walk->f->page_size;
	if (walk->seen[n]++ != 0)
		report_fail(&rt.report, "walk: page %#jx comes twice",
		    (uintmax_t)(p->kp_paddr + off));
	walk->ndumped++;
}

static void
rt_walk_mapping(const struct kvm_page *p, uint64_t off)
{
	struct gen_mapping m;
	uint64_t va = p->kp_kmap_vaddr + off;

	if (!gen_mapping_at(rt.g, va, &m) || m.pa != p->kp_paddr + off)
		report_fail(&rt.report, "walk: %#jx is not mapped to %#jx",
		    (uintmax_t)va, (uintmax_t)(p->kp_paddr + off));
	else if (m.prot != p->kp_prot)
		report_fail(&rt.report, "walk: %#jx has permissions %u, not %u",
		    (uintmax_t)va, p->kp_prot, m.prot);
	else if ((m.state == GEN_OK) != (p->kp_offset != -1))
		report_fail(&rt.report, "walk: %#jx is at %jd", (uintmax_t)va,
		    (intmax_t)p->kp_offset);
}

static int
rt_walk_page(struct kvm_page *p, void *arg)
{
	struct walk *walk = arg;
	const struct gen_facts *f = walk->f;
	uint64_t dmap_va =
	    f->dmapend == 0 ? 0 : f->dmapbase + p->kp_paddr - f->dmapphys;

	if (p->kp_version != LIBKVM_WALK_PAGES_VERSION || p->kp_len == 0 ||
	    p->kp_len % f->page_size != 0) {
		report_fail(&rt.report, "walk: %zu bytes at %#jx", p->kp_len,
		    (uintmax_t)p->kp_paddr);
		return (0);
	}
	if (p->kp_offset != -1 && p->kp_dmap_vaddr != dmap_va)
		report_fail(&rt.report,
		    "walk: page %#jx in the direct map at %#jx, not %#jx",
		    (uintmax_t)p->kp_paddr, (uintmax_t)p->kp_dmap_vaddr,
		    (uintmax_t)dmap_va);
	for (uint64_t off = 0; off < p->kp_len; off += f->page_size) {
		if (p->kp_offset != -1)
			rt_walk_dumped(walk, p, off);
		else
			walk->nabsent++;
		if (p->kp_kmap_vaddr != 0)
			rt_walk_mapping(p, off);
	}
	return (1);
}

static bool
rt_count_absent(const struct gen_mapping *m, void *arg)
{
	struct walk *walk = arg;

	if (m->state == GEN_NOT_DUMPED)
		walk->nabsent -= m->len / walk->f->page_size;
	return (true);
}

/* A page is reported at the first address that maps it. */
struct first_va {
	const struct gen_facts *f;
	uint64_t *va; /* by number in the file */
};

static int
rt_note_va(struct kvm_page *p, void *arg)
{
	struct first_va *first = arg;
	uint64_t size = first->f->page_size;

	if (p->kp_offset == -1 || p->kp_kmap_vaddr == 0)
		return (1);
	for (uint64_t off = 0; off < p->kp_len; off += size)
		first->va[((uint64_t)p->kp_offset + off - first->f->pages_off) /
		    size] = p->kp_kmap_vaddr + off;
	return (1);
}

static bool
rt_check_va(const struct gen_page *page, void *arg)
{
	const struct first_va *first = arg;
	uint64_t va =
	    first->va[(page->off - first->f->pages_off) / first->f->page_size];

	if (va != page->kmap_va)
		report_fail(&rt.report,
		    "walk: page %#jx is first mapped at %#jx, not %#jx",
		    (uintmax_t)page->pa, (uintmax_t)page->kmap_va,
		    (uintmax_t)va);
	return (true);
}

static void
rt_walk(const struct gen_facts *f)
{
	struct walk walk = { .f = f };
	struct first_va first = { .f = f };

	if ((walk.seen = calloc(f->npages, 1)) == NULL ||
	    (first.va = calloc(f->npages, sizeof(*first.va))) == NULL)
		err(1, NULL);
	if (kvm_walk_pages(rt.kd, rt_walk_page, &walk) != 1)
		report_fail(&rt.report, "walk: %s", kvm_geterr(rt.kd));
	if (walk.ndumped != f->npages)
		report_fail(&rt.report, "walk: %ju of %ju pages",
		    (uintmax_t)walk.ndumped, (uintmax_t)f->npages);
	gen_foreach_mapping(rt.g, rt_count_absent, &walk);
	if (walk.nabsent != 0)
		report_fail(&rt.report, "walk: %jd absent pages too many",
		    (intmax_t)walk.nabsent);
	kvm_walk_pages(rt.kd, rt_note_va, &first);
	gen_foreach_page(rt.g, rt_check_va, &first);
	free(walk.seen);
	free(first.va);
}

static void
rt_symbols(void)
{
	static const char *const names[] = { "allproc", "dumppcb", "osreldate",
		"vpanic", "msgbufp", "kernbase" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct kvm_nlist nl[3] = { { .n_name = names[i] },
			{ .n_name = "no_such_symbol" }, { .n_name = NULL } };
		uint64_t va = 0;

		if (!gen_symbol(rt.g, names[i], &va))
			errx(1, "the generator has no %s", names[i]);
		if (kvm_nlist2(rt.kd, nl) != 1 || nl[0].n_value != va ||
		    nl[1].n_value != 0 || nl[1].n_type != 0)
			report_fail(&rt.report, "symbol %s at %#jx, not %#jx",
			    names[i], (uintmax_t)nl[0].n_value, (uintmax_t)va);
	}
}

static void
rt_cpus(void)
{
	unsigned ncpus = gen_ncpus(rt.g);

	if (kvm_getncpus(rt.kd) != (int)ncpus)
		report_fail(&rt.report, "%d CPUs, not %u", kvm_getncpus(rt.kd),
		    ncpus);
	if (kvm_dpcpu_setcpu(rt.kd, ncpus) != -1)
		report_fail(&rt.report, "selected CPU %u of %u", ncpus, ncpus);
	for (unsigned cpu = 0; cpu < ncpus; cpu++) {
		struct kvm_nlist nl[2] = { { .n_name =
						 "pcpu_entry_gen_value" } };
		uint32_t value = 0;

		if (kvm_dpcpu_setcpu(rt.kd, cpu) != 0 ||
		    kvm_nlist2(rt.kd, nl) != 0 ||
		    kvm_read2(rt.kd, nl[0].n_value, &value, 4) != 4) {
			report_fail(&rt.report, "CPU %u: %s", cpu,
			    kvm_geterr(rt.kd));
			continue;
		}
		if (kvm_core(rt.kd)->kc_order == ORDER_BIG)
			value = __builtin_bswap32(value);
		if (value != gen_dpcpu_value(rt.g, cpu))
			report_fail(&rt.report,
			    "CPU %u: variable is %#x, not %#x", cpu, value,
			    gen_dpcpu_value(rt.g, cpu));
	}
}

/* A thread may run without its td_oncpu, which is what ki_oncpu is. */
static bool
rt_is_thread(const struct kinfo_proc *kp, const struct gen_thread *td)
{
	char name[sizeof(kp->ki_tdname) + sizeof(kp->ki_moretdname)];

	snprintf(name, sizeof(name), "%s%s", kp->ki_tdname, kp->ki_moretdname);
	return (kp->ki_pid == td->pid && kp->ki_tid == td->tid &&
	    (kp->ki_oncpu == td->cpu || kp->ki_oncpu == NOCPU) &&
	    strcmp(kp->ki_comm, td->comm) == 0 && strcmp(name, td->name) == 0);
}

/* Without debug information, through the constants that kernels export. */
static void
rt_threads(void)
{
	unsigned want;
	const struct gen_thread *td = gen_threads(rt.g, &want);
	const struct kinfo_proc *kp;
	int n = 0;

	kp = kvm_getprocs(rt.kd, KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0, &n);
	if (kp == NULL || n != (int)want) {
		report_fail(&rt.report, "%d threads, not %u: %s", n, want,
		    kvm_geterr(rt.kd));
		return;
	}
	for (unsigned i = 0; i < want; i++)
		if (!rt_is_thread(&kp[i], &td[i]))
			report_fail(&rt.report,
			    "thread %d of %d is not thread %d of %d",
			    (int)kp[i].ki_tid, (int)kp[i].ki_pid, td[i].tid,
			    td[i].pid);
}

static void
rt_facts(const struct gen_facts *f)
{
	const struct kvm_core *core = kvm_core(rt.kd);

	if (core == NULL) {
		report_fail(&rt.report, "%s", kvm_geterr(rt.kd));
		return;
	}
	if (core->kc_page_size != f->page_size ||
	    core->kc_file_len != f->file_len || core->kc_file_short != 0)
		report_fail(&rt.report,
		    "pages of %u bytes, file of %ju, short of %ju",
		    core->kc_page_size, (uintmax_t)core->kc_file_len,
		    (uintmax_t)core->kc_file_short);
	if (core->kc_minidump != NULL && core->kc_npages != f->npages)
		report_fail(&rt.report, "%ju pages, not %ju",
		    (uintmax_t)core->kc_npages, (uintmax_t)f->npages);
}

static void
rt_run(const struct gen_facts *f)
{
	const struct gen_variant *variant = gen_variant_find(rt.variant);

	rt_facts(f);
	rt_symbols();
	rt_cpus();
	rt_threads();
	gen_foreach_mapping(rt.g, rt_read_mapping, NULL);
	gen_foreach_page(rt.g, rt_read_page, (void *)(uintptr_t)f);
	rt_read_bounds(f);
	rt_read_anywhere(f);
	if (variant->gv_format == GEN_MINIDUMP)
		rt_walk(f);
}

/* Once with the file mapped, once without. */
static void
rt_both_modes(const struct scratch *s)
{
	static const char *const modes[] = { "mapped", "pread" };
	char errbuf[2048];
	struct gen_facts f;

	gen_facts(rt.g, &f);
	for (unsigned i = 0; i < 2; i++) {
		rt.report.mode = modes[i];
		if (i == 1)
			setenv("KVM_NOMAP", "1", 1);
		rt.kd = kvm_open2(s->kernel, s->core, O_RDONLY, errbuf, NULL);
		if (rt.kd == NULL) {
			report_fail(&rt.report, "%s", errbuf);
			continue;
		}
		rt_run(&f);
		kvm_close(rt.kd);
	}
	unsetenv("KVM_NOMAP");
}

static void
rt_seed(const struct gen_variant *variant, uint64_t seed)
{
	struct gen_spec spec = gen_variant_spec(variant, seed);
	const char *why;
	struct scratch s;

	rt.seed = rt.rng.state = seed;
	snprintf(rt.report.what, sizeof(rt.report.what), "%s, seed %ju",
	    rt.variant, (uintmax_t)seed);
	spec.gs_nprocs = 3;
	spec.gs_mem_len = 8 << 20;
	if ((rt.g = gen_create(&spec, &why)) == NULL)
		errx(1, "%s: %s", rt.variant, why);
	scratch_init(&s);
	scratch_write(&s, rt.g);
	rt_both_modes(&s);
	scratch_fini(&s);
	gen_destroy(rt.g);
}

int
main(int argc, char **argv)
{
	const struct gen_variant *variant;

	if (argc < 3)
		errx(1, "usage: roundtrip VARIANT SEED...");
	rt.variant = argv[1];
	if ((variant = gen_variant_find(rt.variant)) == NULL)
		errx(1, "%s: no such variant", rt.variant);
	for (int i = 2; i < argc; i++)
		rt_seed(variant, strtoull(argv[i], NULL, 0));
	printf("%s: %ju bytes read and compared, %ju reads refused\n",
	    rt.variant, (uintmax_t)rt.nread, (uintmax_t)rt.nrefused);
	report_end(&rt.report);
	if (rt.nread == 0 || rt.nrefused == 0)
		errx(1, "%s: nothing was tested", rt.variant);
	return (0);
}
