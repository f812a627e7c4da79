/*
 * What is true of all objects, and of swap.
 */
#include "tests/vm/objects.h"

#include <string.h>

#include "tests/support/unit.h"

#include "kernel/vm/swap_pager.h"

static void
audit_object(vm_object_t object)
{
	vm_pindex_t npages = 0;
	uint32_t nshadows = 0;
	vm_object_t shadow;
	vm_page_t m;

	for (vm_pindex_t at = 0; (m = vm_page_find_least(object, at)) != NULL;
	     at = (vm_pindex_t)m->pindex + 1) {
		assert_ptr_equal(vm_page_object(m), object);
		assert_true(m->pindex < object->size);
		npages++;
	}
	assert_int_equal(npages, object->resident_page_count);
	LIST_FOREACH(shadow, &object->shadow_head, shadow_list) {
		assert_ptr_equal(shadow->backing_object, object);
		nshadows++;
	}
	assert_int_equal(nshadows, object->shadow_count);
	assert_true(object->ref_count >= nshadows && object->ref_count > 0);
	assert_int_equal(object->paging_in_progress, 0);
}

size_t
audit_objects(vm_pindex_t *npages)
{
	vm_object_t object;
	size_t n = 0;

	mtx_lock(&vm_mtx);
	*npages = 0;
	TAILQ_FOREACH(object, &vm_object_list, object_list) {
		audit_object(object);
		*npages += object->resident_page_count;
		n++;
	}
	mtx_unlock(&vm_mtx);
	return (n);
}

void
audit_swap(void)
{
	static uint8_t owners[1 << 14];
	vm_object_t object;
	uint32_t total = 0;

	memset(owners, 0, sizeof(owners));
	mtx_lock(&vm_mtx);
	TAILQ_FOREACH(object, &swap_objects, pager_object_list) {
		vm_pindex_t n = 0;

		for (vm_pindex_t at = 0; swap_pager_find_least(object, &at);
		     at++) {
			swblk_t blk = swap_meta_lookup(object, at);

			assert_true(blk < sizeof(owners));
			assert_int_equal(owners[blk]++, 0);
			assert_non_null(swap_dev_of(blk));
			assert_true(at < object->size);
			n++;
		}
		assert_int_equal(n, object->un_pager.swp.swp_npages);
		assert_true(n > 0);
		total += (uint32_t)n;
	}
	for (size_t i = 0; i < SWAP_MAXDEV; i++) {
		const struct swdevt *sw = &swap_devices[i];

		if (sw->sw_disk == NULL)
			continue;
		assert_int_equal(blist_avail(sw->sw_blist) + sw->sw_used +
			sw->sw_bad + SWAP_RESERVED,
		    sw->sw_end - sw->sw_first);
		total -= sw->sw_used;
	}
	assert_int_equal(total, 0);
	mtx_unlock(&vm_mtx);
}
