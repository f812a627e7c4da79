/*
 * PCIDs: what a CPU knows of several address spaces at a time.
 *
 * A CPU tags what it knows with a number of 12 bits, and keeps it when it loads
 * another address space.  Each CPU gives its own numbers, one after the other.
 * When it has used them up, it begins a new generation with the first.  The number
 * of an address space on a CPU is good while
 *
 *	- the CPU's generation is the one in which the number was given
 *	- nothing was taken away from the address space: pm_kept has the CPU's bit
 *
 * A number that is good is loaded with CR3_PCID_SAVE.  If it is not, the next one
 * is given, and the CPU forgets what it had under that.  So a CPU that does not
 * have the address space loaded needs no interrupt: its bit is cleared.
 *
 * That bit is cleared for CPUs that have it loaded, too, after the change, before
 * pm_active is looked at.  Such a CPU may load another one before the interrupt
 * comes, which then is about that one.  Who loads sets its bit of pm_active first,
 * looks at pm_kept next, and takes no interrupt until CR3 is loaded.
 *
 * The kernel has number 0.  What it maps is global, so its number is always good.
 *
 * Lock: none.  A CPU changes its own numbers with interrupts off; pm_kept
 * changes by atomic operations.
 */
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

#define PCID_KERN    0
#define PCID_OVERMAX 0x1000

/* By CPU, which writes its own. */
static struct {
	uint32_t next;
	uint32_t gen; /* 0: no number is good */
} cpus[MAXCPU];

static bool available;
static int pcid_enabled = 1;

SYSCTL_NODE(_vm, OID_AUTO, pmap, CTLFLAG_RD, NULL, "page tables");
SYSCTL_INT(_vm_pmap, OID_AUTO, pcid_enabled, CTLFLAG_RDTUN, &pcid_enabled, 0,
    "Keep translations by PCIDs, on CPUs that have them");

void
pmap_pcid_init(void)
{
	available = pmap_cpu_has_pcid();
	for (size_t cpu = 0; cpu < nitems(cpus); cpu++) {
		cpus[cpu].next = PCID_KERN + 1;
		cpus[cpu].gen = 1;
	}
}

/* The next number of this CPU. */
static struct pcid
give(unsigned int cpu)
{
	if (cpus[cpu].next == PCID_OVERMAX) {
		cpus[cpu].next = PCID_KERN + 1;
		if (++cpus[cpu].gen == 0)
			cpus[cpu].gen = 1;
	}
	return ((struct pcid){ cpus[cpu].next++, cpus[cpu].gen });
}

uint64_t
pmap_pcid_cr3(struct pmap *pmap, unsigned int cpu)
{
	uint64_t bit = UINT64_C(1) << cpu;
	struct pcid *pcid = &pmap->pm_pcids[cpu];

	if (!available || !pcid_enabled)
		return (pmap->pm_root);
	if (pmap == kernel_pmap)
		return (pmap->pm_root | PCID_KERN | CR3_PCID_SAVE);
	if ((__atomic_load_n(&pmap->pm_kept, __ATOMIC_SEQ_CST) & bit) != 0 &&
	    pcid->pcid_gen == cpus[cpu].gen)
		return (pmap->pm_root | pcid->pcid_number | CR3_PCID_SAVE);
	*pcid = give(cpu);
	__atomic_fetch_or(&pmap->pm_kept, bit, __ATOMIC_SEQ_CST);
	return (pmap->pm_root | pcid->pcid_number);
}

/*
 * This CPU keeps its number if it has pmap loaded: it does not load another one
 * before it has forgotten what was gathered.
 */
void
pmap_pcid_forget(struct pmap *pmap)
{
	uint64_t self = pmap_active(pmap) & UINT64_C(1) << critical_cpu();

	if ((__atomic_load_n(&pmap->pm_kept, __ATOMIC_SEQ_CST) & ~self) != 0)
		__atomic_fetch_and(&pmap->pm_kept, self, __ATOMIC_SEQ_CST);
}
