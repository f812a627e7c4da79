/*
 * What a page of kernel memory costs, beside a page: "kmembench N" in the shell.
 *
 * A thread on each CPU allocates and frees N of either, one at a time, while all the
 * others do the same.  Kernel memory has an address, which all CPUs must forget
 * before it is used again.
 */
#include "kernel/lab/bench.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"

static uint64_t npairs;
static int nready, nover;    /* atomic */
static uint64_t page_cycles; /* atomic: of all threads */
static uint64_t kmem_cycles; /* atomic */

/* All threads are here. */
static void
meet(int round)
{
	__atomic_fetch_add(&nready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&nready, __ATOMIC_ACQUIRE) <
	    round * (mp_maxid + 1))
		ia32_pause();
}

static void
page_pairs(void)
{
	for (uint64_t i = 0; i < npairs; i++) {
		vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_WAITOK);

		vm_page_free(m);
	}
}

static void
kmem_pairs(void)
{
	for (uint64_t i = 0; i < npairs; i++) {
		void *mem = kmem_malloc(PAGE_SIZE, M_WAITOK);

		*(volatile uint8_t *)mem = 1;
		kmem_free(mem, PAGE_SIZE);
	}
}

static void
time_pairs(void (*pairs)(void), uint64_t *cycles)
{
	uint64_t start = rdtsc();

	pairs();
	__atomic_fetch_add(cycles, rdtsc() - start, __ATOMIC_RELAXED);
}

static void
kmem_bencher(void *arg)
{
	if (!sched_bind((int)(intptr_t)arg))
		panic("kmembench: CPU %d does not run", (int)(intptr_t)arg);
	meet(1);
	time_pairs(page_pairs, &page_cycles);
	meet(2);
	time_pairs(kmem_pairs, &kmem_cycles);
	__atomic_fetch_add(&nover, 1, __ATOMIC_RELEASE);
}

static void
sh_kmembench(const char *args)
{
	const char *end;
	uint64_t rate = cycles_per_ms(), each;
	int cpu;

	npairs = strtouq(args, &end);
	if (npairs == 0) {
		printf("kmembench: give a number\n");
		return;
	}
	nready = nover = 0;
	page_cycles = kmem_cycles = 0;
	CPU_FOREACH(cpu)
		(void)kproc_kthread_add(kmem_bencher, (void *)(intptr_t)cpu,
		    NULL, NULL, "kmembench", "kmembench %d", cpu);
	while (__atomic_load_n(&nover, __ATOMIC_ACQUIRE) <= mp_maxid)
		pause("kmembench", 1);
	each = npairs * (uint64_t)(mp_maxid + 1);
	printf("kmembench: a pair takes %ju ns of pages, %ju ns of kernel "
	       "memory\n",
	    (uintmax_t)(page_cycles * 1000000 / rate / each),
	    (uintmax_t)(kmem_cycles * 1000000 / rate / each));
}
COMMAND(kmembench, "kmembench", CMD_SHELL, sh_kmembench,
    "N: time pages of kernel memory, and pages, on all CPUs at once");
