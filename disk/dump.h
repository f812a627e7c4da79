/*
 * A crash dump on a disk: what its two headers say, and how much of that is
 * to be believed.
 */
#ifndef DISK_DUMP_H
#define DISK_DUMP_H

#include "disk/partitions.h"
#include "format/kerneldump.h"

/* The judgement by a header's lengths, parity and first copy. */
enum dumpdev_status {
	DUMPDEV_GOOD,
	DUMPDEV_DOUBTFUL, /* damaged, but its bytes can be found */
	DUMPDEV_BAD	  /* not even that */
};

struct dumpdev_dump {
	struct kerneldump_hdr
	    dmp_hdr; /* not decoded if dmp_place is not known */
	struct kerneldump_place dmp_place;  /* from the start of the disk */
	uint32_t dmp_sector_len;	    /* what the headers take */
	char dmp_where[PARTITION_NAME_LEN]; /* the partition; "": the disk */
	bool dmp_cleared; /* saved before; dmp_hdr is as it was before that */
	enum dumpdev_status dmp_status;
	const char *dmp_why; /* what is wrong, unless it is good; a constant */

	/* Both headers as they were found, but those that cannot be read. */
	bool dmp_first_lost, dmp_last_lost;
	bool
	    dmp_ambiguous; /* bad: its one header, at kpl_last_off, may be either */
	bool dmp_last_other; /* not the dump's own: it must not be marked */
	uint8_t dmp_first[KERNELDUMP_HDR_LEN];
	uint8_t dmp_last[KERNELDUMP_HDR_LEN];
};

#endif
