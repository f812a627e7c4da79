#include "tests/support/report.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NTOLD 10

void
report_fail(struct report *report, const char *fmt, ...)
{
	va_list ap;

	if (++report->nfailed > NTOLD)
		return;
	fprintf(stderr, "%s, %s: ", report->what, report->mode);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
report_check_text(struct report *report, const char *call, const char *text)
{
	if (*text == '\0' || strchr(text, '\n') != NULL)
		report_fail(report, "%s: error text is \"%s\"", call, text);
}

void
report_end(const struct report *report)
{
	if (report->nfailed != 0)
		errx(1, "%s: %ju failures", report->what,
		    (uintmax_t)report->nfailed);
}
