/*
 * Frames of the gdb remote protocol:
 *
 *	$ payload # two hexadecimal digits, the sum of the payload's bytes
 *
 * with + and - between them to accept or refuse the last one, until both sides
 * agree to leave these out.  In a payload, } and a byte stand for that byte
 * xor 0x20: so $, # and } are sent.  No I/O here: bytes go in one at a time,
 * frames come out.
 *
 * Facts: Debugging with GDB, appendix "GDB Remote Serial Protocol", Overview.
 */
#ifndef RSP_PACKET_H
#define RSP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest payload, in either direction, in bytes. */
#define RSP_PAYLOAD_MAX 0x8000

/* The longest frame: each byte of the payload may need an escape. */
#define RSP_FRAME_MAX (2 * RSP_PAYLOAD_MAX + 4)

enum rsp_event {
	RSP_MORE,     /* nothing is complete yet */
	RSP_PACKET,   /* rf_payload holds a packet of rf_len bytes */
	RSP_BAD_SUM,  /* a packet came, damaged */
	RSP_TOO_LONG, /* a packet came that is longer than RSP_PAYLOAD_MAX */
	RSP_ACK,      /* + */
	RSP_NAK,      /* - */
	RSP_INTERRUPT /* the client wants the target to stop */
};

enum rsp_state {
	RSP_BETWEEN, /* packets */
	RSP_PAYLOAD,
	RSP_ESCAPED, /* after } */
	RSP_SUM_HIGH,
	RSP_SUM_LOW
};

/* The part of a frame that was received.  All zero: nothing yet. */
struct rsp_framer {
	enum rsp_state rf_state;
	uint8_t rf_sum;	     /* of the payload so far, as it came */
	uint8_t rf_sum_told; /* by the client */
	bool rf_sum_bad;     /* not two digits */
	size_t rf_len;	     /* bytes of payload, those not kept included */
	char rf_payload[RSP_PAYLOAD_MAX];
};

/* Take in one byte.  After RSP_PACKET the payload is valid until the next. */
enum rsp_event rsp_feed(struct rsp_framer *framer, uint8_t byte);

/*
 * Make a frame of len bytes of payload, at most RSP_PAYLOAD_MAX, in frame,
 * which holds RSP_FRAME_MAX bytes.  Returns the frame's length.
 */
size_t rsp_frame(const char *payload, size_t len, char *frame);

#endif
