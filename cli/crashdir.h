/*
 * The folder that crash dumps are saved in, with the files that savecore(8)
 * keeps there: bounds, minfree, vmcore.N and their companions.
 *
 * A file is written under a name of its own beginning with a dot, and gets its
 * final name when all of it is on the disk.  One program at a time works in a
 * folder, so these names are always the same, and what a crash leaves behind
 * is overwritten by the next.  Where a stranger has taken such a name, another one
 * is used, and what a crash leaves there is removed by the next.
 *
 * Failures are reported on stderr; the functions return an exit status.
 */
#ifndef CLI_CRASHDIR_H
#define CLI_CRASHDIR_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

#include "cli/crashname.h"

#define CRASHDIR_MAX_FILES 3 /* of a dump */

/*
 * Dumps that are saved before it is closed: as many as a partition table has
 * entries, usually.  A hostile disk has a dump in each of its sectors, and files take
 * longer than their bytes.
 */
#define CRASHDIR_MAX_DUMPS 128
#define NEWFILE_LEN	   32

struct crashdir {
	const char *cd_path; /* the caller's */
	int cd_fd;	     /* -1: not open */
	int cd_lock_fd;	     /* the same */
	struct stat cd_folder;
	struct stat cd_source; /* of the disk or image; zeros: unknown */
	uid_t cd_uid; /* whom our files belong to; NFS may make root another */

	struct stat cd_info; /* of the info.N to be replaced; zeros: none */

	uint32_t cd_saved[CRASHDIR_MAX_DUMPS]; /* numbers, the last one last */
	unsigned int cd_nsaved;

	/* The files of the dump that was saved last. */
	unsigned int cd_nnames;
	struct crashname cd_names[CRASHDIR_MAX_FILES];
};

/* Not open: closing it is no error. */
#define CRASHDIR_NONE ((struct crashdir){ .cd_fd = -1, .cd_lock_fd = -1 })

/*
 * Open the folder and lock it.  Dumps are read from the file that is open as
 * source_fd.  If that file lies in the folder, it is not removed or replaced,
 * whatever its name is.
 */
int crashdir_open(struct crashdir *cd, const char *path, int source_fd);

/* Make the links that tell the last dump; if that fails, there is a warning only. */
void crashdir_close(struct crashdir *cd);

/*
 * The number of the next dump, which is counted as used.  max numbers go round and
 * replace old dumps, but none that was saved since the folder was opened; a number
 * above if none of them may be replaced.  max 0: what is there is kept.
 */
int crashdir_take_number(struct crashdir *cd, uint32_t max, uint32_t *number);

/* Is there room for len bytes besides what minfree reserves? */
int crashdir_check_room(const struct crashdir *cd, uint64_t len);

/* A file on its way.  Start with NEWFILE_NONE: abandoning that is no error. */
struct newfile {
	char nf_temp[NEWFILE_LEN]; /* "": it has its name, or is none */
	int nf_fd;		   /* -1: there is no file */
};
#define NEWFILE_NONE ((struct newfile){ .nf_temp = "", .nf_fd = -1 })

/*
 * Create a file that is called temp, or temp with a number if somebody's file of that
 * name cannot be removed.  No other newfile has that temp, which is ".saving." with
 * some small letters.
 */
int newfile_create(const struct crashdir *cd, const char *temp,
    unsigned int mode, struct newfile *nf);

/* Get all of it to the disk. */
int newfile_sync(const struct crashdir *cd, const struct newfile *nf);

/* Close it, and remove it unless it has its name. */
void newfile_abandon(const struct crashdir *cd, struct newfile *nf);

/*
 * Give nfiles files their names, each with the stem and suffix of its entry in
 * names.  What older dumps have left under this number goes if replaces is true,
 * and else it fails if there is anything.  So it does if another run has saved a
 * dump under this number since it was taken.  All of it, or none: when it fails, the
 * older files are there as they were.  Old links to the last dump go.
 */
int crashdir_publish(struct crashdir *cd, uint32_t number, bool replaces,
    struct newfile *files, const struct crashname *names, unsigned int nfiles);

#endif
