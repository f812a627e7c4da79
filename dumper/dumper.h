/*
 * Crash dumps for any kernel: the one header that its author needs.
 *
 * Three things are needed, and all of their memory is the kernel's:
 *
 *  1. A page set, made at boot from the physical segments.  From then on the
 *     allocators say which pages hold kernel data that no page table leads to:
 *     dump_add_page(pa) before an address is handed out, dump_drop_page(pa)
 *     before the page is free again.  And which mapped pages hold what must
 *     not leave the machine, or would be of no use: dump_add_never(pa).  Any
 *     CPU, any context, no lock.
 *  2. A machine and sinks: how to look at memory, where to write.
 *  3. One call when all is lost, with the other CPUs stopped and interrupts
 *     off: dump_write().
 *
 *	static struct dump_work work;
 *	struct dump_request req = {
 *		.dr_machine = &machine,
 *		.dr_format = DUMP_FORMAT_MINIDUMP1,
 *		.dr_sinks = sinks,
 *		.dr_nsinks = 2,
 *		.dr_work = &work,
 *	};
 *	struct dump_result res;
 *	int error = dump_write(&req, &res);
 *
 * Nothing here allocates, sleeps, takes a lock or calls anything but memcpy(),
 * memset(), memcmp() and what it was given.  Nothing is trusted: page tables
 * may be what the kernel died of.  Functions return 0 or a positive errno.
 *
 * dumper(9) explains; examples/ has a whole program.
 */
#ifndef DUMPER_DUMPER_H
#define DUMPER_DUMPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dumper/dump_page.h"
#include "format/arch.h"
#include "format/dumpset.h"
#include "format/owner.h"

#define DUMP_PAGE_SIZE 4096

/*
 * Errors of its own: FreeBSD's numbers, because a kernel need not have
 * errno.h.  An error of a sink is passed on unchanged.
 */
enum {
	DUMP_EIO = 5,
	DUMP_ENXIO = 6,	    /* no sink */
	DUMP_E2BIG = 7,	    /* does not fit: nothing was overwritten */
	DUMP_EBUSY = 16,    /* inside a dump already: a second panic */
	DUMP_EINVAL = 22,   /* the request makes no sense */
	DUMP_EAGAIN = 35,   /* an estimate, interrupted by a dump */
	DUMP_ECANCELED = 85 /* the cancel hook said so */
};

/* ---- The page set ---- */

/* Physical memory, half-open. */
struct dump_range {
	uint64_t r_start; /* bytes */
	uint64_t r_end;
};

/* Why a page is in a dump. */
enum dump_class {
	DUMP_CLASS_CORE, /* the kernel needs it: always */
	DUMP_CLASS_BULK, /* page array, reverse maps: what grows with memory */
	DUMP_CLASS_USER, /* only when it is asked for */
	/*
	 * In no minidump, even if it is mapped and whatever other class it is
	 * in.  It is not followed as a page table either, for a table's entries
	 * are in a dump.  A full dump is all of memory and holds it.
	 */
	DUMP_CLASS_NEVER,
	DUMP_NCLASSES
};

/* The fields are the dumper's.  See dump_pages_init(). */
struct dump_pages {
	struct dumpset dp_set;		   /* which bit is which page */
	uint64_t dp_nwords;		   /* of each bitmap */
	uint64_t *dp_class[DUMP_NCLASSES]; /* atomic */
	uint64_t *dp_base;		   /* a dump's own from here on */
	uint64_t *dp_frozen;
	uint64_t dp_ignored; /* atomic: calls with what is not memory */
};

/*
 * How many bytes of memory a page set needs: six bits for each page of the
 * ranges, which are all memory that can be dumped, free or not.  0: they are
 * not page aligned, ascending and disjoint, or there are none.
 */
size_t dump_pages_len(const struct dump_range *ranges, size_t nranges);

/*
 * Make an empty set in mem, which is aligned to 8 bytes and belongs to the set
 * from now on; ranges are copied.  EINVAL: len is less than dump_pages_len()
 * says, or that is 0.
 */
int dump_pages_init(struct dump_pages *dp, const struct dump_range *ranges,
    size_t nranges, void *mem, size_t len);

/*
 * Add the page that pa lies in to a class, or drop it from all classes.  A page
 * of several classes counts for the first of them, unless it is in
 * DUMP_CLASS_NEVER.  An address that is not memory changes nothing but
 * dp_ignored.
 */
void dump_pages_add(struct dump_pages *dp, uint64_t pa, enum dump_class class);
void dump_pages_drop(struct dump_pages *dp, uint64_t pa);

/* Is the page in that class? */
bool dump_pages_has(const struct dump_pages *dp, uint64_t pa,
    enum dump_class class);

/* How many pages are in that class. */
uint64_t dump_pages_count(const struct dump_pages *dp, enum dump_class class);

/*
 * The pages that the last dump or estimate chose, in ascending order: *next is
 * 0 at first, and each call puts one into *pa until there is none.  To account
 * for a dump: in dh_planned, or after dump_estimate().  After a full dump,
 * these are the pages that a minidump would have held.
 */
bool dump_pages_next(const struct dump_pages *dp, uint64_t *next, uint64_t *pa);

/*
 * Name the set that dump_add_page() and the other calls of dump_page.h change:
 * the machine's own.  Called once, at boot.
 */
void dump_pages_install(struct dump_pages *dp);

/* ---- The machine ---- */

/* Pages that dm_owners() is asked for at a time. */
#define DUMP_OWNERS_MAX 32

struct dump_machine {
	/* The machine whose page tables are walked: ARCH_AMD64, four levels. */
	enum dump_arch dm_arch;

	struct dump_pages *dm_pages;
	void *dm_arg; /* for the functions below */

	/*
	 * Look at the page of memory at pa, which is page aligned and inside of
	 * the page set's ranges.  The pointer stays valid, and the page what it
	 * is, until dump_write() returns.  NULL: it cannot be read.
	 */
	const void *(*dm_page)(void *arg, uint64_t pa);

	/*
	 * Which memory does the bulk page at pa describe?  Called with i = 0,
	 * 1, ... until it returns false; each *out is one range.  A bulk page
	 * is dumped if it describes a page that is dumped.  May be NULL: then
	 * all bulk pages are.
	 */
	bool (*dm_describes)(void *arg, uint64_t pa, unsigned int i,
	    struct dump_range *out);

	/*
	 * Who owns the n pages from pa on, which lie in one range of the page set:
	 * *owner is an enum page_owner for each.  At most DUMP_OWNERS_MAX.  May
	 * be NULL: then a dump does not say it.
	 */
	void (*dm_owners)(void *arg, uint64_t pa, unsigned int n,
	    uint8_t *owner);

	uint64_t dm_root_pa;	   /* top-level page table of the kernel */
	unsigned int dm_phys_bits; /* of physical addresses; 0: 52 */

	/*
	 * The kernel map, whose page tables are walked: from dm_kva_start on, a
	 * multiple of 2 MB (of 1 GB for version 3), dm_kva_len bytes, rounded
	 * up to 2 MB.
	 */
	uint64_t dm_kva_start;
	uint64_t dm_kva_len;

	/* The direct map: physical address 0 is at dm_dmap_start. */
	uint64_t dm_dmap_start;
	uint64_t dm_dmap_end;

	/* Where the kernel was loaded, for full dumps.  0, 0: not said. */
	uint64_t dm_load_va;
	uint64_t dm_load_pa;

	/*
	 * Device memory that the kernel maps on purpose.  A last-level entry
	 * that leads neither to memory nor here is reported.
	 */
	const struct dump_range *dm_devices;
	size_t dm_ndevices;

	const void *dm_msgbuf; /* the ring; NULL: none */
	uint32_t dm_msgbuf_len;
	/*
	 * Bytes after the ring that fill up its last page in the dump, as far
	 * as they fit: FreeBSD's struct msgbuf, which tells where the ring
	 * begins even if no page table can be followed.
	 */
	uint32_t dm_msgbuf_tail;

	const char *dm_hostname; /* these three may be NULL */
	const char *dm_version;	 /* of the kernel, as its symbol "version" */
	const char *dm_panic;
	uint64_t dm_time; /* seconds since the epoch */
};

/* ---- Sinks ---- */

/* The dumper does not know the physical address: it is kernel memory. */
#define DUMP_NOPA UINT64_MAX

/*
 * A piece of what is written.  Always at a page boundary; a multiple of the
 * block length; at most one page if its physical address is not known, else
 * contiguous at iv_pa.
 */
struct dump_iov {
	const void *iv_base;
	uint64_t iv_pa; /* of iv_base, or DUMP_NOPA */
	size_t iv_len;	/* bytes */
};

enum dump_media {
	DUMP_MEDIA_DEVICE, /* dump at its end, a header before and after it */
	DUMP_MEDIA_FILE	   /* the dump alone, from offset 0 */
};

/* The most writes in flight, and the most pieces of each. */
#define DUMP_MAXDEPTH 4
#define DUMP_MAXIOV   128

struct dump_sink {
	const char *ds_name; /* for messages */
	void *ds_arg;	     /* for the functions below */
	enum dump_media ds_media;
	uint64_t ds_media_len;	/* bytes; DUMP_MEDIA_FILE: 0 is no limit */
	uint32_t ds_block_len;	/* bytes, a power of two, 512 to a page */
	uint32_t ds_max_io;	/* bytes, at least a page; 0: no limit */
	unsigned int ds_maxiov; /* pieces of a write; 0: DUMP_MAXIOV */
	unsigned int ds_depth;	/* writes in flight; 0: one */

	/* Get ready: called once before anything else.  May be NULL. */
	int (*ds_open)(void *arg);

	/*
	 * Start to write niov pieces, one after the other, at off; pieces and
	 * iov stay as they are until it is done.  tag is less than ds_depth and
	 * names no other write in flight.  An error here counts as a failed
	 * write.
	 */
	int (*ds_submit)(void *arg, unsigned int tag,
	    const struct dump_iov *iov, unsigned int niov, uint64_t off);

	/*
	 * Wait for any write in flight: its tag, and 0 or why it failed.  NULL:
	 * ds_submit() returns when the write is done.  Must come back, with an
	 * error and any tag in flight, when the device does not.
	 */
	int (*ds_wait)(void *arg, unsigned int *tag);

	/* Flush all that was written to the media.  May be NULL. */
	int (*ds_flush)(void *arg);

	/* Called once after ds_open() returned 0; error as of the dump. */
	void (*ds_close)(void *arg, int error);
};

/* ---- A dump ---- */

enum dump_format {
	DUMP_FORMAT_MINIDUMP1, /* FreeBSD's version 1: page-table entries */
	DUMP_FORMAT_MINIDUMP3, /* version 3: page directory, dump_avail */
	DUMP_FORMAT_FULL       /* all memory, as an ELF core */
};

/* Flags of a request.  With 0, a minidump has the core and its own bulk. */
#define DUMP_FLAG_ALLBULK  0x01 /* all bulk pages */
#define DUMP_FLAG_NOBULK   0x02 /* none */
#define DUMP_FLAG_ALLUSER  0x04 /* user pages too */
#define DUMP_FLAG_EXACT	   0x08 /* do not shrink it if a sink is too small */
#define DUMP_FLAG_NOOWNERS 0x10 /* do not say who owns which page */

/* How far a dump has come. */
enum dump_phase {
	DUMP_PHASE_IDLE,
	DUMP_PHASE_WALK,   /* choosing pages: no total yet */
	DUMP_PHASE_PLAN,   /* sizes: no total yet */
	DUMP_PHASE_CLEAR,  /* an old dump's header is being erased */
	DUMP_PHASE_DATA,   /* done of total bytes */
	DUMP_PHASE_HEADERS /* the dump becomes valid */
};

struct dump_result;

/* Each may be NULL. */
struct dump_hooks {
	void *dh_arg;

	/* Called often; the caller limits what it prints. */
	void (*dh_progress)(void *arg, enum dump_phase phase, uint64_t done,
	    uint64_t total);

	/* Called at least once per table walked and per write. */
	void (*dh_watchdog)(void *arg);

	/* As often: true ends the dump, with no valid header. */
	bool (*dh_cancelled)(void *arg);

	/*
	 * The set and its size are fixed; nothing is written yet.  What is
	 * printed now, about anomalies say, is in the dump's message buffer.
	 */
	void (*dh_planned)(void *arg, const struct dump_sink *sink,
	    const struct dump_result *res);

	/* This sink refused or failed; the next one, if any, is tried. */
	void (*dh_failed)(void *arg, const struct dump_sink *sink,
	    const struct dump_result *res);
};

/* Anomalies that a dump found. */
enum dump_bad {
	DUMP_BAD_RESERVED,   /* an entry with reserved bits */
	DUMP_BAD_TABLE,	     /* a table that is not in memory */
	DUMP_BAD_SELF,	     /* an entry that leads to a table above it */
	DUMP_BAD_PAGE,	     /* a page that is neither memory nor device */
	DUMP_BAD_UNREADABLE, /* a page that cannot be read: zeros instead */
	DUMP_BAD_NEVER,	     /* a table in a page that is never dumped */
	DUMP_NBAD
};

struct dump_anomaly {
	enum dump_bad da_kind;
	uint8_t da_level;  /* of the entry: 0 maps pages, 3 is the root */
	uint64_t da_va;	   /* first address that the entry maps */
	uint64_t da_entry; /* as found; of a page: 0 */
	uint64_t da_pa;	   /* where it leads, or the page */
};

#define DUMP_MAXRECORDED 16

struct dump_result {
	int res_error;
	size_t res_sink;	     /* index of the last one tried */
	enum dump_format res_format; /* as written: it may have shrunk */
	unsigned int res_flags;
	uint64_t res_bytes; /* of the dump, without dump headers */
	uint64_t res_need;  /* of media, for the least that can be dumped */

	/*
	 * The section of the dump that was being gathered when a write failed;
	 * what failed may lie a few writes before it.  NULL: none was.
	 */
	const char *res_section;

	/* The meaning of those bytes. */
	uint64_t res_msgbuf_bytes;
	uint64_t res_bitmap_bytes;
	uint64_t res_table_bytes;
	uint64_t res_owner_bytes;
	uint64_t res_pages[DUMP_NCLASSES]; /* of DUMP_CLASS_NEVER: 0 */

	/* Counted all, recorded the first few. */
	uint64_t res_bad[DUMP_NBAD];
	size_t res_nrecorded;
	struct dump_anomaly res_recorded[DUMP_MAXRECORDED];
};

/*
 * Memory for one dump: static, because there may be no other left.  Zeroed at
 * first, then the dumper's.
 */
#define DUMP_WORK_LEN (40 * DUMP_PAGE_SIZE)
struct dump_work {
	_Alignas(DUMP_PAGE_SIZE) unsigned char dw_space[DUMP_WORK_LEN];
};

struct dump_request {
	const struct dump_machine *dr_machine;
	enum dump_format dr_format;
	unsigned int dr_flags;		  /* DUMP_FLAG_ALLBULK, ... */
	const struct dump_sink *dr_sinks; /* in the order to try them */
	size_t dr_nsinks;
	const struct dump_hooks *dr_hooks; /* or NULL */
	struct dump_work *dr_work;
};

/*
 * Write a dump to the first sink that takes it.
 *
 * A dump that does not fit a sink is reduced, unless DUMP_FLAG_EXACT: a full
 * dump becomes a minidump (version 1); then user pages, then bulk beyond what
 * describes the dump, then the owners of pages, then all bulk are left out.
 * Whether it fits is known before anything is overwritten (E2BIG, and res_need).
 * Headers are written last: a dump is whole or absent.
 *
 * When a sink refuses or fails, the next is tried from the start; when the
 * cancel hook says so, none is.  Called from inside of itself, as a second
 * panic does, it returns EBUSY at once and leaves *res alone: then there will
 * be no dump, and it is time to reset.
 */
int dump_write(const struct dump_request *req, struct dump_result *res);

/*
 * What dump_write() would write now, without writing: *res for the first sink
 * that would take it, E2BIG if none would.  Without sinks, the size alone.
 * Safe on a running machine, where it is an estimate; a dump that comes in
 * between is not held up, and makes this return EAGAIN.
 */
int dump_estimate(const struct dump_request *req, struct dump_result *res);

/*
 * How far the dump in this work area has come; a second panic prints it.
 */
enum dump_phase dump_phase(const struct dump_work *work);

/*
 * Forget a dump that will never return, because a debugger caught the fault
 * inside of it: dump_write() can be called again.
 */
void dump_abandon(struct dump_work *work);

/* A constant text: what an anomaly is, how far a dump came. */
const char *dump_bad_name(enum dump_bad kind);
const char *dump_phase_name(enum dump_phase phase);

#endif
