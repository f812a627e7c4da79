/*
 * Declarations that the dumper's files share.  One dump_write() or
 * dump_estimate() makes an attempt at each sink, and all that it knows is in
 * struct attempt, made anew each time: nothing is left over from a sink that
 * failed.
 *
 *	dump.c		who may run, which sink, how small
 *	  plan.c	which pages: registered, walked (walk_*.c), selected
 *	  minidump1.c minidump3.c fulldump.c
 *			layouts, as tables of sections; minidump.c has the
 *			sections that versions share
 *	  owners.c	the section of owners
 *	  section.c	a layout's size, and the loop that writes it
 *	  device.c	where on the media, and the headers
 *	    stream.c	pieces gathered into writes, several in flight
 *	attempt.c	hooks and anomalies, for all of them
 */
#ifndef DUMPER_DUMPER_INT_H
#define DUMPER_DUMPER_INT_H

#include <assert.h>
#include <string.h>

#include "dumper/dumper.h"
#include "format/minidump.h"

#define PAGE_SHIFT 12
#define PAGE_MASK  ((uint64_t)DUMP_PAGE_SIZE - 1)

/* Kinds of sections that a layout may have. */
#define MAXSECTIONS 8

/* Pages of a write that are made up rather than found in memory. */
#define STAGE_PAGES 8

/* A write that is being gathered or in flight. */
struct slot {
	struct dump_iov slot_iov[DUMP_MAXIOV];
	unsigned int slot_niov;
	unsigned int slot_nstaged;
	size_t slot_len; /* bytes of all pieces */
	bool slot_busy;	 /* in flight */
};

/* The contents of struct dump_work. */
struct work {
	uint8_t wk_stage[DUMP_MAXDEPTH][STAGE_PAGES][DUMP_PAGE_SIZE];
	struct slot wk_slots[DUMP_MAXDEPTH];
	uint64_t wk_owner;  /* atomic: see dump.c */
	uint64_t wk_ticket; /* atomic: counts owners */
	uint32_t wk_phase;  /* atomic: enum dump_phase */
};

/* Bytes on their way to consecutive offsets of the media. */
struct stream {
	const struct dump_sink *st_sink;
	struct work *st_work;
	struct attempt *st_attempt; /* for its hooks */
	uint64_t st_off;	    /* media offset of the slot's first byte */
	uint64_t st_end;	    /* nothing is written from here on */
	unsigned int st_slot;	    /* being gathered */
	unsigned int st_depth;
	unsigned int st_maxiov;
	size_t st_max_io;
	int st_error; /* the first; sticks */
};

struct attempt {
	const struct dump_request *at_req;
	const struct dump_machine *at_machine;
	const struct dump_sink *at_sink; /* NULL: an estimate without one */
	struct dump_pages *at_pages;
	struct work *at_work;
	struct dump_result *at_res;
	const struct mmu *at_mmu;
	const struct dump_layout *at_layout; /* of at_format */
	enum dump_format at_format;	     /* may shrink */
	unsigned int at_flags;		     /* may shrink */
	unsigned int at_phys_bits;
	bool at_writing; /* not an estimate */
	enum dump_phase at_phase;
	uint64_t at_len[MAXSECTIONS]; /* bytes, by kind of section */
	/*
	 * Bytes that the dump takes at most, known before the first of them is
	 * written: what has to fit, and where the dump starts, depend on it.
	 * How many it has, res_bytes, may be fewer.
	 */
	uint64_t at_extent;
	uint64_t at_data_off; /* where on the media the dump starts */
	struct stream at_stream;
};

/* ---- attempt.c ---- */

/* Watchdog, cancel, progress.  DUMP_ECANCELED or 0. */
int attempt_poll(struct attempt *at, uint64_t done);
void attempt_phase(struct attempt *at, enum dump_phase phase);

/* Count an anomaly, and record it if there is room. */
void attempt_record(struct attempt *at, const struct dump_anomaly *what);

/* ---- pageset.c ---- */

/* Not the builtin, for which a compiler may call a library. */
static inline uint64_t
count_bits(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) +
	    (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (word * UINT64_C(0x0101010101010101) >> 56);
}

/* Any of the pages of r in a bitmap of the set? */
bool pages_any(const struct attempt *at, const uint64_t *bitmap,
    const struct dump_range *r);

/*
 * Put the memory of npages pages from pfn on into the base, except what is
 * registered as bulk or user only.  false: none of it is memory.
 */
bool pages_mark(struct attempt *at, uint64_t pfn, uint64_t npages);

/* A page of the dumper's own choice, whatever its class. */
void pages_force(struct attempt *at, uint64_t pfn);

/* Is pfn memory? */
bool pages_memory(const struct attempt *at, uint64_t pfn);

/* ---- Page tables: walk_*.c, one for each machine ---- */

/* Bits of an address that each level of page tables maps by. */
#define LEVEL_BITS 9

/* The span of an entry at level, as a power of two. */
static inline unsigned int
level_shift(unsigned int level)
{
	return (PAGE_SHIFT + LEVEL_BITS * level);
}

struct mmu {
	uint32_t mmu_arch_version; /* in headers of dumps */

	/* Put all that the kernel maps into the base.  DUMP_ECANCELED or 0. */
	int (*mmu_mark)(struct attempt *at);

	/*
	 * Write a page of entries at level, which map the kernel from va on.  A
	 * mapping by a larger page becomes the entries that it stands for; what
	 * is not mapped by an entry that can be believed becomes zeros.  So
	 * does what comes after the first n entries: no table that is found
	 * there is in the dump.
	 */
	int (*mmu_write)(const struct attempt *at, struct stream *st,
	    uint64_t va, unsigned int level, uint64_t n);
};

extern const struct mmu mmu_amd64;

/* ---- plan.c ---- */

/* Choose the base: what is registered as core and what is mapped. */
int plan_base(struct attempt *at);

/* Choose the frozen set: the base, and bulk and user pages by at_flags. */
int plan_select(struct attempt *at);

/* ---- stream.c ---- */

void stream_init(struct stream *st, struct attempt *at);
/* Write the next len bytes at off, and no more; nothing may be gathered yet. */
void stream_seek(struct stream *st, uint64_t off, uint64_t len);

/*
 * len bytes at base, page aligned, at physical address pa, or DUMP_NOPA and at
 * most a page.
 */
int stream_add(struct stream *st, const void *base, uint64_t pa, size_t len);

/* A page of zeros. */
int stream_zero(struct stream *st);

/*
 * A page to be made up: *page is to be filled before the next call here; its
 * first len bytes are written.
 */
int stream_stage(struct stream *st, size_t len, uint8_t **page);

/* Send what is gathered and wait for all in flight, error or not. */
int stream_drain(struct stream *st);

/* ---- Layouts: section.c ---- */

/* A part of a dump. */
struct section {
	unsigned int sec_kind; /* into ly_names and at_len */

	/* Bytes, a multiple of the page size. */
	uint64_t (*sec_len)(const struct attempt *at);

	/* Write exactly as many. */
	int (*sec_write)(struct attempt *at, struct stream *st);
};

/*
 * A kind of dump: its sections in the order of the file.  The first one is a
 * page by which the dump is recognized; in a file it is written last.
 */
struct dump_layout {
	const struct section *ly_sections;
	size_t ly_nsections;
	const char *const *ly_names; /* of kinds of sections */

	/*
	 * Copy the lengths of at_len to the fields of at_res.  DUMP_EINVAL: a
	 * dump of this kind cannot hold it.
	 */
	int (*ly_size)(struct attempt *at);

	/* Minidumps only: the version, and the level of the map's entries. */
	uint32_t ly_version;
	unsigned int ly_map_level;
	bool ly_dense; /* bit n is page n, not the n-th of the page set */
};

extern const struct dump_layout layout_minidump1;
extern const struct dump_layout layout_minidump3;
extern const struct dump_layout layout_full;

/*
 * Fill in at_len, and res_bytes and at_extent, which are their sum: no layout
 * is written shorter than its tables say.  DUMP_EINVAL: as ly_size says.
 */
int sections_size(struct attempt *at);

/* Write the sections from the one of that index on. */
int sections_write(struct attempt *at, struct stream *st, size_t first);

/* The length of a section of one page. */
uint64_t section_page_len(const struct attempt *at);

/* npages of memory from pa on; zeros, and recorded, for what is unreadable. */
int section_write_memory(struct attempt *at, struct stream *st, uint64_t pa,
    uint64_t npages);

/* ---- minidump.c: what versions share ---- */

int minidump_size(struct attempt *at);
int minidump_write_header(struct attempt *at, struct stream *st);
uint64_t minidump_msgbuf_len(const struct attempt *at);
int minidump_write_msgbuf(struct attempt *at, struct stream *st);
uint64_t minidump_map_len(const struct attempt *at);
int minidump_write_map(struct attempt *at, struct stream *st);
uint64_t minidump_pages_len(const struct attempt *at);

/* The pages of the frozen set, in ascending order. */
int minidump_write_pages(struct attempt *at, struct stream *st);

/* ---- owners.c ---- */

/* Bytes of the section of owners; the bitmap's length is known. */
uint64_t owners_len(const struct attempt *at);
int owners_write(struct attempt *at, struct stream *st);

/* ---- device.c ---- */

/* Can anything be written to it? */
bool device_valid(const struct dump_sink *sink);

/* Bytes of media that a dump with this at_extent needs. */
uint64_t device_need(const struct dump_sink *sink, uint64_t extent);
bool device_fits(const struct dump_sink *sink, uint64_t extent);

/* Erase an old dump, write this one, make it valid. */
int device_write(struct attempt *at);

#endif
