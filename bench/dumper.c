/*
 * The dump writer against what the machine can do.
 *
 *  - Choosing pages and adding up sizes, for machines of 64 GB and 1 TB that
 *    are described and not there: page tables are, and a page array's pages are
 *    registered as bulk.  The limit is one second.
 *  - Bytes per second of a dump into memory, against memcpy(3) of as many bytes
 *    that lie in a row; and into a file, against write(2) of the same bytes.
 *
 * One JSON object a line goes to stdout: ours, the limit, and the ratio of the
 * two as median, lowest and highest of the rounds.
 *
 * usage: bench_dumper
 *
 * The files are made in $TMPDIR, or /var/tmp, and removed afterwards.
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/figures.h"
#include "dumper/dumper.h"

#define NROUNDS 5
#define PAGE	((uint64_t)DUMP_PAGE_SIZE)
#define GB	(UINT64_C(1) << 30)
#define IO_LEN	(1 << 20)

#define KERNBASE UINT64_C(0xffffffff80000000)
#define DMAP	 UINT64_C(0xfffff80000000000)

/* 100 MB of the kernel map are used, in pages of 4 KB. */
#define NMAPPED 25600

/* The page tables lie here, before what else is used. */
#define TABLES_PA UINT64_C(0x100000)
#define NTABLES	  (3 + NMAPPED / 512)
#define MEMORY_LEN                                                             \
	(512 * (UINT64_C(1) << 20)) /* of the machine that is there */

#define VM_PAGE_LEN 64 /* bytes of the page array for each page */

struct machine {
	uint64_t len;	   /* bytes of physical memory */
	uint8_t *memory;   /* NULL: not there */
	uint64_t array_pa; /* the page array */
	uint64_t (*tables)[512];
	void *pages_mem;
	struct dump_pages pages;
	struct dump_machine desc;
};

static struct dump_work work;
static uint64_t random_state = 88172645463325252;

static void
report(const char *what, const char *unit, const char *limit_is,
    const double *ours, const double *limit)
{
	const struct figures fg = { .fg_bench = what,
		.fg_about = "",
		.fg_unit = unit,
		.fg_limit_is = limit_is };

	figures_print(&fg, ours, limit, NROUNDS);
}

/* xorshift64, by George Marsaglia. */
static uint64_t
next_random(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state % n);
}

static void *
allocate(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);

	if (p == MAP_FAILED)
		err(1, "%zu bytes", len);
	return (p);
}

/* ---- Machines ---- */

static const void *
look(void *arg, uint64_t pa)
{
	const struct machine *m = arg;

	if (m->memory != NULL)
		return (m->memory + pa);
	if (pa < TABLES_PA || pa >= TABLES_PA + NTABLES * PAGE)
		errx(1, "no page at %#jx", (uintmax_t)pa);
	return (m->tables[(pa - TABLES_PA) / PAGE]);
}

static bool
describes(void *arg, uint64_t pa, unsigned int i, struct dump_range *out)
{
	const struct machine *m = arg;
	uint64_t first = (pa - m->array_pa) / VM_PAGE_LEN;

	if (i > 0)
		return (false);
	out->r_start = first * PAGE;
	out->r_end = (first + PAGE / VM_PAGE_LEN) * PAGE;
	return (true);
}

/* The root, one table of each level below, and the last level in a row. */
static void
make_tables(struct machine *m)
{
	uint64_t(*t)[512] = m->tables;

	t[0][511] = (TABLES_PA + PAGE) | 3;
	t[1][510] = (TABLES_PA + 2 * PAGE) | 3;
	for (uint64_t i = 0; i < NTABLES - 3; i++)
		t[2][i] = (TABLES_PA + (3 + i) * PAGE) | 3;
	for (uint64_t i = 0; i < NMAPPED; i++)
		t[3 + i / 512][i % 512] = (m->len / 2 + (i ^ 5) * PAGE) | 3;
}

/*
 * The kernel's pages of the direct map: one in 500, in groups of up to 32, in a
 * part of memory that is kept for them.
 */
static void
register_core(struct machine *m, uint64_t npages)
{
	while (npages > 0) {
		uint64_t pa =
		    m->len / 4 + next_random(m->len / 8) / PAGE * PAGE;

		for (uint64_t n = next_random(32) + 1; n > 0 && npages > 0;
		     n--, npages--, pa += PAGE)
			dump_pages_add(&m->pages, pa, DUMP_CLASS_CORE);
	}
}

static void
register_array(struct machine *m)
{
	uint64_t len = m->len / PAGE * VM_PAGE_LEN;

	m->array_pa = m->len - len;
	for (uint64_t pa = m->array_pa; pa < m->len; pa += PAGE)
		dump_pages_add(&m->pages, pa, DUMP_CLASS_BULK);
}

static void
machine_init(struct machine *m, uint64_t len, uint8_t *memory)
{
	struct dump_range range = { .r_end = len };
	size_t set_len = dump_pages_len(&range, 1);

	*m = (struct machine){ .len = len, .memory = memory };
	m->tables = memory != NULL ? (void *)(memory + TABLES_PA) :
				     allocate(NTABLES * PAGE);
	m->pages_mem = allocate(set_len);
	if (dump_pages_init(&m->pages, &range, 1, m->pages_mem, set_len) != 0)
		errx(1, "no page set");
	make_tables(m);
	m->desc = (struct dump_machine){ .dm_arch = ARCH_AMD64,
		.dm_pages = &m->pages,
		.dm_arg = m,
		.dm_page = look,
		.dm_describes = describes,
		.dm_root_pa = TABLES_PA,
		.dm_kva_start = KERNBASE,
		.dm_kva_len = 2 * GB,
		.dm_dmap_start = DMAP,
		.dm_dmap_end = DMAP + len };
}

static struct dump_request
request(struct machine *m, enum dump_format format,
    const struct dump_sink *sink)
{
	return ((struct dump_request){ .dr_machine = &m->desc,
	    .dr_format = format,
	    .dr_sinks = sink,
	    .dr_nsinks = sink != NULL,
	    .dr_work = &work });
}

/* ---- Choosing pages ---- */

static void
bench_plan(const char *what, uint64_t len, enum dump_format format)
{
	double ours[NROUNDS], limit[NROUNDS];
	struct dump_result res;
	struct dump_request req;
	struct machine m;

	machine_init(&m, len, NULL);
	register_core(&m, len / PAGE / 500);
	register_array(&m);
	req = request(&m, format, NULL);
	for (int i = 0; i < NROUNDS; i++) {
		double start = figures_now();

		if (dump_estimate(&req, &res) != 0 || res.res_nrecorded != 0)
			errx(1, "%s: estimate failed", what);
		ours[i] = figures_now() - start;
		limit[i] = 1;
	}
	fprintf(stderr, "%s: %ju MB: core %ju, bulk %ju pages\n", what,
	    (uintmax_t)res.res_bytes >> 20,
	    (uintmax_t)res.res_pages[DUMP_CLASS_CORE],
	    (uintmax_t)res.res_pages[DUMP_CLASS_BULK]);
	report(what, "s", "1 s", ours, limit);
	(void)munmap(m.pages_mem,
	    dump_pages_len(&(struct dump_range){ .r_end = len }, 1));
	(void)munmap(m.tables, NTABLES * PAGE);
}

/* ---- Writing ---- */

static int
submit_memory(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	uint8_t *p = (uint8_t *)arg + off;

	(void)tag;
	for (unsigned int i = 0; i < niov; p += iov[i++].iv_len)
		memcpy(p, iov[i].iv_base, iov[i].iv_len);
	return (0);
}

static int
submit_file(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	struct iovec vec[DUMP_MAXIOV];
	size_t len = 0;

	(void)tag;
	for (unsigned int i = 0; i < niov; i++) {
		vec[i].iov_base = (void *)(uintptr_t)iov[i].iv_base;
		vec[i].iov_len = iov[i].iv_len;
		len += iov[i].iv_len;
	}
	return (pwritev(*(int *)arg, vec, (int)niov, (off_t)off) ==
		    (ssize_t)len ?
		0 :
		DUMP_EIO);
}

static double
time_dump(struct machine *m, const struct dump_sink *sink, uint64_t *len)
{
	struct dump_request req = request(m, DUMP_FORMAT_MINIDUMP1, sink);
	struct dump_result res;
	double start = figures_now();

	if (dump_write(&req, &res) != 0)
		errx(1, "dump failed: error %d", res.res_error);
	*len = res.res_bytes;
	return (figures_now() - start);
}

static void
bench_memory(struct machine *m)
{
	double ours[NROUNDS], limit[NROUNDS];
	uint8_t *target = allocate(MEMORY_LEN);
	const struct dump_sink sink = { .ds_name = "memory",
		.ds_arg = target,
		.ds_media = DUMP_MEDIA_FILE,
		.ds_block_len = 512,
		.ds_submit = submit_memory };
	uint64_t len;

	memset(target, 1, MEMORY_LEN);
	for (int i = 0; i < NROUNDS; i++) {
		double seconds = time_dump(m, &sink, &len);
		double start = figures_now();

		ours[i] = (double)len / 1e6 / seconds;
		memcpy(target, m->memory, len);
		limit[i] = (double)len / 1e6 / (figures_now() - start);
	}
	report("dump-memory", "MB/s", "memcpy of as many bytes in a row", ours,
	    limit);
	(void)munmap(target, MEMORY_LEN);
}

static int
make_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/bench.XXXXXX",
	    dir != NULL ? dir : "/var/tmp");
	if ((fd = mkstemp(path)) < 0)
		err(1, "%s", path);
	(void)unlink(path);
	return (fd);
}

/* The same bytes that the dump had, read back into memory before. */
static double
time_write(const uint8_t *bytes, uint64_t len)
{
	int fd = make_file();
	double start = figures_now();

	for (uint64_t off = 0; off < len; off += IO_LEN) {
		size_t n = len - off < IO_LEN ? (size_t)(len - off) : IO_LEN;

		if (write(fd, bytes + off, n) != (ssize_t)n)
			err(1, "write");
	}
	if (fsync(fd) != 0)
		err(1, "fsync");
	start = figures_now() - start;
	(void)close(fd);
	return (start);
}

static int
flush_file(void *arg)
{
	return (fsync(*(int *)arg) == 0 ? 0 : DUMP_EIO);
}

static void
bench_file(struct machine *m)
{
	double ours[NROUNDS], limit[NROUNDS];
	uint8_t *bytes = allocate(MEMORY_LEN);
	struct dump_sink sink = { .ds_name = "file",
		.ds_media = DUMP_MEDIA_FILE,
		.ds_block_len = 512,
		.ds_submit = submit_file,
		.ds_flush = flush_file };
	uint64_t len;

	for (int i = 0; i < NROUNDS; i++) {
		int fd = make_file();
		double seconds;

		sink.ds_arg = &fd;
		seconds = time_dump(m, &sink, &len);
		ours[i] = (double)len / 1e6 / seconds;
		if (pread(fd, bytes, len, 0) != (ssize_t)len)
			err(1, "pread");
		(void)close(fd);
		limit[i] = (double)len / 1e6 / time_write(bytes, len);
	}
	report("dump-file", "MB/s", "write of the same bytes", ours, limit);
	(void)munmap(bytes, MEMORY_LEN);
}

int
main(void)
{
	uint8_t *memory = allocate(MEMORY_LEN);
	struct machine m;

	bench_plan("plan-64gb-v1", 64 * GB, DUMP_FORMAT_MINIDUMP1);
	bench_plan("plan-64gb-v3", 64 * GB, DUMP_FORMAT_MINIDUMP3);
	bench_plan("plan-1tb-v1", 1024 * GB, DUMP_FORMAT_MINIDUMP1);
	bench_plan("plan-1tb-v3", 1024 * GB, DUMP_FORMAT_MINIDUMP3);

	for (uint64_t i = 0; i < MEMORY_LEN; i += 8)
		memcpy(memory + i, &i, 8);
	memset(memory + TABLES_PA, 0, NTABLES * PAGE);
	machine_init(&m, MEMORY_LEN, memory);
	register_core(&m, 40000);
	bench_memory(&m);
	bench_file(&m);
	return (0);
}
