/*
 * The debugger's commands.
 */
#include "format/paging_amd64.h"
#include "kernel/ddb/ddb.h"
#include "kernel/machine/frame.h"
#include "kernel/machine/pcb.h"
#include "kernel/machine/pcpu.h"
#include "kernel/machine/pmap.h"
#include "kernel/sys/command.h"
#include "kernel/sys/msgbuf.h"
#include "kernel/sys/reboot.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

/* Follow no list further than this: it may be broken. */
#define THREADS_MAX 100000

static struct thread *
thread_arg(const char *args)
{
	const char *rest;
	struct thread *td;
	uint64_t tid;

	if (*args == '\0')
		return (kdb_thread);
	if (!db_expression(args, &tid, &rest) || *rest != '\0' ||
	    tid > INT32_MAX || (td = tdfind((int)tid)) == NULL) {
		printf("no thread %s\n", args);
		return (NULL);
	}
	return (td);
}

static void
db_bt(const char *args)
{
	struct thread *td = thread_arg(args);

	if (td == NULL)
		return;
	printf("Tracing pid %d tid %d (%s)\n", td->td_proc->p_pid, td->td_tid,
	    td->td_name);
	db_trace_thread(td);
}
COMMAND(bt, "bt", CMD_DDB, db_bt, "[TID]: stack trace of a thread");

static const char *
state_name(const struct thread *td)
{
	static const char *const names[] = {
		[TDS_INACTIVE] = "new",
		[TDS_RUNQ] = "runnable",
		[TDS_RUNNING] = "running",
		[TDS_SLEEPING] = "sleeping",
		[TDS_DEAD] = "dead",
	};

	return (td->td_state <= TDS_DEAD ? names[td->td_state] : "?");
}

static void
print_thread(const struct thread *td)
{
	printf("%5d %6d %-9s %3d %-10s %s/%s\n", td->td_proc->p_pid, td->td_tid,
	    state_name(td), td->td_oncpu,
	    td->td_wmesg != NULL ? td->td_wmesg : "-", td->td_proc->p_comm,
	    td->td_name);
}

static void
db_ps(const char *args)
{
	const struct thread *td;
	struct proc *p;
	int n = 0;

	(void)args;
	printf("%5s %6s %-9s %3s %-10s %s\n", "pid", "tid", "state", "cpu",
	    "wmesg", "name");
	LIST_FOREACH(p, &allproc, p_list) {
		TAILQ_FOREACH(td, &p->p_threads, td_plist) {
			if (n++ == THREADS_MAX)
				return;
			print_thread(td);
		}
	}
}
COMMAND(ps, "ps", CMD_SHELL | CMD_DDB, db_ps, "processes and threads");

static void
db_show_registers(const char *args)
{
	const struct trapframe *tf = kdb_frame;

	(void)args;
	if (tf == NULL)
		return;
	printf("cs  %#18jx  rax %#18jx  rcx %#18jx\n", (uintmax_t)tf->tf_cs,
	    (uintmax_t)tf->tf_rax, (uintmax_t)tf->tf_rcx);
	printf("rdx %#18jx  rbx %#18jx  rsp %#18jx\n", (uintmax_t)tf->tf_rdx,
	    (uintmax_t)tf->tf_rbx, (uintmax_t)tf->tf_rsp);
	printf("rbp %#18jx  rsi %#18jx  rdi %#18jx\n", (uintmax_t)tf->tf_rbp,
	    (uintmax_t)tf->tf_rsi, (uintmax_t)tf->tf_rdi);
	printf("r8  %#18jx  r9  %#18jx  r10 %#18jx\n", (uintmax_t)tf->tf_r8,
	    (uintmax_t)tf->tf_r9, (uintmax_t)tf->tf_r10);
	printf("r11 %#18jx  r12 %#18jx  r13 %#18jx\n", (uintmax_t)tf->tf_r11,
	    (uintmax_t)tf->tf_r12, (uintmax_t)tf->tf_r13);
	printf("r14 %#18jx  r15 %#18jx  rfl %#18jx\n", (uintmax_t)tf->tf_r14,
	    (uintmax_t)tf->tf_r15, (uintmax_t)tf->tf_rflags);
	printf("rip %#18jx  ", (uintmax_t)tf->tf_rip);
	db_printsym(tf->tf_rip);
	printf("\n");
}
COMMAND(show_registers, "show registers", CMD_DDB, db_show_registers,
    "of where it was entered");

static void
db_show_thread(const char *args)
{
	const struct thread *td = thread_arg(args);

	if (td == NULL)
		return;
	print_thread(td);
	printf("  thread %p  proc %p  pcb %p\n", (const void *)td,
	    (const void *)td->td_proc, (const void *)td->td_pcb);
	printf("  stack %#jx-%#jx  wchan %p\n", (uintmax_t)td->td_kstack,
	    (uintmax_t)(td->td_kstack + ptoa((uint64_t)td->td_kstack_pages)),
	    td->td_wchan);
	printf("  critnest %d  spinlocks %d  in interrupt %d\n",
	    td->td_critnest, td->td_md_spinlock_count,
	    td->td_intr_nesting_level);
}
COMMAND(show_thread, "show thread", CMD_DDB, db_show_thread,
    "[TID]: where it and its stack are, what it holds");

/* A thread that does not run has sched_lock in its list: it comes up with it. */
static void
print_locks(const struct thread *td)
{
	for (int i = 0; i < td->td_locks.ll_count; i++) {
		const struct lock_instance *li = &td->td_locks.ll_held[i];
		const struct lock_object *lo = li->li_lock;

		if (td->td_oncpu == NOCPU && lo == &sched_lock.lock_object)
			continue;
		printf("%d %s: %s \"%s\" at %p, taken at ", td->td_tid,
		    td->td_name, lo->lo_class->lc_name, lo->lo_name,
		    (const void *)lo);
		db_printsym((vm_offset_t)li->li_pc);
		printf("\n");
	}
}

static void
db_show_locks(const char *args)
{
	const struct thread *td = thread_arg(args);

	if (td != NULL)
		print_locks(td);
}
COMMAND(show_locks, "show locks", CMD_DDB, db_show_locks,
    "[tid]: the locks that a thread holds");

static void
db_show_alllocks(const char *args)
{
	const struct thread *td;
	struct proc *p;
	int n = 0;

	(void)args;
	LIST_FOREACH(p, &allproc, p_list) {
		TAILQ_FOREACH(td, &p->p_threads, td_plist) {
			if (n++ == THREADS_MAX)
				return;
			print_locks(td);
		}
	}
}
COMMAND(show_alllocks, "show alllocks", CMD_DDB, db_show_alllocks,
    "the locks that all threads hold");

static void
print_pte(unsigned int level, uint64_t entry)
{
	static const char *const names[] = { "pte", "pde", "pdpe", "pml4e" };
	struct pte pte = amd64_pte_decode(entry, level);

	printf("%-5s 0x%016jx", names[level], (uintmax_t)entry);
	if (pte.pte_kind == PTE_PAGE)
		printf("  page %#jx %s%s%s", (uintmax_t)pte.pte_pa,
		    (pte.pte_prot & PTE_READ) != 0 ? "r" : "-",
		    (pte.pte_prot & PTE_WRITE) != 0 ? "w" : "-",
		    (pte.pte_prot & PTE_EXECUTE) != 0 ? "x" : "-");
	else if (pte.pte_kind == PTE_TABLE)
		printf("  table");
	printf("\n");
}

static void
db_show_pte(const char *args)
{
	const char *rest;
	uint64_t va;

	if (!db_expression(args, &va, &rest) || *rest != '\0') {
		printf("show pte ADDRESS\n");
		return;
	}
	for (unsigned int level = 4; level-- > 0;) {
		const uint64_t *entry = pmap_entry(va, level);

		if (entry != NULL)
			print_pte(level, *entry);
	}
}
COMMAND(show_pte, "show pte", CMD_DDB, db_show_pte, "ADDR: page-table entries");

static void
db_show_msgbuf(const char *args)
{
	const struct msgbuf *mb = msgbufp;
	bool wrapped = (mb->msg_flags & MSGBUF_WRAP) != 0;
	uint32_t end = mb->msg_wseq % mb->msg_size;
	uint32_t n = wrapped ? mb->msg_size : end;
	uint32_t pos = wrapped ? end : 0;

	(void)args;
	/*
	 * Printing adds to the ring after what we read, so what we read stays.
	 */
	for (; n > 0; n--) {
		char c = mb->msg_ptr[pos];

		pos = (pos + 1) % mb->msg_size;
		if (c != '\0')
			printf("%c", c);
	}
}
COMMAND(show_msgbuf, "show msgbuf", CMD_DDB, db_show_msgbuf,
    "the message buffer");

static void
db_panic(const char *args)
{
	panic("%s", *args != '\0' ? args : "from debugger");
}
COMMAND(panic, "panic", CMD_DDB, db_panic, "[TEXT]");

static void
db_dump(const char *args)
{
	int error;

	(void)args;
	error = doadump(false);
	if (error != 0)
		printf("Cannot dump: error %d\n", error);
}
COMMAND(dump, "dump", CMD_DDB, db_dump, "write a crash dump");

/* Any function, with up to four numbers. */
static void
db_call(const char *args)
{
	uint64_t (*func)(uint64_t, uint64_t, uint64_t, uint64_t);
	uint64_t va, arg[4] = { 0 };

	if (!db_expression(args, &va, &args)) {
		printf("call FUNCTION [NUMBER ...]\n");
		return;
	}
	for (size_t i = 0; i < nitems(arg) && *args != '\0'; i++) {
		if (!db_expression(args, &arg[i], &args)) {
			printf("not a number: %s\n", args);
			return;
		}
	}
	func = (uint64_t(*)(uint64_t, uint64_t, uint64_t, uint64_t))va;
	printf("= %#jx\n", (uintmax_t)func(arg[0], arg[1], arg[2], arg[3]));
}
COMMAND(call, "call", CMD_DDB, db_call, "FUNCTION [NUMBER ...]");

static void
db_reset(const char *args)
{
	(void)args;
	cpu_reset();
}
COMMAND(reset, "reset", CMD_DDB, db_reset, "reset the machine");

static void
db_poweroff(const char *args)
{
	(void)args;
	cpu_poweroff();
}
COMMAND(poweroff, "poweroff", CMD_DDB, db_poweroff, "switch the machine off");

static void
db_exit(const char *args)
{
	const char *rest;
	uint64_t code = 0;

	(void)db_expression(args, &code, &rest);
	cpu_exit_emulator((unsigned int)code);
}
COMMAND(exit, "exit", CMD_SHELL | CMD_DDB, db_exit,
    "[CODE]: leave the emulator");
