/*
 * A file mapped for reading, which may be truncated while it is mapped.
 *
 * Access to a mapping past the end of its file raises SIGBUS.  The handler that
 * is installed here maps zeros from the faulting page to the end of the mapping
 * and marks the mapping as torn.  The reader goes on, and learns from
 * mapping_torn() that the bytes it read cannot be trusted.
 */
#ifndef LIBKVM_MAPPING_H
#define LIBKVM_MAPPING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
	_Atomic(uint8_t *) mp_base; /* NULL: the slot is free */
	_Atomic size_t mp_len;
	atomic_bool mp_torn;
	atomic_bool mp_used;
};

/*
 * Map the first len bytes of fd.  NULL: it cannot be mapped, or too many files
 * are; the caller then reads with pread(2).
 */
struct mapping *mapping_create(int fd, size_t len);
void mapping_destroy(struct mapping *mp);

/*
 * Has the file been truncated inside the mapping?  Ask this after reading from
 * it and before the bytes are used.
 */
static inline bool
mapping_torn(const struct mapping *mp)
{
	atomic_signal_fence(memory_order_seq_cst);
	return (atomic_load_explicit(&mp->mp_torn, memory_order_relaxed));
}

#endif
