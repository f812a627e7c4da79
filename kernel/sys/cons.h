/*
 * The console: one serial line, polled, so that it works in a dying kernel.
 */
#ifndef KERNEL_SYS_CONS_H
#define KERNEL_SYS_CONS_H

#include "kernel/sys/types.h"

void cninit(void);
void cnputc(int c);

/* The next character typed, -1 if there is none yet. */
int cncheckc(void);

/* The same, waiting: by sleeping, or by polling when nothing can sleep. */
int cngetc(void);

/* Poll the line from the clock's interrupt: key presses, and the break. */
void cnpoll(void);

/* Take the line for a debugger that polls it, and give it back. */
void cngrab(void);
void cnungrab(void);

/* A line without its end, echoed, NUL-terminated; edits backspace. */
void cngets(char *line, size_t room);

#endif
