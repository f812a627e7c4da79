/*
 * The simulated machine: of kernel/sys, what kernel/vm stands on.
 *
 *	critical.h	all of it, in sim_inline.h
 *	dumpset.h	all but dump_add_user()
 *	kernel.h	kern_getenv()
 *	lock.h		witness_locks(), witness_place()
 *	mutex.h		spinlock_enter(), spinlock_exit()
 *	sched.h		sched_bind(), sched_unbind()
 *	smp.h		mp_maxid, stop_cpus_hard(), cpu_spinwait()
 *	stack.h		all of it
 *	systm.h		printf(), panic()
 *	version.h	what the sysctl tree shows
 *
 * Locks, sleep queues, callouts and the witness are the kernel's own, over the
 * threads of sim_thread.c.  memset(), of libkern.h, is the host's.  Page tables
 * are in sim_pmap.c.
 */
#include "tests/vm/sim.h"

#include <sys/mman.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/machine/pcpu.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/dumpset.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/stack.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/version.h"
#include "kernel/vm/memguard.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma_boot.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pager.h"
#include "tests/vm/sim_pmap.h"

/* The host's own from here on. */
#undef malloc
#undef realloc
#undef free

vm_offset_t dmapbase;
vm_offset_t dmapend;
int mp_maxid;

static struct {
	int fd;
	vm_size_t mem_size;
	uint8_t *bits; /* one byte a page: SET_* of the dump's set */
} sim = { .fd = -1 };

static const vm_paddr_t small_ram[] = { 0x1000, 0x9f000, 0x100000, 0x2100000, 0,
	0 };

const struct sim_config sim_small = {
	.ram = small_ram,
	.kva_size = 64 << 20,
	.ncpus = 2,
};

/*
 * CPUs.
 */

static pthread_mutex_t cpus[MAXCPU];
static _Thread_local uint32_t next_cpu;
static _Thread_local int bound_cpu = NOCPU;
_Thread_local struct sim_thread sim_curthread;
static _Thread_local int nspinlocks;
static _Thread_local enum witness_place pretended;
bool sim_pinned;

void
sim_pin(unsigned int cpu)
{
	sim_curthread.st_cpu = cpu;
}

uint32_t
sim_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8);
}

void
sim_cpu_get(void)
{
	sim_curthread.st_cpu = bound_cpu != NOCPU ?
	    (unsigned int)bound_cpu :
	    (sim_random(&next_cpu) >> 8) % (unsigned int)(mp_maxid + 1);
	pthread_mutex_lock(&cpus[sim_curthread.st_cpu]);
	sim_curthread.st_needresched = true;
}

void
sim_cpu_put(void)
{
	sim_curthread.st_needresched = false;
	pthread_mutex_unlock(&cpus[sim_curthread.st_cpu]);
}

/* A CPU that belongs to a thread runs no other. */
bool
sched_bind(int cpu)
{
	if (sim_pinned)
		return (sim_curthread.st_cpu == (unsigned int)cpu);
	bound_cpu = cpu;
	return (true);
}

void
sched_unbind(void)
{
	bound_cpu = NOCPU;
}

/*
 * The console, and panics.
 */

int
sim_printf(const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vfprintf(stderr, fmt, ap);
	va_end(ap);
	return (len);
}

static _Thread_local jmp_buf *panic_jmp;
static char panic_text[512];

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	if (panic_jmp != NULL)
		longjmp(*panic_jmp, 1);
	(void)fprintf(stderr, "panic: %s\n", panic_text);
	abort();
}

static void
release_all(struct lock_list *ll)
{
	while (ll->ll_count > 0)
		ll->ll_held[--ll->ll_count].li_lock->lo_word = 0;
}

const char *
sim_expect_panic(void (*func)(void *arg), void *arg)
{
	jmp_buf jmp;
	const char *volatile said = NULL;

	panic_jmp = &jmp;
	if (setjmp(jmp) == 0)
		func(arg);
	else
		said = panic_text;
	panic_jmp = NULL;

	/* Whatever it held dies with it. */
	if (sim_curthread.st_critnest > 0 && !sim_pinned)
		sim_cpu_put();
	sim_curthread.st_critnest = 0;
	nspinlocks = 0;
	pretended = PLACE_THREAD;
	release_all(&curthread->td_locks);
	curthread->td_rdlocks = 0;
	return (said);
}

/*
 * What the sysctl tree shows of a kernel, and what a boot would have set.
 */

const char version[] = "simulated\n";
const char ostype[] = "simulated";
const char osrelease[] = "0";
char hostname[64];

const char *
kern_getenv(const char *name)
{
	(void)name;
	return (NULL);
}

/*
 * What locks and the witness ask of the machine.
 */

struct lock_list *
witness_locks(void)
{
	return (&curthread->td_locks);
}

enum witness_place
witness_place(void)
{
	if (pretended == PLACE_THREAD && sim_curthread.st_critnest > nspinlocks)
		return (PLACE_CRITICAL);
	return (pretended);
}

void
sim_pretend(enum witness_place place)
{
	pretended = place;
}

/* One thread panics at a time, and the test then goes on alone. */
bool
stop_cpus_hard(void)
{
	return (true);
}

void
cpu_spinwait(void)
{
	sched_yield();
}

void
spinlock_enter(void)
{
	critical_enter();
	nspinlocks++;
}

void
spinlock_exit(void)
{
	nspinlocks--;
	critical_exit();
}

void
stack_save(struct stack *st)
{
	void *pcs[STACK_MAX];

	st->depth = backtrace(pcs, STACK_MAX);
	for (int i = 0; i < st->depth; i++)
		st->pcs[i] = (uintptr_t)pcs[i];
}

void
stack_print(const struct stack *st)
{
	for (int i = 0; i < st->depth; i++)
		(void)sim_printf("#%d %#jx\n", i, (uintmax_t)st->pcs[i]);
}

/*
 * The dump's set.
 */

#define SET_DUMPED 1
#define SET_NEVER  2
#define SET_BULK   4

static void
dump_add(vm_paddr_t pa, uint8_t bit)
{
	if (pa < sim.mem_size)
		__atomic_fetch_or(&sim.bits[atop(pa)], bit, __ATOMIC_RELAXED);
}

void
dump_add_page(vm_paddr_t pa)
{
	dump_add(pa, SET_DUMPED);
}

void
dump_add_never(vm_paddr_t pa)
{
	dump_add(pa, SET_NEVER);
}

void
dump_add_bulk(vm_paddr_t pa)
{
	dump_add(pa, SET_BULK);
}

void
dump_drop_page(vm_paddr_t pa)
{
	if (pa < sim.mem_size)
		__atomic_store_n(&sim.bits[atop(pa)], 0, __ATOMIC_RELAXED);
}

bool
sim_dumped(vm_paddr_t pa)
{
	return (__atomic_load_n(&sim.bits[atop(pa)], __ATOMIC_RELAXED) ==
	    SET_DUMPED);
}

bool
sim_never_dumped(vm_paddr_t pa)
{
	return ((__atomic_load_n(&sim.bits[atop(pa)], __ATOMIC_RELAXED) &
		    SET_NEVER) != 0);
}

bool
sim_bulk(vm_paddr_t pa)
{
	return (__atomic_load_n(&sim.bits[atop(pa)], __ATOMIC_RELAXED) ==
	    SET_BULK);
}

size_t
sim_ndumped(void)
{
	size_t count = 0;

	for (vm_pindex_t page = 0; page < atop(sim.mem_size); page++)
		count += sim.bits[page] == SET_DUMPED;
	return (count);
}

/*
 * Power on and off.
 */

static void
sim_plug_memory(const struct sim_config *config)
{
	char name[64];
	void *dmap;
	size_t n = 0;

	for (; config->ram[n + 1] != 0; n += 2) {
		dump_avail[n] = phys_avail[n] = config->ram[n];
		dump_avail[n + 1] = phys_avail[n + 1] = config->ram[n + 1];
		sim.mem_size = config->ram[n + 1];
	}
	dump_avail[n + 1] = phys_avail[n + 1] = 0;

	(void)snprintf(name, sizeof(name), "/vmcore-sim-%ld", (long)getpid());
	sim.fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	(void)shm_unlink(name);
	if (sim.fd == -1 || ftruncate(sim.fd, (off_t)sim.mem_size) != 0)
		panic("%s: no shared memory", __func__);
	dmap = mmap(NULL, sim.mem_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    sim.fd, 0);
	if (dmap == MAP_FAILED)
		panic("%s: no direct map", __func__);
	dmapbase = (vm_offset_t)dmap;
	dmapend = dmapbase + sim.mem_size;
	sim.bits = calloc(atop(sim.mem_size), 1);
}

void
sim_boot(const struct sim_config *config)
{
	vm_offset_t kva;

	sim_plug_memory(config);
	kva = sim_pmap_boot(sim.fd, config->kva_size);
	sim_pinned = config->pinned;
	mp_maxid = config->ncpus - 1;
	for (int cpu = 0; cpu < MAXCPU; cpu++)
		pthread_mutex_init(&cpus[cpu], NULL);

	sim_threads_boot();
	memguard_base = memguard_mapsize = 0;
	kmem_early_init(kva, kva + config->kva_size);
	vm_page_startup();
	uma_startup2();
	kmeminit();
	vm_object_init();
	vm_pager_init();
}

void
sim_halt(void)
{
	munmap((void *)dmapbase, sim.mem_size);
	sim_pmap_halt();
	close(sim.fd);
	free(sim.bits);
	sim.fd = -1;
}
