/*
 * What the helpers of one dump took together, and what the host refused them: see
 * helper.h for their bounds.
 * A helper writes it, so it lies in memory that they share with their parent.
 */
#ifndef LIBKVM_HELPCOST_H
#define LIBKVM_HELPCOST_H

#include <stdint.h>

struct helpcost {
	uint64_t hco_cpu_ms; /* CPU time of all, also of those that ended */
	uint64_t hco_memory; /* bytes that those have that did not end */
	int hco_error; /* of the host, which ended one: EIO, ENOMEM; 0: none */
};

/* One that is all zeros; NULL: no memory.  helpcost_destroy() ends it. */
struct helpcost *helpcost_create(void);

/* After the end of all helpers.  Destroying NULL does nothing. */
void helpcost_destroy(struct helpcost *hc);

#endif
