/*
 * A thread's backtrace as text and as JSON: see backtrace.h.
 */
#include "cli/backtrace.h"

#include <inttypes.h>

#include "cli/thread.h"

/* Of a trace, as many as are shown. */
#define FRAMES_MAX 256

/* ---- text ---- */

static void
print_frame(FILE *out, size_t n, const struct kdebug_frame *frame, int digits)
{
	if (frame->kf_trap && n > 0)
		fprintf(out, "--- trap ---\n");
	fprintf(out, "#%-2zu 0x%0*" PRIx64 " in ", n, digits, frame->kf_pc);
	if (frame->kf_symbol != NULL)
		fprintf(out, "%s+0x%" PRIx64, frame->kf_symbol,
		    frame->kf_offset);
	else
		fprintf(out, "??");
	if (frame->kf_module != NULL)
		fprintf(out, " [%s]", frame->kf_module);
	if (frame->kf_file != NULL)
		fprintf(out, " at %s:%d", frame->kf_file, frame->kf_line);
	putc('\n', out);
}

void
backtrace_print(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td)
{
	struct kdebug_frame frames[FRAMES_MAX];
	size_t nframes = kdebug_backtrace(dump->d_kdb, td, frames, FRAMES_MAX);
	int digits = (int)dump->d_core->kc_ptr_len * 2;

	fprintf(out, "thread %d %s\n", td->kt_tid, td->kt_display_name);
	for (size_t i = 0; i < nframes; i++)
		print_frame(out, i, &frames[i], digits);
	if (nframes == 0)
		fprintf(out, "no frames: its registers are not in the dump\n");
}

/* ---- JSON ---- */

static json_t *
frame_json(const struct dump *dump, const struct kdebug_frame *frame)
{
	bool symbol = frame->kf_symbol != NULL;
	bool file = frame->kf_file != NULL;

	return (json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "pc",
	    json_hex(frame->kf_pc, dump->d_core->kc_ptr_len), "symbol",
	    json_text(frame->kf_symbol), "offset",
	    symbol ? json_integer((json_int_t)frame->kf_offset) : json_null(),
	    "file", json_text(frame->kf_file), "line",
	    file ? json_integer(frame->kf_line) : json_null(), "module",
	    json_text(frame->kf_module), "trap", (int)frame->kf_trap,
	    "registers", registers_json(dump->d_kdb, &frame->kf_regs)));
}

json_t *
backtrace_frames_json(const struct dump *dump, const struct kdebug_thread *td)
{
	struct kdebug_frame frames[FRAMES_MAX];
	size_t nframes = kdebug_backtrace(dump->d_kdb, td, frames, FRAMES_MAX);
	json_t *array = json_array();

	for (size_t i = 0; i < nframes && array != NULL; i++) {
		json_t *object = frame_json(dump, &frames[i]);

		if (json_array_append_new(array, object) != 0) {
			json_decref(array);
			return (NULL);
		}
	}
	return (array);
}

json_t *
backtrace_json(const struct dump *dump, const struct kdebug_thread *td)
{
	json_t *object = thread_json(dump->d_kdb, td);
	json_t *frames;

	if (object == NULL)
		return (NULL);
	frames = backtrace_frames_json(dump, td);
	if (json_object_set_new(object, "frames", frames) != 0) {
		json_decref(object);
		return (NULL);
	}
	return (object);
}
