/*
 * The last error of a search through a disk: its text, and whether the data, an
 * I/O error or another writer is to blame.
 */
#ifndef DISK_TROUBLE_H
#define DISK_TROUBLE_H

#include <stdbool.h>

enum trouble_kind {
	TROUBLE_NONE,
	TROUBLE_DATA,	/* what is on the disk is wrong */
	TROUBLE_IO,	/* the disk could not be read or written */
	TROUBLE_CHANGED /* somebody else writes to the disk meanwhile */
};

struct trouble {
	enum trouble_kind trb_kind;
	char trb_text[256];
};

/* Note it, in place of what was noted before.  Returns false. */
bool trouble_note(struct trouble *tr, enum trouble_kind kind, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
