/*
 * The local APIC: each CPU's clock, and interrupts from CPU to CPU.
 *
 * AMD64 APM vol. 2, "Advanced Programmable Interrupt Controller".  Memory-
 * mapped mode, which every machine has.
 */
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/frame.h"
#include "kernel/amd64/intr.h"
#include "kernel/amd64/ipi.h"
#include "kernel/amd64/lapic.h"
#include "kernel/amd64/pcpu.h"
#include "kernel/amd64/types.h"
#include "kernel/sys/callout.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

/* Registers, in bytes. */
#define LAPIC_ID    0x020
#define LAPIC_TPR   0x080
#define LAPIC_EOI   0x0b0
#define LAPIC_SVR   0x0f0
#define LAPIC_ISR1  0x110 /* vectors 32 to 63 in service */
#define LAPIC_ICRLO 0x300
#define LAPIC_ICRHI 0x310
#define LAPIC_LVTT  0x320
#define LAPIC_ICR   0x380
#define LAPIC_CCR   0x390
#define LAPIC_DCR   0x3e0

#define SVR_ENABLE    0x100
#define LVT_MASKED    0x10000
#define LVTT_PERIODIC 0x20000
#define DCR_BY_16     0x3
#define ICR_FIXED     0x0000
#define ICR_NMI	      0x0400
#define ICR_INIT      0x0500
#define ICR_STARTUP   0x0600
#define ICR_PENDING   0x1000
#define ICR_ASSERT    0x4000

#define APICBASE_ADDR 0xffffff000

/* The interval timer, channel 2, by which the APIC's clock is measured. */
#define PIT_FREQ    1193182
#define PIT_CH2	    0x42
#define PIT_MODE    0x43
#define PIT_GATE    0x61 /* bit 0 gate, 1 speaker, 5 output */
#define PIT_ONESHOT 0xb0 /* channel 2, both bytes, mode 0 */

/* The old interrupt controllers, which are not used. */
#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

int hz = 100;
volatile int ticks;

static volatile uint8_t *lapic;
static uint32_t counts_per_tick; /* of the timer, divided by 16 */

static uint32_t
lapic_read(unsigned int reg)
{
	return (*(volatile uint32_t *)(lapic + reg));
}

static void
lapic_write(unsigned int reg, uint32_t v)
{
	*(volatile uint32_t *)(lapic + reg) = v;
}

uint32_t
lapic_id(void)
{
	return (lapic_read(LAPIC_ID) >> 24);
}

/* Busy for usec microseconds, at most 50 ms: one run of the PIT's counter. */
static void
pit_wait(unsigned int usec)
{
	uint32_t count = (uint32_t)((uint64_t)usec * PIT_FREQ / 1000000);

	outb(PIT_GATE, (inb(PIT_GATE) & 0xfc) | 1);
	outb(PIT_MODE, PIT_ONESHOT);
	outb(PIT_CH2, (uint8_t)count);
	outb(PIT_CH2, (uint8_t)(count >> 8));
	while ((inb(PIT_GATE) & 0x20) == 0)
		ia32_pause();
}

void
DELAY(int usec)
{
	for (; usec > 50000; usec -= 50000)
		pit_wait(50000);
	if (usec > 0)
		pit_wait((unsigned int)usec);
}

void
lapic_init(void)
{
	if (lapic == NULL) {
		lapic =
		    pmap_mapdev(rdmsr(MSR_APICBASE) & APICBASE_ADDR, PAGE_SIZE);
		outb(PIC1_DATA, 0xff);
		outb(PIC2_DATA, 0xff);
	}
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SVR, SVR_ENABLE | IDT_SPURIOUS);
	lapic_write(LAPIC_LVTT, LVT_MASKED);
}

static uint32_t
calibrate(void)
{
	uint32_t passed;

	lapic_write(LAPIC_DCR, DCR_BY_16);
	lapic_write(LAPIC_ICR, UINT32_MAX);
	pit_wait(10000);
	passed = UINT32_MAX - lapic_read(LAPIC_CCR);
	return ((uint32_t)((uint64_t)passed * 100 / (unsigned int)hz));
}

void
lapic_start_timer(void)
{
	if (counts_per_tick == 0)
		counts_per_tick = calibrate();
	lapic_write(LAPIC_DCR, DCR_BY_16);
	lapic_write(LAPIC_LVTT, LVTT_PERIODIC | IDT_TIMER);
	lapic_write(LAPIC_ICR, counts_per_tick);
}

static void
lapic_command(uint32_t apic_id, uint32_t command)
{
	register_t flags = intr_disable();

	while ((lapic_read(LAPIC_ICRLO) & ICR_PENDING) != 0)
		ia32_pause();
	lapic_write(LAPIC_ICRHI, apic_id << 24);
	lapic_write(LAPIC_ICRLO, command | ICR_ASSERT);
	intr_restore(flags);
}

void
lapic_ipi(uint32_t apic_id, uint8_t vector)
{
	lapic_command(apic_id, ICR_FIXED | vector);
}

void
lapic_nmi(uint32_t apic_id)
{
	lapic_command(apic_id, ICR_NMI);
}

/* AMD64 APM vol. 2, "Multiple Processor Initialization". */
void
lapic_startup(uint32_t apic_id, vm_paddr_t trampoline_pa)
{
	lapic_command(apic_id, ICR_INIT);
	DELAY(10000);
	for (int i = 0; i < 2; i++) {
		lapic_command(apic_id,
		    ICR_STARTUP | (uint32_t)atop(trampoline_pa));
		DELAY(200);
	}
}

/* Around each handler: what runs in it may not sleep. */
static void
intr_enter(void)
{
	curthread->td_intr_nesting_level++;
}

static void
intr_exit(void)
{
	lapic_write(LAPIC_EOI, 0);
	curthread->td_intr_nesting_level--;
	sched_preempt();
}

void
lapic_handle_timer(struct trapframe *frame)
{
	(void)frame;
	intr_enter();
	if (curcpu == 0) {
		ticks++;
		callout_process();
		cnpoll();
		FAIL_POINT(FAIL_TICK, NULL);
	}
	sched_clock();
	intr_exit();
}

/*
 * A device's: of the vectors in service, the highest is the one that came last.
 * IDT_DEV and what follows it are among those of ISR1.
 */
void
lapic_handle_intr(struct trapframe *frame)
{
	uint32_t isr = lapic_read(LAPIC_ISR1);

	(void)frame;
	intr_enter();
	if (isr != 0)
		intr_dispatch(63 - (unsigned int)__builtin_clz(isr));
	intr_exit();
}

void
lapic_handle_spurious(struct trapframe *frame)
{
	(void)frame; /* the one interrupt that is not acknowledged */
}

void
ipi_preempt_handler(struct trapframe *frame)
{
	(void)frame;
	intr_enter();
	curthread->td_needresched = true;
	intr_exit();
}

void
ipi_invltlb_handler(struct trapframe *frame)
{
	(void)frame;
	intr_enter();
	cpu_spinwait();
	intr_exit();
}

static void
clocks_init(const void *arg)
{
	(void)arg;
	lapic_init();
	get_pcpu()->pc_apic_id = lapic_id();
	lapic_start_timer();
}
SYSINIT(clocks, SI_SUB_CLOCKS, SI_ORDER_FIRST, clocks_init, NULL);

/* From here on threads can sleep. */
static void
clocks_run(const void *arg)
{
	(void)arg;
	cold = 0;
	enable_intr();
}
SYSINIT(clocks_run, SI_SUB_KTHREAD, SI_ORDER_ANY, clocks_run, NULL);
