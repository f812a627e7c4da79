/*
 * A thread's frames as gdb wants them: see gdb_frames.h.
 *
 * gdb identifies a frame, and finds its variables, by an address: the stack
 * pointer of the caller.  The addresses must not decrease towards the outermost
 * frame, or gdb takes the stack for damaged.  But an interrupt's stack may be
 * above the one that it interrupted.  There, and where no stack pointer is
 * known, the frame's level replaces the address.
 */
#include "cli/gdb_frames.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libkvm/array.h"

/* A thread's frames, innermost first; the array is ours. */
struct gdb_stack {
	struct kdebug_frame *gf_frames;
	size_t gf_count;
	size_t gf_room;
	bool gf_cut; /* there are more */
};

static bool
reserve(struct gdb_stack *gf)
{
	struct kdebug_frame *frames = array_reserve(gf->gf_frames,
	    gf->gf_count + 1, &gf->gf_room, sizeof(*frames));

	if (frames == NULL)
		return (false);
	gf->gf_frames = frames;
	return (true);
}

/*
 * Take all frames but those at address 0, which come from a call through NULL:
 * gdb takes such a frame for the end of the stack, unless it is the innermost.
 */
static void
collect(struct gdb_stack *gf, struct kdebug_trace *tr)
{
	while (reserve(gf)) {
		struct kdebug_frame *frame = &gf->gf_frames[gf->gf_count];

		if (!kdebug_trace_next(tr, frame))
			break;
		if (gf->gf_count == 0 || frame->kf_pc != 0)
			gf->gf_count++;
	}
	gf->gf_cut = kdebug_trace_cut(tr);
}

/*
 * The addresses that identify the frames in gdb.  The outermost frame counts as
 * its own caller.  The caller frees them.  NULL: no memory.
 */
static uint64_t *
identify(const struct gdb_stack *gf, size_t sp)
{
	uint64_t *addresses = calloc(gf->gf_count + 1, sizeof(*addresses));
	uint64_t above = UINT64_MAX;

	for (size_t i = gf->gf_count; addresses != NULL && i-- > 0;) {
		size_t caller = i + 1 < gf->gf_count ? i + 1 : i;
		const struct kdebug_regs *regs = &gf->gf_frames[caller].kf_regs;
		bool known = (regs->rs_valid >> sp & 1) != 0;
		uint64_t address = known ? regs->rs_value[sp] : 0;

		if (address == 0 || address > above)
			address = i + 1;
		addresses[i] = above = address;
	}
	return (addresses);
}

static void
print_frame(FILE *out, const struct kdebug *kdb,
    const struct kdebug_frame *frame, uint64_t address)
{
	const struct kdebug_reg_desc *descs;
	size_t nregs = kdebug_reg_descs(kdb, &descs);

	fprintf(out, "%" PRIx64 " %" PRIx64, frame->kf_pc, address);
	for (size_t i = 0; i < nregs; i++) {
		if ((frame->kf_regs.rs_valid >> i & 1) != 0)
			fprintf(out, " %s=%" PRIx64, descs[i].rd_name,
			    frame->kf_regs.rs_value[i]);
	}
	fprintf(out, " : %s\n",
	    frame->kf_symbol != NULL ? frame->kf_symbol : "");
}

void
gdb_frames_print(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td, uint64_t id, size_t max)
{
	struct kdebug_trace *tr = kdebug_trace_create(dump->d_kdb, td);
	struct gdb_stack gf = { 0 };
	uint64_t *addresses;

	if (tr != NULL)
		collect(&gf, tr);
	kdebug_trace_destroy(tr);
	addresses = identify(&gf, kdebug_reg_of(dump->d_kdb, KDEBUG_SP));
	fprintf(out, "thread %" PRIu64 "%s\n", id, gf.gf_cut ? " cut" : "");
	if (addresses == NULL)
		max = 0;
	for (size_t i = 0; i < gf.gf_count && i < max && !ferror(out); i++)
		print_frame(out, dump->d_kdb, &gf.gf_frames[i], addresses[i]);
	free(addresses);
	free(gf.gf_frames);
}
