/* What the tests of UMA and malloc(9) share. */
#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/sys/smp.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

/* Count a list's slabs that came through the direct map, each in the dump. */
static size_t
count_dumped_slabs(const struct uma_slablist *list)
{
	size_t count = 0;

	for (const struct uma_slab *slab = list->sl_first; slab != NULL;
	     slab = slab->us_next) {
		if (slab->us_flags != UMA_SLAB_PRIV)
			continue;
		assert_true(
		    sim_dumped(pmap_kextract((vm_offset_t)slab->us_data)));
		count++;
	}
	return (count);
}

static size_t
count_slabs(void)
{
	size_t slabs = 0;

	for (const struct uma_keg *keg = uma_kegs; keg != NULL;
	     keg = keg->uk_next) {
		slabs += count_dumped_slabs(&keg->uk_part);
		slabs += count_dumped_slabs(&keg->uk_free);
		slabs += count_dumped_slabs(&keg->uk_full);
	}
	return (slabs);
}

/* Pages in the dump's set that boot put there, besides slabs. */
static size_t boot_dumped;

static int
power_on(const struct sim_config *config)
{
	sim_boot(config);
	boot_dumped = sim_ndumped() - count_slabs();
	return (0);
}

static int
power_on_cpus(int ncpus)
{
	struct sim_config config = sim_small;

	config.ncpus = ncpus;
	return (power_on(&config));
}

int
uma_power_on(void **state)
{
	(void)state;
	return (power_on(&sim_small));
}

int
uma_power_on_one_cpu(void **state)
{
	(void)state;
	return (power_on_cpus(1));
}

int
uma_power_on_four_cpus(void **state)
{
	(void)state;
	return (power_on_cpus(4));
}

int
uma_power_off(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

void
audit_dump_set(void)
{
	assert_int_equal(sim_ndumped(), boot_dumped + count_slabs());
	for (vm_pindex_t i = 0; i < vm_page_array_size; i++) {
		const struct vm_page *m = &vm_page_array[i];

		if ((m->flags & VPG_FREE) != 0)
			assert_false(sim_dumped(VM_PAGE_TO_PHYS(m)));
	}
}

/* Items of a list's slabs that are free according to their bits. */
static uint64_t
count_free_items(const struct uma_keg *keg, const struct uma_slablist *list,
    uint64_t *nslabs)
{
	uint64_t count = 0;

	for (const struct uma_slab *slab = list->sl_first; slab != NULL;
	     slab = slab->us_next) {
		uint64_t bits = 0;

		for (uint32_t w = 0; w < UMA_SLAB_WORDS(keg->uk_ipers); w++)
			bits +=
			    (uint64_t)__builtin_popcountll(slab->us_bits[w]);
		assert_int_equal(bits, slab->us_freecount);
		count += bits;
		(*nslabs)++;
	}
	return (count);
}

uint64_t
count_cached(const struct uma_zone *zone)
{
	uint64_t n = 0;

	for (int cpu = 0; cpu <= mp_maxid; cpu++) {
		const struct uma_cache *cache = &zone->uz_cpu[cpu];

		n += cache->uc_loaded.ucb_cnt;
		n += cache->uc_spare.ucb_cnt;
	}
	return (n);
}

void
audit_zone(uma_zone_t zone, uint64_t used)
{
	const struct uma_keg *keg = zone->uz_keg;
	struct uma_stat stat;
	uint64_t nslabs = 0;
	uint64_t nfree = count_free_items(keg, &keg->uk_part, &nslabs);

	nfree += count_free_items(keg, &keg->uk_free, &nslabs);
	assert_int_equal(count_free_items(keg, &keg->uk_full, &nslabs), 0);
	assert_int_equal(nfree, keg->uk_freeitems);
	assert_int_equal(nslabs * keg->uk_ppera, keg->uk_pages);

	uma_zone_get_stat(zone, &stat);
	assert_int_equal(stat.ust_used, used);
	assert_int_equal(stat.ust_requests - stat.ust_frees, used);
	assert_int_equal(stat.ust_used + stat.ust_free, nslabs * keg->uk_ipers);
}

void
check_fill(const uint8_t *item, size_t size, uint8_t fill)
{
	for (size_t i = 0; i < size; i++) {
		if (item[i] != fill)
			fail_msg("byte %zu of %p is not ours", i,
			    (const void *)item);
	}
}
