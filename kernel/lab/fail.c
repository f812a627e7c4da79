/*
 * The functions that are registered for the kernel's fail points.
 */
#include "kernel/sys/fail.h"

#ifdef FAIL_POINTS
fail_hook volatile fail_hooks[FAIL_NPOINTS];
fail_error_hook volatile fail_error_hooks[FAIL_NPOINTS];

void
fail_set(enum fail_point point, fail_hook hook)
{
	fail_hooks[point] = hook;
}

void
fail_set_error(enum fail_point point, fail_error_hook hook)
{
	fail_error_hooks[point] = hook;
}
#else
void
fail_set(enum fail_point point, fail_hook hook)
{
	(void)point;
	(void)hook;
}

void
fail_set_error(enum fail_point point, fail_error_hook hook)
{
	(void)point;
	(void)hook;
}
#endif
