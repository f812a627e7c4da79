/*
 * Stack traces that are kept: stack(9).
 */
#ifndef KERNEL_SYS_STACK_H
#define KERNEL_SYS_STACK_H

#include <stdint.h>

#define STACK_MAX 14

struct stack {
	int depth;
	uintptr_t pcs[STACK_MAX]; /* return addresses, the innermost first */
};

/* The calls that lead here, without this one. */
void stack_save(struct stack *st);
void stack_print(const struct stack *st);

#endif
