/* Where the linker cannot wrap calls, none fails. */
#include "tests/fuzz/fail.h"

void
fail_set(enum fail_kind kind, unsigned long n)
{
	(void)kind;
	(void)n;
}

void
fail_places(const struct fail_bad *places)
{
	(void)places;
}

void
fail_clear(void)
{
}
