/*
 * The ways out.
 */
#ifndef KERNEL_SYS_REBOOT_H
#define KERNEL_SYS_REBOOT_H

#include "kernel/sys/param.h"

/* howto */
#define RB_AUTOBOOT 0
#define RB_HALT	    0x008
#define RB_DUMP	    0x100
#define RB_POWEROFF 0x4000

void kern_reboot(int howto) __dead2;

/*
 * Dump to the first device that takes it.  textdump is for the debugger's
 * "call doadump", which passes whatever it likes.  0 or an errno.
 */
int doadump(bool textdump);

/* The machine's part: never comes back. */
void cpu_reset(void) __dead2;
void cpu_poweroff(void) __dead2;

/* Leave QEMU with this exit code, if it has the device for that. */
void cpu_exit_emulator(unsigned int code);

#endif
