/* Framing: what a client may send, byte by byte, and what is sent to it. */
#include "rsp/packet.h"

#include <assert.h>
#include <string.h>

#include "tests/support/unit.h"

/*
 * Events as letters, RSP_MORE left out: P packet, B bad sum, L too long, + ack,
 * - nak, ! interrupt.
 */
static char
letter(enum rsp_event event)
{
	static const char letters[] = {
		[RSP_MORE] = '.',
		[RSP_PACKET] = 'P',
		[RSP_BAD_SUM] = 'B',
		[RSP_TOO_LONG] = 'L',
		[RSP_ACK] = '+',
		[RSP_NAK] = '-',
		[RSP_INTERRUPT] = '!',
	};

	return (letters[event]);
}

static const struct in_row {
	const char *name;
	const char *in;
	const char *events;
	const char *payload; /* of the last packet */
} in_rows[] = {
	{ "in: a packet", "$g#67", "P", "g" },
	{ "in: no payload", "$#00", "P", "" },
	{ "in: two packets and an ack", "$g#67+$?#3f", "P+P", "?" },
	{ "in: digits of the sum in capitals", "$k}\x03#EB", "P", "k#" },
	{ "in: the sum wraps", "$zzz#6e", "P", "zzz" },
	{ "in: wrong sum", "$g#68", "B", "" },
	{ "in: the sum is no number", "$g#6x", "B", "" },
	{ "in: the sum's first digit is none", "$g#g7", "B", "" },
	{ "in: recovers from a wrong sum", "$g#00$g#67", "BP", "g" },
	{ "in: an escaped byte", "$a}\x03z#5b", "P", "a#z" },
	{ "in: an escaped escape", "$}]#da", "P", "}" },
	{ "in: an escape before the sum", "$a}#de", "P", "a" },
	{ "in: a packet starts within another", "$abc$g#67", "P", "g" },
	{ "in: a packet starts within a sum", "$g#6$g#67", "P", "g" },
	{ "in: acks between packets", "+-\x03", "+-!", "" },
	{ "in: acks within a packet are payload", "$+-\x03#5b", "P", "+-\x03" },
	{ "in: noise between packets", "hello#00\n$g#67x", "P", "g" },
	{ "in: half a packet", "$g#6", "", "" },
};

static void
test_in(void **state)
{
	static struct rsp_framer framer;
	const struct in_row *row = *state;
	char events[16] = "", payload[16] = "";
	size_t nevents = 0;
	enum rsp_event event;

	memset(&framer, 0, sizeof(framer));
	for (const char *p = row->in; *p != '\0'; p++) {
		event = rsp_feed(&framer, (uint8_t)*p);
		if (event == RSP_MORE)
			continue;
		assert_true(nevents < sizeof(events) - 1);
		events[nevents++] = letter(event);
		if (event == RSP_PACKET) {
			assert_true(framer.rf_len < sizeof(payload));
			memset(payload, 0, sizeof(payload));
			memcpy(payload, framer.rf_payload, framer.rf_len);
		}
	}
	assert_string_equal(events, row->events);
	assert_string_equal(payload, row->payload);
}

/* Feed a packet of len times 'a'.  Returns what comes of it. */
static enum rsp_event
feed_long(struct rsp_framer *framer, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum = (uint8_t)(len * 'a');

	assert_int_equal(rsp_feed(framer, '$'), RSP_MORE);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(rsp_feed(framer, 'a'), RSP_MORE);
	assert_int_equal(rsp_feed(framer, '#'), RSP_MORE);
	assert_int_equal(rsp_feed(framer, (uint8_t)digits[sum >> 4]), RSP_MORE);
	return (rsp_feed(framer, (uint8_t)digits[sum & 0xf]));
}

static void
test_length(void **state)
{
	static struct rsp_framer framer;

	(void)state;
	assert_int_equal(feed_long(&framer, RSP_PAYLOAD_MAX), RSP_PACKET);
	assert_int_equal(framer.rf_len, RSP_PAYLOAD_MAX);
	assert_int_equal(feed_long(&framer, RSP_PAYLOAD_MAX + 1), RSP_TOO_LONG);
	assert_int_equal(feed_long(&framer, 3 * RSP_PAYLOAD_MAX), RSP_TOO_LONG);
	assert_int_equal(feed_long(&framer, 1), RSP_PACKET);
	assert_int_equal(framer.rf_len, 1);
}

static const struct out_row {
	const char *name;
	const char *payload;
	const char *frame;
} out_rows[] = {
	{ "out: empty", "", "$#00" },
	{ "out: OK", "OK", "$OK#9a" },
	{ "out: the sum wraps", "zzz", "$zzz#6e" },
	{ "out: escapes", "$#}*", "$}\x04}\x03}]}\x0a#62" },
};

static void
test_out(void **state)
{
	const struct out_row *row = *state;
	char frame[32];
	size_t len;

	len = rsp_frame(row->payload, strlen(row->payload), frame);
	assert_int_equal(len, strlen(row->frame));
	assert_memory_equal(frame, row->frame, len);
}

/* A frame that is sent is received unchanged: all bytes, up to the maximum */
static void
test_round_trip(void **state)
{
	static struct rsp_framer framer;
	static char payload[RSP_PAYLOAD_MAX], frame[RSP_FRAME_MAX];
	enum rsp_event event = RSP_MORE;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (char)(i % 2 == 0 ? '$' : i / 2);
	len = rsp_frame(payload, sizeof(payload), frame);
	assert_true(len <= sizeof(frame));
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(event, RSP_MORE);
		event = rsp_feed(&framer, (uint8_t)frame[i]);
	}
	assert_int_equal(event, RSP_PACKET);
	assert_int_equal(framer.rf_len, sizeof(payload));
	assert_memory_equal(framer.rf_payload, payload, sizeof(payload));
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, in_rows, test_in);
	ADD_ROWS(tests, n, out_rows, test_out);
	tests[n++] = row_test("in: the longest, and longer", test_length, NULL);
	tests[n++] = row_test("out: round trip", test_round_trip, NULL);
	return (RUN_TESTS(tests, n));
}
