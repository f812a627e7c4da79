/*
 * The CPUs that did not panic.  The one that did stops them by an interrupt, in
 * which each of them saves its registers into its element of stoppcbs.
 *
 * stoppcbs was an array of MAXCPU elements and is a pointer to one since 14.0.
 * stopped_cpus is a set of bits, in longs, of those that answered.
 *
 * A CPU that hangs does not answer, and a dump of a live system stops none.
 * The thread that such a CPU runs is in its struct pcpu; td_oncpu is less
 * exact, because it changes some time before and after a switch.  Its registers
 * are known if the dump is a core that a hypervisor wrote.
 */
#include <stdlib.h>

#include "format/search.h"
#include "kdebug/kdebug_int.h"

/* MAXCPU of every kernel so far is at most this. */
#define CPUS_MAX 4096

static unsigned int
read_max(struct kdebug *kdb, const struct kvm_symbol *stoppcbs)
{
	uint32_t pcb_len = kdb->kdb_layout.kl_const[LO_PCB_LEN];
	uint32_t maxid;
	kvaddr_t va;

	if (layout_symbol(kdb, "mp_maxid", &va) && mem_u32(kdb, va, &maxid) &&
	    maxid < CPUS_MAX)
		return (maxid + 1);
	if (stoppcbs != NULL && pcb_len != LAYOUT_NONE && pcb_len != 0 &&
	    stoppcbs->ksy_len >= pcb_len &&
	    stoppcbs->ksy_len / pcb_len <= CPUS_MAX)
		return ((unsigned int)(stoppcbs->ksy_len / pcb_len));
	return (CPUS_MAX);
}

/* By the symbol's size or, if that is not known, by the kernel's version. */
static bool
is_pointer(struct kdebug *kdb, const struct kvm_symbol *stoppcbs)
{
	if (stoppcbs->ksy_len != 0)
		return (stoppcbs->ksy_len == kdb->kdb_core->kc_ptr_len);
	return (kdb->kdb_layout.kl_osreldate >= OSREL_STOPPCBS_POINTER);
}

/* In a kernel without the set, each CPU that ran a thread counts as stopped. */
bool
cpus_stopped(struct kdebug *kdb, unsigned int cpu)
{
	const struct cpus *cp = &kdb->kdb_cpus;
	unsigned int word_len = kdb->kdb_core->kc_ptr_len;
	uint64_t off = cpu / (8 * word_len) * word_len;
	kvaddr_t word;

	if (cp->cp_stopped_va == 0)
		return (true);
	if (cp->cp_stopped_len != 0 && off >= cp->cp_stopped_len)
		return (false);
	if (!mem_word(kdb, cp->cp_stopped_va + off, &word)) {
		kdb_note(kdb, "stopped_cpus: not in the dump");
		return (true);
	}
	return ((word >> cpu % (8 * word_len) & 1) != 0);
}

/*
 * The thread that a CPU runs; 0: not known.  pc_curthread is the first member
 * of struct pcpu, where machine code looks for it.
 */
static kvaddr_t
read_curthread(struct kdebug *kdb, kvaddr_t pcpu_va)
{
	kvaddr_t td;
	uint32_t tid;

	if (pcpu_va == 0 || !mem_word(kdb, pcpu_va, &td) ||
	    !mem_u32(kdb, td + kdb->kdb_layout.kl_const[LO_TD_TID], &tid))
		return (0);
	return (td);
}

/* ---- the virtual CPUs of a hypervisor's core ---- */

/* A value of a virtual CPU's GS. */
struct gs_base {
	uint64_t gsb_va;
	size_t gsb_vcpu;
};

/* On amd64, the GS register of the kernel leads to the CPU's struct pcpu. */
struct gs_bases {
	struct gs_base gbs_list[2 * CPUS_MAX]; /* by address, then by CPU */
	size_t gbs_count;
};

/* More of them than a kernel has CPUs are not a machine's. */
static size_t
count_vcpus(const struct kdebug *kdb)
{
	size_t n = kdb->kdb_core->kc_nvcpus;

	return (n < CPUS_MAX ? n : CPUS_MAX);
}

static bool
has_gs(const struct kdebug *kdb, size_t vcpu)
{
	return (kdb->kdb_arch != NULL && kdb->kdb_arch->ar_gs_is_pcpu &&
	    kdb->kdb_core->kc_vcpus[vcpu].vc_qemu);
}

static int
compare_bases(const void *a, const void *b)
{
	const struct gs_base *x = a, *y = b;

	if (x->gsb_va != y->gsb_va)
		return (x->gsb_va < y->gsb_va ? -1 : 1);
	return (x->gsb_vcpu < y->gsb_vcpu ? -1 : x->gsb_vcpu > y->gsb_vcpu);
}

/* The caller frees it.  NULL: no memory. */
static struct gs_bases *
list_bases(const struct kdebug *kdb)
{
	struct gs_bases *gs = calloc(1, sizeof(*gs));

	if (gs == NULL)
		return (NULL);
	for (size_t i = 0; i < count_vcpus(kdb); i++) {
		const struct kvm_vcpu *vc = &kdb->kdb_core->kc_vcpus[i];

		if (!has_gs(kdb, i))
			continue;
		gs->gbs_list[gs->gbs_count++] =
		    (struct gs_base){ vc->vc_state.qc_gs_base, i };
		gs->gbs_list[gs->gbs_count++] =
		    (struct gs_base){ vc->vc_state.qc_kernel_gs_base, i };
	}
	qsort(gs->gbs_list, gs->gbs_count, sizeof(*gs->gbs_list),
	    compare_bases);
	return (gs);
}

static uint64_t
base_at(const void *list, size_t i)
{
	return (((const struct gs_base *)list)[i].gsb_va);
}

/*
 * The virtual CPU that is the kernel's cpu.  If GS is not known, they are
 * assumed to have the same number.
 */
static const struct kvm_vcpu *
find_vcpu(const struct kdebug *kdb, const struct gs_bases *gs, unsigned int cpu,
    kvaddr_t pcpu_va)
{
	size_t nvcpus = count_vcpus(kdb), found = nvcpus, i;

	if (cpu < nvcpus && !has_gs(kdb, cpu))
		found = cpu;
	if (pcpu_va != 0) {
		i = search_upto(gs->gbs_list, gs->gbs_count, base_at,
		    pcpu_va - 1);
		if (i < gs->gbs_count && gs->gbs_list[i].gsb_va == pcpu_va &&
		    gs->gbs_list[i].gsb_vcpu < found)
			found = gs->gbs_list[i].gsb_vcpu;
	}
	return (found < nvcpus ? &kdb->kdb_core->kc_vcpus[found] : NULL);
}

/* ---- those that were not stopped ---- */

/* The address of cpu's struct pcpu; 0: it is not known. */
static kvaddr_t
read_pcpu_va(struct kdebug *kdb, const struct kvm_symbol *pcpus,
    unsigned int cpu)
{
	unsigned int ptr_len = kdb->kdb_core->kc_ptr_len;
	kvaddr_t va;

	if (cpu >= pcpus->ksy_len / ptr_len ||
	    !mem_word(kdb, pcpus->ksy_va + cpu * ptr_len, &va))
		return (0);
	return (va);
}

static void
load_unstopped(struct kdebug *kdb)
{
	struct cpus *cp = &kdb->kdb_cpus;
	struct kvm_symbol pcpus = { .ksy_len = 0 };
	struct gs_bases *gs = list_bases(kdb);

	(void)kvm_symbol_find(kdb->kdb_kd, "cpuid_to_pcpu", &pcpus);
	cp->cp_unstopped = calloc(cp->cp_max, sizeof(*cp->cp_unstopped));
	for (unsigned int i = 0;
	     gs != NULL && cp->cp_unstopped != NULL && i < cp->cp_max; i++) {
		struct unstopped *un = &cp->cp_unstopped[cp->cp_nunstopped];
		kvaddr_t pcpu_va;

		if (cpus_stopped(kdb, i))
			continue;
		pcpu_va = read_pcpu_va(kdb, &pcpus, i);
		*un = (struct unstopped){
			.un_cpu = i,
			.un_td = read_curthread(kdb, pcpu_va),
			.un_vcpu = find_vcpu(kdb, gs, i, pcpu_va),
		};
		if (un->un_td != 0 || un->un_vcpu != NULL)
			cp->cp_nunstopped++;
	}
	free(gs);
}

void
cpus_load(struct kdebug *kdb)
{
	struct cpus *cp = &kdb->kdb_cpus;
	struct kvm_symbol stoppcbs, stopped;

	*cp = (struct cpus){ .cp_max = CPUS_MAX };
	if (!kvm_symbol_find(kdb->kdb_kd, "stoppcbs", &stoppcbs)) {
		cp->cp_max = read_max(kdb, NULL);
	} else {
		cp->cp_max = read_max(kdb, &stoppcbs);
		cp->cp_stoppcbs_va = stoppcbs.ksy_va;
		if (is_pointer(kdb, &stoppcbs) &&
		    !mem_word(kdb, stoppcbs.ksy_va, &cp->cp_stoppcbs_va)) {
			kdb_note(kdb,
			    "stoppcbs: the pointer is not in the dump");
			cp->cp_stoppcbs_va = 0;
		}
	}
	if (kvm_symbol_find(kdb->kdb_kd, "stopped_cpus", &stopped)) {
		cp->cp_stopped_va = stopped.ksy_va;
		cp->cp_stopped_len = stopped.ksy_len;
	}
	load_unstopped(kdb);
}

/*
 * How many CPUs may have registers in stoppcbs.  0: there is no such array, or
 * neither its length nor that of an element is known.
 */
unsigned int
cpus_count(const struct kdebug *kdb)
{
	const struct cpus *cp = &kdb->kdb_cpus;

	return (cp->cp_max < CPUS_MAX && cpus_stoppcb(kdb, 0) != 0 ?
		cp->cp_max :
		0);
}

void
cpus_fini(struct kdebug *kdb)
{
	free(kdb->kdb_cpus.cp_unstopped);
}

/*
 * The CPU that the thread at td_va was on; -1: none.  oncpu is its td_oncpu.
 * For a CPU that was not stopped, its struct pcpu is used instead.
 */
int
cpus_of_thread(const struct kdebug *kdb, kvaddr_t td_va, int oncpu)
{
	const struct cpus *cp = &kdb->kdb_cpus;

	for (size_t i = 0; i < cp->cp_nunstopped; i++) {
		const struct unstopped *un = &cp->cp_unstopped[i];

		if (un->un_td == 0)
			continue;
		if (un->un_td == td_va)
			return ((int)un->un_cpu);
		if ((int)un->un_cpu == oncpu)
			oncpu = -1;
	}
	return (oncpu);
}

/* The registers of a CPU that was not stopped, from its hypervisor's notes. */
bool
cpus_vcpu_regs(const struct kdebug *kdb, unsigned int cpu,
    struct kdebug_regs *out)
{
	const struct cpus *cp = &kdb->kdb_cpus;
	const struct reg_layout *rl;

	if (kdb->kdb_arch == NULL || kdb->kdb_arch->ar_prstatus == NULL)
		return (false);
	rl = kdb->kdb_arch->ar_prstatus;
	for (size_t i = 0; i < cp->cp_nunstopped; i++) {
		const struct kvm_vcpu *vc = cp->cp_unstopped[i].un_vcpu;

		if (cp->cp_unstopped[i].un_cpu != cpu || vc == NULL ||
		    vc->vc_prstatus.len < rl->rl_len)
			continue;
		regs_decode(rl, kdb->kdb_core->kc_order, vc->vc_prstatus.base,
		    out);
		return (true);
	}
	return (false);
}

/* Where the registers of cpu are; 0: unknown. */
kvaddr_t
cpus_stoppcb(const struct kdebug *kdb, unsigned int cpu)
{
	uint32_t pcb_len = kdb->kdb_layout.kl_const[LO_PCB_LEN];

	if (kdb->kdb_cpus.cp_stoppcbs_va == 0 || pcb_len == LAYOUT_NONE)
		return (0);
	return (kdb->kdb_cpus.cp_stoppcbs_va + (kvaddr_t)cpu * pcb_len);
}
