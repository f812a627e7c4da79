/*
 * Processes and threads, as a debugger finds them: allproc, each process's
 * threads, and for each thread the registers in one of three places.
 *
 *	crashed   dumppcb, where dumptid is the thread's
 *	running   stoppcbs[cpu], where stopped_cpus has the CPU
 *	stopped   the pcb at the top of its stack
 *
 * A thread on a CPU that was not stopped is nowhere: its pcb and its stack are
 * those of the last time that it was switched out.  QEMU's core has a note for
 * its registers.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/gen/gen.h"

#define MAX_THREADS  4 /* of one process */
#define STACK_LEN    8192
#define NAME_LEN     20
#define PTR_STOPPCBS 1400089 /* the release that made it a pointer */

static const char *const comms[] = { "sysctl", "sshd", "pagedaemon", "syncer",
	"init", "kernel", "geom", "usb", "cron", "getty", "bufdaemon", "vnlru",
	"intr", "a-very-long-name-19" };
#define NCOMMS (sizeof(comms) / sizeof(comms[0]))

static const char *const middle[] = { "syscallenter", "sys_ioctl", "kern_ioctl",
	"devfs_ioctl", "sysctl_root", "vm_fault", "vn_read", "vop_stdlock",
	"ffs_read", "bread", "g_io_request", "tcp_input", "ip_output" };
#define NMIDDLE (sizeof(middle) / sizeof(middle[0]))

/* What is being built. */
struct proc_plan {
	struct gen *g;
	uint64_t dumppcb;
	uint64_t stoppcbs; /* element 0 */
	uint64_t stopped;  /* CPUs that are stopped, a mask */
	uint64_t busy;	   /* CPUs that have their thread */
	unsigned crashed_cpu;
	int next_tid;
};

/* Offsets as they are this time: each release has its own. */
static void
proc_offsets(struct gen *g)
{
	struct abi *abi = &g->g_abi;
	unsigned p = 8 * (unsigned)rng_below(&g->g_rng, 5);
	unsigned td = 8 * (unsigned)rng_below(&g->g_rng, 5);

	abi->off.proc_len += p;
	abi->off.thread_len += td;
	kimage_int(g, "proc_off_p_pid", SEC_RODATA, (int)(abi->off.p_pid += p));
	kimage_int(g, "proc_off_p_comm", SEC_RODATA,
	    (int)(abi->off.p_comm += p));
	kimage_int(g, "proc_off_p_list", SEC_RODATA,
	    (int)(abi->off.p_list += p));
	kimage_int(g, "proc_off_p_hash", SEC_RODATA,
	    (int)(abi->off.p_hash += p));
	kimage_int(g, "proc_off_p_threads", SEC_RODATA,
	    (int)(abi->off.p_threads += p));
	kimage_int(g, "thread_off_td_tid", SEC_RODATA,
	    (int)(abi->off.td_tid += td));
	kimage_int(g, "thread_off_td_name", SEC_RODATA,
	    (int)(abi->off.td_name += td));
	kimage_int(g, "thread_off_td_oncpu", SEC_RODATA,
	    (int)(abi->off.td_oncpu += td));
	kimage_int(g, "thread_off_td_pcb", SEC_RODATA,
	    (int)(abi->off.td_pcb += td));
	kimage_int(g, "thread_off_td_plist", SEC_RODATA,
	    (int)(abi->off.td_plist += td));
	kimage_int(g, "pcb_size", SEC_RODATA, (int)abi->pcb_len);
}

/* An array in the image, or in newer kernels a pointer to one elsewhere. */
static uint64_t
proc_place_stoppcbs(struct gen *g)
{
	size_t len = g->g_abi.pcb_len * g->g_spec.gs_ncpus;
	uint64_t va;

	if (g->g_spec.gs_osreldate < PTR_STOPPCBS)
		return (kimage_symbol(g, "stoppcbs", SEC_BSS,
		    g->g_abi.pcb_len * g->g_abi.maxcpus, 64));
	va = kimage_alloc_arena(g, len, 64);
	for (size_t off = 0; off < len; off += 8)
		kimage_poke(g, va + off, 8, 0);
	kimage_ptr(g, "stoppcbs", SEC_BSS, va);
	return (va);
}

/*
 * All CPUs are stopped but the one that dumps, and sometimes one more; none in
 * a live system.
 */
static void
proc_stop_cpus(struct proc_plan *plan)
{
	struct gen *g = plan->g;
	unsigned ncpus = g->g_spec.gs_ncpus;
	unsigned long_len = g->g_lay.gl_ptr_len;
	uint64_t va;

	plan->crashed_cpu = (unsigned)rng_below(&g->g_rng, ncpus);
	plan->stopped = ncpus == 64 ? UINT64_MAX : ((uint64_t)1 << ncpus) - 1;
	plan->stopped &= ~((uint64_t)1 << plan->crashed_cpu);
	if (ncpus > 3)
		plan->stopped &= ~((uint64_t)1 << rng_below(&g->g_rng, ncpus));
	if ((g->g_spec.gs_flags & GEN_LIVE) != 0)
		plan->stopped = 0;
	plan->busy = (uint64_t)1 << plan->crashed_cpu;
	va = kimage_symbol(g, "stopped_cpus", SEC_BSS,
	    gen_round_up(g->g_abi.maxcpus, 64) / 8, 8);
	for (unsigned i = 0; i < ncpus; i += 8 * long_len)
		kimage_poke(g, va + i / 8, long_len, plan->stopped >> i);
}

/* Does a hypervisor know the thread's registers? */
static bool
proc_is_virtual(const struct gen *g, const struct gen_thread *td)
{
	return ((g->g_spec.gs_flags & GEN_QEMU) != 0 &&
	    td->state == GEN_RUNNING);
}

/* Save regs where the thread's state says; note them in td, if they are true. */
static void
proc_save_regs(struct gen *g, struct gen_thread *td, uint64_t pcb,
    const struct context *regs)
{
	bool is_virtual = proc_is_virtual(g, td);
	const struct reg *reg = is_virtual ? g->g_abi.prstatus : g->g_abi.pcb;

	for (; reg->name[0] != '\0'; reg++) {
		uint64_t value = regs_value(g, reg, regs, g->g_abi.kern_cs);

		if (is_virtual)
			gen_put(g, g->g_prstatus[td->cpu] + reg->off, reg->len,
			    value);
		else
			kimage_poke(g, pcb + reg->off, reg->len, value);
		if (td->state == GEN_UNSTOPPED)
			continue;
		td->regs[td->nregs++] = (struct gen_reg){
			.name = reg->name,
			.len = reg->len,
			.value = value,
			.optional = reg->role == REG_VOLATILE &&
			    td->state == GEN_STOPPED,
		};
	}
}

static void
site_add(struct call_site *sites, unsigned *n, const char *function,
    enum call call)
{
	sites[(*n)++] = (struct call_site){ function, call, 0 };
}

/* The calls that bring a thread into its state. */
static void
proc_add_innermost(struct gen *g, enum gen_thread_state state,
    struct call_site *sites, unsigned *n)
{
	switch (state) {
	case GEN_DUMPING:
		site_add(sites, n, "kern_reboot", CALL_PLAIN);
		break;
	case GEN_CRASHED:
		site_add(sites, n, "kern_reboot", CALL_PLAIN);
		site_add(sites, n, "vpanic", CALL_PLAIN);
		site_add(sites, n, "panic", CALL_PLAIN);
		if (rng_once_in(&g->g_rng, 4))
			break;
		site_add(sites, n, "trap_fatal", CALL_PLAIN);
		site_add(sites, n, "trap", CALL_PLAIN);
		site_add(sites, n, g->g_abi.trap, CALL_TRAP);
		break;
	case GEN_RUNNING:
		site_add(sites, n, "cpustop_handler", CALL_PLAIN);
		site_add(sites, n, g->g_abi.stop, CALL_TRAP);
		break;
	case GEN_STOPPED:
	case GEN_UNSTOPPED:
		site_add(sites, n, "sched_switch", CALL_PLAIN);
		site_add(sites, n, "mi_switch", CALL_PLAIN);
		if (rng_once_in(&g->g_rng, 2))
			site_add(sites, n, "sleepq_wait", CALL_PLAIN);
		site_add(sites, n, "_sleep", CALL_PLAIN);
		break;
	}
}

/* Two functions that call each other, each time from the same place. */
static void
proc_add_recursion(struct call_site *sites, unsigned *n, unsigned len)
{
	for (unsigned left = len; left > 0; left--) {
		site_add(sites, n, left % 2 == 0 ? "ffs_read" : "bread",
		    CALL_PLAIN);
		sites[*n - 1].again = left > 2 ? 2 : 0;
	}
}

static unsigned
proc_plan_calls(struct gen *g, enum gen_thread_state state,
    struct call_site *sites)
{
	unsigned n = 0, more = (unsigned)rng_range(&g->g_rng, 1, 12);

	proc_add_innermost(g, state, sites, &n);
	if (state == GEN_CRASHED)
		proc_add_recursion(sites, &n, g->g_spec.gs_recursion);
	while (more-- > 0)
		site_add(sites, &n, middle[rng_below(&g->g_rng, NMIDDLE)],
		    CALL_PLAIN);
	if (rng_once_in(&g->g_rng, 2)) {
		site_add(sites, &n, g->g_abi.syscall, CALL_SYSCALL);
	} else {
		site_add(sites, &n, "fork_exit", CALL_PLAIN);
		site_add(sites, &n, "fork_trampoline", CALL_FORK);
	}
	return (n);
}

static void
proc_display_name(struct gen_thread *td)
{
	char state[40] = "";
	bool named = strcmp(td->comm, td->name) != 0;

	if (td->state == GEN_CRASHED)
		strcpy(state, " (crashed)");
	else if (td->state == GEN_DUMPING)
		strcpy(state, " (dumping)");
	else if (td->state == GEN_RUNNING)
		snprintf(state, sizeof(state), " (on CPU %d)", td->cpu);
	else if (td->state == GEN_UNSTOPPED)
		snprintf(state, sizeof(state), " (on CPU %d, not stopped)",
		    td->cpu);
	snprintf(td->display_name, sizeof(td->display_name),
	    "(pid %d) %s%s%s%s", td->pid, td->comm, named ? "/" : "",
	    named ? td->name : "", state);
}

/* A CPU for a thread that is not the crashed one, or -1. */
static int
proc_pick_cpu(struct proc_plan *plan)
{
	struct rng *rng = &plan->g->g_rng;
	unsigned cpu = (unsigned)rng_below(rng, plan->g->g_spec.gs_ncpus);

	if ((plan->busy >> cpu & 1) != 0 || rng_once_in(rng, 3))
		return (-1);
	plan->busy |= (uint64_t)1 << cpu;
	return ((int)cpu);
}

static void
proc_place_thread(struct proc_plan *plan, struct gen_thread *td, bool crashed)
{
	unsigned flags = plan->g->g_spec.gs_flags;
	bool known;

	td->cpu = crashed ? (int)plan->crashed_cpu : proc_pick_cpu(plan);
	known = td->cpu >= 0 &&
	    ((plan->stopped >> td->cpu & 1) != 0 || (flags & GEN_QEMU) != 0);
	if (crashed && (flags & GEN_QEMU) == 0)
		td->state = (flags & GEN_LIVE) != 0 ? GEN_DUMPING : GEN_CRASHED;
	else if (td->cpu < 0)
		td->state = GEN_STOPPED;
	else
		td->state = known ? GEN_RUNNING : GEN_UNSTOPPED;
}

static uint64_t
proc_pcb(const struct proc_plan *plan, const struct gen_thread *td,
    uint64_t own_pcb)
{
	if (td->state == GEN_CRASHED || td->state == GEN_DUMPING)
		return (plan->dumppcb);
	if (td->state == GEN_RUNNING)
		return (plan->stoppcbs +
		    (unsigned)td->cpu * plan->g->g_abi.pcb_len);
	return (own_pcb);
}

/* td is what its CPU runs, if it is on one. */
static void
proc_set_curthread(const struct proc_plan *plan, const struct gen_thread *td,
    uint64_t va)
{
	struct gen *g = plan->g;

	if (td->cpu >= 0)
		kimage_poke_ptr(g, g->g_pcpu[td->cpu], va);
}

/*
 * struct thread in the kernel's memory.  One that is being switched to does
 * not know its CPU yet.
 */
static uint64_t
proc_store_thread(struct gen *g, const struct gen_thread *td, uint64_t pcb)
{
	const struct abi *abi = &g->g_abi;
	uint64_t va = kimage_alloc(g, abi->off.thread_len, 16);
	bool unaware = td->tid % 2 == 0 &&
	    (td->state == GEN_UNSTOPPED || proc_is_virtual(g, td));
	int oncpu = unaware ? -1 : td->cpu;

	kimage_poke(g, va + abi->off.td_tid, 4, (uint32_t)td->tid);
	kimage_poke(g, va + abi->off.td_oncpu, 4, (uint32_t)oncpu);
	kimage_store(g, va + abi->off.td_name, td->name, NAME_LEN);
	kimage_poke_ptr(g, va + abi->off.td_pcb, pcb);
	return (va);
}

/* A new thread; returns the address of its struct thread. */
static uint64_t
proc_new_thread(struct proc_plan *plan, int pid, const char *comm, bool crashed)
{
	struct gen *g = plan->g;
	struct call_site *sites;
	struct gen_thread *td;
	struct context regs;
	uint64_t own_pcb, stack, stack_len = STACK_LEN, va;
	unsigned n, deep;

	td = &g->g_threads[g->g_nthreads++];
	td->pid = pid;
	td->tid = plan->next_tid++;
	snprintf(td->comm, NAME_LEN, "%s", comm);
	snprintf(td->name, NAME_LEN, "%s", comm);
	if (rng_once_in(&g->g_rng, 2))
		snprintf(td->name, NAME_LEN, "worker %d", td->tid % 1000);
	proc_place_thread(plan, td, crashed);
	proc_display_name(td);
	deep = td->state == GEN_CRASHED ? g->g_spec.gs_recursion : 0;
	stack_len += (uint64_t)deep * GEN_FRAME_ROOM;
	stack = kimage_alloc_arena(g, stack_len, 16);
	own_pcb = (stack + stack_len - g->g_abi.pcb_len) & ~(uint64_t)15;
	sites = gen_zalloc(GEN_MAX_FRAMES + deep, sizeof(*sites));
	n = proc_plan_calls(g, td->state, sites);
	td->frames = gen_zalloc(n, sizeof(*td->frames));
	stack_build(g, td, own_pcb - 16, sites, n, &regs);
	free(sites);
	proc_save_regs(g, td, proc_pcb(plan, td, own_pcb), &regs);
	if (td->state == GEN_UNSTOPPED)
		td->nframes = 0;
	va = proc_store_thread(g, td, own_pcb);
	proc_set_curthread(plan, td, va);
	return (va);
}

/* A new process with its threads; returns the address of its struct proc. */
static uint64_t
proc_new(struct proc_plan *plan, int pid, bool crashed)
{
	struct gen *g = plan->g;
	const struct abi *abi = &g->g_abi;
	const char *comm = comms[rng_below(&g->g_rng, NCOMMS)];
	unsigned nthreads, who;
	uint64_t link, td, va;
	char name[NAME_LEN] = "";

	va = kimage_alloc(g, abi->off.proc_len, 16);
	snprintf(name, sizeof(name), "%s", comm);
	kimage_poke(g, va + abi->off.p_pid, 4, (uint32_t)pid);
	kimage_store(g, va + abi->off.p_comm, name, sizeof(name));
	kimage_poke_ptr(g, gen_round_up(va + abi->off.p_comm + NAME_LEN, 8),
	    g->g_sysent);
	nthreads = (unsigned)rng_range(&g->g_rng, 1, MAX_THREADS);
	who = (unsigned)rng_below(&g->g_rng, nthreads);
	link = va + abi->off.p_threads;
	for (unsigned i = 0; i < nthreads; i++) {
		td = proc_new_thread(plan, pid, comm, crashed && i == who);
		kimage_poke_ptr(g, link, td);
		link = td + abi->off.td_plist;
	}
	kimage_poke_ptr(g, link, 0);
	return (va);
}

static int
proc_dump_tid(const struct gen *g)
{
	for (unsigned i = 0; i < g->g_nthreads; i++)
		if (g->g_threads[i].state == GEN_CRASHED ||
		    g->g_threads[i].state == GEN_DUMPING)
			return (g->g_threads[i].tid);
	return (0);
}

/* The newest process comes first. */
void
proc_init(struct gen *g)
{
	struct proc_plan plan = { .g = g, .next_tid = 100001 };
	unsigned nprocs = g->g_spec.gs_nprocs;
	unsigned ptr_len = g->g_lay.gl_ptr_len;
	uint64_t crashed = rng_below(&g->g_rng, nprocs);
	uint64_t link, va;
	int pid = 0;

	g->g_threads = gen_zalloc(nprocs * MAX_THREADS, sizeof(*g->g_threads));
	proc_offsets(g);
	stack_init_syscalls(g);
	proc_stop_cpus(&plan);
	plan.dumppcb =
	    kimage_symbol(g, "dumppcb", SEC_BSS, g->g_abi.pcb_len, 16);
	plan.stoppcbs = proc_place_stoppcbs(g);
	link = kimage_symbol(g,
	    (g->g_spec.gs_flags & GEN_NO_LIST) != 0 ? "own_list" : "allproc",
	    SEC_BSS, ptr_len, ptr_len);
	for (unsigned i = 0; i < nprocs; i++)
		pid += (int)rng_range(&g->g_rng, 1, 50);
	for (unsigned i = 0; i < nprocs; i++) {
		va = proc_new(&plan, pid, i == crashed);
		kimage_poke_ptr(g, link, va);
		link = va + g->g_abi.off.p_list;
		pid -= 1;
	}
	kimage_poke_ptr(g, link, 0);
	kimage_int(g, "dumptid", SEC_BSS, proc_dump_tid(g));
}

void
proc_fini(struct gen *g)
{
	for (unsigned i = 0; i < g->g_nthreads; i++)
		free(g->g_threads[i].frames);
	free(g->g_threads);
}

const struct gen_thread *
gen_threads(const struct gen *g, unsigned *n)
{
	*n = g->g_nthreads;
	return (g->g_threads);
}
