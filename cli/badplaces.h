/*
 * The places of a dump that could not be read, where its copy has zeros.
 */
#ifndef CLI_BADPLACES_H
#define CLI_BADPLACES_H

#include <stdint.h>

/* So many are remembered one by one; the others are only counted. */
#define BADPLACES_MAX 16

struct badplace {
	uint64_t bpl_off; /* into the dump */
	uint64_t bpl_len;
	uint64_t bpl_disk_off;
};

/* Start with zeros. */
struct badplaces {
	struct badplace bps_list[BADPLACES_MAX];
	uint64_t bps_n;	    /* all places */
	uint64_t bps_total; /* bytes */
	uint64_t bps_end;   /* of the last place, into the dump */
};

/* Add a place; one that starts where the last one ends becomes a part of it. */
void badplaces_add(struct badplaces *bad, uint64_t off, uint64_t disk_off,
    uint64_t len);

/* How many are in the list. */
unsigned int badplaces_listed(const struct badplaces *bad);

/* Name them in warnings that begin with the device's name. */
void badplaces_warn(const struct badplaces *bad, const char *device);

#endif
