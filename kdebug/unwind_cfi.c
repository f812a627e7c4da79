/*
 * One step up a stack by the unwind tables of an ELF file (.eh_frame, which
 * FreeBSD's kernels carry, or .debug_frame).
 *
 * A table says for each register where the caller's value is: in memory near
 * the CFA (the caller's sp), in a register, or unchanged.  Each rule is a little
 * DWARF expression; eval() knows the operators that compilers use for it, and
 * an expression with any other is taken for unknown.
 */
#include <dwarf.h>
#include <stdlib.h>

#include "kdebug/debugfile_int.h"
#include "kdebug/kdebug_int.h"

#define STACK_DEPTH 16

/* A step that is being made. */
struct cfi_step {
	struct kdebug *cs_kdb;
	const struct kdebug_regs *cs_regs; /* of the frame */
	const struct cfi_rules *cs_rules;
	kvaddr_t cs_cfa;
	bool cs_has_cfa;
};

/* An expression's stack. */
struct cfi_stack {
	uint64_t cfs_values[STACK_DEPTH];
	size_t cfs_depth;
	bool cfs_is_value; /* the top is the result, not its address */
};

static bool
push(struct cfi_stack *st, uint64_t value)
{
	if (st->cfs_depth == STACK_DEPTH)
		return (false);
	st->cfs_values[st->cfs_depth++] = value;
	return (true);
}

static bool
pop(struct cfi_stack *st, uint64_t *out)
{
	if (st->cfs_depth == 0)
		return (false);
	*out = st->cfs_values[--st->cfs_depth];
	return (true);
}

/* Our index of the register that DWARF calls number; REG_NONE. */
static unsigned int
reg_index(const struct arch *arch, uint64_t number)
{
	if (number >= arch->ar_ndwarf)
		return (REG_NONE);
	if (arch->ar_dwarf != NULL)
		return (arch->ar_dwarf[number]);
	return ((unsigned int)number);
}

static bool
push_reg(const struct cfi_step *cs, struct cfi_stack *st, uint64_t number,
    uint64_t offset)
{
	unsigned int reg = reg_index(cs->cs_kdb->kdb_arch, number);

	return (regs_has(cs->cs_regs, reg) &&
	    push(st, cs->cs_regs->rs_value[reg] + offset));
}

/* The operators that come in rows of 32: a literal, a register, its value. */
static bool
eval_row(const struct cfi_step *cs, struct cfi_stack *st,
    const struct cfi_op *op)
{
	if (op->cop_atom >= DW_OP_lit0 && op->cop_atom <= DW_OP_lit31)
		return (push(st, op->cop_atom - DW_OP_lit0));
	if (op->cop_atom >= DW_OP_breg0 && op->cop_atom <= DW_OP_breg31)
		return (push_reg(cs, st, op->cop_atom - DW_OP_breg0,
		    op->cop_number));
	if (op->cop_atom >= DW_OP_reg0 && op->cop_atom <= DW_OP_reg31) {
		st->cfs_is_value = true;
		return (push_reg(cs, st, op->cop_atom - DW_OP_reg0, 0));
	}
	return (false);
}

/* The operators that take their operands from the stack. */
static bool
eval_stack(const struct cfi_step *cs, struct cfi_stack *st,
    const struct cfi_op *op)
{
	uint64_t a, b;

	if (!pop(st, &a))
		return (false);
	if (op->cop_atom == DW_OP_deref)
		return (mem_word(cs->cs_kdb, a, &a) && push(st, a));
	if (op->cop_atom == DW_OP_plus_uconst)
		return (push(st, a + op->cop_number));
	if (!pop(st, &b))
		return (false);
	switch (op->cop_atom) {
	case DW_OP_plus:
		return (push(st, b + a));
	case DW_OP_minus:
		return (push(st, b - a));
	case DW_OP_and:
		return (push(st, b & a));
	default:
		return (false);
	}
}

static bool
eval_op(const struct cfi_step *cs, struct cfi_stack *st,
    const struct cfi_op *op)
{
	switch (op->cop_atom) {
	case DW_OP_call_frame_cfa:
		return (cs->cs_has_cfa && push(st, cs->cs_cfa));
	case DW_OP_bregx:
		return (push_reg(cs, st, op->cop_number, op->cop_number2));
	case DW_OP_regx:
		st->cfs_is_value = true;
		return (push_reg(cs, st, op->cop_number, 0));
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_constu:
	case DW_OP_consts:
		return (push(st, op->cop_number));
	case DW_OP_stack_value:
		st->cfs_is_value = true;
		return (true);
	case DW_OP_deref:
	case DW_OP_plus_uconst:
	case DW_OP_plus:
	case DW_OP_minus:
	case DW_OP_and:
		return (eval_stack(cs, st, op));
	default:
		return (eval_row(cs, st, op));
	}
}

/* false: it cannot be told. */
static bool
eval(const struct cfi_step *cs, struct cfi_expr expr, struct cfi_stack *st)
{
	*st = (struct cfi_stack){ 0 };
	if (expr.cx_nops == CFI_UNKNOWN)
		return (false);
	for (size_t i = 0; i < expr.cx_nops; i++) {
		if (!eval_op(cs, st, &cs->cs_rules->cr_ops[expr.cx_first + i]))
			return (false);
	}
	if (st->cfs_depth == 0)
		return (false);
	if (cs->cs_kdb->kdb_core->kc_ptr_len == 4)
		st->cfs_values[st->cfs_depth - 1] &= UINT32_MAX;
	return (true);
}

/*
 * The caller's value of the register that DWARF calls number.  If the tables
 * have no rule for it, the ABI says whether it is unchanged.  libdw would say so
 * too, but on amd64 it takes rax for rbx.
 */
static bool
caller_reg(const struct cfi_step *cs, size_t number, uint64_t *out)
{
	unsigned int reg = reg_index(cs->cs_kdb->kdb_arch, number);
	struct cfi_expr expr = cs->cs_rules->cr_regs[number];
	struct cfi_stack st;

	if (expr.cx_nops == 0) {
		if (!regs_has(cs->cs_regs, reg) ||
		    (cs->cs_kdb->kdb_arch->ar_kept >> reg & 1) == 0)
			return (false);
		*out = cs->cs_regs->rs_value[reg];
		return (true);
	}
	if (!eval(cs, expr, &st))
		return (false);
	*out = st.cfs_values[st.cfs_depth - 1];
	return (st.cfs_is_value || mem_word(cs->cs_kdb, *out, out));
}

static bool
find_cfa(struct cfi_step *cs)
{
	struct cfi_stack st;

	if (!eval(cs, cs->cs_rules->cr_cfa, &st))
		return (false);
	cs->cs_cfa = st.cfs_values[st.cfs_depth - 1];
	cs->cs_has_cfa = true;
	return (true);
}

static enum unwind_result
apply(struct cfi_step *cs, struct kdebug_regs *out)
{
	const struct arch *arch = cs->cs_kdb->kdb_arch;
	unsigned int ra_reg = reg_index(arch, (uint64_t)cs->cs_rules->cr_ra);
	uint64_t value;

	/*
	 * Where calls leave the return address in a register, the tables need
	 * not speak of it: then there is no telling that there is no caller.
	 */
	if (cs->cs_rules->cr_outermost && arch->ar_lr == REG_NONE)
		return (UNWIND_END);
	if (!find_cfa(cs))
		return (UNWIND_NONE);
	*out = (struct kdebug_regs){ 0 };
	for (size_t i = 0; i < arch->ar_ndwarf; i++) {
		unsigned int reg = reg_index(arch, i);

		if (reg != REG_NONE && caller_reg(cs, i, &value))
			regs_set(out, reg, value);
	}
	regs_set(out, arch->ar_sp, cs->cs_cfa);
	if (!regs_has(out, ra_reg))
		return (UNWIND_NONE);
	regs_set(out, arch->ar_pc, out->rs_value[ra_reg]);
	if (arch->ar_lr != REG_NONE)
		out->rs_valid &= ~((uint64_t)1 << arch->ar_lr);
	return (UNWIND_DONE);
}

enum unwind_result
debugfile_unwind(struct debugfile *df, struct kdebug *kdb, kvaddr_t va,
    const struct cursor *cur, struct kdebug_regs *out)
{
	enum unwind_result result = UNWIND_NONE;

	for (unsigned int i = 0; i < CFI_NTABLES && result == UNWIND_NONE;
	     i++) {
		struct cfi_step cs = {
			.cs_kdb = kdb,
			.cs_regs = &cur->cu_regs,
			.cs_rules = debugfile_rules(df, i, va),
		};

		if (cs.cs_rules != NULL && cs.cs_rules->cr_found)
			result = apply(&cs, out);
	}
	return (result);
}
