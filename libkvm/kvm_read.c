/*
 * Reading memory: cut what is asked for into pieces that lie together, first
 * in physical memory, then in the file, and copy each once.
 */
#include "libkvm/kvm_int.h"

/* One attempt at a read; see image.h for why there may be a second. */
typedef int read_fn(kvm_t *kd, uint64_t addr, uint8_t *buf, size_t len);

static int
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

static int
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
static inline kssize_t
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

kssize_t
kvm_read2(kvm_t *kd, kvaddr_t addr, void *buf, size_t len)
{
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
