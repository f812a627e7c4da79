/*
 * Which user of this host is at the other end of a TCP connection.
 */
#ifndef CLI_TCP_PEER_H
#define CLI_TCP_PEER_H

enum tcp_peer {
	TCP_PEER_OURS,	 /* this user, or root */
	TCP_PEER_OTHER,	 /* another one */
	TCP_PEER_GONE,	 /* it is not listed, or the list cannot be read now */
	TCP_PEER_UNTOLD, /* this host does not tell */
};

/* fd: a connection over IPv4's loopback interface. */
enum tcp_peer tcp_peer(int fd);

#endif
