/*
 * The list of unreadable places: see badplaces.h.  Its length is bounded,
 * however many places a disk has.
 */
#include "cli/badplaces.h"

#include <err.h>
#include <inttypes.h>

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
	bad->bps_total += len;
	if (bad->bps_n > 0 && bad->bps_n <= BADPLACES_MAX) {
		struct badplace *last = &bad->bps_list[bad->bps_n - 1];

		if (last->bpl_off + last->bpl_len == off) {
			last->bpl_len += len;
			if (disk_off < last->bpl_disk_off)
				last->bpl_disk_off = disk_off;
			return;
		}
	}
	if (bad->bps_n < BADPLACES_MAX)
		bad->bps_list[bad->bps_n] = (struct badplace){ .bpl_off = off,
			.bpl_len = len,
			.bpl_disk_off = disk_off };
	bad->bps_n++;
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
