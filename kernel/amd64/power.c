/*
 * Reset, power off, or leave the emulator with an exit code.
 */
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/trap.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/reboot.h"
#include "kernel/sys/systm.h"

#define RESET_PORT 0xcf9 /* of PC chipsets */
#define RESET_HARD 0x06
#define KBD_PORT   0x64 /* the keyboard controller, which can reset, too */
#define KBD_RESET  0xfe

/* QEMU: isa-debug-exit,iobase=0xf4,iosize=4.  Exits with 2 * code + 1. */
#define DEBUG_EXIT_PORT 0xf4

/* ACPI soft off on QEMU's machines, pc and q35: PM1a_CNT, S5. */
#define PM1A_CNT_PC  0xb004
#define PM1A_CNT_PC2 0x604
#define PM1_SLP_EN   0x2000

/* How long the machine may take to switch off, microseconds. */
#define POWEROFF_WAIT 1000000

static void __dead2
wait_for_ever(void)
{
	for (;;) {
		disable_intr();
		halt();
	}
}

void
cpu_reset(void)
{
	disable_intr();
	outb(RESET_PORT, RESET_HARD);
	outb(KBD_PORT, KBD_RESET);

	/* As a last resort a triple fault: a trap without a table of gates. */
	idt_forget();
	breakpoint();
	wait_for_ever();
}

void
cpu_poweroff(void)
{
	disable_intr();
	outw(PM1A_CNT_PC2, PM1_SLP_EN);
	outw(PM1A_CNT_PC, PM1_SLP_EN);
	DELAY(POWEROFF_WAIT);
	printf("power: cannot switch off; halted\n");
	wait_for_ever();
}

void
cpu_exit_emulator(unsigned int code)
{
	outl(DEBUG_EXIT_PORT, code);
	cpu_poweroff();
}
