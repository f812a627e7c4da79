/*
 * Start-up, and the command line's tunables.  The boot order, first to last;
 * CPU 0 alone until the aps start:
 *
 *	btext		locore.S	64-bit mode, the image mapped at KERNBASE
 *	init_cpu0	machdep.c	per-CPU data, segments, traps, first stack
 *	cninit		kern_cons.c	printf() reaches the console
 *	pvh_parse	pvh.c		command line and memory, from the loader
 *	find_memory	machdep.c	dump_avail, phys_avail: boot_alloc() works
 *	pmap_bootstrap	pmap_bootstrap.c the direct map
 *	cpu_protect	cpu_protect.c	what the CPU is to refuse
 *	mi_startup	here		the SYSINITs, by subsystem and order:
 *
 *	sysctl_tunables	TUNABLES	variables that the command line sets
 *	linker		TUNABLES	the kernel's size, for debuggers
 *	find_cpus	CPU		how many there can be
 *	runqs		CPU		where bound threads wait
 *	protections	CPU		says what the CPUs refuse
 *	dump_pages	VM		from here on pages can be registered
 *	vm_mem		VM		pages, UMA, malloc(), in vm_init.c
 *	clocks		CLOCKS		the APIC's timer; interrupts are still off
 *	callouts	CLOCKS		the wheel that the clock turns
 *	tsc		CLOCKS		the cycle counter measured: sbinuptime() works
 *	threads		KTHREAD		threads can be made: idle, reaper
 *	vm_daemons	KTHREAD		page daemon, and what finishes writes to swap
 *	clocks_run	KTHREAD		interrupts on: threads can sleep
 *	console		KTHREAD		how to enter the debugger
 *	aps		SMP		the other CPUs run
 *	vtblk		DRIVERS		disks
 *	disk_watch	DRIVERS		the clock looks after their requests
 *	dump		DUMP		dump devices are chosen and announced
 *	shell		LAST		kern.script, then the prompt
 *
 * The boot thread then sleeps for ever, as the swapper.
 */
#include "kernel/machine/bootmem.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/msgbuf.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/version.h"

/* No image has more. */
#define SYSINIT_MAX 128

SET_DECLARE(sysinit_set, const struct sysinit);

int cold = 1;

/* The command line, cut into words that end in NUL. */
static char env[sizeof(bootinfo.boot_cmdline)];
static size_t env_len;

/* Double quotes around a word, or a part of it, keep its spaces: scripts. */
static void
init_env(const void *arg)
{
	bool quoted = false;

	(void)arg;
	for (const char *p = bootinfo.boot_cmdline; *p != '\0'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else
			env[env_len++] = *p == ' ' && !quoted ? '\0' : *p;
	}
}

const char *
kern_getenv(const char *name)
{
	size_t name_len = strlen(name);

	/*
	 * The first call cuts it up: hw.physmem is needed before any SYSINIT.
	 */
	if (env_len == 0)
		init_env(NULL);
	for (size_t i = 0; i < env_len; i += strlen(&env[i]) + 1) {
		if (strncmp(&env[i], name, name_len) == 0 &&
		    env[i + name_len] == '=')
			return (&env[i + name_len + 1]);
	}
	return (NULL);
}

bool
getenv_quad(const char *name, uint64_t *out)
{
	const char *text = kern_getenv(name);
	const char *end;
	uint64_t v;

	if (text == NULL)
		return (false);
	v = strtouq(text, &end);
	if (end == text || *end != '\0') {
		printf("%s: \"%s\" is not a number\n", name, text);
		return (false);
	}
	*out = v;
	return (true);
}

bool
getenv_int(const char *name, int *out)
{
	uint64_t v;

	if (!getenv_quad(name, &v) || v > INT32_MAX)
		return (false);
	*out = (int)v;
	return (true);
}

static bool
comes_before(const struct sysinit *a, const struct sysinit *b)
{
	if (a->subsystem != b->subsystem)
		return (a->subsystem < b->subsystem);
	return (a->order < b->order);
}

/* Insertion sort: equal ones keep the order in which they were linked. */
static size_t
sort_sysinits(const struct sysinit *list[SYSINIT_MAX])
{
	const struct sysinit *const *si;
	size_t n = 0;

	SET_FOREACH(si, sysinit_set) {
		size_t at = n++;

		KASSERT(n <= SYSINIT_MAX, ("%s: %zu", __func__, n));
		while (at > 0 && comes_before(*si, list[at - 1])) {
			list[at] = list[at - 1];
			at--;
		}
		list[at] = *si;
	}
	return (n);
}

void
mi_startup(void)
{
	static const struct sysinit *list[SYSINIT_MAX];
	size_t n = sort_sysinits(list);

	printf("%s", version);
	printf("cmdline: %s\n", bootinfo.boot_cmdline);
	printf("real memory  = %ju (%ju MB)\n", (uintmax_t)realmem,
	    (uintmax_t)(realmem >> 20));
	for (size_t i = 0; i < n; i++)
		list[i]->func(list[i]->udata);

	/* The boot thread becomes the swapper, which sleeps for ever. */
	for (;;)
		tsleep(&proc0, 0, "sched", 0);
}
