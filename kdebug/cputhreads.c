/*
 * The threads of a kernel that exports no list of them, as FreeBSD's do: the one
 * that dumped, whose registers are in dumppcb, and what each stopped CPU ran,
 * from stoppcbs.
 *
 * Both are struct pcb as FreeBSD's kernel of the machine has it.  A kernel that
 * was written elsewhere needs no more than dumppcb for a backtrace.
 */
#include "kdebug/kdebug_int.h"

/* They have no ids.  The one that dumped is 1, and CPUs follow from 2 on. */
enum { DUMPER_TID = 1, FIRST_CPU_TID = 2 };

/* The symbol that a list of threads needs and the kernel lacks; NULL: none. */
static const char *
find_missing(struct kdebug *kdb)
{
	const char *const names[] = { "allproc", layout_name(LO_P_LIST) };
	kvaddr_t va;

	for (size_t i = 0; i < NITEMS(names); i++)
		if (!layout_symbol(kdb, names[i], &va))
			return (names[i]);
	return (NULL);
}

bool
cputhreads_all(struct kdebug *kdb)
{
	return (find_missing(kdb) != NULL);
}

bool
kdebug_exports_threads(struct kdebug *kdb)
{
	kvaddr_t va;

	return (!cputhreads_all(kdb) || layout_symbol(kdb, "dumppcb", &va));
}

/* Add t with the registers in the pcb at va.  Else: why there are none. */
static enum pcb_state
add(struct kdebug *kdb, struct kdebug_thread *t, kvaddr_t va)
{
	enum pcb_state state = threadlist_regs(kdb, t, va);

	t->kt_comm = t->kt_name = "kernel";
	t->kt_run = KDEBUG_RUN_RUNNING;
	if (state == PCB_READ)
		(void)threadlist_add(kdb, t);
	return (state);
}

/* The one CPU that was not stopped, as it dumped; -1: it is not known. */
static int
find_dumping(struct kdebug *kdb, unsigned int ncpus)
{
	int found = -1;

	for (unsigned int i = 0; i < ncpus; i++) {
		if (cpus_stopped(kdb, i))
			continue;
		if (found >= 0)
			return (-1);
		found = (int)i;
	}
	return (found);
}

static void
add_dumper(struct kdebug *kdb, kvaddr_t va)
{
	struct kdebug_thread t = {
		.kt_tid = DUMPER_TID,
		.kt_dumped = true,
		.kt_state = threadlist_dumper_state(kdb),
		.kt_cpu = find_dumping(kdb, cpus_count(kdb)),
	};
	enum pcb_state state = add(kdb, &t, va);

	if (state != PCB_READ)
		kdb_note(kdb,
		    "the thread that dumped has no registers: dumppcb %s",
		    state == PCB_EMPTY ? "is all zeros" : "is not in the dump");
}

/* Without a set of stopped CPUs, one that has no registers is none. */
static void
add_stopped(struct kdebug *kdb, unsigned int cpu)
{
	struct kdebug_thread t = {
		.kt_tid = (int)cpu + FIRST_CPU_TID,
		.kt_state = KDEBUG_RUNNING,
		.kt_cpu = (int)cpu,
	};

	if (cpus_stopped(kdb, cpu) &&
	    add(kdb, &t, cpus_stoppcb(kdb, cpu)) != PCB_READ &&
	    kdb->kdb_cpus.cp_stopped_va != 0)
		kdb_note(kdb,
		    "CPU %u was stopped and has no registers in stoppcbs", cpu);
}

void
cputhreads_load(struct kdebug *kdb)
{
	const char *missing = find_missing(kdb);
	unsigned int ncpus;
	kvaddr_t va;

	if (!layout_symbol(kdb, "dumppcb", &va)) {
		kdb_note_symbol(kdb, "no threads", missing);
		return;
	}
	if (kdb->kdb_pairing == KDEBUG_OTHER_KERNEL)
		return;
	kdb_note(kdb,
	    "only threads on CPUs are known, by dumppcb and stoppcbs: the kernel has no symbol %s",
	    missing);
	cpus_load(kdb);
	add_dumper(kdb, va);
	ncpus = cpus_count(kdb);
	for (unsigned int i = 0; i < ncpus; i++)
		add_stopped(kdb, i);
}
