/*
 * A client's session: see session.h.
 *
 * With acknowledgements, a damaged packet is refused with - and the client sends
 * it again; a - from the client repeats the last reply.  Without them a damaged
 * packet is answered with an error, because the client would not send it again.
 */
#include "rsp/session.h"

#include <string.h>

void
rsp_session_init(struct rsp_session *session, const struct rsp_target *target)
{
	memset(&session->ss_framer, 0, sizeof(session->ss_framer));
	session->ss_frame_len = 0;
	rsp_init(&session->ss_rsp, target);
}

static bool
send_frame(const struct rsp_session *session, rsp_send_fn *send, void *arg)
{
	return (send(arg, session->ss_frame, session->ss_frame_len));
}

static bool
send_reply(struct rsp_session *session, const char *reply, size_t len,
    rsp_send_fn *send, void *arg)
{
	session->ss_frame_len = rsp_frame(reply, len, session->ss_frame);
	return (send_frame(session, send, arg));
}

static bool
answer(struct rsp_session *session, enum rsp_event event, rsp_send_fn *send,
    void *arg)
{
	const struct rsp_framer *framer = &session->ss_framer;
	struct rsp *rsp = &session->ss_rsp;
	char *reply = session->ss_reply;
	bool noack = rsp->rss_noack;
	size_t len;

	if (event == RSP_BAD_SUM && !noack)
		return (send(arg, "-", 1));
	if (event == RSP_PACKET)
		len = rsp_answer(rsp, framer->rf_payload, framer->rf_len, reply,
		    RSP_PAYLOAD_MAX);
	else
		len = rsp_answer_bad(reply, RSP_PAYLOAD_MAX);
	if (!noack && !send(arg, "+", 1))
		return (false);
	do {
		if (!send_reply(session, reply, len, send, arg))
			return (false);
	} while (rsp_answer_more(rsp, reply, RSP_PAYLOAD_MAX, &len));
	return (true);
}

static bool
take_byte(struct rsp_session *session, uint8_t byte, rsp_send_fn *send,
    void *arg)
{
	enum rsp_event event = rsp_feed(&session->ss_framer, byte);

	switch (event) {
	case RSP_PACKET:
	case RSP_BAD_SUM:
	case RSP_TOO_LONG:
		return (answer(session, event, send, arg));
	case RSP_NAK:
		return (session->ss_frame_len == 0 ||
		    send_frame(session, send, arg));
	case RSP_MORE:
	case RSP_ACK:
	case RSP_INTERRUPT: /* nothing runs that could be stopped */
		return (true);
	}
	return (true);
}

bool
rsp_session_input(struct rsp_session *session, const void *bytes, size_t len,
    rsp_send_fn *send, void *arg)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++) {
		if (!take_byte(session, from[i], send, arg) ||
		    session->ss_rsp.rss_over)
			return (false);
	}
	return (true);
}
