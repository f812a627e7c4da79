/*
 * same_memory KERNEL CORE OTHER: compare two dumps of one machine.
 *
 * Whatever CORE holds, OTHER must hold, too.  A line for each range of bytes
 * in which they differ, and for each page that OTHER lacks, by addresses of
 * the kernel:
 *
 *	differs 0xffffffff80222108 0xffffffff80222110
 *	lacks 0xfffff80000304000
 *	pages 2711
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libkvm/kvm.h"

#define PAGE_LEN   4096
#define ERRBUF_LEN 2048

struct compare {
	kvm_t *c_core;
	kvm_t *c_other;
	uint64_t c_npages;
	kvaddr_t c_start; /* the range of differences found last */
	kvaddr_t c_end;
};

static void
end_range(struct compare *c)
{
	if (c->c_end != c->c_start)
		printf("differs %#" PRIx64 " %#" PRIx64 "\n", c->c_start,
		    c->c_end);
	c->c_start = c->c_end = 0;
}

static void
differs(struct compare *c, kvaddr_t va)
{
	if (va != c->c_end) {
		end_range(c);
		c->c_start = va;
	}
	c->c_end = va + 1;
}

static void
compare_page(struct compare *c, kvaddr_t va)
{
	uint8_t page[PAGE_LEN], other[PAGE_LEN];

	c->c_npages++;
	if (kvm_read2(c->c_core, va, page, PAGE_LEN) != PAGE_LEN)
		errx(1, "%s", kvm_geterr(c->c_core));
	if (kvm_read2(c->c_other, va, other, PAGE_LEN) != PAGE_LEN) {
		printf("lacks %#" PRIx64 "\n", va);
		return;
	}
	if (memcmp(page, other, PAGE_LEN) == 0)
		return;
	for (unsigned int i = 0; i < PAGE_LEN; i++) {
		if (page[i] != other[i])
			differs(c, va + i);
	}
}

/* By its first address: libkvm reports a page once. */
static int
compare_run(struct kvm_page *run, void *arg)
{
	struct compare *c = arg;

	if (run->kp_offset == -1)
		return (1);
	for (size_t off = 0; off < run->kp_len; off += PAGE_LEN) {
		if (run->kp_kmap_vaddr != 0)
			compare_page(c, run->kp_kmap_vaddr + off);
		else
			compare_page(c, run->kp_dmap_vaddr + off);
	}
	return (1);
}

static kvm_t *
open_core(const char *kernel, const char *path)
{
	char errbuf[ERRBUF_LEN];
	kvm_t *kd = kvm_open2(kernel, path, O_RDONLY, errbuf, NULL);

	if (kd == NULL)
		errx(1, "%s", errbuf);
	return (kd);
}

int
main(int argc, char **argv)
{
	struct compare c = { .c_core = NULL };

	if (argc != 4)
		errx(1, "usage: same_memory KERNEL CORE OTHER");
	c.c_core = open_core(argv[1], argv[2]);
	c.c_other = open_core(argv[1], argv[3]);
	if (kvm_walk_pages(c.c_core, compare_run, &c) != 1)
		errx(1, "%s", kvm_geterr(c.c_core));
	end_range(&c);
	printf("pages %" PRIu64 "\n", c.c_npages);
	kvm_close(c.c_other);
	kvm_close(c.c_core);
	return (0);
}
