/*
 * Helpers (libkvm/helper.h) as threads of this process: a fuzzer sees what they
 * do, and need not start a process for each input.  The linker puts these
 * functions in the place of libkvm's (--wrap).
 */
#include <sys/socket.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libkvm/helper.h"

bool __wrap_helper_start(struct helper *hp, struct helpcost *hc,
    void (*serve)(int sock, void *arg), void *arg, int keep_fd);
void __wrap_helper_end(struct helper *hp);
void __wrap_helper_bury(struct helper *hp, char *why, size_t len);

/* In the place of the bound, of which a thread has none. */
struct helper_bound {
	pthread_t thread;
	int sock;
	void (*serve)(int sock, void *arg);
	void *arg;
};

static void *
run(void *arg)
{
	struct helper_bound *ht = arg;

	ht->serve(ht->sock, ht->arg);
	(void)close(ht->sock);
	return (NULL);
}

bool
__wrap_helper_start(struct helper *hp, struct helpcost *hc,
    void (*serve)(int sock, void *arg), void *arg, int keep_fd)
{
	struct helper_bound *ht = malloc(sizeof(*ht));
	int socks[2];

	(void)hc;
	(void)keep_fd;
	*hp = (struct helper){ .hlp_pid = 0 };
	if (ht == NULL)
		return (false);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) != 0)
		abort();
	*ht = (struct helper_bound){ .sock = socks[1],
		.serve = serve,
		.arg = arg };
	if (pthread_create(&ht->thread, NULL, run, ht) != 0)
		abort();
	*hp = (struct helper){ .hlp_pid = getpid(),
		.hlp_sock = socks[0],
		.hlp_bound = ht };
	return (true);
}

void
__wrap_helper_end(struct helper *hp)
{
	if (hp->hlp_pid == 0)
		return;
	(void)close(hp->hlp_sock);
	if (pthread_join(hp->hlp_bound->thread, NULL) != 0)
		abort();
	free(hp->hlp_bound);
	*hp = (struct helper){ .hlp_pid = 0 };
}

void
__wrap_helper_bury(struct helper *hp, char *why, size_t len)
{
	__wrap_helper_end(hp);
	(void)snprintf(why, len, "something");
}
