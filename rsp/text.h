/*
 * The text of packets of the gdb remote protocol: a cursor to parse it and a
 * reply to build it.  Both check the end of their buffer.
 */
#ifndef RSP_TEXT_H
#define RSP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hexadecimal digits, and the value of one in either case, -1 if it is none. */
extern const char rsp_digits[];
int rsp_digit(char c);

/* The rest of a packet that is being parsed. */
struct rsp_cursor {
	const char *rc_next;
	const char *rc_end;
};

/* Skip text if it is next.  false: it is not; nothing was taken. */
bool rsp_take(struct rsp_cursor *cur, const char *text);

/*
 * A number of one to sixteen hexadecimal digits.  false: there is none, or it
 * has more digits than that; nothing was taken.
 */
bool rsp_take_hex(struct rsp_cursor *cur, uint64_t *value);

bool rsp_at_end(const struct rsp_cursor *cur);

/*
 * A reply that is being put together, or a window on one: of all that is put
 * in, rp_skip bytes are dropped, the next rp_cap are kept, and rp_cut tells
 * that there were more.
 */
struct rsp_reply {
	char *rp_base; /* the caller's, rp_cap bytes, no terminator */
	size_t rp_cap;
	size_t rp_len;
	uint64_t rp_skip; /* bytes still to be dropped */
	bool rp_cut;
};

void rsp_put_bytes(struct rsp_reply *reply, const void *bytes, size_t len);
void rsp_put(struct rsp_reply *reply, const char *text);

/* A number in hexadecimal, without leading zeros. */
void rsp_put_num(struct rsp_reply *reply, uint64_t value);

/* Bytes as pairs of hexadecimal digits; a string's, without its end. */
void rsp_put_hex(struct rsp_reply *reply, const void *bytes, size_t len);
void rsp_put_hex_text(struct rsp_reply *reply, const char *text);

/* Text within an XML element or attribute; what XML cannot carry becomes ?. */
void rsp_put_xml(struct rsp_reply *reply, const char *text);

/* Take back all that was put in. */
void rsp_reply_reset(struct rsp_reply *reply);

/* How many more bytes will be kept. */
size_t rsp_room(const struct rsp_reply *reply);

#endif
