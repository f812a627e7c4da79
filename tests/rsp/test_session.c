/* Sessions: acknowledgements, damaged packets, and how a session ends. */
#include "rsp/session.h"

#include <assert.h>
#include <string.h>

#include "tests/rsp/fake_target.h"
#include "tests/support/unit.h"

/* All that was sent. */
struct line {
	char bytes[256];
	size_t len;
	bool broken; /* nothing can be sent any more */
};

static bool
send_line(void *arg, const void *bytes, size_t len)
{
	struct line *line = arg;

	assert_true(len > 0);
	if (line->broken)
		return (false);
	assert_true(line->len + len < sizeof(line->bytes));
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
	return (true);
}

#define NOACK_IN  "$QStartNoAckMode#b0+"
#define NOACK_OUT "+$OK#9a"

static const struct row {
	const char *name;
	const char *in;
	const char *out;
	bool goes_on;
} rows[] = {
	{ "a packet is acknowledged and answered", "+$qC#b4", "+$QC189ee#00",
	    true },
	{ "an unknown one too", "$!#21", "+$#00", true },
	{ "a damaged one is refused", "$qC#b5", "-", true },
	{ "and comes again", "$qC#b5$qC#b4", "-+$QC189ee#00", true },
	{ "a refused reply is repeated", "$qC#b4-", "+$QC189ee#00$QC189ee#00",
	    true },
	{ "nothing was sent that could be repeated", "-", "", true },
	{ "an accepted reply is not", "$qC#b4+", "+$QC189ee#00", true },
	{ "^C interrupts nothing", "\x03", "", true },
	{ "no acks after QStartNoAckMode", NOACK_IN "$qC#b4",
	    NOACK_OUT "$QC189ee#00", true },
	{ "a damaged packet is an error then", NOACK_IN "$qC#b5",
	    NOACK_OUT "$E16#ac", true },
	{ "a command's text comes before its end", "$qRcmd,6869#00",
	    "+$O6869#2c$OK#9a", true },
	{ "the end alone is repeated", "$qRcmd,6869#00-",
	    "+$O6869#2c$OK#9a$OK#9a", true },
	{ "detach", "$D#44", "+$OK#9a", false },
	{ "nothing is heard after detach", "$D#44$qC#b4", "+$OK#9a", false },
	{ "kill", "$k#6b", "+$X09#c1", false },
};

static struct rsp_session session;

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct line line = { .len = 0 };
	bool goes_on;

	rsp_session_init(&session, fake_target(ARCH_AMD64, ORDER_LITTLE));
	goes_on = rsp_session_input(&session, row->in, strlen(row->in),
	    send_line, &line);
	assert_string_equal(line.bytes, row->out);
	assert_int_equal(goes_on, row->goes_on);
}

/* The same, whatever pieces it comes in. */
static void
test_bytes(void **state)
{
	const struct row *row = *state;
	struct line line = { .len = 0 };
	bool goes_on = true;

	rsp_session_init(&session, fake_target(ARCH_AMD64, ORDER_LITTLE));
	for (const char *p = row->in; *p != '\0' && goes_on; p++)
		goes_on = rsp_session_input(&session, p, 1, send_line, &line);
	assert_string_equal(line.bytes, row->out);
	assert_int_equal(goes_on, row->goes_on);
}

static void
test_gone(void **state)
{
	struct line line = { .broken = true };

	(void)state;
	rsp_session_init(&session, fake_target(ARCH_AMD64, ORDER_LITTLE));
	assert_false(rsp_session_input(&session, "$qC#b4", 6, send_line,
	    &line));
}

static void
test_too_long(void **state)
{
	static char in[RSP_PAYLOAD_MAX + 5];
	struct line line = { .len = 0 };

	(void)state;
	/* So many a's that their sum is 0x61. */
	static_assert((RSP_PAYLOAD_MAX + 1) * 'a' % 256 == 'a', "sum");
	memset(in, 'a', sizeof(in));
	in[0] = '$';
	memcpy(in + sizeof(in) - 3, "#61", 3);
	rsp_session_init(&session, fake_target(ARCH_AMD64, ORDER_LITTLE));
	assert_true(rsp_session_input(&session, in, sizeof(in), send_line,
	    &line));
	assert_string_equal(line.bytes, "+$E16#ac");
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_row);
	ADD_ROWS(tests, n, rows, test_bytes);
	tests[n++] = row_test("the client is gone", test_gone, NULL);
	tests[n++] = row_test("a packet too long", test_too_long, NULL);
	return (RUN_TESTS(tests, n));
}
