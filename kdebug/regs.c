/*
 * Structures of saved registers, decoded by the rows of their architecture: see
 * arch.h.
 */
#include <string.h>

#include "kdebug/arch.h"
#include "kdebug/kdebug_int.h"

/* More than any structure of registers that we know: arm64's trap frame. */
#define REGS_LEN_MAX 512

void
regs_decode(const struct reg_layout *rl, enum byte_order order,
    const uint8_t *bytes, struct kdebug_regs *out)
{
	*out = (struct kdebug_regs){ 0 };
	for (size_t i = 0; i < rl->rl_nruns; i++) {
		const struct reg_run *rr = &rl->rl_runs[i];
		const uint8_t *p = bytes + rr->rr_off;

		for (unsigned int n = 0; n < rr->rr_n; n++) {
			uint64_t value =
			    rr->rr_len == 8 ? dec64(order, p) : dec32(order, p);

			regs_set(out, rr->rr_reg + n, value);
			p += rr->rr_len;
		}
	}
}

bool
regs_read(struct kdebug *kdb, kvaddr_t va, const struct reg_layout *rl,
    struct kdebug_regs *out)
{
	uint8_t bytes[REGS_LEN_MAX];

	if (rl->rl_len > sizeof(bytes) || !mem_read(kdb, va, bytes, rl->rl_len))
		return (false);
	regs_decode(rl, kdb->kdb_core->kc_order, bytes, out);
	return (true);
}

bool
name_in(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, list[i]) == 0)
			return (true);
	}
	return (false);
}
