/*
 * Users of connections: see tcp_peer.h.
 *
 * Linux lists all connections with their owners in two files: proc(5),
 * /proc/net/tcp, and /proc/net/tcp6 for sockets of IPv6.  The other end of ours has
 * our addresses the other way round.  A connection that its owner has closed is
 * listed as root's, without an inode.
 */
#include "cli/tcp_peer.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOST_LEN (4 * 8 + 1) /* digits of an address of IPv6 */

/* An end as it is listed: each word of the address as it is in memory. */
struct end {
	char tpe_host[HOST_LEN];
	unsigned int tpe_port;
};

/* A line of a list. */
struct row {
	struct end tpr_from, tpr_to;
	unsigned int tpr_uid;
	unsigned long tpr_inode;
};

/* A connection to find: who is at the other end, and we. */
struct connection {
	struct sockaddr_in cnx_peer, cnx_us;
};

static bool
parse_row(const char *line, struct row *tr)
{
	return (sscanf(line,
		    " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x"
		    " %*x %*x:%*x %*x:%*x %*x %u %*d %lu",
		    tr->tpr_from.tpe_host, &tr->tpr_from.tpe_port,
		    tr->tpr_to.tpe_host, &tr->tpr_to.tpe_port, &tr->tpr_uid,
		    &tr->tpr_inode) == 6);
}

/* Is it at that address, in the list of IPv6 as a mapped one? */
static bool
is_at(const struct end *end, const struct sockaddr_in *at, bool mapped)
{
	char host[HOST_LEN];
	uint32_t address = at->sin_addr.s_addr;

	if (mapped)
		(void)snprintf(host, sizeof(host), "%016X%08X%08X", 0,
		    htonl(0xffff), address);
	else
		(void)snprintf(host, sizeof(host), "%08X", address);
	return (end->tpe_port == ntohs(at->sin_port) &&
	    strcmp(end->tpe_host, host) == 0);
}

static enum tcp_peer
find_in(FILE *list, const struct connection *cnx, bool mapped)
{
	char line[512];
	struct row tr;

	while (fgets(line, sizeof(line), list) != NULL) {
		if (parse_row(line, &tr) && tr.tpr_inode != 0 &&
		    is_at(&tr.tpr_from, &cnx->cnx_peer, mapped) &&
		    is_at(&tr.tpr_to, &cnx->cnx_us, mapped))
			return (tr.tpr_uid == geteuid() || tr.tpr_uid == 0 ?
				TCP_PEER_OURS :
				TCP_PEER_OTHER);
	}
	return (ferror(list) ? TCP_PEER_FAILED : TCP_PEER_GONE);
}

/* TCP_PEER_UNTOLD: this host has no such list. */
static enum tcp_peer
look_into(const char *path, const struct connection *cnx, bool mapped)
{
	FILE *list = fopen(path, "r");
	enum tcp_peer found;
	int error;

	if (list == NULL)
		return (errno == ENOENT ? TCP_PEER_UNTOLD : TCP_PEER_FAILED);
	found = find_in(list, cnx, mapped);
	error = errno;
	fclose(list);
	errno = error;
	return (found);
}

/* In the list of IPv6, which not every host has, if it is not in IPv4's. */
static enum tcp_peer
look_into_both(const struct connection *cnx)
{
	enum tcp_peer found = look_into("/proc/net/tcp", cnx, false);

	if (found != TCP_PEER_GONE)
		return (found);
	found = look_into("/proc/net/tcp6", cnx, true);
	return (found == TCP_PEER_UNTOLD ? TCP_PEER_GONE : found);
}

/* How often the lists are read: while others close, a read may skip a line. */
#define READS_MAX 8

enum tcp_peer
tcp_peer(int fd)
{
	struct connection cnx;
	socklen_t peer_len = sizeof(cnx.cnx_peer), us_len = sizeof(cnx.cnx_us);
	enum tcp_peer found = TCP_PEER_GONE;

	if (getpeername(fd, (struct sockaddr *)&cnx.cnx_peer, &peer_len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&cnx.cnx_us, &us_len) != 0)
		return (TCP_PEER_GONE);
	for (int i = 0; i < READS_MAX && found == TCP_PEER_GONE; i++)
		found = look_into_both(&cnx);
	return (found);
}
