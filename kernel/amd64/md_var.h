/*
 * What the files of amd64/ have in common, and dumps need to know.
 */
#ifndef KERNEL_AMD64_MD_VAR_H
#define KERNEL_AMD64_MD_VAR_H

#include "dumper/dumper.h"
#include "kernel/amd64/pcb.h"
#include "kernel/amd64/pvh.h"

struct trapframe;

/* The link script's. */
extern char _text[], etext[], _erodata[], _data[], _ebss[], _ksyms[], _end[];

extern struct bootinfo bootinfo;

extern uint64_t realmem; /* bytes of dump_avail */

/* Memory that was taken from phys_avail before the VM system was there. */
extern struct physrange boot_taken;

/*
 * Take npages of zeroed memory for good, before the VM system is there: its
 * address in the direct map.  panics if there is none.
 */
void *boot_alloc(uint64_t npages);

/* Make the kernel's own page tables and switch to them. */
void pmap_bootstrap(void);

/* Switch a CPU that starts to them. */
void pmap_load(void);

/* What pmap_mapdev() has mapped, for the dumper. */
extern struct dump_range pmap_devices[16];
extern size_t pmap_ndevices;

/* Device registers at pa, uncached.  NULL: no room, see DEVMAP_MIN. */
volatile void *pmap_mapdev(vm_paddr_t pa, vm_size_t len);

/* The first gigabyte at its own address, for CPUs that start. */
void pmap_map_low(void);
void pmap_unmap_low(void);

/* Make a page of the image fault: the guard of a stack. */
void pmap_guard(vm_offset_t va);

/*
 * The page-table entry for va at a level, 3 the top; NULL: there is no table of
 * that level.  Tables are followed only inside of memory: this also serves the
 * debugger.
 */
uint64_t *pmap_entry(vm_offset_t va, unsigned int level);

/* Is this a page table that was made before there were pages?  See VPG_TABLE. */
bool pmap_is_boot_table(vm_paddr_t pa);

/* The top-level page table; debuggers read KPML4phys. */
extern uint64_t KPML4phys;
extern uint64_t kernphys;

/* Traps. */
void idt_init(void);
void idt_load(void);
void idt_forget(void); /* the next trap resets the machine */
void trap(struct trapframe *frame);

/*
 * Copy len bytes that may not be there: false means that a fault came, and
 * part of them may have been copied.
 */
bool safe_copy(void *dst, const void *src, size_t len);

/* Interprocessor interrupts and the local APIC. */
void lapic_init(void);
void lapic_start_timer(void);
uint32_t lapic_id(void);
void lapic_ipi(uint32_t apic_id, uint8_t vector);
void lapic_nmi(uint32_t apic_id);
void lapic_startup(uint32_t apic_id, vm_paddr_t trampoline_pa);
void lapic_handle_timer(struct trapframe *frame);
void lapic_handle_spurious(struct trapframe *frame);
void ipi_preempt_handler(struct trapframe *frame);
void ipi_invltlb_handler(struct trapframe *frame);

/* An NMI for stopping this CPU?  Then it stopped, and may go on. */
bool ipi_nmi_handler(void);

/* Tell CPU cpu that there is something to run. */
void ipi_preempt(int cpu);

/* Make all CPUs forget their translations. */
void smp_invltlb(void);

/* What a CPU does while it waits with interrupts off: answer smp_invltlb(). */
void cpu_spinwait(void);

extern struct pcb dumppcb;
extern struct pcb stoppcbs[MAXCPU];

#endif
