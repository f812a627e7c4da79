/*
 * A simulated machine: physical memory with gaps, every byte of it known,
 * kernel page tables in it, and a model of which page is mapped where and
 * registered as what.
 *
 * Looking at anything but a page of its memory ends the test: that is what a
 * kernel would die of.
 */
#ifndef TESTS_DUMPER_SIM_H
#define TESTS_DUMPER_SIM_H

#include "dumper/dumper.h"

#define SIM_KERNBASE UINT64_C(0xffffffff80000000)
#define SIM_KVA_LEN  UINT64_C(0x80000000)
#define SIM_DMAP     UINT64_C(0xfffff80000000000)
#define SIM_DMAP_END UINT64_C(0xfffffc0000000000)

#define SIM_MAXRANGES 8
#define SIM_MAXMAPS   512
#define SIM_MAXTABLES 512

#define SIM_V  UINT64_C(0x001)
#define SIM_RW UINT64_C(0x002)
#define SIM_PS UINT64_C(0x080)
#define SIM_NX (UINT64_C(1) << 63)

/* The kernel's data: the address of the root is in it. */
#define SIM_DATA_VA (SIM_KERNBASE + 0x200000)

/* len bytes at va, at pa; what is not memory of it is not there. */
struct sim_map {
	uint64_t va, pa, len;
};

struct sim {
	struct dump_range ranges[SIM_MAXRANGES];
	size_t nranges;
	uint64_t npages;
	uint8_t *memory;     /* of all ranges, one after the other */
	uint8_t *classes;    /* by page: 1 << enum dump_class */
	uint8_t *taken;	     /* by page: a table, or mapped */
	uint8_t *unreadable; /* by page */
	void *pages_mem;
	struct dump_pages pages;
	struct dump_machine machine;
	struct dump_work work;
	struct sim_table {
		uint64_t pa;
		uint64_t va, len; /* what it maps */
	} tables[SIM_MAXTABLES];  /* of the kernel map, root first */
	size_t ntables;
	struct sim_map maps[SIM_MAXMAPS];
	size_t nmaps;
	struct sim_map lost; /* what damaged entries would map: not mapped */
	uint64_t data_pa;
	uint8_t msgbuf[10000];
	uint8_t msgbuf_tail[72]; /* directly after it */
	uint64_t random;
};

/*
 * Make a machine of these ranges, in bytes, with kernel data at SIM_DATA_VA
 * and nothing else mapped.
 */
struct sim *sim_create(const struct dump_range *ranges, size_t nranges,
    uint64_t seed);
void sim_destroy(struct sim *sim);

/* A number below n. */
uint64_t sim_random(struct sim *sim, uint64_t n);

/* The index of pa's page among all; UINT64_MAX: it is not memory. */
uint64_t sim_index(const struct sim *sim, uint64_t pa);

/* The address of a page, by its index. */
uint64_t sim_pa(const struct sim *sim, uint64_t index);

/* The bytes of the page at pa, which is memory. */
uint8_t *sim_bytes(struct sim *sim, uint64_t pa);

/* A page that nothing else has, and that may be dumped. */
uint64_t sim_page(struct sim *sim);

/* Map 1 << (12 + 9 * level) bytes at va to pa, both aligned to that. */
void sim_map(struct sim *sim, uint64_t va, uint64_t pa, unsigned int level,
    uint64_t flags);

/* The table that holds the entry of va at a level, and the entry's 8 bytes. */
uint64_t sim_table(struct sim *sim, uint64_t va, unsigned int level);
uint8_t *sim_entry(struct sim *sim, uint64_t va, unsigned int level);

/* Overwrite that entry; what it maps counts as lost. */
void sim_damage(struct sim *sim, uint64_t va, unsigned int level,
    uint64_t entry);

/* Where va is mapped, by the model; false: nowhere, or it is lost. */
bool sim_translate(const struct sim *sim, uint64_t va, uint64_t *pa);

/* Register pages at random, in all classes, and map some at random. */
void sim_scatter(struct sim *sim);

void sim_add(struct sim *sim, uint64_t pa, enum dump_class class);

/* Who owns the page, as the machine says; some of it is nonsense. */
uint8_t sim_owner(const struct sim *sim, uint64_t pa);

/* Is the page in a dump of this format and flags?  By the model alone. */
bool sim_dumped(const struct sim *sim, uint64_t pa, enum dump_format format,
    unsigned int flags);

#endif
