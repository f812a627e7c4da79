/*
 * UMA with its eyes open: see uma_debug.
 *
 * Trash callbacks for zones that have none of their own: freed memory is filled
 * with a pattern, and the next to get it, or to take the slab apart, panics at
 * the first word that is not as it was left.
 */
#ifndef KERNEL_VM_UMA_DBG_H
#define KERNEL_VM_UMA_DBG_H

#include "kernel/vm/uma.h"

#define UMA_JUNK 0xdeadc0de

int trash_ctor(void *mem, int size, void *arg, int flags);
void trash_dtor(void *mem, int size, void *arg);
int trash_init(void *mem, int size, int flags);
void trash_fini(void *mem, int size);

/*
 * The same for malloc: arg is the malloc type, and the last word of a free
 * item keeps it, so that a panic can say who had it last.
 */
int mtrash_ctor(void *mem, int size, void *arg, int flags);
void mtrash_dtor(void *mem, int size, void *arg);
int mtrash_init(void *mem, int size, int flags);
void mtrash_fini(void *mem, int size);

/* An item is handed out, or comes back; panics if that cannot be. */
void uma_dbg_alloc(uma_zone_t zone, void *item);
void uma_dbg_free(uma_zone_t zone, void *item);

#endif
