/*
 * Keeps the last thing that went wrong: see trouble.h.
 */
#include "disk/trouble.h"

#include <stdarg.h>
#include <stdio.h>

bool
trouble_note(struct trouble *tr, enum trouble_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(tr->trb_text, sizeof(tr->trb_text), fmt, ap);
	va_end(ap);
	tr->trb_kind = kind;
	return (false);
}
