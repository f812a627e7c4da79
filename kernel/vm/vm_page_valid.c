/*
 * Which bytes of an object's page are true, and which of them its pager lacks.
 *
 *	bit	  7	 6	5      4      3      2	    1	   0
 *	bytes	3584-  3072-  2560-  2048-  1536-  1024-   512-    0-
 *
 * Keeps true: dirty parts are valid.
 *
 * A write through a mapping sets a bit in the page table, and no more.  It is
 * found by vm_page_test_dirty(), which makes the whole page dirty, since nobody
 * knows where it was.  So a page may be written out only after its mappings have
 * lost that bit, and before its bytes are read: vm_page_undirty() comes first.
 *
 * Lock: vm_mtx, for all of it; the pmap's inside.
 */
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define PART_SIZE 512 /* DEV_BSIZE: the least that a pager reads or writes */

uint8_t
vm_page_bits(int base, int size)
{
	int first = base / PART_SIZE;
	int end = (base + size + PART_SIZE - 1) / PART_SIZE;

	KASSERT(base >= 0 && size >= 0 && base + size <= (int)PAGE_SIZE,
	    ("%s: %d bytes at %d", __func__, size, base));
	if (size == 0)
		return (0);
	return ((uint8_t)((1U << end) - (1U << first)));
}

/* The parts that a range of bytes has all of. */
static uint8_t
whole_bits(int base, int size)
{
	int start = (base + PART_SIZE - 1) / PART_SIZE * PART_SIZE;
	int end = (base + size) / PART_SIZE * PART_SIZE;

	return (end > start ? vm_page_bits(start, end - start) : 0);
}

void
vm_page_valid(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	m->valid = VM_PAGE_BITS_ALL;
}

static void
zero_bytes(vm_page_t m, int start, int end)
{
	memset((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m) + (vm_paddr_t)start), 0,
	    (size_t)(end - start));
}

/* Zero what of the part around edge is outside of [start, end) and not valid. */
static void
zero_edge(vm_page_t m, int edge, int start, int end)
{
	int part = edge / PART_SIZE * PART_SIZE;

	if (edge % PART_SIZE == 0 || (m->valid & 1U << edge / PART_SIZE) != 0)
		return;
	if (start > part)
		zero_bytes(m, part, start);
	if (end < part + PART_SIZE)
		zero_bytes(m, end, part + PART_SIZE);
}

void
vm_page_set_valid_range(vm_page_t m, int base, int size)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (size == 0)
		return;
	zero_edge(m, base, base, base + size);
	zero_edge(m, base + size, base, base + size);
	m->valid |= vm_page_bits(base, size);
}

void
vm_page_set_validclean(vm_page_t m, int base, int size)
{
	vm_page_set_valid_range(m, base, size);
	vm_page_clear_dirty(m, base, size);
}

bool
vm_page_is_valid(const struct vm_page *m, int base, int size)
{
	uint8_t bits = vm_page_bits(base, size);

	mtx_assert(&vm_mtx, MA_OWNED);
	return ((m->valid & bits) == bits && m->valid != 0);
}

void
vm_page_set_invalid(vm_page_t m, int base, int size)
{
	uint8_t bits = vm_page_bits(base, size);

	mtx_assert(&vm_mtx, MA_OWNED);
	if ((m->valid & bits) != 0) {
		pmap_remove_all(m);
		vm_page_test_dirty(m);
		pmap_clear_modify(m);
	}
	m->valid &= (uint8_t)~bits;
	m->dirty &= (uint8_t)~bits;
}

void
vm_page_zero_invalid(vm_page_t m, bool setvalid)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	for (int part = 0; part < (int)PAGE_SIZE / PART_SIZE; part++) {
		if ((m->valid & 1U << part) == 0)
			zero_bytes(m, part * PART_SIZE, (part + 1) * PART_SIZE);
	}
	if (setvalid)
		vm_page_valid(m);
}

void
vm_page_dirty(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	KASSERT(vm_page_all_valid(m),
	    ("%s: page %#jx valid %#x", __func__, (uintmax_t)VM_PAGE_TO_PHYS(m),
		m->valid));
	m->dirty = VM_PAGE_BITS_ALL;
}

void
vm_page_undirty(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	pmap_clear_modify(m);
	m->dirty = 0;
}

void
vm_page_test_dirty(vm_page_t m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (m->dirty != VM_PAGE_BITS_ALL && pmap_is_modified(m))
		vm_page_dirty(m);
}

/*
 * What was written through mappings is dirty as a whole from here on, unless all
 * of it is to be clean.
 */
void
vm_page_clear_dirty(vm_page_t m, int base, int size)
{
	uint8_t bits = whole_bits(base, size);

	mtx_assert(&vm_mtx, MA_OWNED);
	if (bits == VM_PAGE_BITS_ALL) {
		vm_page_undirty(m);
		return;
	}
	vm_page_test_dirty(m);
	m->dirty &= (uint8_t)~bits;
}
