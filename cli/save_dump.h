/*
 * Saving one dump from its device into a folder.
 */
#ifndef CLI_SAVE_DUMP_H
#define CLI_SAVE_DUMP_H

#include "cli/crashdir.h"
#include "disk/dumpdev.h"

struct save_source {
	struct dumpdev *src_dev;
	const struct dumpdev_dump *src_dump;
	const char *src_name; /* of the device, for people */
	bool src_salvage;     /* zeros where the disk cannot be read */
	bool src_has_sum;     /* write the SHA-256 of the file into info.N */
};

/*
 * Write vmcore.N or what else the dump is called, info.N and, for an encrypted
 * one, key.N.  All of them, or none: not when it fails, nor when a signal ends
 * the program, nor when the dump on the disk has changed before it was whole.
 * max as in crashdir_take_number().
 *
 * Returns an exit status, after a message unless it is EX_OK; then the name of
 * the dump's file is in core.
 */
int save_dump(struct crashdir *cd, const struct save_source *src, uint32_t max,
    char core[CRASHNAME_LEN]);

/* The exit status for what went wrong on the disk. */
int save_status(const struct trouble *tr);

#endif
