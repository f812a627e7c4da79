/*
 * A file mapped for reading, that survives the file being cut short.
 *
 * Touching a mapping behind the end of its file raises SIGBUS.  The handler
 * that is installed here puts zeros in the place of what is gone, from the
 * faulting page to the end of the mapping, and marks the mapping as torn; the
 * reader goes on and learns from mapping_torn() that what it read is no good.
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
 * Map the first len bytes of fd.  NULL: it cannot be mapped, or too many are;
 * the caller then reads in another way.
 */
struct mapping *mapping_create(int fd, size_t len);
void mapping_destroy(struct mapping *mp);

/*
 * Has a part of the mapping gone missing since it was made?  Ask after reading
 * from it and before believing what was read.
 */
static inline bool
mapping_torn(const struct mapping *mp)
{
	atomic_signal_fence(memory_order_seq_cst);
	return (atomic_load_explicit(&mp->mp_torn, memory_order_relaxed));
}

#endif
