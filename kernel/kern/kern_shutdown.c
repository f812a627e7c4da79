/*
 * The end: panic, dump, reboot.
 *
 * The order in a panic: this CPU's interrupts off, the others stopped by NMI
 * (from here on locks do nothing); then words, the debugger if it is wanted, the
 * dump, the way out.  A second panic in any of these prints, and goes to the way
 * out: it does not dump again.  Of several CPUs that panic at once, the one that
 * stops the others does it for all.
 */
#include "kernel/kern/kern_dump.h"
#include "kernel/kern/kern_dumpconf.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pcb.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/cons.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/reboot.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"

#define PANIC_LEN 256

/* After this many panics inside a panic, the machine is reset at once. */
#define NESTED_MAX 4

const char *panicstr;
struct pcb dumppcb;
int dumptid;
int dumping;

static char panic_text[PANIC_LEN];
static int panics;

static int debugger_on_panic = 0;
SYSCTL_INT(_debug, OID_AUTO, debugger_on_panic, CTLFLAG_RWTUN,
    &debugger_on_panic, 0, "Enter the debugger before dumping");
static int trace_on_panic = 1;
SYSCTL_INT(_debug, OID_AUTO, trace_on_panic, CTLFLAG_RWTUN, &trace_on_panic, 0,
    "Print a stack trace");

SYSCTL_NODE(_kern, OID_AUTO, panic, CTLFLAG_RD, NULL, "what a panic does");
static int poweroff_on_panic;
SYSCTL_INT(_kern_panic, OID_AUTO, poweroff, CTLFLAG_RWTUN, &poweroff_on_panic,
    0, "Switch off after a panic instead of a reset");
static int exit_code = -1;
SYSCTL_INT(_kern_panic, OID_AUTO, exit_code, CTLFLAG_RDTUN, &exit_code, 0,
    "Leave the emulator with this code");

/* Words that cannot fail, then out. */
static void __dead2
give_up(void)
{
	if (panics > NESTED_MAX)
		cpu_reset();
	printf("panic: within a panic: no dump, no debugger\n");
	kern_reboot(RB_AUTOBOOT);
}

void
vpanic(const char *fmt, va_list ap)
{
	char nested_text[PANIC_LEN];
	char *text = panic_text;

	disable_intr();
	(void)stop_cpus_hard();
	panics++;
	if (panicstr != NULL)
		text = nested_text;
	if (panics <= NESTED_MAX) {
		vsnprintf(text, PANIC_LEN, fmt, ap);
		printf("panic: %s\ncpuid = %d\n", text, curcpu);
	}
	if (panicstr != NULL)
		give_up();
	panicstr = text;
	printf("time = %d ticks, thread %d (%s)\n", ticks, curthread->td_tid,
	    curthread->td_name);
	if (trace_on_panic != 0)
		kdb_backtrace();
	if (debugger_on_panic != 0)
		kdb_enter("panic", "panic");
	kern_reboot(RB_DUMP);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vpanic(fmt, ap);
}

int
doadump(bool textdump)
{
	const struct thread *td = curthread;
	int error;

	(void)textdump;
	if (dumping > 0)
		return (EBUSY);
	/* What comes next is where debuggers see the thread: no inline here. */
	savectx(&dumppcb);
	dumptid = td->td_tid;
	dumping++;
	error = dumpsys(dumpconf_format());
	dumping--;
	return (error);
}

static void __dead2
shutdown_final(int howto)
{
	if (exit_code >= 0)
		cpu_exit_emulator((unsigned int)exit_code);
	if ((howto & RB_POWEROFF) != 0 ||
	    (panicstr != NULL && poweroff_on_panic != 0))
		cpu_poweroff();
	printf("Rebooting...\n");
	cpu_reset();
}

void
kern_reboot(int howto)
{
	disable_intr();
	(void)stop_cpus_hard();
	if ((howto & RB_DUMP) != 0 && cold == 0 && dumping == 0)
		(void)doadump(true);
	printf("Uptime: %d s\n", ticks / hz);
	shutdown_final(howto);
}
