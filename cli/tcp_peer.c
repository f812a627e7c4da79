/*
 * Users of connections: see tcp_peer.h.
 *
 * Linux lists all connections with their owners in a file: proc(5),
 * /proc/net/tcp.  The other end of ours has our addresses the other way round.
 * A connection that its owner has closed is listed as root's, in another state.
 */
#include "cli/tcp_peer.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define ESTABLISHED 1 /* TCP_ESTABLISHED of <linux/tcp.h> */

/* A line of the list: addresses as they are in memory, ports as numbers. */
struct row {
	unsigned int tr_from, tr_from_port;
	unsigned int tr_to, tr_to_port;
	unsigned int tr_state, tr_uid;
};

static bool
parse_row(const char *line, struct row *tr)
{
	return (sscanf(line, " %*u: %x:%x %x:%x %x %*x:%*x %*x:%*x %*x %u",
		    &tr->tr_from, &tr->tr_from_port, &tr->tr_to,
		    &tr->tr_to_port, &tr->tr_state, &tr->tr_uid) == 6);
}

/* Is it the line of who is at peer, connected to us? */
static bool
is_row_of(const struct row *tr, const struct sockaddr_in *peer,
    const struct sockaddr_in *us)
{
	return (tr->tr_state == ESTABLISHED &&
	    tr->tr_from == peer->sin_addr.s_addr &&
	    tr->tr_from_port == ntohs(peer->sin_port) &&
	    tr->tr_to == us->sin_addr.s_addr &&
	    tr->tr_to_port == ntohs(us->sin_port));
}

static enum tcp_peer
find_in(FILE *list, const struct sockaddr_in *peer,
    const struct sockaddr_in *us)
{
	char line[512];
	struct row tr;

	while (fgets(line, sizeof(line), list) != NULL) {
		if (parse_row(line, &tr) && is_row_of(&tr, peer, us))
			return (tr.tr_uid == geteuid() || tr.tr_uid == 0 ?
				TCP_PEER_OURS :
				TCP_PEER_OTHER);
	}
	return (TCP_PEER_OTHER);
}

enum tcp_peer
tcp_peer(int fd)
{
	struct sockaddr_in peer, us;
	socklen_t peer_len = sizeof(peer), us_len = sizeof(us);
	enum tcp_peer found = TCP_PEER_OTHER;
	FILE *list = fopen("/proc/net/tcp", "r");

	if (list == NULL)
		return (TCP_PEER_UNTOLD);
	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&us, &us_len) == 0)
		found = find_in(list, &peer, &us);
	fclose(list);
	return (found);
}
