/*
 * Saved contexts, described by text: registers in the order in which they lie,
 * a word each.
 *
 *	rbx rip=pc @160 cs:4=seg
 *
 * "=pc" and its like say what is in the register, ":4" that it is shorter than
 * a word, and "@160" where the next one lies.
 */
#include <stdio.h>
#include <string.h>

#include "tests/gen/gen.h"

static enum reg_role
reg_role(const char *word)
{
	static const char *const roles[] = {
		[REG_PC] = "=pc",
		[REG_SP] = "=sp",
		[REG_FP] = "=fp",
		[REG_CODE_SEG] = "=seg",
		[REG_VOLATILE] = "=volatile",
	};

	for (unsigned i = REG_PC; i <= REG_VOLATILE; i++)
		if (strstr(word, roles[i]) != NULL)
			return ((enum reg_role)i);
	return (REG_ANY);
}

void
regs_parse(struct reg regs[GEN_MAX_REGS], const char *text, unsigned word_len)
{
	unsigned off = 0;
	char word[32];
	int n;

	for (; sscanf(text, "%31s%n", word, &n) == 1; text += n) {
		if (sscanf(word, "@%u", &off) == 1)
			continue;
		regs->off = off;
		regs->len = strstr(word, ":4") != NULL ? 4 : word_len;
		regs->role = reg_role(word);
		sscanf(word, "%11[a-z0-9_]", regs->name);
		regs++;
		off += word_len;
	}
}

/* What is in reg of a thread that stopped so: any number if it has no role. */
uint64_t
regs_value(struct gen *g, const struct reg *reg, const struct context *regs,
    uint64_t cs)
{
	uint64_t value = rng_next(&g->g_rng);

	if (reg->role == REG_PC)
		value = regs->pc;
	else if (reg->role == REG_SP)
		value = regs->sp;
	else if (reg->role == REG_FP)
		value = regs->fp;
	else if (reg->role == REG_CODE_SEG)
		value = cs;
	return (reg->len == 4 ? value & UINT32_MAX : value);
}
