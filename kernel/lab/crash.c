/*
 * Ways to break the machine on purpose: "crash KIND" in the shell.
 */
#include "kernel/lab/crash.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pcpu.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

/* An address that is never mapped, just below the kernel's image. */
#define NOWHERE 0xffffffff80001000

static struct mtx crash_lock = MTX_INITIALIZER("crash");
static void (*volatile null_function)(void);
static volatile unsigned int zero;

static char lock_wanted[32];
static bool lock_is_wanted;		   /* atomic */
const struct lock_object *crash_lock_held; /* for debuggers */

static void
crash_panic(void)
{
	panic("crash: %s", "as you asked");
}

static void
crash_assert(void)
{
	KASSERT(zero != 0, ("%s: zero is %u", __func__, zero));
}

static void
crash_locked(void)
{
	mtx_lock_spin(&crash_lock);
	panic("crash: with a mutex held");
}

static void
crash_nointr(void)
{
	disable_intr();
	panic("crash: with interrupts off");
}

static void
crash_read(void)
{
	(void)*(volatile uint64_t *)NOWHERE;
}

static void
crash_write(void)
{
	*(volatile uint64_t *)(vm_offset_t)crash_write = 0;
}

/* The kernel's text, through the direct map. */
static void
crash_alias(void)
{
	vm_paddr_t pa = pmap_kextract((vm_offset_t)crash_alias);

	*(volatile uint64_t *)PHYS_TO_DMAP(pa) = 0;
}

static void
crash_null(void)
{
	null_function();
}

static void
crash_divide(void)
{
	zero = 12345 / zero;
}

static void
crash_ud(void)
{
	__builtin_trap();
}

/* Each call takes 256 bytes of the stack, and none may become a loop. */
static __noinline unsigned int
eat_stack(volatile unsigned int *above)
{
	volatile unsigned int room[64];

	if (*above == UINT32_MAX) /* it never gets there */
		return (0);
	room[0] = *above + 1;
	return (eat_stack(room) + room[0]);
}

static void
crash_stack(void)
{
	volatile unsigned int bottom = 0;

	printf("%u\n", eat_stack(&bottom));
}

static void
crash_clock(const void *arg)
{
	(void)arg;
	panic("crash: in an interrupt");
}

static void
crash_interrupt(void)
{
	fail_set(FAIL_TICK, crash_clock);
	pause("crash", 10 * hz);
}

/* A pending timer interrupt is taken one instruction after sti. */
static __attribute__((naked)) void
enable_and_return(void)
{
	__asm__("pushq %rbp; movq %rsp, %rbp; sti; popq %rbp; ret");
}

/* Panic in an interrupt that comes after a function has removed its frame. */
static void
crash_return(void)
{
	disable_intr();
	fail_set(FAIL_TICK, crash_clock);
	DELAY(2 * 1000000 / hz);
	enable_and_return();
}

/* ---- On another CPU ---- */

static int busy_cpu;

/*
 * Start a thread that is to run on another CPU.  This thread keeps its own CPU
 * busy from here on, so that the other one gets the new thread.
 */
static void
start_elsewhere(void (*func)(void *))
{
	critical_enter();
	busy_cpu = curcpu;
	kproc_kthread_add(func, NULL, NULL, NULL, "crash", "crash");
}

static void
leave_busy_cpu(void)
{
	while (curcpu == busy_cpu)
		pause("crash", 1);
}

static void
othercpu_thread(void *arg)
{
	(void)arg;
	leave_busy_cpu();
	panic("crash: on another CPU");
}

static void
crash_othercpu(void)
{
	start_elsewhere(othercpu_thread);
	for (;;)
		ia32_pause();
}

static volatile bool race_on;

static void
race_thread(void *arg)
{
	(void)arg;
	leave_busy_cpu();
	race_on = true;
	panic("crash: while the debugger was entered");
}

/* A panic on one CPU while another enters the debugger. */
static void
crash_race(void)
{
	start_elsewhere(race_thread);
	while (!race_on)
		ia32_pause();
	breakpoint();
	for (;;)
		ia32_pause();
}

/* ---- By name ---- */

static const struct {
	const char *name;
	void (*func)(void);
} kinds[] = {
	{ "panic", crash_panic },
	{ "assert", crash_assert },
	{ "locked", crash_locked },
	{ "nointr", crash_nointr },
	{ "interrupt", crash_interrupt },
	{ "return", crash_return },
	{ "io", crash_io },
	{ "othercpu", crash_othercpu },
	{ "race", crash_race },
	{ "read", crash_read },
	{ "write", crash_write },
	{ "alias", crash_alias },
	{ "null", crash_null },
	{ "divide", crash_divide },
	{ "ud", crash_ud },
	{ "stack", crash_stack },
	{ "chain", crash_chain },
	{ "reversal", crash_reversal },
	{ "spinsleep", crash_spinsleep },
	{ "critsleep", crash_critsleep },
	{ "intrsleep", crash_intrsleep },
	{ "nmilock", crash_nmilock },
	{ "spinblock", crash_spinblock },
	{ "mtxsleep", crash_mtxsleep },
	{ "mtxsx", crash_mtxsx },
	{ "overrun", crash_overrun },
	{ "stale", crash_stale },
	{ "redzone", crash_redzone },
	{ "useraccess", crash_useraccess },
	{ "userexec", crash_userexec },
	{ "dataexec", crash_dataexec },
};

static void
sh_crash(const char *args)
{
	for (size_t i = 0; i < nitems(kinds); i++) {
		if (strcmp(kinds[i].name, args) == 0) {
			kinds[i].func();
			printf("crash: survived %s\n", args);
			return;
		}
	}
	printf("crash");
	for (size_t i = 0; i < nitems(kinds); i++)
		printf("%s %s", i == 0 ? "" : " |", kinds[i].name);
	printf("\n");
}
COMMAND(crash, "crash", CMD_SHELL, sh_crash, "KIND: break the machine");

/*
 * Once: a panic takes locks, too, and another CPU may take a lock of that name at the
 * same time.
 */
static void
crash_held(const void *arg)
{
	const struct lock_object *lo = arg;

	if (strcmp(lo->lo_name, lock_wanted) != 0 ||
	    !__atomic_exchange_n(&lock_is_wanted, false, __ATOMIC_RELAXED))
		return;
	fail_set(FAIL_LOCK_HELD, NULL);
	crash_lock_held = lo;
	panic("crash: with the lock \"%s\" held", lo->lo_name);
}

void
crash_hold(const char *name)
{
	strlcpy(lock_wanted, name, sizeof(lock_wanted));
	__atomic_store_n(&lock_is_wanted, true, __ATOMIC_RELAXED);
	fail_set(FAIL_LOCK_HELD, crash_held);
}
COMMAND(hold, "hold", CMD_SHELL, crash_hold,
    "LOCK: panic when it is held next");

static MALLOC_DEFINE(M_FILL, "fill", "patterns for tests");

/* The same sum as in tests/boot. */
static uint32_t
checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + p[i];
	return (sum);
}

/* Memory that a test finds again in the dump: some small, some of many pages. */
static void
fill(unsigned int seed)
{
	size_t len = (size_t)100 << (4 * (seed % 3));
	uint8_t *p = malloc(len, M_FILL, M_WAITOK);
	uint32_t v = seed + 1;

	for (size_t i = 0; i < len; i++) {
		v = v * 1664525 + 1013904223;
		p[i] = (uint8_t)(v >> 24);
	}
	printf("fill: %p %zu bytes, sum %#x\n", (void *)p, len,
	    checksum(p, len));
}

static void
sh_fill(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end);

	for (unsigned int i = 0; i < n; i++)
		fill(i);
}
COMMAND(fill, "fill", CMD_SHELL, sh_fill,
    "N: pieces of memory with known bytes");
