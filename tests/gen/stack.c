/*
 * A thread's stack, from the outermost function inwards.
 *
 * A function that was called has a record on the stack: its caller's frame
 * pointer, and above it the address that it returns to.
 *
 *	higher    caller's locals
 *	          return address
 *	record    caller's frame pointer
 *	lower     its own locals
 *
 * Its frame pointer points to the record, or, on riscv64, just past it.  A
 * trap pushes a trap frame instead, and the handler, being assembly, leaves
 * the frame pointer of the interrupted function in place, or, on arm64, points
 * it to the end of the trap frame.
 */
#include <string.h>

#include "tests/gen/gen.h"

struct stack {
	struct gen *g;
	uint64_t sp;
	uint64_t fp;
};

/* Somewhere past the prologue, where an instruction may start. */
static uint64_t
stack_pc(struct gen *g, const char *function)
{
	const struct symbol *sym = kimage_find(g, function);

	return (sym->sy_va + 4 * rng_range(&g->g_rng, 8, sym->sy_len / 4 - 2));
}

/* Room on the stack of the kind that compilers leave. */
static void
stack_locals(struct stack *stack)
{
	stack->sp -= 16 * rng_below(&stack->g->g_rng, 5);
}

static void
stack_call(struct stack *stack, uint64_t return_pc)
{
	unsigned len = stack->g->g_lay.gl_ptr_len;

	stack->sp -= 2 * len;
	kimage_poke_ptr(stack->g, stack->sp, stack->fp);
	kimage_poke_ptr(stack->g, stack->sp + len, return_pc);
	stack->fp = stack->sp;
	if (stack->g->g_abi.fp_past_record)
		stack->fp += 2 * len;
	stack_locals(stack);
}

/* Save regs in a trap frame of len bytes. */
static void
stack_push_frame(struct stack *stack, const struct context *regs, unsigned len,
    uint64_t cs)
{
	struct gen *g = stack->g;
	const struct reg *reg;

	stack->sp -= len;
	for (reg = g->g_abi.frame; reg->name[0] != '\0'; reg++) {
		if (reg->off >= len)
			continue;
		kimage_poke(g, stack->sp + reg->off, reg->len,
		    regs_value(g, reg, regs, cs));
	}
}

static void
stack_trap(struct stack *stack, uint64_t pc, unsigned gap)
{
	const struct abi *abi = &stack->g->g_abi;
	struct context regs = { .pc = pc, .sp = stack->sp, .fp = stack->fp };

	stack_push_frame(stack, &regs, abi->kern_frame_len, abi->kern_cs);
	if (abi->fp_past_frame)
		stack->fp = stack->sp + abi->kern_frame_len;
	stack->sp -= gap;
}

/* Names by number, and what the kernel has of them. */
static const char *const syscall_names[] = { "syscall", "exit", "fork", "read",
	"write", "open" };
#define NSYSCALLS (sizeof(syscall_names) / sizeof(syscall_names[0]))

void
stack_init_syscalls(struct gen *g)
{
	unsigned ptr_len = g->g_lay.gl_ptr_len;
	uint64_t va = kimage_symbol(g, "syscallnames", SEC_DATA,
	    NSYSCALLS * ptr_len, ptr_len);

	g->g_sysent = kimage_symbol(g,
	    ptr_len == 8 ? "elf64_freebsd_sysvec" : "elf32_freebsd_sysvec",
	    SEC_DATA, 64, 8);
	for (unsigned i = 0; i < NSYSCALLS; i++) {
		uint64_t name = kimage_alloc(g, 16, 16);

		kimage_store(g, name, syscall_names[i],
		    strlen(syscall_names[i]) + 1);
		kimage_poke_ptr(g, va + i * ptr_len, name);
	}
}

/* What in the trap frame at va, of a system call, says which one it is. */
static void
stack_say_syscall(struct gen *g, uint64_t va, int number)
{
	const struct abi *abi = &g->g_abi;

	for (const struct reg *reg = abi->frame; reg->name[0] != '\0'; reg++)
		if (strcmp(reg->name, abi->number) == 0)
			kimage_poke(g, va + reg->off, reg->len,
			    (uint64_t)number);
	if (abi->why.len != 0)
		kimage_poke(g, va + abi->why.off, abi->why.len, abi->why.value);
}

/* From user mode: the registers of a program. */
static void
stack_syscall(struct stack *stack, struct gen_thread *td)
{
	struct gen *g = stack->g;
	struct context regs = {
		.pc = 0x200000 + 4 * rng_below(&g->g_rng, 0x40000),
		.sp = 0x7ffe0000 + 16 * rng_below(&g->g_rng, 0x800),
		.fp = 0x7fff0000 + 16 * rng_below(&g->g_rng, 0x800),
	};

	td->user_pc = regs.pc;
	td->user_sp = regs.sp;
	td->syscall = (int)(3 + regs.pc / 4 % (NSYSCALLS - 3));
	td->syscall_name = syscall_names[td->syscall];
	stack_push_frame(stack, &regs, g->g_abi.frame_len, g->g_abi.user_cs);
	stack_say_syscall(g, stack->sp, td->syscall);
	stack->fp = regs.fp;
	if (g->g_abi.fp_past_frame)
		stack->fp = stack->sp + g->g_abi.frame_len;
	stack->sp -= g->g_abi.syscall_gap;
}

/* A new kernel thread: an empty trap frame. */
static void
stack_fork(struct stack *stack)
{
	const struct abi *abi = &stack->g->g_abi;

	stack->fp = 0;
	stack->sp -= abi->frame_len;
	for (unsigned off = 0; off < abi->frame_len; off += 4)
		kimage_poke(stack->g, stack->sp + off, 4, 0);
	stack->sp -= abi->fork_gap;
}

static void
stack_enter(struct stack *stack, struct gen_thread *td,
    const struct call_site *site, uint64_t caller_pc)
{
	const struct abi *abi = &stack->g->g_abi;
	bool stop = strcmp(site->function, abi->stop) == 0;

	switch (site->call) {
	case CALL_PLAIN:
		stack_call(stack, caller_pc);
		break;
	case CALL_TRAP:
		stack_trap(stack, caller_pc,
		    stop ? abi->stop_gap : abi->trap_gap);
		break;
	case CALL_SYSCALL:
		stack_syscall(stack, td);
		break;
	case CALL_FORK:
		stack_fork(stack);
		break;
	}
}

/*
 * Build the stack below top for the calls, innermost first, and note in td
 * the backtrace that they make.
 */
void
stack_build(struct gen *g, struct gen_thread *td, uint64_t top,
    const struct call_site *sites, unsigned n, struct context *regs)
{
	struct stack stack = { .g = g, .sp = top };

	for (unsigned i = n; i-- > 0;) {
		struct gen_frame *frame = &td->frames[i];
		const struct symbol *sym;

		stack_enter(&stack, td, &sites[i], i + 1 < n ? frame[1].pc : 0);
		frame->pc = sites[i].again != 0 ?
		    frame[sites[i].again].pc :
		    stack_pc(g, sites[i].function);
		sym = kimage_function(g, frame->pc);
		frame->symbol = sym->sy_name;
		frame->offset = frame->pc - sym->sy_va;
	}
	td->nframes = n;
	*regs = (struct context){
		.pc = td->frames[0].pc,
		.sp = stack.sp,
		.fp = stack.fp,
	};
}
