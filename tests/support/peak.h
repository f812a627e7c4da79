/* How much memory a test takes. */
#ifndef TESTS_SUPPORT_PEAK_H
#define TESTS_SUPPORT_PEAK_H

#include <sys/resource.h>

#include "tests/support/unit.h"

/* The most memory that this process had at once: KB, where the system is Linux. */
static inline long
peak_memory(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (usage.ru_maxrss);
}

/* By how much it may grow for a file that is nearly all hole: KB. */
#define PEAK_GROWTH_MAX 65536

#endif
