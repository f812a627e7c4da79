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

/* How pages are scattered over physical memory. */
struct layout {
	const char *name;
	unsigned int run_max; /* pages that lie in a row, at most */
};

/* A page of the kernel map, known beforehand. */
struct known_page {
	uint64_t va;
	uint64_t pa;
	uint64_t off; /* bytes into the file */
};

/* A word, and where it is. */
struct known_word {
	uint64_t va;
	uint64_t off; /* bytes into the file */
	uint64_t value;
};

struct benchdump {
	char core[600]; /* paths */
	char kernel[600];
	unsigned int gigabytes;
	const struct layout *layout;
	uint64_t seed;

	struct gen *gen;
	struct known_page *pages; /* ascending by address */
	size_t npages;
	size_t npages_dumped;
	struct known_word *words; /* BENCHDUMP_NWORDS, in random order */
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
void benchdump_remove(struct benchdump *b);

#endif
