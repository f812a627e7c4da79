/*
 * A call by another thread, whose sleep the test can see.
 */
#ifndef TESTS_VM_CALLS_H
#define TESTS_VM_CALLS_H

#include <stdbool.h>

#include "tests/vm/sim.h"

#include "kernel/vm/vm_object.h"

struct call {
	void (*cl_func)(struct call *cl);
	vm_object_t cl_object;
	unsigned int cl_cpu;
	int cl_error;
	struct simthread *cl_thread;
	bool cl_ended; /* atomic */
};

/* Go on when the call has ended, or sleeps. */
void call_start(struct call *cl);
void call_await(struct call *cl);

bool call_ended(const struct call *cl);

/* What cl_func may be: the object goes, or its pages; or "sim0" goes. */
void call_deallocate(struct call *cl);
void call_remove(struct call *cl);
void call_swapoff(struct call *cl);

#endif
