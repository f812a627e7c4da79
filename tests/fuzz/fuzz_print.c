/*
 * How the command prints what a dump says: text for a terminal and for JSON,
 * and traces with their recursions folded.  The first letter picks which: t, u,
 * j, f.  Nothing that a terminal obeys may come out, and nothing may get lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fold.h"
#include "cli/json.h"
#include "cli/text.h"
#include "kdebug/escape.h"
#include "tests/fuzz/claim.h"

#define MAX_TEXT 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- text ---- */

/* The input as a terminal may see it; the caller frees it. */
static char *
safe_text(const char *bytes, size_t len, const char *keep)
{
	char *safe = malloc(ESCAPE_MAX * len + 2);

	claim(safe != NULL);
	(void)escape_text(safe, ESCAPE_MAX * len + 1, bytes, len, keep);
	return (safe);
}

static void
put_name(FILE *out, const char *bytes, size_t len)
{
	(void)len;
	text_put(out, bytes);
}

/* In pieces, each as long as the byte says with which it begins. */
static void
put_pieces(FILE *out, const char *bytes, size_t len)
{
	struct text tx = { 0 };
	FILE *before = stdout;

	stdout = out;
	for (size_t off = 0; off < len;) {
		size_t n = (size_t)(unsigned char)bytes[off] + 1;

		if (n > len - off)
			n = len - off;
		text_add(&tx, bytes + off, n);
		off += n;
	}
	text_end(&tx);
	stdout = before;
}

/* What the function prints is want. */
static void
check_printed(void (*put)(FILE *, const char *, size_t), const char *bytes,
    size_t len, const char *want)
{
	char *printed = NULL;
	size_t printed_len;
	FILE *out = open_memstream(&printed, &printed_len);

	claim(out != NULL);
	put(out, bytes, len);
	claim(fclose(out) == 0 && strcmp(printed, want) == 0);
	free(printed);
}

static void
check_name(const char *text)
{
	char *want = safe_text(text, strlen(text), "");

	claim(escape_is_clean(want));
	check_printed(put_name, text, strlen(text), want);
	free(want);
}

static void
check_message(char *bytes, size_t len)
{
	char text[MAX_TEXT] = "";
	size_t n = 0;
	char *want;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != '\0')
			text[n++] = bytes[i];
	want = safe_text(text, n, "\n\t");
	if (n > 0 && text[n - 1] != '\n')
		(void)strcat(want, "\n");
	check_printed(put_pieces, bytes, len, want);
	free(want);
}

static void
check_json(const char *text)
{
	json_t *value = json_text(text);
	json_t *plain = json_string(text);
	char *want = safe_text(text, strlen(text), "");

	claim(value != NULL);
	claim(strcmp(json_string_value(value), plain != NULL ? text : want) ==
	    0);
	json_decref(value);
	json_decref(plain);
	free(want);
}

/* ---- traces ---- */

/* Frames: a byte each, the address and, in the highest bit, whether it trapped. */
struct trace {
	const uint8_t *tra_frames;
	size_t tra_len;
	size_t tra_told; /* of them, shown or said to be repeats */
};

static void
check_frame(const struct trace *trace, size_t n,
    const struct kdebug_frame *frame)
{
	claim(n < trace->tra_len);
	claim(frame->kf_pc == (trace->tra_frames[n] & 0x7f));
	claim(frame->kf_trap == (trace->tra_frames[n] >> 7 != 0));
}

static void
show(void *arg, size_t n, const struct kdebug_frame *frame)
{
	struct trace *trace = arg;

	claim(n == trace->tra_told);
	check_frame(trace, n, frame);
	trace->tra_told++;
}

static void
repeat(void *arg, size_t n, const struct kdebug_frame *const *cycle,
    size_t ncycle)
{
	struct trace *trace = arg;

	claim(n > 0 && ncycle > 0 && n % ncycle == 0);
	for (size_t i = 0; i < n; i++)
		check_frame(trace, trace->tra_told++, cycle[i % ncycle]);
}

static void
check_fold(const uint8_t *frames, size_t len)
{
	struct trace trace = { .tra_frames = frames, .tra_len = len };
	struct fold fo = { .fo_show = show,
		.fo_repeat = repeat,
		.fo_arg = &trace };

	for (size_t i = 0; i < len; i++) {
		struct kdebug_frame frame = { .kf_pc = frames[i] & 0x7f,
			.kf_trap = frames[i] >> 7 != 0 };

		fold_add(&fo, &frame);
	}
	fold_end(&fo);
	claim(trace.tra_told == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[MAX_TEXT];
	size_t len = size - 1;

	if (size == 0 || len >= sizeof(text))
		return (0);
	memcpy(text, data + 1, len);
	text[len] = '\0';
	switch (data[0]) {
	case 't':
		check_message(text, len);
		break;
	case 'u':
		check_name(text);
		break;
	case 'j':
		check_json(text);
		break;
	default:
		check_fold(data + 1, len);
		break;
	}
	return (0);
}
