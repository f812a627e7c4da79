/*
 * Kegs: items from slabs, and slabs from a backend.
 *
 * A slab is in the keg's list that its number of free items says.
 *
 * Getting a slab never recurses: headers of off-page slabs come from a keg
 * whose own headers are in-line, and the page backends use no zone at all.
 *
 * Lock: the keg's, not held over the backend and callbacks, so either may sleep.
 */
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma_dbg.h"
#include "kernel/vm/uma_int.h"
#include "kernel/vm/uma_machdep.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"

/*
 * Backends.
 */

static void *
page_alloc(uma_zone_t zone, vm_size_t size, uint8_t *pflag, int wait)
{
	(void)zone;
	*pflag = UMA_SLAB_KMEM;
	return (kmem_malloc(size, wait));
}

static void
page_free(void *mem, vm_size_t size, uint8_t pflag)
{
	(void)pflag;
	kmem_free(mem, size);
}

static int
zero_init(void *mem, int size, int flags)
{
	(void)flags;
	memset(mem, 0, (size_t)size);
	return (0);
}

/*
 * Geometry.
 */

/* Items beside an in-line header in one page. */
static unsigned int
ipers_inline(size_t rsize, uint32_t flags)
{
	unsigned int ipers = (unsigned int)(PAGE_SIZE / rsize);

	if (ipers > UMA_MAX_IPERS)
		ipers = UMA_MAX_IPERS;
	while (ipers > 0 &&
	    ipers * rsize + uma_slab_size(ipers, flags) > PAGE_SIZE)
		ipers--;
	return (ipers);
}

static unsigned int
ipers_offpage(size_t rsize)
{
	unsigned int ipers = (unsigned int)(PAGE_SIZE / rsize);

	return (ipers > UMA_MAX_IPERS ? UMA_MAX_IPERS : ipers);
}

/* As many items as a page holds, and a page for each CPU. */
static void
keg_pcpu_geometry(struct uma_keg *keg)
{
	KASSERT(keg->uk_rsize <= PAGE_SIZE,
	    ("%s: %s: %u bytes", __func__, keg->uk_name, keg->uk_rsize));
	keg->uk_flags |= UMA_ZONE_OFFPAGE;
	keg->uk_ipers = ipers_offpage(keg->uk_rsize);
	keg->uk_ppera = (uint32_t)mp_maxid + 1;
}

/* Dumps treat such items in another way than what UMA knows of them. */
#define ITEMS_APART (UMA_ZONE_OFFPAGE | UMA_ZONE_NODUMP | UMA_ZONE_BULK)

static void
keg_small_geometry(struct uma_keg *keg, uint32_t flags)
{
	unsigned int in = ipers_inline(keg->uk_rsize, flags);
	unsigned int off = ipers_offpage(keg->uk_rsize);
	size_t waste =
	    PAGE_SIZE - in * keg->uk_rsize - uma_slab_size(in, flags);

	keg->uk_ppera = 1;
	if ((flags & UMA_ZFLAG_INTERNAL) == 0 &&
	    ((flags & ITEMS_APART) != 0 || in == 0 ||
		(waste > PAGE_SIZE / UMA_MAX_WASTE && off > in))) {
		KASSERT(uma_slab_size(off, flags) <= slabzone->uz_size,
		    ("%s: %s: %u items", __func__, keg->uk_name, off));
		keg->uk_flags |= UMA_ZONE_OFFPAGE;
		keg->uk_ipers = off;
		return;
	}
	keg->uk_ipers = in;
	keg->uk_pgoff = (uint32_t)(PAGE_SIZE - uma_slab_size(in, flags));
}

void
keg_init_geometry(struct uma_keg *keg, size_t size, size_t align,
    uint32_t flags)
{
	size_t rsize = size > UMA_MIN_SIZE ? size : UMA_MIN_SIZE;

	KASSERT(size > 0 && size <= INT32_MAX && (align & (align + 1)) == 0 &&
		align < PAGE_SIZE,
	    ("%s: %s: size %zu, alignment %zu", __func__, keg->uk_name, size,
		align + 1));
	rsize = (rsize + align) & ~align;
	KASSERT((flags & UMA_ZONE_BULK) == 0 ||
		(rsize <= PAGE_SIZE && (flags & UMA_ZONE_PCPU) == 0),
	    ("%s: %s: bulk is in the direct map", __func__, keg->uk_name));
	if (uma_debug && (flags & UMA_ZONE_MALLOC) != 0)
		flags |= UMA_ZFLAG_OWNERS;
	keg->uk_size = (uint32_t)size;
	keg->uk_rsize = (uint32_t)rsize;
	keg->uk_flags = flags;
	keg->uk_allocf = page_alloc;
	keg->uk_freef = page_free;
	if ((flags & UMA_ZONE_PCPU) != 0) {
		keg_pcpu_geometry(keg);
	} else if (rsize <= PAGE_SIZE) {
		keg_small_geometry(keg, flags);
		keg->uk_allocf = uma_startup_alloc;
		keg->uk_freef = uma_small_free;
	} else {
		keg->uk_flags |= UMA_ZONE_OFFPAGE;
		keg->uk_ipers = 1;
		keg->uk_ppera = (uint32_t)atop(round_page(rsize));
	}
	if ((flags & UMA_ZONE_ZINIT) != 0)
		keg->uk_init = zero_init;
}

/*
 * Slabs.
 */

void
vsetslab(void *mem, vm_size_t size, struct uma_slab *slab)
{
	for (vm_size_t off = 0; off < size; off += PAGE_SIZE) {
		vm_page_t m =
		    PHYS_TO_VM_PAGE(pmap_kextract((vm_offset_t)mem + off));

		m->object = slab;
		if (slab != NULL)
			vm_page_aflag_set(m, VPG_SLAB);
		else
			vm_page_aflag_clear(m, VPG_SLAB);
	}
}

struct uma_slab *
vtoslab(const void *item)
{
	vm_page_t m =
	    PHYS_TO_VM_PAGE(pmap_kextract(trunc_page((vm_offset_t)item)));

	if (m == NULL || (vm_page_aflags(m) & VPG_SLAB) == 0)
		return (NULL);
	return (m->object);
}

struct uma_slab *
keg_item_slab(const struct uma_keg *keg, const void *item)
{
	if ((keg->uk_flags & UMA_ZONE_OFFPAGE) != 0)
		return (vtoslab(item));
	return ((struct uma_slab *)(trunc_page((vm_offset_t)item) +
	    keg->uk_pgoff));
}

static void
slablist_add(struct uma_slablist *list, struct uma_slab *slab)
{
	slab->us_prev = NULL;
	slab->us_next = list->sl_first;
	if (slab->us_next != NULL)
		slab->us_next->us_prev = slab;
	list->sl_first = slab;
}

static void
slablist_remove(struct uma_slablist *list, struct uma_slab *slab)
{
	if (slab->us_prev != NULL)
		slab->us_prev->us_next = slab->us_next;
	else
		list->sl_first = slab->us_next;
	if (slab->us_next != NULL)
		slab->us_next->us_prev = slab->us_prev;
}

/* The list for a slab with that many free items. */
static struct uma_slablist *
slab_list(struct uma_keg *keg, uint32_t freecount)
{
	if (freecount == 0)
		return (&keg->uk_full);
	return (freecount == keg->uk_ipers ? &keg->uk_free : &keg->uk_part);
}

/* After a change of us_freecount from before. */
static void
slab_relist(struct uma_keg *keg, struct uma_slab *slab, uint32_t before)
{
	struct uma_slablist *from = slab_list(keg, before);
	struct uma_slablist *to = slab_list(keg, slab->us_freecount);

	if (from == to)
		return;
	slablist_remove(from, slab);
	slablist_add(to, slab);
}

/* All items free, none in a user's hands. */
static void
slab_init_bits(struct uma_slab *slab, const struct uma_keg *keg)
{
	uint32_t ipers = keg->uk_ipers;

	memset(slab->us_bits, 0,
	    uma_slab_size(ipers, keg->uk_flags) - sizeof(*slab));
	for (uint32_t idx = 0; idx < ipers; idx++)
		slab->us_bits[idx / 64] |= (uint64_t)1 << idx % 64;
	slab->us_freecount = (uint16_t)ipers;
}

static int
slab_wait_flags(const struct uma_keg *keg, int flags)
{
	int wait = flags & (M_NOWAIT | M_WAITOK | M_USE_RESERVE);

	if ((keg->uk_flags & UMA_ZONE_MALLOC) == 0)
		wait |= M_ZERO;
	if ((keg->uk_flags & UMA_ZONE_NODUMP) != 0)
		wait |= M_NODUMP;
	if ((keg->uk_flags & UMA_ZONE_BULK) != 0)
		wait |= M_BULK;
	return (wait);
}

/* Undo the first ninit inits, and give the memory back. */
static void
slab_destroy(struct uma_keg *keg, struct uma_slab *slab, uint32_t ninit)
{
	uint8_t *data = slab->us_data;
	vm_size_t size = slab->us_size;
	uint8_t origin = slab->us_flags;

	while (keg->uk_fini != NULL && ninit > 0)
		keg->uk_fini(slab_item(slab, --ninit), (int)keg->uk_size);
	vsetslab(data, size, NULL);
	if ((keg->uk_flags & UMA_ZONE_OFFPAGE) != 0)
		zone_free_item(slabzone, slab, NULL, ZFREE_DTOR);
	keg->uk_freef(data, size, origin);
}

/* A slab that no list has yet; called without the lock. */
static struct uma_slab *
slab_create(struct uma_keg *keg, int flags)
{
	vm_size_t size = ptoa(keg->uk_ppera);
	bool offpage = (keg->uk_flags & UMA_ZONE_OFFPAGE) != 0;
	struct uma_slab *slab = NULL;
	uint8_t origin = UMA_SLAB_PRIV;
	uint8_t *mem;

	if (offpage) {
		slab = zone_alloc_item(slabzone, NULL,
		    flags & (M_NOWAIT | M_WAITOK | M_USE_RESERVE));
		if (slab == NULL)
			return (NULL);
	}
	mem = keg->uk_allocf(keg->uk_zones, size, &origin,
	    slab_wait_flags(keg, flags));
	if (mem == NULL) {
		if (offpage)
			zone_free_item(slabzone, slab, NULL, ZFREE_DTOR);
		return (NULL);
	}
	if (!offpage)
		slab = (struct uma_slab *)(void *)(mem + keg->uk_pgoff);
	slab->us_keg = keg;
	slab->us_data = mem;
	slab->us_size = size;
	slab->us_flags = origin;
	slab_init_bits(slab, keg);
	vsetslab(mem, size, slab);

	for (uint32_t idx = 0; keg->uk_init != NULL && idx < keg->uk_ipers;
	     idx++) {
		if (keg->uk_init(slab_item(slab, idx), (int)keg->uk_size,
			flags) != 0) {
			slab_destroy(keg, slab, idx);
			return (NULL);
		}
	}
	return (slab);
}

bool
keg_grow_locked(struct uma_keg *keg, int flags)
{
	struct uma_slab *slab;

	keg->uk_pages += keg->uk_ppera;
	mtx_unlock_spin(&keg->uk_lock);
	slab = slab_create(keg, flags);
	mtx_lock_spin(&keg->uk_lock);
	if (slab == NULL) {
		keg->uk_pages -= keg->uk_ppera;
		return (false);
	}
	slablist_add(&keg->uk_free, slab);
	keg->uk_freeitems += keg->uk_ipers;
	return (true);
}

/* Is there a free item that is not kept back? */
static bool
keg_may_take(const struct uma_keg *keg, int flags)
{
	return (keg->uk_freeitems >
	    ((flags & M_USE_RESERVE) != 0 ? 0 : keg->uk_reserve));
}

/*
 * A slab with a free item: partial ones first, so that whole slabs get free.
 */
static struct uma_slab *
keg_fetch_slab_locked(struct uma_keg *keg, int flags)
{
	for (;;) {
		if (keg_may_take(keg, flags))
			return (keg->uk_part.sl_first != NULL ?
				keg->uk_part.sl_first :
				keg->uk_free.sl_first);
		if ((flags & M_NOVM) != 0)
			return (NULL);
		if (!keg_grow_locked(keg, flags))
			return (NULL);
	}
}

static void *
slab_take_item(struct uma_keg *keg, struct uma_slab *slab)
{
	uint32_t before = slab->us_freecount;
	uint32_t word = 0;
	uint32_t bit;

	while (slab->us_bits[word] == 0)
		word++;
	bit = (uint32_t)__builtin_ctzll(slab->us_bits[word]);
	slab->us_bits[word] &= slab->us_bits[word] - 1;
	slab->us_freecount--;
	keg->uk_freeitems--;
	slab_relist(keg, slab, before);
	return (slab_item(slab, word * 64 + bit));
}

int
keg_import(void *arg, void **store, int count, int domain, int flags)
{
	struct uma_keg *keg = arg;
	int done = 0;

	(void)domain;
	mtx_lock_spin(&keg->uk_lock);
	while (done < count) {
		struct uma_slab *slab = keg_fetch_slab_locked(keg, flags);

		if (slab == NULL)
			break;
		do
			store[done++] = slab_take_item(keg, slab);
		while (done < count && slab->us_freecount > 0 &&
		    keg_may_take(keg, flags & ~M_USE_RESERVE));
		flags = (flags & ~(M_WAITOK | M_USE_RESERVE)) | M_NOWAIT;
	}
	mtx_unlock_spin(&keg->uk_lock);
	return (done);
}

static void
keg_free_item_locked(struct uma_keg *keg, void *item)
{
	struct uma_slab *slab = keg_item_slab(keg, item);
	uint32_t before = slab->us_freecount;
	uint32_t idx = slab_item_index(slab, item);
	uint64_t bit = (uint64_t)1 << idx % 64;

	KASSERT(slab->us_keg == keg && (slab->us_bits[idx / 64] & bit) == 0,
	    ("%s: %s: item %p is not one, or is free already", __func__,
		keg->uk_name, item));
	slab->us_bits[idx / 64] |= bit;
	slab->us_freecount++;
	keg->uk_freeitems++;
	slab_relist(keg, slab, before);
}

void
keg_release(void *arg, void **store, int count)
{
	struct uma_keg *keg = arg;

	mtx_lock_spin(&keg->uk_lock);
	for (int i = 0; i < count; i++)
		keg_free_item_locked(keg, store[i]);
	mtx_unlock_spin(&keg->uk_lock);
}

/* Take a free slab that may go back out of the keg, or NULL. */
static struct uma_slab *
keg_detach_slab(struct uma_keg *keg)
{
	struct uma_slab *slab;

	mtx_lock_spin(&keg->uk_lock);
	slab = keg->uk_freeitems >= keg->uk_reserve + keg->uk_ipers ?
	    keg->uk_free.sl_first :
	    NULL;
	while (slab != NULL && (slab->us_flags & UMA_SLAB_BOOT) != 0)
		slab = slab->us_next;
	if (slab != NULL) {
		slablist_remove(&keg->uk_free, slab);
		keg->uk_freeitems -= keg->uk_ipers;
	}
	mtx_unlock_spin(&keg->uk_lock);
	return (slab);
}

void
keg_drain(struct uma_keg *keg)
{
	struct uma_slab *slab;

	if ((keg->uk_flags & UMA_ZONE_NOFREE) != 0)
		return;
	while ((slab = keg_detach_slab(keg)) != NULL) {
		slab_destroy(keg, slab, keg->uk_ipers);
		mtx_lock_spin(&keg->uk_lock);
		keg->uk_pages -= keg->uk_ppera;
		mtx_unlock_spin(&keg->uk_lock);
	}
}
