/*
 * Stack traces by frame pointers, which all of the kernel keeps.
 *
 * All memory is read with safe_copy(): the stack may be what is broken.
 */
#include "kernel/ddb/ddb.h"
#include "kernel/machine/frame.h"
#include "kernel/machine/pcb.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/stack.h"
#include "kernel/sys/systm.h"

#define FRAMES_MAX   64
#define PROLOGUE_MAX 64 /* bytes in which a prologue is looked for */

/* Instructions: Intel SDM vol. 2. */
#define INSN_PUSH_RBP 0x55
#define INSN_RET      0xc3

struct regs {
	vm_offset_t rip;
	vm_offset_t rsp;
	vm_offset_t rbp;
	bool called; /* rip is a return address: the call is before it */
};

/* What lies at a frame pointer. */
struct amd64_frame {
	vm_offset_t f_frame; /* the caller's */
	vm_offset_t f_retaddr;
};

/* Do functions of this name have a trap frame where their stack ends? */
static bool
has_trapframe(const char *name)
{
	static const char *const names[] = { "calltrap", "nmi_calltrap",
		"mchk_calltrap", "fork_trampoline" };

	for (size_t i = 0; i < nitems(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return (true);
	}
	return (name[0] == 'X');
}

/*
 * Look up the call, not the return address, which may be in the next function.
 */
static void
print_frame(const char *name, const struct regs *r)
{
	vm_offset_t off = 0;

	(void)db_symbol(r->rip - r->called, &off);
	if (name == NULL)
		printf("?() at %#jx", (uintmax_t)r->rip);
	else
		printf("%s() at %s+%#jx", name, name,
		    (uintmax_t)off + r->called);
	printf("/frame %#jx\n", (uintmax_t)r->rbp);
}

static void
print_trap(const struct trapframe *tf)
{
	printf("--- trap %#x, rip = %#jx, rsp = %#jx, rbp = %#jx ---\n",
	    tf->tf_trapno, (uintmax_t)tf->tf_rip, (uintmax_t)tf->tf_rsp,
	    (uintmax_t)tf->tf_rbp);
}

/*
 * How much of its prologue a function had executed that was interrupted off
 * bytes after its start: "push %rbp; mov %rsp,%rbp", between which compilers
 * put other work.  At its return instruction the frame is gone, as if it had
 * not begun.
 */
enum prologue { NOT_BEGUN, PUSHED, DONE };

static enum prologue
prologue_at(vm_offset_t rip, vm_offset_t off)
{
	static const uint8_t mov[] = { 0x48, 0x89, 0xe5 };
	uint8_t code[PROLOGUE_MAX];
	enum prologue seen = NOT_BEGUN;

	if (safe_copy(code, (const void *)rip, 1) && code[0] == INSN_RET)
		return (NOT_BEGUN);
	if (off > sizeof(code) ||
	    !safe_copy(code, (const void *)(rip - off), off))
		return (DONE);
	for (vm_offset_t i = 0; i < off; i++) {
		if (off - i >= sizeof(mov) &&
		    memcmp(&code[i], mov, sizeof(mov)) == 0)
			return (DONE);
		if (code[i] == INSN_PUSH_RBP)
			seen = PUSHED;
	}
	return (seen);
}

/*
 * The registers where the trap came.  If the code has not built a frame yet, or
 * there is no code at all, the return address is on top of the stack.
 */
static void
after_trap(const struct trapframe *tf, struct regs *r)
{
	enum prologue prologue = NOT_BEGUN;
	vm_offset_t off, retaddr;
	const char *name;

	*r = (struct regs){ tf->tf_rip, tf->tf_rsp, tf->tf_rbp, false };
	name = db_symbol(r->rip, &off);
	if (name != NULL)
		prologue = prologue_at(r->rip, off);
	if (prologue == PUSHED)
		r->rsp += sizeof(register_t);
	if (prologue == DONE ||
	    !safe_copy(&retaddr, (const void *)r->rsp, sizeof(retaddr)))
		return;
	print_frame(name, r);
	r->rip = retaddr;
	r->rsp += sizeof(retaddr);
	r->called = true;
}

/* Go from a frame with a trap frame to what it interrupted.  false: the end. */
static bool
step_trap(const char *name, struct regs *r)
{
	struct trapframe tf;

	if (!safe_copy(&tf, (const void *)r->rsp, sizeof(tf)))
		return (false);
	print_trap(&tf);
	if (tf.tf_rip == 0 && strcmp(name, "fork_trampoline") == 0)
		return (false);
	after_trap(&tf, r);
	return (true);
}

static bool
step_frame(struct regs *r)
{
	struct amd64_frame f;

	if (r->rbp == 0 || !safe_copy(&f, (const void *)r->rbp, sizeof(f)) ||
	    f.f_retaddr == 0)
		return (false);
	*r = (struct regs){ f.f_retaddr, r->rbp + sizeof(f), f.f_frame, true };
	return (true);
}

void
db_trace_frame(vm_offset_t rip, vm_offset_t rsp, vm_offset_t rbp)
{
	struct regs r = { rip, rsp, rbp, false };
	bool more = true;

	for (int i = 0; i < FRAMES_MAX && more; i++) {
		vm_offset_t off;
		const char *name = db_symbol(r.rip - r.called, &off);

		print_frame(name, &r);
		if (name != NULL && has_trapframe(name))
			more = step_trap(name, &r);
		else
			more = step_frame(&r);
	}
}

/* The saved context of a thread other than the current one. */
void
db_trace_thread(struct thread *td)
{
	const struct pcb *pcb = td->td_pcb;

	if (td == kdb_thread && kdb_frame != NULL) {
		db_trace_frame(kdb_frame->tf_rip, kdb_frame->tf_rsp,
		    kdb_frame->tf_rbp);
		return;
	}
	if (td->td_oncpu != NOCPU && cpu_is_stopped(td->td_oncpu))
		pcb = &stoppcbs[td->td_oncpu];
	/* cpu_switch() and savectx() are called with a frame as usual. */
	db_trace_frame(pcb->pcb_rip, pcb->pcb_rsp + sizeof(register_t),
	    pcb->pcb_rbp);
}

void
kdb_backtrace(void)
{
	struct pcb pcb;

	savectx(&pcb);
	printf("KDB: stack backtrace:\n");
	db_trace_frame(pcb.pcb_rip, pcb.pcb_rsp + sizeof(register_t),
	    pcb.pcb_rbp);
}

void
stack_print(const struct stack *st)
{
	for (int i = 0; i < st->depth; i++) {
		printf("#%d %#jx at ", i, (uintmax_t)st->pcs[i]);
		db_printsym(st->pcs[i]);
		printf("\n");
	}
}
