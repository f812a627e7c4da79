/*
 * Reading memory: a request is divided into pieces that are contiguous in
 * physical memory and in the file, and each is copied once.
 *
 * A batch of pieces is located before they are copied.  Locating a piece and
 * copying it both wait for memory; so the waits overlap, and adjacent pieces
 * become one.
 */
#include "libkvm/kvm_int.h"

/* Pieces of the file, in the order in which they are copied. */
struct batch {
	struct file_run run[32];
	size_t nruns;
	uint64_t len; /* bytes in all of them */
};
#define BATCH_MAX (sizeof(((struct batch *)0)->run) / sizeof(struct file_run))

static void
batch_add(struct batch *batch, const struct image *im, struct file_run run)
{
	struct file_run *last = NULL;

	batch->len += run.len;
	if (batch->nruns > 0)
		last = &batch->run[batch->nruns - 1];
	if (last != NULL && last->off + last->len == run.off) {
		last->len += run.len;
		return;
	}
	if (im->im_base != NULL && run.off < im->im_len)
		__builtin_prefetch(im->im_base + run.off);
	batch->run[batch->nruns++] = run;
}

/*
 * Add the pieces of len bytes of physical memory, as many as there is room for.
 * -1: the first byte after the added ones cannot be located.
 */
static int
batch_phys(kvm_t *kd, struct batch *batch, kpaddr_t pa, uint64_t len)
{
	uint64_t done = 0;

	while (done < len && batch->nruns < BATCH_MAX) {
		struct file_run run;

		if (kd->kd_ops->co_locate(kd, pa + done, len - done, &run) != 0)
			return (-1);
		batch_add(batch, kd->kd_image, run);
		done += run.len;
	}
	return (0);
}

/* The first of len bytes at va, to the end of their page, if it is hot. */
static inline bool
find_hot_run(const kvm_t *kd, kvaddr_t va, uint64_t len, struct file_run *out)
{
	const uint8_t *base = kd->kd_image->im_base;
	const uint8_t *p;

	if (base == NULL || (p = hot_find(&kd->kd_hot, va)) == NULL)
		return (false);
	out->off = (uint64_t)(p - base);
	out->len = HOT_PAGE_LEN - va % HOT_PAGE_LEN;
	if (out->len > len)
		out->len = len;
	return (true);
}

/* The same for virtual memory. */
static int
batch_virtual(kvm_t *kd, struct batch *batch, kvaddr_t va, uint64_t len)
{
	while (batch->len < len && batch->nruns < BATCH_MAX) {
		uint64_t done = batch->len;
		struct file_run run;
		struct phys_run phys;

		if (find_hot_run(kd, va + done, len - done, &run)) {
			batch_add(batch, kd->kd_image, run);
			continue;
		}
		if (translate(kd, va + done, len - done, &phys) != 0 ||
		    batch_phys(kd, batch, phys.pa, phys.len) != 0)
			return (-1);
	}
	return (0);
}

/* Returns how many bytes were copied: fewer than batch->len after a failure. */
static size_t
batch_copy(kvm_t *kd, const struct batch *batch, uint8_t *buf)
{
	size_t done = 0;

	for (size_t i = 0; i < batch->nruns; i++) {
		const struct file_run *run = &batch->run[i];
		size_t len = (size_t)run->len;

		if (!image_read(kd->kd_image, run->off, buf + done, len)) {
			size_t n = image_pread_some(kd->kd_image, run->off,
			    buf + done, len);

			(void)kvm_fail_image(kd, "page", run->off + n, len - n);
			return (done + n);
		}
		note_end(kd, run->off + len);
		done += len;
	}
	return (done);
}

/* Fills a batch from virtual or from physical memory. */
typedef int batch_fn(kvm_t *kd, struct batch *batch, uint64_t addr,
    uint64_t len);

/*
 * Returns how many bytes could be read before the first that could not.  A
 * batch that ends at such a byte is copied before the failure is reported,
 * because a byte of the batch that cannot be copied comes first.
 */
static size_t
read_batches(kvm_t *kd, batch_fn *fill, uint64_t addr, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct batch batch;
		size_t copied;
		int error;

		batch.nruns = 0;
		batch.len = 0;
		error = fill(kd, &batch, addr + done, len - done);
		copied = batch_copy(kd, &batch, buf + done);
		done += copied;
		if (error != 0 || copied < batch.len)
			break;
	}
	return (done);
}

/*
 * Did the bytes of a read, and of the page tables that it used, come from the
 * file?  mapped: the image was mapped when the read began.  If they did not,
 * the spans that were remembered meanwhile may be wrong.
 */
static bool
settle_read(kvm_t *kd, bool mapped)
{
	struct image *im = kd->kd_image;

	if (image_settle(im, kd->kd_end) && (!mapped || im->im_base != NULL))
		return (true);
	translate_forget(kd);
	return (false);
}

/*
 * If the file was truncated during the read, neither success nor failure can be
 * trusted: read again, without the mapping, also when it was translate() that
 * noticed.
 */
static __attribute__((noinline)) size_t
read_settled(kvm_t *kd, batch_fn *fill, uint64_t addr, void *buf, size_t len)
{
	struct image *im = kd->kd_image;
	bool mapped;
	size_t done;

	do {
		mapped = im->im_base != NULL;
		kd->kd_end = 0;
		done = read_batches(kd, fill, addr, buf, len);
		if (done < len)
			kd->kd_end = im->im_len;
	} while (!settle_read(kd, mapped));
	return (done);
}

/* How many of len bytes at addr lie in the address space. */
static size_t
clip_len(kvm_t *kd, uint64_t addr, size_t len)
{
	if (len == 0 || addr + (len - 1) >= addr)
		return (len);
	(void)kvm_fail(kd,
	    "%zu bytes at %#jx: runs past the end of the address space", len,
	    (uintmax_t)addr);
	return ((size_t)(UINT64_MAX - addr) + 1);
}

static int
check_len(kvm_t *kd, size_t len)
{
	if (len <= INT64_MAX)
		return (0);
	return (kvm_fail(kd, "%zu bytes are too many to read at once", len));
}

/* All or nothing. */
static __attribute__((noinline)) kssize_t
read_all(kvm_t *kd, batch_fn *fill, uint64_t addr, void *buf, size_t len)
{
	if (check_len(kd, len) != 0 || clip_len(kd, addr, len) < len ||
	    read_settled(kd, fill, addr, buf, len) < len)
		return (-1);
	return ((kssize_t)len);
}

/* Up to the first byte that cannot be read. */
static kssize_t
read_some(kvm_t *kd, batch_fn *fill, uint64_t addr, void *buf, size_t len,
    uint64_t *bad)
{
	size_t done;

	if (check_len(kd, len) != 0)
		return (-1);
	done = read_settled(kd, fill, addr, buf, clip_len(kd, addr, len));
	if (done < len && bad != NULL)
		*bad = addr + done;
	return ((kssize_t)done);
}

static __attribute__((noinline)) kssize_t
read_any(kvm_t *kd, kvaddr_t addr, void *buf, size_t len)
{
	struct image *im = kd->kd_image;
	struct file_run run;

	if (len > 0 && find_hot_run(kd, addr, len, &run) && run.len == len) {
		memcpy(buf, im->im_base + run.off, len);
		if (image_settle(im, run.off + len))
			return ((kssize_t)len);
	}
	return (read_all(kd, batch_virtual, addr, buf, len));
}

/*
 * Fast path for 8 bytes in one hot page; read_any() does everything else.
 *
 * If the mapping is not torn and the last byte is not 0, the bytes came from
 * the file: image_settle() would find the same.  So this path need not check
 * whether the image is still mapped.
 */
kssize_t
kvm_read2(kvm_t *kd, kvaddr_t addr, void *buf, size_t len)
{
	const size_t word = sizeof(uint64_t);
	const uint8_t *p;

	if (len == word && addr % HOT_PAGE_LEN <= HOT_PAGE_LEN - word &&
	    (p = hot_find(&kd->kd_hot, addr)) != NULL) {
		memcpy(buf, p, word);
		if (((const uint8_t *)buf)[word - 1] != 0 &&
		    !mapping_torn(kd->kd_hot.hp_mapping))
			return ((kssize_t)word);
	}
	return (read_any(kd, addr, buf, len));
}

kssize_t
kvm_read_phys(kvm_t *kd, kpaddr_t pa, void *buf, size_t len)
{
	return (read_all(kd, batch_phys, pa, buf, len));
}

kssize_t
kvm_read_some(kvm_t *kd, kvaddr_t va, void *buf, size_t len, kvaddr_t *bad)
{
	return (read_some(kd, batch_virtual, va, buf, len, bad));
}

kssize_t
kvm_read_phys_some(kvm_t *kd, kpaddr_t pa, void *buf, size_t len, kpaddr_t *bad)
{
	return (read_some(kd, batch_phys, pa, buf, len, bad));
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
