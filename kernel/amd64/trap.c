/*
 * Traps.  All come from the kernel, so most of them end in a panic.
 */
#include "kernel/amd64/cpu_protect.h"
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/frame.h"
#include "kernel/amd64/ipi.h"
#include "kernel/amd64/pcb.h"
#include "kernel/amd64/pcpu.h"
#include "kernel/amd64/trap.h"
#include "kernel/amd64/types.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/memguard.h"

#define SDT_SYSIGT 0x8e /* a present interrupt gate of the kernel */

#define PGEX_P 0x01
#define PGEX_W 0x02
#define PGEX_I 0x10

/* The stubs of exception.S. */
typedef void inthand_t(void);
inthand_t Xdiv, Xdbg, Xnmi, Xbpt, Xofl, Xbnd, Xill, Xdna, Xdblfault, Xtss,
    Xmissing, Xstk, Xprot, Xpage, Xfpu, Xalign, Xmchk, Xxmm, Xrsvd, Xtimerint,
    Xpreempt, Xinvltlb, Xapic_isr1, Xspuriousint;

static int panic_on_nmi;
SYSCTL_INT(_machdep, OID_AUTO, panic_on_nmi, CTLFLAG_RWTUN, &panic_on_nmi, 0,
    "Panic at an NMI from outside");

static struct gate_descriptor idt[NIDT] __aligned(16);

static const struct {
	uint8_t vector;
	uint8_t ist;
	inthand_t *func;
	const char *name;
} gates[] = {
	{ T_DE, 0, Xdiv, "integer divide fault" },
	{ T_DB, 0, Xdbg, "trace trap" },
	{ T_NMI, IST_NMI, Xnmi, "non-maskable interrupt" },
	{ T_BP, 0, Xbpt, "breakpoint instruction fault" },
	{ T_OF, 0, Xofl, "overflow trap" },
	{ T_BR, 0, Xbnd, "bound instruction fault" },
	{ T_UD, 0, Xill, "privileged instruction fault" },
	{ T_NM, 0, Xdna, "FPU device not available" },
	{ T_DF, IST_DBLFAULT, Xdblfault, "double fault" },
	{ T_TS, 0, Xtss, "invalid TSS fault" },
	{ T_NP, 0, Xmissing, "segment not present fault" },
	{ T_SS, 0, Xstk, "stack fault" },
	{ T_GP, 0, Xprot, "general protection fault" },
	{ T_PF, 0, Xpage, "page fault" },
	{ T_MF, 0, Xfpu, "FPU exception" },
	{ T_AC, 0, Xalign, "alignment fault" },
	{ T_MC, IST_MCHK, Xmchk, "machine check" },
	{ T_XM, 0, Xxmm, "SIMD floating-point exception" },
	{ IDT_TIMER, 0, Xtimerint, NULL },
	{ IDT_PREEMPT, 0, Xpreempt, NULL },
	{ IDT_INVLTLB, 0, Xinvltlb, NULL },
	{ IDT_SPURIOUS, 0, Xspuriousint, NULL },
};

static void
setidt(unsigned int vector, inthand_t *func, uint8_t ist)
{
	vm_offset_t va = (vm_offset_t)func;

	idt[vector] = (struct gate_descriptor){
		.gd_looffset = (uint16_t)va,
		.gd_selector = KCSEL,
		.gd_ist = ist,
		.gd_type = SDT_SYSIGT,
		.gd_midoffset = (uint16_t)(va >> 16),
		.gd_hioffset = (uint32_t)(va >> 32),
	};
}

void
idt_init(void)
{
	for (unsigned int i = 0; i < NIDT; i++)
		setidt(i, Xrsvd, 0);
	for (unsigned int i = 0; i < NDEVINTR; i++)
		setidt(IDT_DEV + i, Xapic_isr1, 0);
	for (size_t i = 0; i < nitems(gates); i++)
		setidt(gates[i].vector, gates[i].func, gates[i].ist);
}

void
idt_load(void)
{
	struct region_descriptor idtr = {
		.rd_limit = sizeof(idt) - 1,
		.rd_base = (vm_offset_t)idt,
	};

	lidt(&idtr);
}

void
idt_forget(void)
{
	static const struct region_descriptor none;

	lidt(&none);
}

static const char *
trap_name(uint32_t trapno)
{
	for (size_t i = 0; i < nitems(gates); i++) {
		if (gates[i].vector == trapno && gates[i].name != NULL)
			return (gates[i].name);
	}
	return ("unknown trap");
}

/* Did the stack pointer run into the page below the thread's stack? */
static bool
stack_overflowed(const struct trapframe *frame)
{
	const struct thread *td = curthread;

	return (td != NULL && frame->tf_rsp < td->td_kstack + 256 &&
	    frame->tf_rsp >= td->td_kstack - PAGE_SIZE);
}

static void
trap_describe(const struct trapframe *frame)
{
	uint64_t err = frame->tf_err;

	printf("\n\nFatal trap %u: %s while in kernel mode\n", frame->tf_trapno,
	    trap_name(frame->tf_trapno));
	printf("cpuid = %d; apic id = %02x\n", curcpu, get_pcpu()->pc_apic_id);
	if (frame->tf_trapno == T_PF) {
		printf("fault virtual address   = %#jx\n",
		    (uintmax_t)frame->tf_addr);
		printf("fault code              = supervisor %s %s, %s\n",
		    (err & PGEX_W) != 0 ? "write" : "read",
		    (err & PGEX_I) != 0 ? "instruction" : "data",
		    (err & PGEX_P) != 0 ? "protection violation" :
					  "page not present");
	}
	printf("instruction pointer     = %#jx:%#jx\n", (uintmax_t)frame->tf_cs,
	    (uintmax_t)frame->tf_rip);
	printf("stack pointer           = %#jx:%#jx\n", (uintmax_t)frame->tf_ss,
	    (uintmax_t)frame->tf_rsp);
	printf("frame pointer           = %#jx\n", (uintmax_t)frame->tf_rbp);
	printf("processor eflags        = %#jx\n", (uintmax_t)frame->tf_rflags);
	if (curthread != NULL)
		printf("current process         = %d (%s)\n", curproc->p_pid,
		    curthread->td_name);
}

/* The mapping is there, and is a user's: the CPU refused what the kernel did. */
static bool
is_user_memory(const struct trapframe *frame)
{
	return (frame->tf_trapno == T_PF && (frame->tf_err & PGEX_P) != 0 &&
	    frame->tf_addr < VM_MAXUSER_ADDRESS);
}

static void __dead2
trap_fatal(const struct trapframe *frame)
{
	trap_describe(frame);
	if (frame->tf_trapno == T_PF)
		(void)memguard_describe(frame->tf_addr);
	if (frame->tf_trapno == T_DF && stack_overflowed(frame))
		panic("double fault: kernel stack overflow: %s, rsp %#jx, "
		      "stack from %#jx",
		    curthread->td_name, (uintmax_t)frame->tf_rsp,
		    (uintmax_t)curthread->td_kstack);
	if (is_user_memory(frame))
		panic("page fault: the kernel %s user memory at %#jx",
		    (frame->tf_err & PGEX_I) != 0 ? "executes" : "accesses",
		    (uintmax_t)frame->tf_addr);
	panic("%s", trap_name(frame->tf_trapno));
}

/* Continue at the address that the faulting thread set.  false: it set none. */
static bool
trap_onfault(struct trapframe *frame)
{
	struct pcb *pcb = curthread != NULL ? curthread->td_pcb : NULL;

	if (pcb == NULL || pcb->pcb_onfault == 0 ||
	    (frame->tf_trapno != T_PF && frame->tf_trapno != T_GP))
		return (false);
	frame->tf_rip = pcb->pcb_onfault;
	return (true);
}

/* From outside, by a button for example; a second one does not end a dump. */
static void
foreign_nmi(struct trapframe *frame)
{
	if (panic_on_nmi == 0)
		kdb_trap("NMI", frame);
	else if (!SCHEDULER_STOPPED())
		panic("NMI");
}

static void
nmi(struct trapframe *frame)
{
	struct thread *td = curthread;

	td->td_nmi_nesting_level++;
	FAIL_POINT(FAIL_NMI, NULL);
	if (!ipi_nmi_handler())
		foreign_nmi(frame);
	td->td_nmi_nesting_level--;
}

void
trap(struct trapframe *frame)
{
	switch (frame->tf_trapno) {
	case T_NMI:
		nmi(frame);
		return;
	case T_BP:
	case T_DB:
		kdb_trap("breakpoint", frame);
		return;
	default:
		if (trap_onfault(frame))
			return;
		if (frame->tf_trapno != T_DF)
			kdb_fault(trap_name(frame->tf_trapno), frame);
		trap_fatal(frame);
	}
}

bool
safe_copy(void *dst, const void *src, size_t len)
{
	struct pcb *pcb = curthread->td_pcb;
	register_t before = pcb->pcb_onfault;
	bool ok;

	ok = copy_onfault(dst, src, len, &pcb->pcb_onfault) == 0;
	pcb->pcb_onfault = before;
	return (ok);
}

bool
user_copy(void *dst, const void *src, size_t len)
{
	bool ok;

	user_access_begin();
	ok = safe_copy(dst, src, len);
	user_access_end();
	return (ok);
}
