/*
 * The unwind rules of one place in the code, as DWARF tells them: where its
 * caller's registers are.  dwfile reads them, unwind_cfi.c goes by them.
 */
#ifndef KDEBUG_CFI_H
#define KDEBUG_CFI_H

#include <stdbool.h>
#include <stdint.h>

#include "kdebug/kdebug.h"

/* An operator of a DWARF expression. */
struct cfi_op {
	uint8_t cop_atom; /* DW_OP_... */
	uint64_t cop_number;
	uint64_t cop_number2;
};

/* No function that a compiler makes has rules of as many operators. */
#define CFI_OPS_MAX 128

/* In place of a number of operators. */
#define CFI_UNKNOWN 0xff

/* An expression: cx_nops operators in cr_ops. */
struct cfi_expr {
	uint8_t cx_first;
	uint8_t cx_nops; /* 0: no rule; CFI_UNKNOWN: it cannot be told */
};

/* Which of a file's two tables. */
enum cfi_table { CFI_EH_FRAME, CFI_DEBUG_FRAME, CFI_NTABLES };

struct cfi_rules {
	bool cr_found;	   /* the table is about this place */
	bool cr_outermost; /* the return address is said to be undefined */
	int cr_ra;	   /* DWARF's number of the return address */
	struct cfi_expr cr_cfa;
	struct cfi_expr cr_regs[KDEBUG_MAXREGS]; /* by DWARF's number */
	struct cfi_op cr_ops[CFI_OPS_MAX];
};

#endif
