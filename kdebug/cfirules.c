/*
 * The rules of a file's unwind tables (.eh_frame, which FreeBSD's kernels carry,
 * and .debug_frame).  libdw hands each out as a little DWARF expression.
 */
#include <stdlib.h>

#include "kdebug/dwfile.h"

/* Rules that are being copied. */
struct cfi_copying {
	struct cfi_rules *cyp_rules;
	size_t cyp_nops; /* in cr_ops */
};

static struct cfi_expr
copy_expr(struct cfi_copying *cp, const Dwarf_Op *ops, size_t nops)
{
	struct cfi_expr expr = { (uint8_t)cp->cyp_nops, (uint8_t)nops };

	if (nops > CFI_OPS_MAX - cp->cyp_nops)
		return ((struct cfi_expr){ .cx_nops = CFI_UNKNOWN });
	for (size_t i = 0; i < nops; i++)
		cp->cyp_rules->cr_ops[cp->cyp_nops++] = (struct cfi_op){
			.cop_atom = ops[i].atom,
			.cop_number = ops[i].number,
			.cop_number2 = ops[i].number2,
		};
	return (expr);
}

static struct cfi_expr
copy_reg(struct cfi_copying *cp, Dwarf_Frame *frame, int number)
{
	Dwarf_Op mem[3], *ops;
	size_t nops;

	if (dwarf_frame_register(frame, number, mem, &ops, &nops) != 0)
		return ((struct cfi_expr){ .cx_nops = CFI_UNKNOWN });
	return (copy_expr(cp, ops, nops));
}

/* Do the tables say that the register, the return address, has no value? */
static bool
is_undefined(Dwarf_Frame *frame, int number)
{
	Dwarf_Op mem[3], *ops;
	size_t nops;

	return (dwarf_frame_register(frame, number, mem, &ops, &nops) == 0 &&
	    nops == 0 && ops != NULL);
}

static void
copy_frame(Dwarf_Frame *frame, size_t nregs, struct cfi_rules *out)
{
	struct cfi_copying cp = { .cyp_rules = out };
	Dwarf_Op *ops;
	size_t nops;

	out->cr_found = true;
	out->cr_ra = dwarf_frame_info(frame, NULL, NULL, NULL);
	out->cr_outermost = is_undefined(frame, out->cr_ra);
	out->cr_cfa.cx_nops = CFI_UNKNOWN;
	if (dwarf_frame_cfa(frame, &ops, &nops) == 0)
		out->cr_cfa = copy_expr(&cp, ops, nops);
	for (size_t i = 0; i < nregs && i < KDEBUG_MAXREGS; i++)
		out->cr_regs[i] = copy_reg(&cp, frame, (int)i);
}

static void
find_tables(struct dwfile *dw)
{
	Dwarf_Addr unused;

	dw->dwf_has_cfi = true;
	dw->dwf_cfi[CFI_DEBUG_FRAME] =
	    dwfl_module_dwarf_cfi(dw->dwf_mod, &unused);
	if (dw->dwf_desc.dwd_relocatable)
		dw->dwf_cfi[CFI_EH_FRAME] = ehframe_open(dw);
	else
		dw->dwf_cfi[CFI_EH_FRAME] =
		    dwfl_module_eh_cfi(dw->dwf_mod, &unused);
}

void
dwfile_rules(struct dwfile *dw, enum cfi_table which, kvaddr_t va, size_t nregs,
    struct cfi_rules *out)
{
	Dwarf_Frame *frame;

	*out = (struct cfi_rules){ .cr_found = false };
	if (!dw->dwf_has_cfi)
		find_tables(dw);
	if (dw->dwf_cfi[which] == NULL ||
	    dwarf_cfi_addrframe(dw->dwf_cfi[which], va - dw->dwf_bias,
		&frame) != 0)
		return;
	copy_frame(frame, nregs, out);
	free(frame);
}
