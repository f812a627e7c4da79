/*
 * The GUID partition table of a disk: whichever of its copies is whole.
 */
#ifndef DISK_GPTDISK_H
#define DISK_GPTDISK_H

#include "disk/disk.h"
#include "disk/trouble.h"
#include "format/gpt.h"

struct gptdisk {
	struct gpt_hdr gdk_hdr;
	uint8_t *gdk_array; /* owned; gpt_array_len() bytes */
};

/*
 * Read it: the first copy or the second one, written in sectors of any length.
 * false: no copy is whole.  If there is none at all, *tr stays as it is.
 */
bool gptdisk_read(const struct disk *dk, struct gptdisk *out,
    struct trouble *tr);
void gptdisk_free(struct gptdisk *gd);

#endif
