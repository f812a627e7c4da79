/*
 * The list of unreadable places: see badplaces.h.  Its length is bounded,
 * however many places a disk has.
 */
#include "cli/badplaces.h"

#include <err.h>
#include <inttypes.h>
#include <stdbool.h>

unsigned int
badplaces_listed(const struct badplaces *bad)
{
	return (bad->bps_n < BADPLACES_MAX ? (unsigned int)bad->bps_n :
					     BADPLACES_MAX);
}

void
badplaces_add(struct badplaces *bad, uint64_t off, uint64_t disk_off,
    uint64_t len)
{
	bool goes_on = bad->bps_n > 0 && bad->bps_end == off;
	struct badplace *place;

	if (!goes_on)
		bad->bps_n++;
	bad->bps_total += len;
	bad->bps_end = off + len;
	if (bad->bps_n > BADPLACES_MAX)
		return;
	place = &bad->bps_list[bad->bps_n - 1];
	if (!goes_on)
		*place = (struct badplace){ .bpl_off = off,
			.bpl_disk_off = disk_off };
	place->bpl_len += len;
	/* A textdump's bytes lie on the disk in the reverse order. */
	if (disk_off < place->bpl_disk_off)
		place->bpl_disk_off = disk_off;
}

void
badplaces_warn(const struct badplaces *bad, const char *device)
{
	unsigned int n = badplaces_listed(bad);

	for (unsigned int i = 0; i < n; i++)
		warnx("warning: %s: %" PRIu64 " bytes at %" PRIu64
		      " cannot be read: zeros from %" PRIu64 " of the dump on",
		    device, bad->bps_list[i].bpl_len,
		    bad->bps_list[i].bpl_disk_off, bad->bps_list[i].bpl_off);
	if (bad->bps_n > n)
		warnx("warning: %s: and %" PRIu64
		      " more places; in all %" PRIu64 " bytes are zeros",
		    device, bad->bps_n - n, bad->bps_total);
}
