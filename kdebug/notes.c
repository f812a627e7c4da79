/*
 * Notes about what could not be read: each line once, NOTES_MAX at most, the
 * bytes of the dump in it escaped.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kdebug/kdebug_int.h"
#include "libkvm/array.h"

static bool
has_note(const struct notes *no, const char *text)
{
	for (size_t i = 0; i < no->no_count; i++) {
		if (strcmp(no->no_text[i], text) == 0)
			return (true);
	}
	return (false);
}

static void
add_note(struct kdebug *kdb, const char *text)
{
	struct notes *no = &kdb->kdb_notes;
	const char **list = array_reserve(no->no_text, no->no_count + 1,
	    &no->no_room, sizeof(*list));

	if (list == NULL)
		return;
	no->no_text = list;
	no->no_text[no->no_count++] = text;
}

void
kdb_note(struct kdebug *kdb, const char *fmt, ...)
{
	struct notes *no = &kdb->kdb_notes;
	char line[512];
	const char *text;
	va_list ap;

	if (no->no_count >= NOTES_MAX)
		return;
	if (no->no_count == NOTES_MAX - 1) {
		add_note(kdb, "more was wrong than is told here");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (has_note(no, line))
		return;
	text = arena_text(&kdb->kdb_arena, line, strlen(line));
	if (text != NULL && !has_note(no, text))
		add_note(kdb, text);
}

void
kdb_note_symbol(struct kdebug *kdb, const char *thing, const char *symbol)
{
	if (kvm_has_symbols(kdb->kdb_kd))
		kdb_note(kdb, "%s: the kernel has no symbol %s", thing, symbol);
	else
		kdb_note(kdb, "%s: the kernel file has no symbols", thing);
}

size_t
kdebug_notes(const struct kdebug *kdb, const char *const **notes)
{
	*notes = kdb->kdb_notes.no_text;
	return (kdb->kdb_notes.no_count);
}
