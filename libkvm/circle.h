/*
 * Detects a circular list by Brent's algorithm.  Each element is compared with
 * one seen before, which is chosen anew at growing distances, so that it is in
 * the circle at last.  The walk ends after a few times the list's length at
 * most.
 */
#ifndef LIBKVM_CIRCLE_H
#define LIBKVM_CIRCLE_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as zeros. */
struct circle {
	uint64_t ci_mark; /* an element that was met; 0: none yet */
	uint64_t ci_left; /* steps until the next one is the mark */
	uint64_t ci_step;
};

/* The next element of the list is at va, not 0.  Was it met before? */
static inline bool
circle_closes(struct circle *ci, uint64_t va)
{
	if (va == ci->ci_mark)
		return (true);
	if (ci->ci_left == 0) {
		ci->ci_mark = va;
		ci->ci_step = ci->ci_step * 2 + 1;
		ci->ci_left = ci->ci_step;
	}
	ci->ci_left--;
	return (false);
}

#endif
