/* Where the linker cannot wrap calls, none fails. */
#include "tests/fuzz/fail.h"

void
fail_set(enum fail_kind kind, unsigned long n)
{
	(void)kind;
	(void)n;
}

void
fail_bad(uint64_t off, uint64_t len)
{
	(void)off;
	(void)len;
}

void
fail_clear(void)
{
}
