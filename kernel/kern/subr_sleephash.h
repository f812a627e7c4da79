/*
 * The table of sleep queues, for subr_sleepqueue.c; sleepq_lookup() of
 * sys/sleepqueue.h finds one.  With sched_lock held, but for sleephash_grow() and
 * sleephash_shrink().
 */
#ifndef KERNEL_KERN_SUBR_SLEEPHASH_H
#define KERNEL_KERN_SUBR_SLEEPHASH_H

#include "kernel/sys/param.h"

struct sleepqueue;

/* By sq_wchan, for which there is none; LIST_REMOVE() of sq_hash takes it out. */
void sleephash_insert(struct sleepqueue *sq);

/* There is one thread more.  May sleep for memory. */
void sleephash_grow(void);

/* And one less. */
void sleephash_shrink(void);

/* The first queue of a chain, below sleephash_nchains(); they lead to the others. */
struct sleepqueue *sleephash_chain(size_t i);
size_t sleephash_nchains(void);

#endif
