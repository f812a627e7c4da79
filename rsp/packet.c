/*
 * Frames in and out: see packet.h.
 *
 * A $ always starts a packet, because inside of one it would be escaped.  So the
 * two sides find the start of the next packet after bytes were lost.
 */
#include "rsp/packet.h"

#include "rsp/text.h"

#define ESCAPE	    '}'
#define ESCAPE_FLIP 0x20
#define INTERRUPT   0x03

static void
start_packet(struct rsp_framer *framer)
{
	framer->rf_state = RSP_PAYLOAD;
	framer->rf_sum = 0;
	framer->rf_sum_told = 0;
	framer->rf_sum_bad = false;
	framer->rf_len = 0;
}

/* Between packets: other bytes are skipped, as in every server. */
static enum rsp_event
feed_between(uint8_t byte)
{
	switch (byte) {
	case '+':
		return (RSP_ACK);
	case '-':
		return (RSP_NAK);
	case INTERRUPT:
		return (RSP_INTERRUPT);
	default:
		return (RSP_MORE);
	}
}

/* Keep a byte of payload.  Bytes past the maximum are counted, up to a limit. */
static void
keep(struct rsp_framer *framer, uint8_t byte)
{
	if (framer->rf_len < RSP_PAYLOAD_MAX)
		framer->rf_payload[framer->rf_len] = (char)byte;
	if (framer->rf_len <= RSP_PAYLOAD_MAX)
		framer->rf_len++;
}

static void
feed_payload(struct rsp_framer *framer, uint8_t byte)
{
	bool escaped = framer->rf_state == RSP_ESCAPED;

	if (byte == '#') {
		framer->rf_state = RSP_SUM_HIGH;
		return;
	}
	framer->rf_sum = (uint8_t)(framer->rf_sum + byte);
	framer->rf_state = RSP_PAYLOAD;
	if (escaped)
		keep(framer, byte ^ ESCAPE_FLIP);
	else if (byte == ESCAPE)
		framer->rf_state = RSP_ESCAPED;
	else
		keep(framer, byte);
}

static void
feed_sum(struct rsp_framer *framer, uint8_t byte)
{
	int digit = rsp_digit((char)byte);

	if (digit < 0) {
		framer->rf_sum_bad = true;
		digit = 0;
	}
	framer->rf_sum_told = (uint8_t)(framer->rf_sum_told << 4 | digit);
}

static enum rsp_event
end_packet(struct rsp_framer *framer)
{
	framer->rf_state = RSP_BETWEEN;
	if (framer->rf_sum_bad || framer->rf_sum != framer->rf_sum_told)
		return (RSP_BAD_SUM);
	if (framer->rf_len > RSP_PAYLOAD_MAX)
		return (RSP_TOO_LONG);
	return (RSP_PACKET);
}

enum rsp_event
rsp_feed(struct rsp_framer *framer, uint8_t byte)
{
	if (byte == '$') {
		start_packet(framer);
		return (RSP_MORE);
	}
	switch (framer->rf_state) {
	case RSP_BETWEEN:
		return (feed_between(byte));
	case RSP_PAYLOAD:
	case RSP_ESCAPED:
		feed_payload(framer, byte);
		return (RSP_MORE);
	case RSP_SUM_HIGH:
		feed_sum(framer, byte);
		framer->rf_state = RSP_SUM_LOW;
		return (RSP_MORE);
	case RSP_SUM_LOW:
		feed_sum(framer, byte);
		return (end_packet(framer));
	}
	return (RSP_MORE);
}

/* In a reply, * would start a run length, so it is escaped too. */
static bool
needs_escape(char c)
{
	return (c == '$' || c == '#' || c == ESCAPE || c == '*');
}

size_t
rsp_frame(const char *payload, size_t len, char *frame)
{
	size_t n = 0;
	uint8_t sum = 0;

	frame[n++] = '$';
	for (size_t i = 0; i < len; i++) {
		if (needs_escape(payload[i])) {
			frame[n++] = ESCAPE;
			frame[n++] = payload[i] ^ ESCAPE_FLIP;
		} else
			frame[n++] = payload[i];
	}
	for (size_t i = 1; i < n; i++)
		sum = (uint8_t)(sum + (uint8_t)frame[i]);
	frame[n++] = '#';
	frame[n++] = rsp_digits[sum >> 4];
	frame[n++] = rsp_digits[sum & 0xf];
	return (n);
}
