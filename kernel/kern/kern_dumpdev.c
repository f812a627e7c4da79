/*
 * The devices that dumps go to.
 *
 * Each is checked completely when it is chosen, while a person can still choose
 * another.
 */
#include "kernel/kern/kern_dumpdev.h"

#include "kernel/dev/disk.h"
#include "kernel/kern/kern_gpt.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/swap_pager.h"

#define NAME_LEN 32

struct dumpdev {
	char dd_name[NAME_LEN];
	struct dumpdev_place dd_place;
	const char *dd_why; /* it takes no dumps; NULL: it does */
};

static struct dumpdev devs[DUMPDEV_MAX];
static size_t ndevs;
static bool too_many;

/* ---- Sinks ---- */

static int
sink_open(void *arg)
{
	const struct dumpdev *dd = arg;

	swap_dev_overwritten(dd->dd_place.dpl_disk, dd->dd_place.dpl_start,
	    dd->dd_place.dpl_len);
	return (disk_reset(dd->dd_place.dpl_disk));
}

/* Merge pieces that are adjacent in memory. */
static unsigned int
make_segs(const struct dump_iov *iov, unsigned int niov,
    struct disk_seg segs[DISK_MAXSEG])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < niov; i++) {
		vm_paddr_t pa = iov[i].iv_pa;

		if (pa == DUMP_NOPA)
			pa = pmap_kextract((vm_offset_t)iov[i].iv_base);
		if (n > 0 && segs[n - 1].dks_pa + segs[n - 1].dks_len == pa)
			segs[n - 1].dks_len += (uint32_t)iov[i].iv_len;
		else
			segs[n++] =
			    (struct disk_seg){ pa, (uint32_t)iov[i].iv_len };
	}
	return (n);
}

static int
sink_submit(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	const struct dumpdev *dd = arg;
	struct disk_seg segs[DISK_MAXSEG];

	FAIL_POINT(FAIL_DUMP, NULL);
	return (disk_submit(dd->dd_place.dpl_disk, tag, BIO_WRITE, segs,
	    make_segs(iov, niov, segs), dd->dd_place.dpl_start + off));
}

static int
sink_wait(void *arg, unsigned int *tag)
{
	const struct dumpdev *dd = arg;

	return (disk_wait(dd->dd_place.dpl_disk, tag));
}

static int
sink_flush(void *arg)
{
	const struct dumpdev *dd = arg;

	return (disk_rw(dd->dd_place.dpl_disk, BIO_FLUSH, NULL, 0, 0));
}

/* Drop requests in flight: they must not be written into the next dump. */
static void
sink_close(void *arg, int error)
{
	const struct dumpdev *dd = arg;

	if (error != 0)
		(void)disk_reset(dd->dd_place.dpl_disk);
}

size_t
dumpdev_sinks(struct dump_sink sinks[DUMPDEV_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ndevs; i++) {
		if (devs[i].dd_why != NULL)
			continue;
		sinks[n++] = (struct dump_sink){
			.ds_name = devs[i].dd_name,
			.ds_arg = &devs[i],
			.ds_media = DUMP_MEDIA_DEVICE,
			.ds_media_len = devs[i].dd_place.dpl_len,
			.ds_block_len =
			    devs[i].dd_place.dpl_disk->bd_sector_len,
			.ds_maxiov = DISK_MAXSEG,
			.ds_depth = DISK_DEPTH,
			.ds_open = sink_open,
			.ds_submit = sink_submit,
			.ds_wait = sink_wait,
			.ds_flush = sink_flush,
			.ds_close = sink_close,
		};
	}
	return (n);
}

/* ---- Choosing ---- */

/* Cut "vtbd0p2" into a disk and a number; 0: it is a whole disk. */
static unsigned int
cut_partition(char disk[NAME_LEN])
{
	char *p = strchr(disk, 'p');
	const char *end;
	uint64_t number;

	if (p == NULL)
		return (0);
	number = strtouq(p + 1, &end);
	if (end == p + 1 || *end != '\0' || number == 0 || number > UINT16_MAX)
		return (0);
	*p = '\0';
	return ((unsigned int)number);
}

const char *
dumpdev_locate(const char *name, struct dumpdev_place *place)
{
	char disk[NAME_LEN];
	unsigned int number;

	strlcpy(disk, name, sizeof(disk));
	number = cut_partition(disk);
	place->dpl_disk = disk_find(disk);
	if (place->dpl_disk == NULL)
		return ("no such disk");
	if (place->dpl_disk->bd_readonly)
		return ("read only");
	if (number != 0)
		return (gpt_find_swap(place->dpl_disk, number,
		    &place->dpl_start, &place->dpl_len));
	place->dpl_start = 0;
	place->dpl_len = place->dpl_disk->bd_media_len;
	if (gpt_present(place->dpl_disk))
		return ("it has partitions, name one of them");
	if (mbr_present(place->dpl_disk))
		return ("it has an MBR's partitions, which are not used");
	return (NULL);
}

static void
add(const char *name, size_t len)
{
	struct dumpdev *dd = &devs[ndevs];

	strlcpy(dd->dd_name, name, len < NAME_LEN ? len + 1 : NAME_LEN);
	dd->dd_why = dumpdev_locate(dd->dd_name, &dd->dd_place);
	ndevs++;
}

void
dumpdev_configure(const char *names)
{
	ndevs = 0;
	too_many = false;
	while (*names != '\0' && !too_many) {
		const char *comma = strchr(names, ',');
		size_t len =
		    comma != NULL ? (size_t)(comma - names) : strlen(names);

		too_many = ndevs == DUMPDEV_MAX;
		if (len > 0 && !too_many)
			add(names, len);
		names += len + (comma != NULL ? 1 : 0);
	}
}

void
dumpdev_print_useless(void)
{
	if (ndevs == 0)
		printf("; dumpdev is not set");
	for (size_t i = 0; i < ndevs; i++) {
		if (devs[i].dd_why != NULL)
			printf("; %s: %s", devs[i].dd_name, devs[i].dd_why);
	}
	if (too_many)
		printf("; only the first %d are used", DUMPDEV_MAX);
}
