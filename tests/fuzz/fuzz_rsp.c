/*
 * The remote server against any client: bytes go through framing, a session and
 * its answers, about a fake target.  The first byte picks the machine: d, e, f,
 * g, h for amd64, arm, arm64, i386, riscv64; a capital, with big-endian memory.
 *
 * The bytes that are sent must be frames that the framer accepts, or + and -.
 */
#include <stdlib.h>

#include "rsp/session.h"
#include "tests/rsp/fake_target.h"

/* The bit that small letters have and capitals have not. */
#define SMALL 0x20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rsp_session session;
static struct rsp_framer listener;

static bool
check_sent(void *arg, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	enum rsp_event event = RSP_ACK;

	(void)arg;
	for (size_t i = 0; i < len; i++)
		event = rsp_feed(&listener, p[i]);
	if (len == 0 ||
	    (event != RSP_PACKET && event != RSP_ACK && event != RSP_NAK))
		abort();
	return (true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dump_arch arch;

	if (size == 0)
		return (0);
	arch = (enum dump_arch)((data[0] | SMALL) % ARCH_COUNT);
	rsp_session_init(&session,
	    fake_target(arch,
		(data[0] & SMALL) != 0 ? ORDER_LITTLE : ORDER_BIG));
	rsp_session_input(&session, data + 1, size - 1, check_sent, NULL);
	return (0);
}
