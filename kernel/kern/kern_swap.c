/*
 * Devices for swap, by name.
 *
 *	swapon vtbd0p2		from now on
 *	swapoff vtbd0p2		all that is there comes back first
 *	swapinfo		what there is
 *
 * They are what dumps go to, too: a partition for swap, or a whole disk.  One that
 * holds a dump which nobody has saved is refused, because swap would be written
 * over it.
 *
 * Lock: vm_mtx, to list the devices; swap_dev.c and swap_off.c take it for the rest.
 */
#include "format/kerneldump.h"
#include "kernel/dev/disk.h"
#include "kernel/kern/kern_dumpdev.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"

static MALLOC_DEFINE(M_SWAPON, "swapon",
    "a sector that may be a dump's header");

/* Does a dump's header begin here that does not say that the dump is saved? */
static bool
is_unsaved(const uint8_t *bytes)
{
	static const char saved[] = KERNELDUMP_MAGIC_CLEARED;

	return (kerneldump_is((struct span){ bytes, KERNELDUMP_HDR_LEN }) &&
	    memcmp(bytes, saved, sizeof(saved) - 1) != 0);
}

/*
 * Is the last header of a dump there?  Of version 4 it takes a sector, of version
 * 1 the last 512 bytes.  0, EEXIST: there is one; or an error of the disk.
 */
static int
look_for_dump(struct disk *dk, uint64_t start, uint64_t len)
{
	size_t sector_len = dk->bd_sector_len;
	size_t last = sector_len - KERNELDUMP_HDR_LEN;
	uint8_t *sector = malloc(sector_len, M_SWAPON, M_WAITOK);
	int error =
	    disk_rw(dk, BIO_READ, sector, sector_len, start + len - sector_len);

	if (error == 0 && (is_unsaved(sector) || is_unsaved(&sector[last])))
		error = EEXIST;
	free(sector, M_SWAPON);
	return (error);
}

/* Why a device is not taken, or not let go of: see swap_pager.h. */
struct swap_reason {
	int swx_error;
	const char *swx_words;
};

static const struct swap_reason swapon_reasons[] = {
	{ EBUSY, "all or a part of it is used for swap already" },
	{ EEXIST, "there is a dump that is not saved" },
	{ EFBIG, "there are too many devices or pages of swap already" },
	{ EIO, "its last sector cannot be read" },
	{ ENOSPC, "it is too small" },
	{ 0, NULL },
};

static const struct swap_reason swapoff_reasons[] = {
	{ EBUSY, "another swapoff has it in hand" },
	{ EIO, "pages cannot be read back; it stays in use" },
	{ ENOENT, "it is not used for swap" },
	{ ENOMEM, "there is no room for what is on it; it stays in use" },
	{ 0, NULL },
};

static void
say_why(const char *command, const char *device, int error,
    const struct swap_reason *reason)
{
	while (reason->swx_words != NULL && reason->swx_error != error)
		reason++;
	if (reason->swx_words != NULL)
		printf("%s: %s: %s\n", command, device, reason->swx_words);
	else
		printf("%s: %s: error %d\n", command, device, error);
}

static void
sh_swapon(const char *args)
{
	struct dumpdev_place place;
	const char *why;
	int error;

	if (*args == '\0') {
		printf("swapon: which device?\n");
		return;
	}
	why = dumpdev_locate(args, &place);
	if (why != NULL) {
		printf("swapon: %s: %s\n", args, why);
		return;
	}
	error = swap_dev_add(args, place.dpl_disk, place.dpl_start,
	    place.dpl_len, look_for_dump);
	if (error != 0)
		say_why("swapon", args, error, swapon_reasons);
}
COMMAND(swapon, "swapon", CMD_SHELL, sh_swapon, "DEVICE: swap to it");

static void
sh_swapoff(const char *args)
{
	int error;

	if (*args == '\0') {
		printf("swapoff: which device?\n");
		return;
	}
	error = swapoff_one(args);
	if (error != 0)
		say_why("swapoff", args, error, swapoff_reasons);
}
COMMAND(swapoff, "swapoff", CMD_SHELL, sh_swapoff,
    "DEVICE: bring back what is there, and use it no more");

static void
sh_swapinfo(const char *args)
{
	(void)args;
	printf("%-15s %9s %9s %9s\n", "device", "pages", "used", "bad");
	mtx_lock(&vm_mtx);
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		const struct swdevt *sw = &swap_devices[i];

		if (sw->sw_disk != NULL)
			printf("%-15s %9u %9u %9u\n", sw->sw_name,
			    sw->sw_end - sw->sw_first - SWAP_RESERVED,
			    sw->sw_used, sw->sw_bad);
	}
	mtx_unlock(&vm_mtx);
}
COMMAND(swapinfo, "swapinfo", CMD_SHELL | CMD_DDB, sh_swapinfo,
    "devices for swap");
