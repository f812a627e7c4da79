/*
 * libkvm against what the machine can do.
 *
 * Each measurement is made side by side with its limit: the same bytes got at
 * by someone who knows beforehand where in the file they are, with memcpy(3)
 * from a mapping and with pread(2).  Where readers before this one have their
 * way it is a peer besides (plainreader.h).  Every byte that is read is
 * checked.  One JSON object a line goes to stdout: figures of ours and of the
 * limit, and the ratio of the two as median, lowest and highest of the rounds.
 *
 * usage: bench_libkvm [GIGABYTES ...]             (default: 1 8)
 *
 * The dumps are made in $TMPDIR, or /var/tmp, and removed afterwards.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/benchdump.h"
#include "bench/figures.h"
#include "bench/plainreader.h"
#include "libkvm/kvm.h"
#include "tests/gen/dumpgen.h"

#define NROUNDS	  5
#define PLAIN	  "the way of readers before it"
#define CHUNK_LEN 1048576 /* bytes of a sequential read */

/* An argument: see print_open_memory(). */
#define OPEN_MEMORY "--open-memory"

static const char *self; /* this program */

static const struct bench_layout layouts[] = {
	{ "scattered", .run_max = 1, .map_percent = 95 },
	{ "runs", .run_max = 32, .map_percent = 95 },
	{ "mixed", .run_max = 32, .map_percent = 70, .big_percent = 40 },
};

#define ANY_WAY (BY_TABLE | BY_LARGE_PAGE | BY_DIRECT_MAP)

static const struct read_pattern by_table = { "random-8", BY_TABLE, 1 };

/* The others, which are measured against memcpy alone. */
static const struct read_pattern patterns[] = {
	{ "random-8-large-page", BY_LARGE_PAGE, 1 },
	{ "random-8-direct-map", BY_DIRECT_MAP, 1 },
	{ "random-8-all", ANY_WAY, 1 },
	{ "bursts-8-all", ANY_WAY, 32 },
};

/* Ours and the limit's speed in each round, the more the better. */
static void
report(const struct benchdump *b, const char *what, const char *limit_name,
    const char *unit, const double *ours, const double *limit)
{
	char about[64];
	const struct figures fg = { .fg_bench = what,
		.fg_about = about,
		.fg_unit = unit,
		.fg_limit_is = limit_name };

	(void)snprintf(about, sizeof(about),
	    "\"dump_gb\":%u, \"pages\":\"%s\", ", b->gigabytes,
	    b->layout->name);
	figures_print(&fg, ours, limit, NROUNDS);
}

/* ---- opening ---- */

/* Memory of our own, in kilobytes: what is not a file's. */
static long
own_memory_kb(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];
	long kb = 0;

	if (status == NULL)
		return (0);
	while (fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	(void)fclose(status);
	return (kb);
}

/* Print the kilobytes that a process takes for the first dump it opens. */
static int
print_open_memory(const char *kernel, const char *core)
{
	long before = own_memory_kb();
	kvm_t *kd = kvm_open2(kernel, core, O_RDONLY, NULL, NULL);

	printf("%ld\n", own_memory_kb() - before);
	return (kvm_close(kd) == 0 ? 0 : 1);
}

/*
 * The same, of a process of its own: one that has opened and closed a dump
 * would take the memory again that it gave back.
 */
static void
bench_open_memory(const struct benchdump *b)
{
	char command[2048];
	FILE *answer;
	long kb;

	(void)snprintf(command, sizeof(command),
	    "'%s' " OPEN_MEMORY " '%s' '%s'", self, b->kernel, b->core);
	answer = popen(command, "r");
	if (answer == NULL || fscanf(answer, "%ld", &kb) != 1 ||
	    pclose(answer) != 0)
		errx(1, "%s: no answer", command);
	printf("{\"bench\":\"open-memory\", \"dump_gb\":%u, \"pages\":\"%s\", "
	       "\"unit\":\"kB\", \"ours\":%ld, \"limit\":1024, "
	       "\"limit_is\":\"1 MB\", \"ratio\":%.3f}\n",
	    b->gigabytes, b->layout->name, kb, (double)kb / 1024);
}

static double
open_limit(const struct benchdump *b)
{
	double start = figures_now();
	int kernel = open(b->kernel, O_RDONLY);
	int core = open(b->core, O_RDONLY);
	struct stat st;
	volatile uint8_t first;
	void *map;

	(void)fstat(kernel, &st);
	if (fstat(core, &st) != 0)
		err(1, "%s", b->core);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, core, 0);
	if (map == MAP_FAILED)
		err(1, "%s", b->core);
	first = *(const uint8_t *)map;
	(void)first;
	start = figures_now() - start;
	(void)munmap(map, (size_t)st.st_size);
	(void)close(core);
	(void)close(kernel);
	return (start);
}

/* Opens of a second handle; times are told as opens per millisecond. */
static void
bench_open(struct benchdump *b)
{
	double ours[NROUNDS], limit[NROUNDS], plain[NROUNDS];

	for (size_t i = 0; i < NROUNDS; i++) {
		double start = figures_now();
		kvm_t *kd = kvm_open2(b->kernel, b->core, O_RDONLY, NULL, NULL);
		struct plainreader *pr;

		ours[i] = 1e-3 / (figures_now() - start);
		(void)kvm_close(kd);
		limit[i] = 1e-3 / open_limit(b);
		start = figures_now();
		pr = plain_open(b->core);
		plain[i] = 1e-3 / (figures_now() - start);
		plain_close(pr);
	}
	report(b, "open", "open and mmap of the same files", "opens/ms", ours,
	    limit);
	report(b, "open", PLAIN, "opens/ms", ours, plain);
}

/* ---- random reads ---- */

enum reader { BY_LIBKVM, BY_MEMCPY, BY_PREAD, BY_PLAIN };

/* Millions of reads of 8 bytes a second; every one is checked. */
static double
random_reads(const struct benchdump *b, kvm_t *kd, enum reader reader, size_t n)
{
	double start = figures_cpu_now();

	for (size_t i = 0; i < n; i++) {
		const struct known_word *known = &b->words[i];
		uint64_t word = 0;

		if (reader == BY_MEMCPY)
			memcpy(&word, b->map + known->off, 8);
		else if (reader == BY_PREAD)
			(void)!pread(b->fd, &word, 8, (off_t)known->off);
		else if (reader == BY_PLAIN)
			plain_read(b->plain, known->va, &word, 8);
		else if (kvm_read2(kd, known->va, &word, 8) != 8)
			errx(1, "%s", kvm_geterr(kd));
		if (word != known->value)
			errx(1, "wrong bytes at %#jx", (uintmax_t)known->va);
	}
	return ((double)n / (figures_cpu_now() - start) * 1e-6);
}

/* Ours and others' ways of reading, that take turns; ours is the first. */
struct rival {
	enum reader rv_reader;
	size_t rv_nreads;
	const char *rv_name;
};

#define NRIVALS 4

static const struct rival rivals[NRIVALS] = {
	{ BY_LIBKVM, BENCHDUMP_NWORDS, NULL },
	{ BY_MEMCPY, BENCHDUMP_NWORDS, "memcpy from known offsets" },
	{ BY_PREAD, BENCHDUMP_NWORDS / 4, "pread from known offsets" },
	{ BY_PLAIN, BENCHDUMP_NWORDS / 4, PLAIN },
};

/* A dump that is not mapped: one pread(2) for each read of ours. */
static const struct rival unmapped_rivals[] = {
	{ BY_LIBKVM, BENCHDUMP_NWORDS / 4, NULL },
	{ BY_PREAD, BENCHDUMP_NWORDS / 4, "pread from known offsets" },
};

/* Report our reads of the chosen words beside those of the first n rivals. */
static void
compare_reads(const struct benchdump *b, kvm_t *kd, const char *what,
    const struct rival *all, size_t n)
{
	double rates[NRIVALS][NROUNDS];

	/* Once for the page tables of this process. */
	for (size_t r = 0; r < n; r++)
		(void)random_reads(b, kd, all[r].rv_reader, all[r].rv_nreads);
	for (size_t i = 0; i < NROUNDS; i++)
		for (size_t r = 0; r < n; r++)
			rates[r][i] = random_reads(b, kd, all[r].rv_reader,
			    all[r].rv_nreads);
	for (size_t r = 1; r < n; r++)
		report(b, what, all[r].rv_name, "million reads/s", rates[0],
		    rates[r]);
}

static void
bench_random(struct benchdump *b)
{
	benchdump_choose(b, &by_table);
	compare_reads(b, b->kd, by_table.rp_name, rivals, NRIVALS);
}

/* The same for one of patterns, if the dump has pages for it. */
static void
bench_pattern(struct benchdump *b, const struct read_pattern *pattern)
{
	if (!benchdump_has(b, pattern->rp_ways))
		return;
	benchdump_choose(b, pattern);
	compare_reads(b, b->kd, pattern->rp_name, rivals, 2);
}

static void
bench_random_pread(struct benchdump *b)
{
	char errbuf[2048];
	kvm_t *kd;

	(void)setenv("KVM_NOMAP", "1", 1);
	kd = kvm_open2(b->kernel, b->core, O_RDONLY, errbuf, NULL);
	(void)unsetenv("KVM_NOMAP");
	if (kd == NULL)
		errx(1, "%s", errbuf);
	compare_reads(b, kd, "random-8-unmapped", unmapped_rivals, 2);
	(void)kvm_close(kd);
}

/* ---- sequential reads ---- */

/* The pages from i on that are adjacent in the kernel map, at most a chunk. */
static size_t
chunk_pages(const struct benchdump *b, size_t i)
{
	size_t n = 1;

	while (n < CHUNK_LEN / PAGE_LEN && i + n < b->npages &&
	    b->pages[i + n].va == b->pages[i].va + n * PAGE_LEN)
		n++;
	return (n);
}

static void
check_chunk(const struct benchdump *b, size_t i, size_t n, const uint8_t *buf)
{
	for (size_t k = 0; k < n * PAGE_LEN; k += 8) {
		uint64_t pa = b->pages[i + k / PAGE_LEN].pa + k % PAGE_LEN;
		uint64_t word;

		memcpy(&word, buf + k, 8);
		if (word != gen_word(b->seed, pa))
			errx(1, "wrong bytes at physical address %#jx",
			    (uintmax_t)pa);
	}
}

static void
read_chunk(const struct benchdump *b, enum reader reader, size_t i, size_t n,
    uint8_t *buf)
{
	if (reader == BY_LIBKVM) {
		if (kvm_read2(b->kd, b->pages[i].va, buf, n * PAGE_LEN) !=
		    (kssize_t)(n * PAGE_LEN))
			errx(1, "%s", kvm_geterr(b->kd));
		return;
	}
	/* A reader that knows the offsets also knows contiguous pages. */
	for (size_t k = 0; k < n;) {
		size_t m = 1;

		while (k + m < n &&
		    b->pages[i + k + m].off ==
			b->pages[i + k].off + m * PAGE_LEN)
			m++;
		if (reader == BY_MEMCPY)
			memcpy(buf + k * PAGE_LEN, b->map + b->pages[i + k].off,
			    m * PAGE_LEN);
		else
			(void)!pread(b->fd, buf + k * PAGE_LEN, m * PAGE_LEN,
			    (off_t)b->pages[i + k].off);
		k += m;
	}
}

/* Gigabytes a second, in address order; the check is not in the time. */
static double
sequential_reads(const struct benchdump *b, enum reader reader, uint8_t *buf)
{
	double elapsed = 0;

	for (size_t i = 0; i < b->npages;) {
		size_t n = chunk_pages(b, i);
		double start = figures_now();

		read_chunk(b, reader, i, n, buf);
		elapsed += figures_now() - start;
		check_chunk(b, i, n, buf);
		i += n;
	}
	return ((double)b->npages * PAGE_LEN / elapsed * 1e-9);
}

static void
bench_sequential(struct benchdump *b)
{
	double ours[NROUNDS], by_memcpy[NROUNDS], by_pread[NROUNDS];
	uint8_t *buf = malloc(CHUNK_LEN);

	if (buf == NULL)
		err(1, NULL);
	for (size_t i = 0; i < NROUNDS; i++) {
		by_memcpy[i] = sequential_reads(b, BY_MEMCPY, buf);
		ours[i] = sequential_reads(b, BY_LIBKVM, buf);
		by_pread[i] = sequential_reads(b, BY_PREAD, buf);
	}
	report(b, "sequential", "memcpy from known offsets", "GB/s", ours,
	    by_memcpy);
	report(b, "sequential", "pread from known offsets", "GB/s", ours,
	    by_pread);
	free(buf);
}

/* ---- walking all pages ---- */

struct walked {
	size_t npages;
	uint64_t sum; /* of file offsets, twice: each page is met once */
};

static int
count_page(struct kvm_page *page, void *arg)
{
	struct walked *walked = arg;

	if (page->kp_offset >= 0) {
		size_t npages = page->kp_len / PAGE_LEN;
		uint64_t first = (uint64_t)page->kp_offset;
		uint64_t last = first + page->kp_len - PAGE_LEN;

		walked->npages += npages;
		walked->sum += npages * (first + last);
	}
	return (1);
}

/* The least that a walk can do: call back for pages that are known. */
static struct walked
walk_known(const struct kvm_page *pages, size_t n,
    kvm_walk_pages_cb_t *volatile cb)
{
	struct walked walked = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct kvm_page page = pages[i];

		(void)cb(&page, &walked);
	}
	return (walked);
}

static int
keep_page(struct kvm_page *page, void *arg)
{
	struct kvm_page **next = arg;

	*(*next)++ = *page;
	return (1);
}

/* Million pages a second, of a walk that met the pages it should. */
static double
walk_speed(struct walked got, struct walked want, double seconds)
{
	if (got.npages != want.npages || got.sum != want.sum)
		errx(1, "walked %zu pages of %zu", got.npages, want.npages);
	return ((double)got.npages / seconds * 1e-6);
}

/* The pages of the dump as a walk reports them.  The caller frees them. */
static struct kvm_page *
list_pages(struct benchdump *b, size_t *n)
{
	struct kvm_page *pages =
	    calloc(b->npages_dumped + b->npages_dumped / 8 + 4096,
		sizeof(*pages));
	struct kvm_page *end = pages;

	if (pages == NULL)
		err(1, NULL);
	if (kvm_walk_pages(b->kd, keep_page, &end) != 1)
		errx(1, "%s", kvm_geterr(b->kd));
	*n = (size_t)(end - pages);
	return (pages);
}

static void
bench_walk(struct benchdump *b)
{
	double ours[NROUNDS], limit[NROUNDS], plain[NROUNDS];
	size_t n;
	struct kvm_page *pages = list_pages(b, &n);
	struct walked want = walk_known(pages, n, count_page);

	if (want.npages != b->npages_dumped)
		errx(1, "walked %zu pages of %zu", want.npages,
		    b->npages_dumped);
	for (size_t i = 0; i < NROUNDS; i++) {
		struct walked got = { 0 };
		double start = figures_cpu_now();

		(void)kvm_walk_pages(b->kd, count_page, &got);
		ours[i] = walk_speed(got, want, figures_cpu_now() - start);

		start = figures_cpu_now();
		got = walk_known(pages, n, count_page);
		limit[i] = walk_speed(got, want, figures_cpu_now() - start);

		got = (struct walked){ 0 };
		start = figures_cpu_now();
		plain_walk(b->plain, count_page, &got);
		plain[i] = walk_speed(got, want, figures_cpu_now() - start);
	}
	report(b, "walk", "callbacks for a list of the same pages",
	    "million pages/s", ours, limit);
	report(b, "walk", PLAIN, "million pages/s", ours, plain);
	free(pages);
}

/* ---- all of it ---- */

static void
bench_dump(struct benchdump *b)
{
	fprintf(stderr, "making a dump of %u GB, pages %s\n", b->gigabytes,
	    b->layout->name);
	benchdump_make(b);
	bench_open(b);
	bench_open_memory(b);
	bench_random(b);
	bench_random_pread(b);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		bench_pattern(b, &patterns[i]);
	bench_sequential(b);
	bench_walk(b);
	benchdump_remove(b);
}

int
main(int argc, char **argv)
{
	static const char *const sizes[] = { "1", "8" };
	const char *tmp = getenv("TMPDIR");
	char dir[512];
	struct benchdump b = { .seed = 20060424 };

	self = argv[0];
	if (argc > 1 && strcmp(argv[1], OPEN_MEMORY) == 0) {
		/* Anything else than two files would start this all over. */
		if (argc != 4)
			errx(2, OPEN_MEMORY " takes a kernel and a core");
		return (print_open_memory(argv[2], argv[3]));
	}
	(void)snprintf(dir, sizeof(dir), "%s/bench.XXXXXX",
	    tmp != NULL ? tmp : "/var/tmp");
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	(void)snprintf(b.core, sizeof(b.core), "%s/core", dir);
	(void)snprintf(b.kernel, sizeof(b.kernel), "%s/kernel", dir);
	for (int i = 0; i < (argc > 1 ? argc - 1 : 2); i++) {
		b.gigabytes =
		    (unsigned int)strtoul(argc > 1 ? argv[i + 1] : sizes[i],
			NULL, 10);
		for (size_t k = 0; k < sizeof(layouts) / sizeof(layouts[0]);
		     k++) {
			b.layout = &layouts[k];
			bench_dump(&b);
		}
	}
	(void)rmdir(dir);
	return (0);
}
