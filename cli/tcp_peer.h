/*
 * Which user of this host is at the other end of a TCP connection.
 */
#ifndef CLI_TCP_PEER_H
#define CLI_TCP_PEER_H

enum tcp_peer {
	TCP_PEER_OURS,	 /* this user, or root */
	TCP_PEER_OTHER,	 /* another one */
	TCP_PEER_GONE,	 /* it is not listed */
	TCP_PEER_FAILED, /* the list cannot be read now; errno is why */
	TCP_PEER_UNTOLD, /* this host does not tell */
};

/*
 * fd: a connection to an address of IPv4.  Its other end may be a socket of IPv6,
 * which has connected to ::ffff:127.0.0.1.
 */
enum tcp_peer tcp_peer(int fd);

#endif
