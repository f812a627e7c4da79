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

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define ESTABLISHED 1 /* TCP_ESTABLISHED of <linux/tcp.h> */

/* A line of the list: addresses as they are in memory, ports as numbers. */
struct row {
	unsigned int tpr_from, tpr_from_port;
	unsigned int tpr_to, tpr_to_port;
	unsigned int tpr_state, tpr_uid;
};

static bool
parse_row(const char *line, struct row *tr)
{
	return (sscanf(line, " %*u: %x:%x %x:%x %x %*x:%*x %*x:%*x %*x %u",
		    &tr->tpr_from, &tr->tpr_from_port, &tr->tpr_to,
		    &tr->tpr_to_port, &tr->tpr_state, &tr->tpr_uid) == 6);
}

/* Is it the line of who is at peer, connected to us? */
static bool
is_row_of(const struct row *tr, const struct sockaddr_in *peer,
    const struct sockaddr_in *us)
{
	return (tr->tpr_state == ESTABLISHED &&
	    tr->tpr_from == peer->sin_addr.s_addr &&
	    tr->tpr_from_port == ntohs(peer->sin_port) &&
	    tr->tpr_to == us->sin_addr.s_addr &&
	    tr->tpr_to_port == ntohs(us->sin_port));
}

static enum tcp_peer
find_in(FILE *list, const struct sockaddr_in *peer,
    const struct sockaddr_in *us)
{
	char line[512];
	struct row tr;

	while (fgets(line, sizeof(line), list) != NULL) {
		if (parse_row(line, &tr) && is_row_of(&tr, peer, us))
			return (tr.tpr_uid == geteuid() || tr.tpr_uid == 0 ?
				TCP_PEER_OURS :
				TCP_PEER_OTHER);
	}
	return (TCP_PEER_UNTOLD);
}

/* How often the list is read: while others close, a read may skip a line of it. */
#define READS_MAX 8

enum tcp_peer
tcp_peer(int fd)
{
	struct sockaddr_in peer, us;
	socklen_t peer_len = sizeof(peer), us_len = sizeof(us);
	enum tcp_peer found = TCP_PEER_UNTOLD;

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&us, &us_len) != 0)
		return (TCP_PEER_GONE);
	for (int i = 0; i < READS_MAX && found == TCP_PEER_UNTOLD; i++) {
		FILE *list = fopen("/proc/net/tcp", "r");

		if (list == NULL)
			return (errno == ENOENT ? TCP_PEER_UNTOLD :
						  TCP_PEER_GONE);
		found = find_in(list, &peer, &us);
		fclose(list);
	}
	return (found == TCP_PEER_UNTOLD ? TCP_PEER_GONE : found);
}
