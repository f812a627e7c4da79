/*
 * Reading memory: cut what is asked for into pieces that lie together, first
 * in physical memory, then in the file, and copy each once.
 */
#include "libkvm/kvm_int.h"

/* One attempt at a read; see image.h for why there may be a second. */
typedef int read_fn(kvm_t *kd, uint64_t addr, uint8_t *buf, size_t len);

static inline int
read_phys(kvm_t *kd, kpaddr_t pa, uint8_t *buf, size_t len)
{
	while (len > 0) {
		struct file_run run;

		if (kd->kd_ops->co_locate(kd, pa, len, &run) != 0)
			return (-1);
		if (!image_read(kd->kd_image, run.off, buf, (size_t)run.len))
			return (kvm_fail_image(kd, "page", run.off, run.len));
		if (run.off + run.len > kd->kd_end)
			kd->kd_end = run.off + run.len;
		pa += run.len;
		buf += run.len;
		len -= (size_t)run.len;
	}
	return (0);
}

static inline int
read_virtual(kvm_t *kd, kvaddr_t va, uint8_t *buf, size_t len)
{
	while (len > 0) {
		struct phys_run run;

		if (translate(kd, va, len, &run) != 0 ||
		    read_phys(kd, run.pa, buf, (size_t)run.len) != 0)
			return (-1);
		va += run.len;
		buf += run.len;
		len -= (size_t)run.len;
	}
	return (0);
}

/* What failed in a file that was just cut may have been the cut's doing. */
static __attribute__((noinline)) kssize_t
read_settled(kvm_t *kd, read_fn *attempt, uint64_t addr, void *buf, size_t len)
{
	int error;

	if (len > 0 && (len > INT64_MAX || addr + (len - 1) < addr))
		return (kvm_fail(kd,
		    "%zu bytes at %#jx: runs past the end of "
		    "the address space",
		    len, (uintmax_t)addr));
	do {
		kd->kd_end = 0;
		error = attempt(kd, addr, buf, len);
		if (error != 0)
			kd->kd_end = kd->kd_image->im_len;
	} while (!image_settle(kd->kd_image, kd->kd_end));
	return (error == 0 ? (kssize_t)len : -1);
}

/*
 * Where in the mapped file len bytes at va are, for the read that programs do
 * by the million: a few bytes inside one 4 KB page of a minidump, through a
 * page table that was used before.  NULL is no answer, only "not that easy".
 *
 * A read waits for memory most of its time, and the processor runs ahead into
 * the next one as long as its window reaches; so what is saved here counts
 * several times.
 */
static inline const uint8_t *
find_hot(const kvm_t *kd, kvaddr_t va, size_t len)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	const struct image *im = kd->kd_image;
	const uint8_t *base = im->im_base;
	uint64_t span = va >> 21;
	uint64_t in_page = va & 4095;
	struct page_place place;
	uint64_t entry;
	size_t slot = span % TABLE_CACHE_LEN;

	if (kd->kd_tables->tc_slot[slot].tag != span + 1 || base == NULL ||
	    kd->kd_index == NULL || len > 4096 - in_page)
		return (NULL);
	entry = le64dec(base + kd->kd_tables->tc_slot[slot].off +
	    (va >> 12 & 511) * 8);
	if ((entry & pg->pg_mask) != pg->pg_bits ||
	    !pageindex_hot(kd->kd_index, (entry & pg->pg_frame) >> 12,
		&place) ||
	    place.pp_off + 4096 > im->im_len)
		return (NULL);
	return (base + place.pp_off + in_page);
}

kssize_t
kvm_read2(kvm_t *kd, kvaddr_t addr, void *buf, size_t len)
{
	const uint8_t *p = find_hot(kd, addr, len);

	if (p != NULL && len > 0) {
		memcpy(buf, p, len);
		/* As image_settle(); zeros are for the long way to judge. */
		if (p[len - 1] != 0 && !mapping_torn(kd->kd_image->im_mapping))
			return ((kssize_t)len);
	}
	return (read_settled(kd, read_virtual, addr, buf, len));
}

kssize_t
kvm_read_phys(kvm_t *kd, kpaddr_t pa, void *buf, size_t len)
{
	return (read_settled(kd, read_phys, pa, buf, len));
}

ssize_t
kvm_read(kvm_t *kd, unsigned long addr, void *buf, size_t len)
{
	return ((ssize_t)kvm_read2(kd, addr, buf, len));
}

ssize_t
kvm_write(kvm_t *kd, unsigned long addr, const void *buf, size_t len)
{
	(void)addr;
	(void)buf;
	(void)len;
	return (kvm_fail(kd, "kvm_write not implemented for dead kernels"));
}

static int
uint_of(kvm_t *kd, kssize_t got, const uint8_t *bytes, uint64_t *out)
{
	if (got < 0)
		return (-1);
	*out = got == 8 ? dec64(kd->kd_core.kc_order, bytes) :
			  dec32(kd->kd_core.kc_order, bytes);
	return (0);
}

int
kvm_read_uint(kvm_t *kd, kvaddr_t va, unsigned int len, uint64_t *out)
{
	uint8_t bytes[8];

	return (uint_of(kd, kvm_read2(kd, va, bytes, len), bytes, out));
}

int
kvm_read_phys_uint(kvm_t *kd, kpaddr_t pa, unsigned int len, uint64_t *out)
{
	uint8_t bytes[8];

	return (uint_of(kd, kvm_read_phys(kd, pa, bytes, len), bytes, out));
}
