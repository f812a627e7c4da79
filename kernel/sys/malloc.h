/*
 * malloc(9): kernel memory by the byte, accounted to a type.
 *
 *	MALLOC_DEFINE(M_FOO, "foo", "what foo keeps");
 *	p = malloc(len, M_FOO, M_WAITOK | M_ZERO);
 *	free(p, M_FOO);
 */
#ifndef KERNEL_SYS_MALLOC_H
#define KERNEL_SYS_MALLOC_H

#include <stddef.h>
#include <stdint.h>

/* How to allocate; one of the first two is given. */
#define M_NOWAIT      0x0001 /* fail rather than sleep */
#define M_WAITOK      0x0002 /* sleep rather than fail */
#define M_ZERO	      0x0100
#define M_NOVM	      0x0200 /* UMA's own: only memory that it already has */
#define M_USE_RESERVE 0x0400 /* with M_NOWAIT: to the last free page */
#define M_NODUMP      0x0800 /* in no minidump; malloc: pages of its own */
#define M_BULK	      0x1000 /* UMA's own: bulk, in dumps */

/* Guard: all counters are atomic. */
struct malloc_type {
	struct malloc_type *ks_next; /* of all that were ever used */
	const char *ks_shortdesc;
	const char *ks_longdesc;
	uint32_t ks_linked;
	uint64_t ks_numallocs;
	uint64_t ks_numfrees;
	uint64_t ks_memalloced; /* bytes, as zones round them */
	uint64_t ks_memfreed;
};

#define MALLOC_DEFINE(type, shortdesc, longdesc)                               \
	struct malloc_type type[1] = { { .ks_shortdesc = (shortdesc),          \
	    .ks_longdesc = (longdesc) } }
#define MALLOC_DECLARE(type) extern struct malloc_type type[1]

/* The kernel's own names, kept out of the way of a host's C library. */
#define malloc	kern_malloc
#define realloc kern_realloc
#define free	kern_free

/* NULL only with M_NOWAIT.  A size of 0 gets the smallest item. */
void *malloc(size_t size, struct malloc_type *type, int flags)
    __attribute__((__malloc__, __warn_unused_result__));

/* As realloc(3); on failure addr is untouched. */
void *realloc(void *addr, size_t size, struct malloc_type *type, int flags)
    __attribute__((__warn_unused_result__));

/* addr may be NULL; type is that of its allocation. */
void free(void *addr, struct malloc_type *type);

/* The panic when it is not. */
void malloc_wrong_type(const void *addr, const struct malloc_type *was,
    const struct malloc_type *type) __attribute__((__noreturn__));

/*
 * size bytes of memory whose physical addresses are consecutive, in [low, high),
 * aligned, and not across a multiple of boundary, 0 for none: contigmalloc(9).  size
 * is rounded up to pages; alignment and boundary are powers of two.  NULL, also
 * with M_WAITOK, which waits for kernel addresses only: there is no such memory.
 * For a thread that holds no lock but sx.
 */
void *contigmalloc(size_t size, struct malloc_type *type, int flags,
    uint64_t low, uint64_t high, size_t alignment, uint64_t boundary)
    __attribute__((__malloc__, __warn_unused_result__));
void contigfree(void *addr, size_t size, struct malloc_type *type);

/* Other allocators count for a type what they give and take. */
void malloc_type_allocated(struct malloc_type *type, size_t size);
void malloc_type_freed(struct malloc_type *type, size_t size);

/* Usable bytes of an allocation: what was asked for, or more. */
size_t malloc_usable_size(const void *addr);

/* What a type has at this moment. */
struct malloc_type_stats {
	const char *mts_name;
	uint64_t mts_inuse;  /* allocations */
	uint64_t mts_memuse; /* bytes */
	uint64_t mts_requests;
};

/* Call visit for each type that was ever used, the newest first. */
void malloc_stats_foreach(void (*visit)(const struct malloc_type_stats *stats,
			      void *arg),
    void *arg);

/* Create the zones; after uma_startup. */
void kmeminit(void);

#endif
