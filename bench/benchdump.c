/*
 * Makes a dump with tests/gen, and remembers the offset of each of its words:
 * see benchdump.h.
 */
#include "bench/benchdump.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/plainreader.h"

#define GB (UINT64_C(1) << 30)

static bool
collect_mapping(const struct gen_mapping *m, void *arg)
{
	struct benchdump *b = arg;

	if (m->state != GEN_OK)
		return (true);
	for (uint64_t done = 0; done < m->len; done += PAGE_LEN) {
		struct known_page *page = &b->pages[b->npages];

		*page = (struct known_page){ .va = m->va + done,
			.pa = m->pa + done,
			.way =
			    m->leaf_len > PAGE_LEN ? BY_LARGE_PAGE : BY_TABLE };
		if (gen_page_off(b->gen, page->pa, &page->off))
			b->npages++;
	}
	return (true);
}

static bool
collect_direct(const struct gen_page *page, void *arg)
{
	struct benchdump *b = arg;

	b->pages[b->npages + b->ndirect++] = (struct known_page){
		.va = page->dmap_va,
		.pa = page->pa,
		.off = page->off,
		.way = BY_DIRECT_MAP,
	};
	return (true);
}

/*
 * Only pages with plain contents can be checked by their address; the kernel's
 * own data and page tables are few and left out.
 */
static size_t
drop_special_pages(const struct benchdump *b, struct known_page *pages,
    size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t want[PAGE_LEN];

		gen_fill(b->seed, pages[i].pa, want, sizeof(want));
		if (memcmp(b->map + pages[i].off, want, sizeof(want)) == 0)
			pages[kept++] = pages[i];
	}
	return (kept);
}

static void
collect_pages(struct benchdump *b)
{
	b->pages = calloc(2 * b->npages_dumped + 1, sizeof(*b->pages));
	if (b->pages == NULL)
		err(1, NULL);
	(void)gen_foreach_mapping(b->gen, collect_mapping, b);
	b->npages = drop_special_pages(b, b->pages, b->npages);
	(void)gen_foreach_page(b->gen, collect_direct, b);
	b->ndirect = drop_special_pages(b, b->pages + b->npages, b->ndirect);
}

static void
write_dump(struct benchdump *b)
{
	struct gen_spec spec = {
		.gs_arch = "amd64",
		.gs_version = 3,
		.gs_flags = GEN_PLAIN,
		.gs_seed = b->seed,
		.gs_mem_len = b->gigabytes * GB,
		.gs_phys_len = 64 * GB,
		.gs_map_percent = b->layout->map_percent,
		.gs_big_percent = b->layout->big_percent,
		.gs_run_max = b->layout->run_max,
	};
	const char *why;

	if ((b->gen = gen_create(&spec, &why)) == NULL)
		errx(1, "dump of %u GB: %s", b->gigabytes, why);
	if (gen_write_core(b->gen, b->core) != 0 ||
	    gen_write_kernel(b->gen, b->kernel) != 0)
		err(1, "%s", b->core);
}

/* The next number of a xorshift sequence. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state);
}

/* A page that is mapped in one of these ways. */
static const struct known_page *
choose_page(const struct benchdump *b, unsigned int ways, uint64_t *state)
{
	const struct known_page *page;

	do
		page = &b->pages[(next_random(state) >> 9) %
		    (b->npages + b->ndirect)];
	while ((page->way & ways) == 0);
	return (page);
}

/* How many pages from this one on are in a burst. */
static size_t
count_near(const struct benchdump *b, const struct known_page *page)
{
	const struct known_page *end = b->pages + b->npages + b->ndirect;
	size_t n = 1;

	while (page + n < end && page[n].way == page->way &&
	    page[n].va - page->va < BENCHDUMP_BURST_LEN)
		n++;
	return (n);
}

bool
benchdump_has(const struct benchdump *b, unsigned int ways)
{
	size_t i = 0, end = b->npages + b->ndirect;

	while (i < end && (b->pages[i].way & ways) == 0)
		i++;
	return (i < end);
}

void
benchdump_choose(struct benchdump *b, const struct read_pattern *pattern)
{
	const struct known_page *first = NULL;
	uint64_t state = UINT64_C(88172645463325252);
	size_t near = 0;

	for (size_t i = 0; i < BENCHDUMP_NWORDS; i++) {
		const struct known_page *page;
		uint64_t in_page = next_random(&state) % (PAGE_LEN / 8) * 8;

		if (i % pattern->rp_burst == 0) {
			first = choose_page(b, pattern->rp_ways, &state);
			near = count_near(b, first);
		}
		page = first;
		if (pattern->rp_burst > 1)
			page += (next_random(&state) >> 9) % near;
		b->words[i] = (struct known_word){ .va = page->va + in_page,
			.off = page->off + in_page,
			.value = gen_word(b->seed, page->pa + in_page) };
	}
}

static void
open_dump(struct benchdump *b)
{
	struct gen_facts facts;
	char errbuf[2048];
	struct stat st;
	void *map;

	gen_facts(b->gen, &facts);
	b->npages_dumped = (size_t)facts.npages;
	if ((b->fd = open(b->core, O_RDONLY)) < 0 || fstat(b->fd, &st) != 0)
		err(1, "%s", b->core);
	b->map_len = (size_t)st.st_size;
	map = mmap(NULL, b->map_len, PROT_READ, MAP_SHARED, b->fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s", b->core);
	b->map = map;
	collect_pages(b);
	b->words = calloc(BENCHDUMP_NWORDS, sizeof(*b->words));
	if (b->words == NULL)
		err(1, NULL);
	b->kd = kvm_open2(b->kernel, b->core, O_RDONLY, errbuf, NULL);
	if (b->kd == NULL)
		errx(1, "%s", errbuf);
	b->plain = plain_open(b->core);
}

void
benchdump_make(struct benchdump *b)
{
	write_dump(b);
	open_dump(b);
}

void
benchdump_remove(struct benchdump *b)
{
	plain_close(b->plain);
	(void)kvm_close(b->kd);
	(void)munmap((void *)(uintptr_t)b->map, b->map_len);
	(void)close(b->fd);
	gen_destroy(b->gen);
	free(b->words);
	free(b->pages);
	(void)unlink(b->core);
	(void)unlink(b->kernel);
	b->npages = b->ndirect = 0;
}
