/*
 * Places where a test may break the kernel on purpose, in the spirit of
 * FreeBSD's fail(9).
 *
 *	FAIL_POINT(FAIL_LOCK_HELD, lo);
 *
 * calls what lab/ has registered for that place; at first nothing is.
 *
 *	error = FAIL_ERROR(FAIL_BIO, bp);
 *
 * lets what is registered there choose an error, and is 0 if nothing is.  Built
 * with -Dfail_points=false, the kernel has neither places nor calls.
 */
#ifndef KERNEL_SYS_FAIL_H
#define KERNEL_SYS_FAIL_H

#include <stddef.h>

#include "kernel/sys/cdefs.h"

enum fail_point {
	FAIL_TICK,	/* CPU 0's clock, in its interrupt */
	FAIL_NMI,	/* in an NMI */
	FAIL_LOCK_HELD, /* by the new holder; arg: the struct lock_object */
	FAIL_DUMP,	/* a dump tells how far it is, or writes */
	FAIL_SUBMIT,	/* a disk got a request; arg: the struct disk */
	FAIL_BIO,	/* a disk has done a request; arg: the struct bio */
	FAIL_PAGE_IN,	/* busy, before a pager reads; arg: its contents */
	FAIL_PAGE_OUT,	/* busy, before a pager writes; arg: its contents */
	FAIL_NPOINTS
};

typedef void (*fail_hook)(const void *arg);
typedef int (*fail_error_hook)(const void *arg); /* 0 or an errno */

#ifdef FAIL_POINTS
extern fail_hook volatile fail_hooks[FAIL_NPOINTS]; /* NULL: goes on */
extern fail_error_hook volatile fail_error_hooks[FAIL_NPOINTS];

static inline int
fail_error(enum fail_point point, const void *arg)
{
	fail_error_hook hook = fail_error_hooks[point];

	return (__predict_false(hook != NULL) ? hook(arg) : 0);
}
#define FAIL_ERROR(point, arg) fail_error(point, arg)

#define FAIL_POINT(point, arg)                                                 \
	do {                                                                   \
		fail_hook hook_ = fail_hooks[point];                           \
                                                                               \
		if (__predict_false(hook_ != NULL))                            \
			hook_(arg);                                            \
	} while (0)
#else
#define FAIL_POINT(point, arg) ((void)sizeof(arg))
#define FAIL_ERROR(point, arg) ((void)sizeof(arg), 0)
#endif

/* Call hook at that place from now on; NULL: go on there. */
void fail_set(enum fail_point point, fail_hook hook);
void fail_set_error(enum fail_point point, fail_error_hook hook);

#endif
