/*
 * hostile VARIANT SEED: a dump that lies.
 *
 * A generated dump is cut short and falsified, place by place, and opened and
 * read each time.  The reader may refuse, with one line of text, or answer;
 * it may not crash, hang, or ask for memory by a number that it read.  A dump
 * that was only cut short must not yield one wrong byte.
 */
#include <sys/resource.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/kinfo.h"
#include "libkvm/kvm_core.h"
#include "tests/gen/dumpgen.h"
#include "tests/gen/random.h"
#include "tests/gen/scratch.h"
#include "tests/support/report.h"

#define PROBE_LEN    64
#define MAX_PROBES   160
#define SHORT_WALK   5000    /* pages reported */
#define ENDLESS_WALK 2000000 /* more than any of these dumps can have */
#define MEM_LIMIT    ((rlim_t)1 << 30)

/* A read, and what the undamaged dump answers. */
struct probe {
	uint64_t va;
	enum gen_result result;
	uint8_t bytes[PROBE_LEN];
};

enum trust {
	BYTES_MUST_BE_RIGHT, /* the file was cut short, no byte is false */
	BYTES_MAY_DIFFER,    /* what the file says was falsified */
};

static struct {
	const char *variant;
	struct gen *g;
	struct gen_facts facts;
	struct scratch files;
	int core; /* descriptors of the files */
	int kernel;
	struct rng rng;
	struct probe probes[MAX_PROBES];
	unsigned nprobes;
	struct report report;
	uint64_t ncases;
	uint64_t nrefused; /* opens that were refused */
	uint64_t nread;	   /* reads that were answered */
} h;

/* One line, and not that memory ran out. */
static void
h_check_text(const char *what, const char *text)
{
	report_check_text(&h.report, what, text);
	if (strstr(text, strerror(ENOMEM)) != NULL)
		report_fail(&h.report, "%s: asked for too much memory: %s",
		    what, text);
}

static void
h_add_probe(uint64_t va)
{
	struct probe *probe = &h.probes[h.nprobes];
	size_t got;

	if (h.nprobes == MAX_PROBES)
		return;
	h.nprobes++;
	probe->va = va;
	probe->result = gen_read(h.g, va, probe->bytes, PROBE_LEN, &got);
}

static bool
h_probe_mapping(const struct gen_mapping *m, void *arg)
{
	unsigned *n = arg;

	/* One in a few, so that they come from all over the map. */
	if ((*n)++ % 8 != 0 || h.nprobes > MAX_PROBES / 2)
		return (true);
	h_add_probe(m->va + (rng_below(&h.rng, m->len) & ~(uint64_t)7));
	h_add_probe(m->va + m->len - 8);
	return (true);
}

static bool
h_probe_page(const struct gen_page *page, void *arg)
{
	unsigned *n = arg;

	if ((*n)++ % 64 == 0 && page->dmap_va != 0)
		h_add_probe(page->dmap_va + 8 * rng_below(&h.rng, 400));
	return (true);
}

static void
h_plan_probes(void)
{
	static const char *const names[] = { "allproc", "dumppcb", "version",
		"osreldate", "vpanic" };
	unsigned n = 0;
	uint64_t va = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (gen_symbol(h.g, names[i], &va))
			h_add_probe(va);
	gen_foreach_mapping(h.g, h_probe_mapping, &n);
	n = 0;
	gen_foreach_page(h.g, h_probe_page, &n);
}

static void
h_probe(kvm_t *kd, const char *what, const struct probe *probe,
    enum trust trust)
{
	uint8_t bytes[PROBE_LEN];
	kssize_t n = kvm_read2(kd, probe->va, bytes, PROBE_LEN);

	if (n == -1) {
		h_check_text(what, kvm_geterr(kd));
		return;
	}
	h.nread++;
	if (n != PROBE_LEN)
		report_fail(&h.report, "%s: %jd bytes at %#jx", what,
		    (intmax_t)n, (uintmax_t)probe->va);
	else if (trust == BYTES_MUST_BE_RIGHT &&
	    (probe->result != GEN_OK ||
		memcmp(bytes, probe->bytes, PROBE_LEN) != 0))
		report_fail(&h.report, "%s: wrong bytes at %#jx", what,
		    (uintmax_t)probe->va);
}

/* How far to walk, and how far it was. */
struct walk {
	uint64_t most;
	uint64_t ncalls;
};

static int
h_walk_page(struct kvm_page *page, void *arg)
{
	struct walk *walk = arg;

	(void)page;
	return (++walk->ncalls < walk->most);
}

/*
 * One case in a few, and all the way once in a while: it is long, by the empty
 * parts of the kernel map and by pages of 1 GB.
 */
static void
h_walk(kvm_t *kd, const char *what)
{
	struct walk walk = { .most = SHORT_WALK };

	if (h.ncases % 4 != 0)
		return;
	if (h.ncases % 32 == 0)
		walk.most = ENDLESS_WALK;
	kvm_walk_pages(kd, h_walk_page, &walk);
	if (walk.ncalls == ENDLESS_WALK)
		report_fail(&h.report, "%s: a walk without end", what);
}

/* One case in four: where members are is asked of another process each time. */
static void
h_use_processes(kvm_t *kd)
{
	int n = 0;

	if (h.ncases % 4 != 1)
		return;
	kvm_getprocs(kd, KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0, &n);
	kvm_vnet_select(kd, rng_next(&h.rng) % 4);
}

/* Everything that the library does with a core. */
static void
h_use(kvm_t *kd, const char *what, enum trust trust)
{
	struct kvm_nlist nl[3] = { { .n_name = "allproc" },
		{ .n_name = "no_such_symbol" }, { .n_name = NULL } };
	uint8_t bytes[PROBE_LEN];
	void *pcpu;

	for (unsigned i = 0; i < h.nprobes; i++)
		h_probe(kd, what, &h.probes[i], trust);
	kvm_core(kd);
	h_walk(kd, what);
	kvm_nlist2(kd, nl);
	kvm_read_msgbuf(kd, 0, bytes, sizeof(bytes));
	kvm_read_phys(kd, rng_next(&h.rng), bytes, sizeof(bytes));
	kvm_getncpus(kd);
	kvm_getmaxcpu(kd);
	kvm_dpcpu_setcpu(kd, (unsigned)rng_next(&h.rng));
	if ((pcpu = kvm_getpcpu(kd, 0)) != (void *)-1)
		free(pcpu);
	h_use_processes(kd);
}

static void
h_case(const char *what, enum trust trust)
{
	char errbuf[2048] = "";
	kvm_t *kd;

	h.ncases++;
	kd = kvm_open2(h.files.kernel, h.files.core, O_RDONLY, errbuf, NULL);
	if (kd == NULL) {
		h.nrefused++;
		h_check_text(what, errbuf);
		return;
	}
	h_use(kd, what, trust);
	kvm_close(kd);
}

static void
h_pread(int fd, uint64_t off, void *buf, size_t len)
{
	if (pread(fd, buf, len, (off_t)off) != (ssize_t)len)
		err(1, "%s: read at %#jx", h.variant, (uintmax_t)off);
}

static void
h_pwrite(int fd, uint64_t off, const void *buf, size_t len)
{
	if (pwrite(fd, buf, len, (off_t)off) != (ssize_t)len)
		err(1, "%s: write at %#jx", h.variant, (uintmax_t)off);
}

static void
h_cut(int fd, uint64_t len)
{
	if (ftruncate(fd, (off_t)len) == -1)
		err(1, "%s: cut at %#jx", h.variant, (uintmax_t)len);
}

/* Replace len bytes, try, and put them back. */
static void
h_falsify(int fd, uint64_t off, const void *bytes, size_t len,
    const char *section)
{
	uint8_t saved[4096];
	char what[80];

	snprintf(what, sizeof(what), "%s falsified at %#jx", section,
	    (uintmax_t)off);
	h_pread(fd, off, saved, len);
	h_pwrite(fd, off, bytes, len);
	h_case(what, BYTES_MAY_DIFFER);
	h_pwrite(fd, off, saved, len);
}

/* A field of len bytes: 0, 1, its maximum, its neighbours, at random. */
static void
h_falsify_field(int fd, uint64_t off, size_t len, const char *section)
{
	uint8_t now[8], bytes[8];

	h_pread(fd, off, now, len);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t r = rng_next(&h.rng);

		memset(bytes, i == 2 ? 0xff : 0, sizeof(bytes));
		if (i == 1)
			bytes[0] = 1;
		else if (i == 3)
			memcpy(bytes, &r, sizeof(bytes));
		else if (i > 3)
			memcpy(bytes, now, sizeof(bytes));
		if (i == 4)
			bytes[0]++;
		else if (i == 5)
			bytes[0]--;
		else if (i == 6)
			bytes[len - 1] ^= 0x80;
		else if (i == 7)
			bytes[len / 2] ^= (uint8_t)(1 << (r & 7));
		h_falsify(fd, off, bytes, len, section);
	}
}

static void
h_falsify_fields(int fd, uint64_t off, uint64_t len, const char *section)
{
	for (uint64_t at = off; at < off + len; at += 4)
		h_falsify_field(fd, at, 4, section);
	for (uint64_t at = off; at + 8 <= off + len; at += 8)
		h_falsify_field(fd, at, 8, section);
}

/* Fill len bytes with one value; then with noise. */
static void
h_falsify_block(int fd, uint64_t off, size_t len, const char *section)
{
	uint8_t bytes[4096];

	memset(bytes, 0, sizeof(bytes));
	h_falsify(fd, off, bytes, len, section);
	memset(bytes, 0xff, sizeof(bytes));
	h_falsify(fd, off, bytes, len, section);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)rng_next(&h.rng);
	h_falsify(fd, off, bytes, len, section);
}

static int
h_descending(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b ? -1 : a < b);
}

struct cuts {
	uint64_t at[2048];
	unsigned n;
};

static void
cuts_add(struct cuts *cuts, uint64_t at)
{
	if (at < h.facts.file_len &&
	    cuts->n < sizeof(cuts->at) / sizeof(cuts->at[0]))
		cuts->at[cuts->n++] = at;
}

/* Every byte of the header, the first pages, and about each section's start. */
static void
h_plan_cuts(struct cuts *cuts)
{
	const struct gen_facts *f = &h.facts;
	uint64_t bounds[] = { f->msgbuf_off, f->msgbuf_off + f->msgbuf_len,
		f->avail_off, f->bitmap_off, f->bitmap_off + f->bitmap_len,
		f->pmap_off, f->pmap_off + f->pmap_len, f->pages_off,
		f->pages_off + f->page_size, f->file_len - f->page_size,
		f->file_len - 1 };

	cuts->n = 0;
	for (uint64_t at = 0; at < 144; at++)
		cuts_add(cuts, at);
	for (uint64_t at = 144; at < 2 * f->page_size; at += 101)
		cuts_add(cuts, at);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		for (unsigned back = 0; back <= 2; back++)
			cuts_add(cuts, bounds[i] + 1 - back);
	for (unsigned i = 0; i < 100; i++)
		cuts_add(cuts, rng_below(&h.rng, f->file_len));
	for (unsigned i = 0; i < 100; i++)
		cuts_add(cuts,
		    rng_range(&h.rng, f->pages_off, f->file_len - 1));
	qsort(cuts->at, cuts->n, sizeof(cuts->at[0]), h_descending);
}

static void
h_truncate_core(void)
{
	static struct cuts cuts;
	char what[64];

	h_plan_cuts(&cuts);
	for (unsigned i = 0; i < cuts.n; i++) {
		h_cut(h.core, cuts.at[i]);
		snprintf(what, sizeof(what), "core cut at %#jx",
		    (uintmax_t)cuts.at[i]);
		h_case(what, BYTES_MUST_BE_RIGHT);
	}
	scratch_write(&h.files, h.g);
}

/* Cut the file while it is open, ever shorter. */
static void
h_truncate_open_core(void)
{
	static struct cuts cuts;
	char errbuf[2048], what[64];
	kvm_t *kd;

	h_plan_cuts(&cuts);
	kd = kvm_open2(h.files.kernel, h.files.core, O_RDONLY, errbuf, NULL);
	if (kd == NULL) {
		report_fail(&h.report, "%s", errbuf);
		return;
	}
	for (unsigned i = 0; i < cuts.n; i += 1 + cuts.n / 60) {
		h_cut(h.core, cuts.at[i]);
		snprintf(what, sizeof(what), "open core cut at %#jx",
		    (uintmax_t)cuts.at[i]);
		h.ncases++;
		h_use(kd, what, BYTES_MUST_BE_RIGHT);
	}
	kvm_close(kd);
	scratch_write(&h.files, h.g);
}

/* The kernel's file cut short, and falsified where ELF says what is where. */
static void
h_damage_kernel(void)
{
	off_t len = lseek(h.kernel, 0, SEEK_END);
	uint64_t tail = (uint64_t)len > 8192 ? (uint64_t)len - 8192 : 0;

	h_falsify_fields(h.kernel, 0, 64, "kernel header");
	/* Symbols, strings and section headers end the file. */
	for (unsigned i = 0; i < 40; i++) {
		uint64_t at = rng_range(&h.rng, tail, (uint64_t)len - 8);

		h_falsify_field(h.kernel, at & ~(uint64_t)3, 4, "kernel");
	}
	for (unsigned i = 1; i <= 100; i++) {
		h_cut(h.kernel, (uint64_t)len * (100 - i) / 100);
		h_case("kernel cut", BYTES_MAY_DIFFER);
	}
	scratch_write(&h.files, h.g);
}

/* Some entry of the page-table section that is not empty. */
static uint64_t
h_find_entry(void)
{
	uint64_t page[512], npages = h.facts.pmap_len / sizeof(page);
	uint64_t off, n = rng_below(&h.rng, npages);

	for (uint64_t i = 0; i < npages; i++, n = (n + 1) % npages) {
		off = h.facts.pmap_off + n * sizeof(page);
		h_pread(h.core, off, page, sizeof(page));
		for (unsigned j = 0; j < 512; j++)
			if (page[j] != 0)
				return (off + 8 * j);
	}
	errx(1, "%s: page tables without an entry", h.variant);
}

static void
h_falsify_sections(void)
{
	const struct gen_facts *f = &h.facts;

	h_falsify_fields(h.core, 0, 144, "header");
	if (f->avail_len != 0)
		h_falsify_fields(h.core, f->avail_off, 16 * (f->nsegs + 1),
		    "dump_avail");
	h_falsify_block(h.core, f->avail_off, 4096, "dump_avail");
	for (uint64_t off = 0; off < f->bitmap_len; off += 4096)
		h_falsify_block(h.core, f->bitmap_off + off,
		    f->bitmap_len - off < 4096 ? f->bitmap_len - off : 4096,
		    "bitmap");
	for (unsigned i = 0; i < 40; i++)
		h_falsify_field(h.core, h_find_entry(), 8, "page tables");
	h_falsify_block(h.core, f->pmap_off, 4096, "page tables");
	h_falsify_block(h.core, f->pmap_off + f->pmap_len - 4096, 4096,
	    "page tables");
}

/* Tables that lead to themselves, to each other, and nowhere. */
static void
h_falsify_tables(void)
{
	const uint64_t *pas;
	uint64_t n = gen_tables(h.g, &pas);

	for (unsigned i = 0; n > 0 && i < 40; i++) {
		uint64_t pa = pas[i < n ? i : rng_below(&h.rng, n)];
		uint64_t to[3] = { pa, pas[rng_below(&h.rng, n)],
			rng_next(&h.rng) };
		uint64_t off;

		if (!gen_page_off(h.g, pa, &off))
			continue;
		for (unsigned j = 0; j < 3; j++) {
			uint64_t table[512];

			for (unsigned k = 0; k < 512; k++)
				table[k] = (to[j] & ~(uint64_t)0xfff) | 0x3;
			h_falsify(h.core, off, table, sizeof(table), "table");
		}
	}
}

static void
h_run(void)
{
	h_case("undamaged", BYTES_MUST_BE_RIGHT);
	if (h.nrefused != 0 || h.nread == 0)
		errx(1, "%s: the undamaged dump does not open", h.variant);
	if (h.facts.pmap_len != 0)
		h_falsify_sections();
	else
		h_falsify_fields(h.core, 0, 64 + 56 * (h.facts.nsegs + 1),
		    "ELF headers");
	h_falsify_tables();
	h_truncate_core();
	h_truncate_open_core();
	h_case("restored", BYTES_MUST_BE_RIGHT);
}

static void
h_limit_memory(void)
{
#ifndef SANITIZED
	struct rlimit limit = { .rlim_cur = MEM_LIMIT, .rlim_max = MEM_LIMIT };

	if (setrlimit(RLIMIT_AS, &limit) == -1)
		err(1, "setrlimit");
#endif
}

static void
h_init(const struct gen_variant *variant, uint64_t seed)
{
	struct gen_spec spec = gen_variant_spec(variant, seed);
	const char *why;

	h.variant = variant->gv_name;
	snprintf(h.report.what, sizeof(h.report.what), "%s", h.variant);
	h.rng.state = seed;
	spec.gs_mem_len = 3 << 20;
	spec.gs_phys_len = 96 << 20;
	spec.gs_nprocs = 2;
	if ((h.g = gen_create(&spec, &why)) == NULL)
		errx(1, "%s: %s", h.variant, why);
	gen_facts(h.g, &h.facts);
	scratch_init(&h.files);
	scratch_write(&h.files, h.g);
	h.core = open(h.files.core, O_RDWR);
	h.kernel = open(h.files.kernel, O_RDWR);
	if (h.core == -1 || h.kernel == -1)
		err(1, "%s", h.files.dir);
	h_plan_probes();
}

int
main(int argc, char **argv)
{
	const struct gen_variant *variant;

	if (argc != 3)
		errx(1, "usage: hostile VARIANT SEED");
	if ((variant = gen_variant_find(argv[1])) == NULL)
		errx(1, "%s: no such variant", argv[1]);
	h_init(variant, strtoull(argv[2], NULL, 0));
	h_limit_memory();
	h.report.mode = "mapped";
	h_run();
	h_damage_kernel();
	h.nrefused = 0;
	h.report.mode = "pread";
	setenv("KVM_NOMAP", "1", 1);
	h_run();
	printf("%s: %ju cases, %ju refused at once, %ju reads answered\n",
	    h.variant, (uintmax_t)h.ncases, (uintmax_t)h.nrefused,
	    (uintmax_t)h.nread);
	scratch_fini(&h.files);
	gen_destroy(h.g);
	report_end(&h.report);
	return (0);
}
