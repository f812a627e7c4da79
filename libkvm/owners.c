/*
 * Who owned the pages, for those that a minidump left out: format/owner.h.
 */
#include "libkvm/kvm_int.h"

/* Bytes of the section that are looked at together. */
#define CHUNK_LEN      4096
#define PAGES_PER_BYTE (8 / OWNER_BITS)

/* Has the dump the section?  Its place is known once the pages are counted. */
static bool
has_owners(kvm_t *kd)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;
	uint64_t npages, end;

	return (hdr != NULL && hdr->md_owners.oh_len != 0 &&
	    kd->kd_ops->co_count(kd, &npages, &end) == 0 &&
	    hdr->md_owners.oh_len != 0);
}

/* len bytes of the section. */
static bool
read_owners(kvm_t *kd, uint64_t off, void *buf, size_t len)
{
	off += kd->kd_core.kc_minidump->md_owners.oh_off;
	do {
		if (!image_read(kd->kd_image, off, buf, len))
			return (false);
	} while (!image_settle(kd->kd_image, off + len));
	return (true);
}

enum page_owner
kvm_page_owner(kvm_t *kd, kpaddr_t pa)
{
	const struct pageindex *pi = kd->kd_index;
	const struct dump_seg *seg;
	uint64_t pfn, bit;
	uint8_t byte;

	if (!has_owners(kd))
		return (OWNER_UNKNOWN);
	pfn = pa >> pi->pi_set.set_page_shift;
	seg = dumpset_find(&pi->pi_set, pfn);
	if (seg == NULL || (bit = dump_seg_bit(seg, pfn)) >= pi->pi_nbits ||
	    !read_owners(kd, bit / PAGES_PER_BYTE, &byte, 1))
		return (OWNER_UNKNOWN);
	return (owner_decode(byte, bit));
}

/* Count those of 64 pages from bit on, whose bits in the bitmap are 0. */
static void
count_word(const uint8_t *owners, uint64_t present, uint64_t n,
    uint64_t npages[OWNER_COUNT])
{
	for (uint64_t i = 0; i < n; i++)
		if ((present >> i & 1) == 0)
			npages[owner_decode(owners[i / PAGES_PER_BYTE], i)]++;
}

/* Count the pages of a chunk, the first of which is bit. */
static bool
count_chunk(kvm_t *kd, uint64_t bit, uint64_t npages[OWNER_COUNT])
{
	struct pageindex *pi = kd->kd_index;
	uint64_t nbits = pi->pi_nbits - bit;
	uint8_t owners[CHUNK_LEN];
	uint64_t present, rank;

	if (nbits > CHUNK_LEN * PAGES_PER_BYTE)
		nbits = CHUNK_LEN * PAGES_PER_BYTE;
	if (!read_owners(kd, bit / PAGES_PER_BYTE, owners,
		(size_t)(nbits + PAGES_PER_BYTE - 1) / PAGES_PER_BYTE))
		return (false);
	for (uint64_t i = 0; i < nbits; i += 64) {
		if (!pageindex_window(pi, bit + i, &present, &rank))
			return (false);
		count_word(owners + i / PAGES_PER_BYTE, present,
		    nbits - i < 64 ? nbits - i : 64, npages);
	}
	return (true);
}

/* The chunk that bit is in, or the first one after it that is no hole. */
static uint64_t
skip_hole(kvm_t *kd, uint64_t bit, struct image_extent *data)
{
	uint64_t start = kd->kd_core.kc_minidump->md_owners.oh_off;
	uint64_t off = start + bit / PAGES_PER_BYTE;
	uint64_t len = image_hole_len(kd->kd_image, data, off);

	return (bit + len / CHUNK_LEN * CHUNK_LEN * PAGES_PER_BYTE);
}

bool
kvm_left_out(kvm_t *kd, uint64_t npages[OWNER_COUNT])
{
	struct image_extent data = { 0, 0 };
	uint64_t bit = 0;

	memset(npages, 0, OWNER_COUNT * sizeof(*npages));
	if (!has_owners(kd))
		return (false);
	while ((bit = skip_hole(kd, bit, &data)) < kd->kd_index->pi_nbits) {
		if (!count_chunk(kd, bit, npages))
			return (false);
		bit += CHUNK_LEN * PAGES_PER_BYTE;
	}
	npages[OWNER_UNKNOWN] = 0;
	return (true);
}
