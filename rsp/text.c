/*
 * Reading and writing the text of packets: see text.h.
 */
#include "rsp/text.h"

#include <string.h>

/* Digits of the largest number that a packet may hold. */
#define NUM_DIGITS 16

const char rsp_digits[] = "0123456789abcdef";

int
rsp_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* ---- the cursor ---- */

bool
rsp_take(struct rsp_cursor *cur, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(cur->rc_end - cur->rc_next) < len ||
	    memcmp(cur->rc_next, text, len) != 0)
		return (false);
	cur->rc_next += len;
	return (true);
}

bool
rsp_take_hex(struct rsp_cursor *cur, uint64_t *value)
{
	const char *p;
	uint64_t sum = 0;
	int digit;

	for (p = cur->rc_next; p < cur->rc_end; p++) {
		digit = rsp_digit(*p);
		if (digit < 0)
			break;
		sum = sum << 4 | (uint64_t)digit;
	}
	if (p == cur->rc_next || p - cur->rc_next > NUM_DIGITS)
		return (false);
	cur->rc_next = p;
	*value = sum;
	return (true);
}

bool
rsp_at_end(const struct rsp_cursor *cur)
{
	return (cur->rc_next == cur->rc_end);
}

/* ---- the reply ---- */

size_t
rsp_room(const struct rsp_reply *reply)
{
	return (reply->rp_cap - reply->rp_len);
}

void
rsp_put_bytes(struct rsp_reply *reply, const void *bytes, size_t len)
{
	const char *from = bytes;
	size_t skip;

	skip = reply->rp_skip < len ? (size_t)reply->rp_skip : len;
	reply->rp_skip -= skip;
	from += skip;
	len -= skip;

	if (len > rsp_room(reply)) {
		len = rsp_room(reply);
		reply->rp_cut = true;
	}
	if (len > 0)
		memcpy(reply->rp_base + reply->rp_len, from, len);
	reply->rp_len += len;
}

void
rsp_put(struct rsp_reply *reply, const char *text)
{
	rsp_put_bytes(reply, text, strlen(text));
}

void
rsp_put_num(struct rsp_reply *reply, uint64_t value)
{
	char digits[NUM_DIGITS];
	size_t at = sizeof(digits);

	do {
		digits[--at] = rsp_digits[value & 0xf];
		value >>= 4;
	} while (value != 0);
	rsp_put_bytes(reply, digits + at, sizeof(digits) - at);
}

void
rsp_put_hex(struct rsp_reply *reply, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	char pair[2];

	for (size_t i = 0; i < len; i++) {
		pair[0] = rsp_digits[from[i] >> 4];
		pair[1] = rsp_digits[from[i] & 0xf];
		rsp_put_bytes(reply, pair, sizeof(pair));
	}
}

void
rsp_put_hex_text(struct rsp_reply *reply, const char *text)
{
	rsp_put_hex(reply, text, strlen(text));
}

void
rsp_put_xml(struct rsp_reply *reply, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			rsp_put(reply, "&amp;");
		else if (*text == '<')
			rsp_put(reply, "&lt;");
		else if (*text == '>')
			rsp_put(reply, "&gt;");
		else if (*text == '"')
			rsp_put(reply, "&quot;");
		else if (*text < ' ' || *text > '~')
			rsp_put(reply, "?");
		else
			rsp_put_bytes(reply, text, 1);
	}
}

void
rsp_reply_reset(struct rsp_reply *reply)
{
	reply->rp_len = 0;
	reply->rp_cut = false;
}
