/*
 * A machine for the tests of UMA and malloc(9), and what is true of its zones.
 */
#ifndef TESTS_VM_SIM_UMA_H
#define TESTS_VM_SIM_UMA_H

#include "tests/vm/sim.h"

#include "kernel/vm/uma_int.h"

/*
 * The setup and the teardown of a test.  With one CPU, what was freed is what is
 * allocated next, and no cache is out of reach.
 */
int uma_power_on(void **state);
int uma_power_on_one_cpu(void **state);
int uma_power_on_four_cpus(void **state);
int uma_power_off(void **state);

/*
 * What the dump's set holds beyond boot is the pages of live one-page slabs, and no free
 * page is in it.
 */
void audit_dump_set(void);

/* A zone that is not in use, but for that many items: lists, bits, counters agree. */
void audit_zone(uma_zone_t zone, uint64_t used);

/* Items in the caches of CPUs. */
uint64_t count_cached(const struct uma_zone *zone);

/* Each byte of an item is fill. */
void check_fill(const uint8_t *item, size_t size, uint8_t fill);

#endif
