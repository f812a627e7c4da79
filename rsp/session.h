/*
 * One client's session, from the first packet to the last: bytes in, bytes out.
 * Puts framing, acknowledgements and answers together; does no I/O itself.
 */
#ifndef RSP_SESSION_H
#define RSP_SESSION_H

#include "rsp/packet.h"
#include "rsp/rsp.h"

struct rsp_session {
	struct rsp ss_rsp;
	struct rsp_framer ss_framer;
	char ss_reply[RSP_PAYLOAD_MAX];
	size_t
	    ss_frame_len; /* of the last reply, kept to be sent again; 0: none */
	char ss_frame[RSP_FRAME_MAX];
};

/* Sends len bytes, at least 1, to the client.  false: it is gone. */
typedef bool rsp_send_fn(void *arg, const void *bytes, size_t len);

void rsp_session_init(struct rsp_session *session,
    const struct rsp_target *target);

/*
 * Take in len bytes from the client and send what they ask for.  Returns false
 * when the session is over: the client detached, or is gone.
 */
bool rsp_session_input(struct rsp_session *session, const void *bytes,
    size_t len, rsp_send_fn *send, void *arg);

#endif
