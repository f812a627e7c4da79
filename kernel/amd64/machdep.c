/*
 * Starts the machine: from locore.S to the SYSINITs.
 */
#include "kernel/amd64/bootmem.h"
#include "kernel/amd64/cpu_protect.h"
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/frame.h"
#include "kernel/amd64/pcb.h"
#include "kernel/amd64/pcpu.h"
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/trap.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/dumpset.h"
#include "kernel/sys/image.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_phys.h"

/* Memory below this is the firmware's, and the starting CPUs'. */
#define LOWMEM_END 0x100000

struct bootinfo bootinfo;
struct physrange boot_taken;
uint64_t realmem;

static struct pcpu pcpu0;
struct pcpu *cpuid_to_pcpu[MAXCPU];

/*
 * The boot CPU's stacks.  The page below each is unmapped once we have our own
 * page tables.
 */
struct boot_stack {
	char guard[PAGE_SIZE];
	char stack[KSTACK_SIZE];
};

static struct boot_stack thread0_stack __aligned(PAGE_SIZE) __used;
static struct boot_stack ist_stacks[3] __aligned(PAGE_SIZE);

/* Known to locore.S: behind thread0's pcb. */
extern char thread0_stack_top[];
__asm__(".globl thread0_stack_top\n"
	".set thread0_stack_top, thread0_stack + 5 * 4096 - 96");
static_assert(sizeof(struct boot_stack) == 5 * 4096, "in the line above");
static_assert(sizeof(struct pcb) == 96, "in the line above");

void init_amd64(vm_paddr_t start_info_pa);

/* Fill dump_avail: all memory, or as much as hw.physmem allows. */
static void
find_memory(void)
{
	uint64_t limit = UINT64_MAX;
	vm_paddr_t *pair = dump_avail;

	getenv_quad("hw.physmem", &limit);
	limit = trunc_page(limit);
	for (size_t i = 0; i < bootinfo.boot_nram; i++) {
		struct physrange r = bootinfo.boot_ram[i];

		if (r.phr_end > DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS)
			r.phr_end = DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS;
		if (r.phr_start >= r.phr_end || realmem >= limit)
			continue;
		if (r.phr_end - r.phr_start > limit - realmem)
			r.phr_end = r.phr_start + (limit - realmem);
		pair[0] = r.phr_start;
		pair[1] = r.phr_end;
		pair += 2;
		realmem += r.phr_end - r.phr_start;
	}
}

/* Fill phys_avail: memory that is neither the firmware's nor the image. */
static void
find_free_memory(void)
{
	vm_paddr_t image_start = (vm_offset_t)_text - KERNBASE;
	vm_paddr_t image_end = (vm_offset_t)_end - KERNBASE;

	vm_paddr_t *free = phys_avail;

	for (const vm_paddr_t *pair = dump_avail; pair[1] != 0; pair += 2) {
		struct physrange r = { pair[0], pair[1] };

		if (r.phr_start < LOWMEM_END)
			r.phr_start = LOWMEM_END;
		if (r.phr_start <= image_start && image_start < r.phr_end)
			r.phr_start = image_end;
		if (r.phr_start >= r.phr_end)
			continue;
		free[0] = r.phr_start;
		free[1] = r.phr_end;
		free += 2;
	}
	if (phys_avail[0] != image_end)
		panic("%s: no memory after the kernel at %#jx", __func__,
		    (uintmax_t)image_end);
	boot_taken = (struct physrange){ image_end, image_end };
}

void *
boot_alloc(uint64_t npages)
{
	vm_paddr_t pa = phys_avail[0];
	void *p;

	if (npages > atop(phys_avail[1] - pa))
		panic("%s: %ju pages, %ju left", __func__, (uintmax_t)npages,
		    (uintmax_t)atop(phys_avail[1] - pa));
	phys_avail[0] += ptoa(npages);
	boot_taken.phr_end = phys_avail[0];

	/* Before there is a direct map, the image's mapping reaches it. */
	p = (void *)(KPML4phys == 0 ? KERNBASE + pa : PHYS_TO_DMAP(pa));
	memset(p, 0, ptoa(npages));
	for (; pa < phys_avail[0]; pa += PAGE_SIZE)
		dump_add_page(pa);
	return (p);
}

static void
guard_stacks(void)
{
	pmap_guard((vm_offset_t)thread0_stack.guard);
	for (size_t i = 0; i < nitems(ist_stacks); i++)
		pmap_guard((vm_offset_t)ist_stacks[i].guard);
}

static void
init_cpu0(void)
{
	struct pcpu *pc = &pcpu0;

	pc->pc_prvspace = pc;
	pc->pc_curthread = &thread0;
	for (size_t i = 0; i < nitems(ist_stacks); i++)
		pc->pc_tss.tss_ist[i] =
		    (vm_offset_t)&ist_stacks[i].stack[KSTACK_SIZE];
	pc->pc_started = true;
	cpuid_to_pcpu[0] = pc;
	cpu_segments_init(pc);
	idt_init();
	idt_load();

	thread0.td_kstack = (vm_offset_t)thread0_stack.stack;
	thread0.td_kstack_pages = KSTACK_PAGES;
	thread0.td_pcb = (struct pcb *)(void *)thread0_stack_top;
}

void
init_amd64(vm_paddr_t start_info_pa)
{
	init_cpu0();
	cninit();
	pvh_parse(start_info_pa, &bootinfo);
	find_memory();
	find_free_memory();
	pmap_bootstrap();
	cpu_protect();
	guard_stacks();
	mi_startup();
}
