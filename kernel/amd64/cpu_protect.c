/*
 * What CPUs refuse if they are told to, by bits of CR4:
 *
 *	SMEP	the kernel to execute user memory
 *	SMAP	the kernel to access user memory, while the flag AC is clear
 *	UMIP	programs to read where descriptor tables are
 *
 * Bits are those of AMD64 APM vol. 3, CPUID 0000_0007h, and vol. 2, "CR4
 * Register".  All CPUs are taken to have what the first has.
 */
#include "kernel/amd64/cpu_protect.h"

#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/pcpu.h"
#include "kernel/sys/command.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

enum { EAX, EBX, ECX, EDX };

static const struct protection {
	const char *prot_name;
	unsigned int prot_reg; /* of CPUID 7 */
	uint32_t prot_bit;     /* in it */
	uint64_t prot_cr4;
} protections[] = {
	{ "SMEP", EBX, 1u << 7, CR4_SMEP },
	{ "SMAP", EBX, 1u << 20, CR4_SMAP },
	{ "UMIP", ECX, 1u << 2, CR4_UMIP },
};

void
cpu_protect(void)
{
	uint32_t reg[4];
	uint64_t cr4 = rcr4();

	do_cpuid(0, reg);
	if (reg[EAX] < 7)
		return;
	do_cpuid(7, reg);
	for (size_t i = 0; i < nitems(protections); i++) {
		if ((reg[protections[i].prot_reg] & protections[i].prot_bit) !=
		    0)
			cr4 |= protections[i].prot_cr4;
	}
	load_cr4(cr4);
	get_pcpu()->pc_cr4 = cr4;
}

void
user_access_begin(void)
{
	KASSERT(curthread->td_critnest > 0, ("%s: may be switched", __func__));
	if ((get_pcpu()->pc_cr4 & CR4_SMAP) != 0)
		stac();
}

void
user_access_end(void)
{
	if ((get_pcpu()->pc_cr4 & CR4_SMAP) != 0)
		clac();
}

static void
print_protections(const struct pcpu *pc)
{
	bool any = false;

	for (size_t i = 0; i < nitems(protections); i++) {
		if ((pc->pc_cr4 & protections[i].prot_cr4) != 0) {
			printf(" %s", protections[i].prot_name);
			any = true;
		}
	}
	printf("%s\n", any ? "" : " none of SMEP, SMAP, UMIP");
}

static void
announce(const void *arg)
{
	(void)arg;
	printf("cpu: protections:");
	print_protections(get_pcpu());
}
SYSINIT(protections, SI_SUB_CPU, SI_ORDER_MIDDLE, announce, NULL);

static void
show_cpus(const char *args)
{
	int cpu;

	(void)args;
	CPU_FOREACH(cpu) {
		const struct pcpu *pc = cpuid_to_pcpu[cpu];

		if (pc == NULL || !pc->pc_started)
			continue;
		printf("cpu%d: apic id %u, runs %d, protections:", cpu,
		    pc->pc_apic_id, pc->pc_curthread->td_tid);
		print_protections(pc);
	}
}
COMMAND(show_cpus, "show cpus", CMD_SHELL | CMD_DDB, show_cpus,
    "CPUs, what they run, and what they protect");
