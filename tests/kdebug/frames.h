/*
 * The frames of a thread's stack as a list.
 */
#ifndef TESTS_KDEBUG_FRAMES_H
#define TESTS_KDEBUG_FRAMES_H

#include <string.h>

#include "tests/kdebug/kernel.h"
#include "tests/support/unit.h"

/* The innermost frames of td, at most max.  Returns how many there are. */
static inline size_t
take_frames(struct kdebug *kdb, const struct kdebug_thread *td,
    struct kdebug_frame *frames, size_t max)
{
	struct kdebug_trace *tr = kdebug_trace_create(kdb, td);
	size_t n = 0;

	while (tr != NULL && n < max && kdebug_trace_next(tr, &frames[n]))
		n++;
	kdebug_trace_destroy(tr);
	return (n);
}

/* The frame of a thread that of an amd64 kernel that stands at pc. */
static inline struct kdebug_frame
frame_at(struct kernel *k, kvaddr_t pc)
{
	const struct kdebug_reg_desc *descs;
	struct kdebug_thread td = { 0 };
	struct kdebug_frame frame;
	size_t n;

	n = kdebug_reg_descs(k->k_kdb, &descs);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(descs[i].rd_name, "rip") == 0) {
			td.kt_regs.rs_value[i] = pc;
			td.kt_regs.rs_valid = (uint64_t)1 << i;
		}
	}
	assert_int_equal(take_frames(k->k_kdb, &td, &frame, 1), 1);
	return (frame);
}

#endif
