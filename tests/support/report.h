/*
 * The failures of a test that goes on after the first.
 */
#ifndef TESTS_SUPPORT_REPORT_H
#define TESTS_SUPPORT_REPORT_H

#include <stdint.h>

struct report {
	char what[64];	  /* is tested: begins every line */
	const char *mode; /* how, at the moment */
	uint64_t nfailed;
};

/* Count a failure.  The first ten are worth reading: they go to stderr. */
__attribute__((format(printf, 2, 3))) void report_fail(struct report *report,
    const char *fmt, ...);

/* The library's text for what was refused: it has to be one line. */
void report_check_text(struct report *report, const char *call,
    const char *text);

/* At the end: leaves the program with status 1 if there were failures. */
void report_end(const struct report *report);

#endif
