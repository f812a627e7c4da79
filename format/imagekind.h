/*
 * Images of disks that are not raw: the files of virtual machines, and what
 * was compressed.  They are told by their first bytes, or last ones.
 *
 * Facts: QEMU's block drivers (qcow2, qcow, qed, vmdk, vdi, vhdx, vpc,
 * parallels, dmg) and the formats' own specifications.
 */
#ifndef FORMAT_IMAGEKIND_H
#define FORMAT_IMAGEKIND_H

#include "format/bytes.h"

/* The bytes that are needed of a file's start and of its end. */
#define IMAGEKIND_HEAD_LEN 512
#define IMAGEKIND_TAIL_LEN 512

struct imagekind {
	const char *ik_name; /* "a qcow2 image" */
	/* The beginning of a command that makes the file raw.  Its name comes next. */
	const char *ik_todo;
	/* What stands between that name and the result's: " > ".  NULL: no result. */
	const char *ik_to;
	/* What foreign_name() calls such a file. */
	const char *ik_foreign; /* NULL: that it is opened as it is */
};

/*
 * The first and the last bytes of a file, or fewer if it is shorter; tail ends
 * where the file does.  NULL: a raw image, as far as one can tell.  The result
 * is a constant.
 */
const struct imagekind *imagekind_find(struct span head, struct span tail);

#endif
