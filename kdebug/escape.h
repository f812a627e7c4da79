/*
 * Text out of a dump, made safe for a terminal.
 *
 * Printable ASCII and valid UTF-8 pass.  Every other byte becomes \xNN: control
 * characters (C1 ones too), bytes that are not UTF-8, and characters that are not
 * seen or change the direction of the text around them.  A backslash passes, so the
 * result is for reading and cannot be turned back with certainty.
 */
#ifndef KDEBUG_ESCAPE_H
#define KDEBUG_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* The most that one byte grows to. */
#define ESCAPE_MAX 4

/*
 * Escape in[0 .. in_len) into out, which holds out_len bytes (at least 1) and
 * is always ended with a NUL.  Control characters that the string keep lists
 * pass as well: "\n\t" for a text of many lines, "" for a name.
 *
 * Returns how many bytes of in were used: all, if out_len is more than
 * ESCAPE_MAX * in_len; a character is never cut in two.
 */
size_t escape_text(char *out, size_t out_len, const char *in, size_t in_len,
    const char *keep);

/* True if escape_text() would change nothing in the string s. */
bool escape_is_clean(const char *s);

#endif
