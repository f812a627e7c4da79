/*
 * The other CPUs: starts them one by one, interrupts them, stops them.
 */
#include "kernel/amd64/acpi.h"
#include "kernel/amd64/bootmem.h"
#include "kernel/amd64/cpu_protect.h"
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/ipi.h"
#include "kernel/amd64/lapic.h"
#include "kernel/amd64/pcb.h"
#include "kernel/amd64/pcpu.h"
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/trap.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_kern.h"

/* The page that the CPUs start in. */
#define TRAMPOLINE_PA 0x8000

/* APICs in their memory-mapped mode send to no others; 255 is all of them. */
#define XAPIC_ID_MAX 254

/*
 * How long to wait for another CPU, milliseconds.  A real one answers at once;
 * an emulated one may have to wait for its turn on a loaded host.
 */
#define START_WAIT 10000
#define STOP_WAIT  5000

int mp_ncpus = 1;
int mp_maxid = 0;
const int mp_maxcpus = MAXCPU;
bool smp_started;
volatile cpuset_t stopped_cpus;
struct pcb stoppcbs[MAXCPU];

static volatile int stopper = NOCPU;	/* atomic: who stopped the others */
static volatile uint64_t stopping_cpus; /* atomic: a CPU each bit */
static volatile uint64_t invltlb_cpus;	/* atomic: have yet to flush */
static struct tlb_flush invltlb_flush;	/* (invltlb_lock) what of it */
static struct mtx invltlb_lock = MTX_INITIALIZER("invltlb");

static MALLOC_DEFINE(M_PCPU, "pcpu", "per-CPU data");

/* mpboot.S */
extern char mptramp_start[], mptramp_end[], mptramp_pml4[], mptramp_stack[];

static uint32_t apic_ids[MAXCPU];
static size_t napic_ids;
static struct pcpu *starting; /* read by init_secondary() */

void init_secondary(void);

static uint64_t
cpu_bit(int cpu)
{
	return (UINT64_C(1) << cpu);
}

static uint64_t
other_cpus(void)
{
	uint64_t all = mp_ncpus == 64 ? UINT64_MAX : cpu_bit(mp_ncpus) - 1;

	return (all & ~cpu_bit(curcpu));
}

static void
send_each(uint64_t cpus, void (*send)(uint32_t apic_id))
{
	int cpu;

	CPU_FOREACH(cpu) {
		if ((cpus & cpu_bit(cpu)) != 0)
			send(cpuid_to_pcpu[cpu]->pc_apic_id);
	}
}

/* ---- Start-up ---- */

void
init_secondary(void)
{
	struct pcpu *pc = starting;
	struct thread *td = pc->pc_idlethread;

	pmap_load();
	pc->pc_curthread = td;
	td->td_oncpu = pc->pc_cpuid;
	td->td_state = TDS_RUNNING;
	cpu_segments_init(pc);
	cpu_protect();
	idt_load();
	lapic_init();
	pc->pc_started = true;

	/*
	 * kthread_create_idle() set these for a thread that is entered by
	 * mi_switch(); this CPU enters it directly.
	 */
	td->td_md_spinlock_count = 0;
	td->td_critnest = 0;
	td->td_locks.ll_count = 0;
	lapic_start_timer();
	sched_idletd(pc);
}

static struct pcpu *
pcpu_create(int cpu, uint32_t apic_id)
{
	struct pcpu *pc = malloc(sizeof(*pc), M_PCPU, M_WAITOK | M_ZERO);

	pc->pc_prvspace = pc;
	pc->pc_cpuid = cpu;
	pc->pc_apic_id = apic_id;
	for (int i = 0; i < IST_MCHK; i++)
		pc->pc_tss.tss_ist[i] =
		    (vm_offset_t)kmem_malloc_guarded(KSTACK_SIZE,
			M_WAITOK | M_ZERO) +
		    KSTACK_SIZE;
	kthread_create_idle(pc);
	return (pc);
}

static bool
start_ap(struct pcpu *pc, uint8_t *tramp)
{
	vm_offset_t stack = (vm_offset_t)pc->pc_idlethread->td_pcb;

	starting = pc;
	memcpy(tramp + (mptramp_stack - mptramp_start), &stack, sizeof(stack));
	lapic_startup(pc->pc_apic_id, TRAMPOLINE_PA);
	for (int ms = 0; ms < START_WAIT && !pc->pc_started; ms++)
		DELAY(1000);
	return (pc->pc_started);
}

static void
announce(uint32_t apic_id, int cpu, bool runs)
{
	printf("cpu%d: apic id %u%s\n", cpu, apic_id,
	    runs ? "" : ", does not start");
}

/*
 * Memory as far as the direct map shows it: firmware puts its tables in
 * reserved ranges beside memory, on the same large pages.
 */
static bool
read_phys(void *dst, uint64_t pa, size_t len)
{
	if (pa == 0 || len > DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS ||
	    pa > DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS - len)
		return (false);
	return (safe_copy(dst, (const void *)PHYS_TO_DMAP(pa), len));
}

/*
 * How many CPUs there can be: those that ACPI lists and the tunable
 * kern.smp.cpus allows.  Per-CPU data is made for that many.
 */
static void
find_cpus(const void *arg)
{
	int limit = MAXCPU;

	(void)arg;
	getenv_int("kern.smp.cpus", &limit);
	napic_ids =
	    acpi_find_cpus(read_phys, bootinfo.boot_rsdp_pa, apic_ids, MAXCPU);
	if (limit > (int)napic_ids)
		limit = (int)napic_ids;
	mp_maxid = limit > 1 ? limit - 1 : 0;
}
SYSINIT(find_cpus, SI_SUB_CPU, SI_ORDER_FIRST, find_cpus, NULL);

/* Start them.  Only a CPU that runs gets a number. */
static void
start_all_aps(const void *arg)
{
	uint8_t *tramp = (uint8_t *)PHYS_TO_DMAP(TRAMPOLINE_PA);

	(void)arg;
	memcpy(tramp, mptramp_start, (size_t)(mptramp_end - mptramp_start));
	memcpy(tramp + (mptramp_pml4 - mptramp_start), &KPML4phys,
	    sizeof(KPML4phys));
	pmap_map_low();
	for (size_t i = 0; i < napic_ids && mp_ncpus <= mp_maxid; i++) {
		struct pcpu *pc;

		if (apic_ids[i] == get_pcpu()->pc_apic_id)
			continue;
		if (apic_ids[i] > XAPIC_ID_MAX) {
			printf("cpu: apic id %u is out of reach\n",
			    apic_ids[i]);
			continue;
		}
		pc = pcpu_create(mp_ncpus, apic_ids[i]);
		cpuid_to_pcpu[mp_ncpus] = pc;
		if (start_ap(pc, tramp))
			mp_ncpus++;
		announce(apic_ids[i], pc->pc_cpuid, pc->pc_started);
	}
	pmap_unmap_low();
	smp_started = true;
	printf("smp: %d CPUs\n", mp_ncpus);
}
SYSINIT(aps, SI_SUB_SMP, SI_ORDER_FIRST, start_all_aps, NULL);

/* ---- Interrupts between CPUs ---- */

void
ipi_preempt(int cpu)
{
	lapic_ipi(cpuid_to_pcpu[cpu]->pc_apic_id, IDT_PREEMPT);
}

bool
pmap_cpu_has_pcid(void)
{
	return ((rcr4() & CR4_PCIDE) != 0);
}

void
pmap_cpu_load(uint64_t cr3)
{
	load_cr3(cr3);
}

static void
flush_all(void)
{
	/*
	 * Clearing CR4's global bit for a moment invalidates global pages, too, and
	 * whatever is known under other PCIDs.
	 */
	load_cr4(rcr4() & ~(uint64_t)CR4_PGE);
	load_cr4(rcr4() | CR4_PGE);
}

static void
flush_tlb(const struct tlb_flush *flush)
{
	if (flush->tlf_all) {
		flush_all();
		return;
	}
	for (unsigned int i = 0; i < flush->tlf_nranges; i++) {
		const struct tlb_range *r = &flush->tlf_range[i];

		for (vm_offset_t va = r->tlb_start; va < r->tlb_end;
		     va += PAGE_SIZE)
			invlpg(va);
	}
}

void
cpu_spinwait(void)
{
	uint64_t bit = cpu_bit(curcpu);

	if ((__atomic_load_n(&invltlb_cpus, __ATOMIC_ACQUIRE) & bit) != 0) {
		flush_tlb(&invltlb_flush);
		__atomic_and_fetch(&invltlb_cpus, ~bit, __ATOMIC_RELEASE);
	}
	ia32_pause();
}

static void
send_invltlb(uint32_t apic_id)
{
	lapic_ipi(apic_id, IDT_INVLTLB);
}

/*
 * Other CPUs answer in their interrupt.  A CPU that waits for a mutex has
 * interrupts off and answers from its loop, so two CPUs never wait for each
 * other.
 */
static void
flush_others(uint64_t others, const struct tlb_flush *flush)
{
	mtx_lock_spin(&invltlb_lock);
	invltlb_flush = *flush;
	__atomic_store_n(&invltlb_cpus, others, __ATOMIC_RELEASE);
	send_each(others, send_invltlb);
	while (invltlb_cpus != 0)
		ia32_pause();
	mtx_unlock_spin(&invltlb_lock);
}

void
pmap_cpu_invalidate(uint64_t cpus, const struct tlb_flush *flush)
{
	uint64_t others;

	spinlock_enter();
	if ((cpus & cpu_bit(curcpu)) != 0)
		flush_tlb(flush);
	others = cpus & other_cpus();
	if (others != 0 && smp_started && !SCHEDULER_STOPPED())
		flush_others(others, flush);
	spinlock_exit();
}

/* ---- Stopping ---- */

bool
ipi_nmi_handler(void)
{
	int cpu = curcpu;
	uint64_t bit = cpu_bit(cpu);

	if ((stopping_cpus & bit) == 0)
		return (false);
	savectx(&stoppcbs[cpu]);
	__atomic_or_fetch(&stopped_cpus.__bits[0], (long)bit, __ATOMIC_RELEASE);
	while ((stopping_cpus & bit) != 0)
		ia32_pause();
	__atomic_and_fetch(&stopped_cpus.__bits[0], (long)~bit,
	    __ATOMIC_RELEASE);
	return (true);
}

/*
 * Become the CPU that stops the others.  false: this CPU is that one already.
 */
static bool
own_stop(void)
{
	int none = NOCPU;

	while (!__atomic_compare_exchange_n(&stopper, &none, curcpu, false,
	    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (none == curcpu)
			return (false);
		none = NOCPU;
		ia32_pause(); /* until its NMI comes */
	}
	return (true);
}

static void
stop_others(uint64_t others)
{
	__atomic_or_fetch(&stopping_cpus, others, __ATOMIC_RELEASE);
	send_each(others, lapic_nmi);
	for (int ms = 0; ms < STOP_WAIT; ms++) {
		if (((uint64_t)stopped_cpus.__bits[0] & others) == others)
			return;
		DELAY(1000);
	}
	printf("smp: CPUs %#jx do not stop\n",
	    (uintmax_t)(others & ~(uint64_t)stopped_cpus.__bits[0]));
}

bool
stop_cpus_hard(void)
{
	if (!own_stop())
		return (false);
	if (smp_started && other_cpus() != 0)
		stop_others(other_cpus());
	scheduler_stopped = true;
	return (true);
}

void
restart_cpus(void)
{
	scheduler_stopped = false;
	__atomic_store_n(&stopping_cpus, 0, __ATOMIC_RELEASE);
	while (stopped_cpus.__bits[0] != 0)
		ia32_pause();
	__atomic_store_n(&stopper, NOCPU, __ATOMIC_RELEASE);
}
