/*
 * Vectors for devices, IDT_DEV and what follows it.  They are given away one by
 * one and never taken back.
 *
 * Intel SDM vol. 3, "Message Signalled Interrupts": the address names a local
 * APIC and the data a vector; delivery mode 0, edge-triggered.
 */
#include "kernel/amd64/intr.h"

#include "kernel/amd64/pcpu.h"
#include "kernel/amd64/segments.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

#define MSI_PA	       0xfee00000
#define MSI_APIC_SHIFT 12

struct handler {
	const char *ih_name;
	void (*ih_func)(void *arg);
	void *ih_arg;
	int ih_cpu;
	uint64_t ih_count; /* atomic */
};

static struct mtx intr_lock = MTX_INITIALIZER("intr");
static struct handler handlers[NDEVINTR]; /* set once, before nhandlers */
static unsigned int nhandlers;		  /* (intr_lock) for writers; atomic */

int
intr_setup(const char *name, void (*func)(void *arg), void *arg,
    struct intr_msg *msg)
{
	struct handler *ih;
	int error = ENOSPC;

	mtx_lock_spin(&intr_lock);
	if (nhandlers < NDEVINTR) {
		ih = &handlers[nhandlers];
		ih->ih_name = name;
		ih->ih_func = func;
		ih->ih_arg = arg;
		ih->ih_cpu = (int)nhandlers % mp_ncpus;
		msg->imsg_pa = MSI_PA |
		    (uint64_t)cpuid_to_pcpu[ih->ih_cpu]->pc_apic_id
			<< MSI_APIC_SHIFT;
		msg->imsg_data = IDT_DEV + nhandlers;
		__atomic_store_n(&nhandlers, nhandlers + 1, __ATOMIC_RELEASE);
		error = 0;
	}
	mtx_unlock_spin(&intr_lock);
	return (error);
}

void
intr_dispatch(unsigned int vector)
{
	unsigned int i = vector - IDT_DEV;

	if (i >= __atomic_load_n(&nhandlers, __ATOMIC_ACQUIRE))
		return;
	__atomic_add_fetch(&handlers[i].ih_count, 1, __ATOMIC_RELAXED);
	handlers[i].ih_func(handlers[i].ih_arg);
}

static void
db_show_intr(const char *args)
{
	(void)args;
	for (unsigned int i = 0; i < nhandlers; i++) {
		const struct handler *ih = &handlers[i];

		printf("%s: vector %#x of cpu%d, %ju interrupts\n", ih->ih_name,
		    IDT_DEV + i, ih->ih_cpu, (uintmax_t)ih->ih_count);
	}
}
COMMAND(show_intr, "show intr", CMD_DDB, db_show_intr,
    "interrupts of devices, and how many came");
