/*
 * Items that each CPU has one of: zones with UMA_ZONE_PCPU.
 *
 *	page 0		page 1		...	page mp_maxid
 *	| a | b | c |	| a | b | c |		| a | b | c |
 *	  for CPU 0	  for CPU 1
 *
 * The address of an item is that of CPU 0's.
 *
 * Lock: none.  uma_core.c takes the zone's.
 */
#include "kernel/sys/libkern.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_int.h"

void *
uma_zalloc_pcpu_arg(uma_zone_t zone, void *arg, int flags)
{
	void *item;

	KASSERT((zone->uz_flags & UMA_ZONE_PCPU) != 0,
	    ("%s: %s has one item for all", __func__, zone->uz_name));
	item = uma_zalloc_arg(zone, arg, flags & ~M_ZERO);
	for (int cpu = 0;
	     item != NULL && (flags & M_ZERO) != 0 && cpu <= mp_maxid; cpu++)
		memset(zpcpu_get_cpu(item, cpu), 0, zone->uz_size);
	return (item);
}

void
uma_zfree_pcpu_arg(uma_zone_t zone, void *item, void *arg)
{
	KASSERT((zone->uz_flags & UMA_ZONE_PCPU) != 0,
	    ("%s: %s has one item for all", __func__, zone->uz_name));
	uma_zfree_arg(zone, item, arg);
}
