/*
 * A dump to measure readers with, and where everything in it lies.
 */
#ifndef BENCH_BENCHDUMP_H
#define BENCH_BENCHDUMP_H

#include <stddef.h>
#include <stdint.h>

#include "libkvm/kvm.h"
#include "tests/gen/dumpgen.h"

#define PAGE_LEN 4096

/* Words that are known of a dump. */
#define BENCHDUMP_NWORDS 2000000

/* How the pages of a dump lie, and how the kernel maps them. */
struct bench_layout {
	const char *name;
	unsigned int run_max;	  /* pages that lie in a row, at most */
	unsigned int map_percent; /* of the pages, in 4 KB mappings */
	unsigned int big_percent; /* of the pages, in 2 MB mappings */
};

/* How a page is mapped.  The values are bits of rp_ways. */
enum known_way { BY_TABLE = 1, BY_LARGE_PAGE = 2, BY_DIRECT_MAP = 4 };

/* An address of a page, known beforehand. */
struct known_page {
	uint64_t va;
	uint64_t pa;
	uint64_t off; /* bytes into the file */
	enum known_way way;
};

/* A word, and where it is. */
struct known_word {
	uint64_t va;
	uint64_t off; /* bytes into the file */
	uint64_t value;
};

/* Which pages are read at random, and how. */
struct read_pattern {
	const char *rp_name;
	unsigned int rp_ways;  /* that they are mapped in */
	unsigned int rp_burst; /* reads in a row within BENCHDUMP_BURST_LEN */
};
#define BENCHDUMP_BURST_LEN 65536

struct benchdump {
	char core[600]; /* paths */
	char kernel[600];
	unsigned int gigabytes;
	const struct bench_layout *layout;
	uint64_t seed;

	struct gen *gen;
	/* First npages of the kernel map, ascending; then ndirect of the direct. */
	struct known_page *pages;
	size_t npages;
	size_t ndirect;
	size_t npages_dumped;
	struct known_word *words; /* BENCHDUMP_NWORDS, see benchdump_choose() */
	int fd;			  /* of the core */
	const uint8_t *map;
	size_t map_len;
	kvm_t *kd;
	struct plainreader *plain;
};

/*
 * Write the dump and its kernel, and open it in all ways.  The members up to the
 * seed are the caller's to fill in.  Exits with a message.
 */
void benchdump_make(struct benchdump *b);

/* Is there a page that is mapped in one of these ways? */
bool benchdump_has(const struct benchdump *b, unsigned int ways);

/*
 * List what will be read, so that readers are measured and not this.  The dump
 * must have pages for the pattern.
 */
void benchdump_choose(struct benchdump *b, const struct read_pattern *pattern);

void benchdump_remove(struct benchdump *b);

#endif
