/*
 * A process that reads debug information for its parent, within bounds: see
 * helper.h.
 */
#include "libkvm/helper.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libkvm/array.h"
#include "libkvm/holes.h"

#define MIB ((uint64_t)1 << 20)

/* See helper.h. */
#define BASE_MEMORY	 64 /* MiB */
#define OWN_MEMORY	 16 /* MiB */
#define MEMORY_OF_BYTE	 16 /* bytes */
#define PACKED_FACTOR	 2
#define BASE_SECONDS	 1
#define MEMORY_OF_SECOND 32 /* MiB */

/* As much stack as most hosts give, and how far past its end a call may reach. */
#define STACK_LEN ((uint64_t)8 << 20)
#define STACK_GAP ((uint64_t)1 << 20)

/* The largest length of a file that counts for the bound. */
#define LIMIT_MAX ((uint64_t)1 << 24) /* MiB */

/*
 * How a helper ends that came to its bound of memory, to the host's, to its bound
 * of time, that could not read a file, that has little stack, or that libdw crashed.
 */
enum {
	EXIT_MEMORY = 1,
	EXIT_HOST_MEMORY,
	EXIT_TIME,
	EXIT_UNREAD,
	EXIT_STACK,
	EXIT_CRASH
};

/* A sanitizer may hang for ever where it gets no memory. */
#ifdef SANITIZED
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

/* What the helper may take.  It writes, and its parent reads afterwards. */
struct helper_bound {
	uint64_t hb_file_bytes;	 /* that count, of all files that are read */
	uint64_t hb_before;	 /* bytes of memory that it had at first */
	uint64_t hb_data_limit;	 /* RLIMIT_DATA that it asked for; 0: none */
	uint64_t hb_memory;	 /* MiB, for all helpers */
	uint64_t hb_seconds;	 /* for all helpers */
	uint64_t hb_charged_len; /* its part of hco_memory */
	uint64_t hb_charged_ms;	 /* its part of hco_cpu_ms */
	uint64_t hb_stack;     /* bytes; less than STACK_LEN by a hard limit */
	uintptr_t hb_stack_va; /* an address near its start */
};

/* In the helper: its own bound.  NULL in any other process. */
static struct helper_bound *bound;

/* In the helper: what it and others took.  Shared, unless its parent had none. */
static struct helpcost *cost;

struct counted_file {
	dev_t ctf_dev;
	ino_t ctf_ino;
};

/* In the helper: the files that its bound counts. */
static struct counted_file *counted;
static size_t ncounted, counted_room;

/* ---- messages ---- */

bool
helper_read(int sock, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = recv(sock, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (false);
		p += n;
		len -= (size_t)n;
	}
	return (true);
}

bool
helper_write(int sock, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = send(sock, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (false);
		p += n;
		len -= (size_t)n;
	}
	return (true);
}

/* A message of one byte, with room for a descriptor. */
struct fd_message {
	struct msghdr fdm_hdr;
	struct iovec fdm_iov;
	char fdm_byte;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} fdm_control;
};

static void
fd_message_init(struct fd_message *fm)
{
	*fm = (struct fd_message){ .fdm_byte = 0 };
	fm->fdm_iov.iov_base = &fm->fdm_byte;
	fm->fdm_iov.iov_len = 1;
	fm->fdm_hdr.msg_iov = &fm->fdm_iov;
	fm->fdm_hdr.msg_iovlen = 1;
	fm->fdm_hdr.msg_control = fm->fdm_control.bytes;
	fm->fdm_hdr.msg_controllen = sizeof(fm->fdm_control.bytes);
}

bool
helper_write_fd(int sock, int fd)
{
	struct fd_message fm;
	struct cmsghdr *cmsg;
	ssize_t n;

	fd_message_init(&fm);
	cmsg = CMSG_FIRSTHDR(&fm.fdm_hdr);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	do
		n = sendmsg(sock, &fm.fdm_hdr, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return (n == 1);
}

int
helper_read_fd(int sock)
{
	struct fd_message fm;
	struct cmsghdr *cmsg;
	int fd = -1;
	ssize_t n;

	fd_message_init(&fm);
	do
		n = recvmsg(sock, &fm.fdm_hdr, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	cmsg = n == 1 ? CMSG_FIRSTHDR(&fm.fdm_hdr) : NULL;
	if (cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return (fd);
}

/* ---- the bound ---- */

/* What this process has, in bytes.  For a handler of signals, too. */
struct memory_use {
	uint64_t mu_all; /* what RLIMIT_AS is about */
	uint64_t
	    mu_data; /* RLIMIT_DATA: what it can write to, and has for itself */
};

/* All zeros: the host does not tell. */
static struct memory_use
memory_use(void)
{
	uint64_t page_len = (uint64_t)sysconf(_SC_PAGESIZE), fields[6];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128], *p = text;
	ssize_t n;

	if (fd < 0)
		return ((struct memory_use){ 0 });
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < 6; i++)
		fields[i] = strtoull(p, &p, 10) * page_len;
	return ((struct memory_use){ fields[0], fields[5] });
}

static void
set_limit(int resource, uint64_t value)
{
	struct rlimit rl;

	if (getrlimit(resource, &rl) != 0)
		return;
	rl.rlim_cur = (rlim_t)value < rl.rlim_max ? (rlim_t)value : rl.rlim_max;
	(void)setrlimit(resource, &rl);
}

/* The value of VMCORE_DEBUG_LIMIT, in MiB; 0: it is not set. */
static uint64_t
asked_memory(void)
{
	const char *text = getenv("VMCORE_DEBUG_LIMIT");
	unsigned long long value;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return (0);
	value = strtoull(text, &end, 10);
	if (*end != '\0')
		return (0);
	return (value < LIMIT_MAX ? value : LIMIT_MAX);
}

/* What helpers may have of mib, beside what their parent has. */
static uint64_t
less_own(uint64_t mib)
{
	uint64_t own = bound->hb_before / MIB;

	own = own > OWN_MEMORY ? own - OWN_MEMORY : 0;
	return (mib - (own < mib / 2 ? own : mib / 2));
}

static void
set_bound(void)
{
	uint64_t asked = asked_memory(), mib = asked;

	if (asked == 0)
		mib = BASE_MEMORY +
		    MEMORY_OF_BYTE * (bound->hb_file_bytes / MIB + 1);
	if (mib > LIMIT_MAX)
		mib = LIMIT_MAX;
	bound->hb_memory = asked != 0 ? mib : less_own(mib);
	bound->hb_seconds = BASE_SECONDS + mib / MEMORY_OF_SECOND;
}

/* CPU time of this process. */
static uint64_t
cpu_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) != 0)
		return (0);
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

/* For a handler of signals, too. */
static void
charge_time(void)
{
	uint64_t now = cpu_ms();

	cost->hco_cpu_ms += now - bound->hb_charged_ms;
	bound->hb_charged_ms = now;
}

/* The system may find that all time is gone a little before cpu_ms() does. */
static void
charge_all_time(void)
{
	charge_time();
	if (cost->hco_cpu_ms < bound->hb_seconds * 1000)
		cost->hco_cpu_ms = bound->hb_seconds * 1000;
}

static void
charge_memory(void)
{
	uint64_t now = memory_use().mu_data;

	if (now < bound->hb_before)
		return;
	now -= bound->hb_before;
	cost->hco_memory += now - bound->hb_charged_len;
	bound->hb_charged_len = now;
}

/* What is left of max when others have taken some. */
static uint64_t
left_of(uint64_t max, uint64_t others)
{
	return (others < max ? max - others : 0);
}

/* Take what is left of the bound.  false: no time is. */
static bool
apply_bound(void)
{
	uint64_t memory, seconds;

	set_bound();
	memory = left_of(bound->hb_memory * MIB,
	    cost->hco_memory - bound->hb_charged_len);
	seconds = left_of(bound->hb_seconds,
	    (cost->hco_cpu_ms - bound->hb_charged_ms) / 1000);
	if (bound->hb_before != 0 && !is_sanitized) {
		bound->hb_data_limit = bound->hb_before + memory;
		set_limit(RLIMIT_DATA, bound->hb_data_limit);
	}
	set_limit(RLIMIT_CPU, seconds > 0 ? seconds : 1);
	return (seconds > 0);
}

/* Was it a limit of the host's to which we came, not our bound? */
static bool
is_hosts_limit(void)
{
	struct memory_use mu = memory_use();
	struct rlimit as, data;

	if (getrlimit(RLIMIT_AS, &as) != 0 ||
	    getrlimit(RLIMIT_DATA, &data) != 0)
		return (false);
	return (data.rlim_cur < bound->hb_data_limit ||
	    (as.rlim_cur != RLIM_INFINITY &&
		left_of(as.rlim_cur, mu.mu_all) <
		    left_of(data.rlim_cur, mu.mu_data)));
}

static _Noreturn void
end_without_memory(void)
{
	if (!is_hosts_limit())
		_exit(EXIT_MEMORY);
	cost->hco_error = ENOMEM;
	_exit(EXIT_HOST_MEMORY);
}

static _Noreturn void
end_unread(void)
{
	cost->hco_error = EIO;
	_exit(EXIT_UNREAD);
}

static bool
is_counted(const struct stat *st)
{
	for (size_t i = 0; i < ncounted; i++)
		if (counted[i].ctf_dev == st->st_dev &&
		    counted[i].ctf_ino == st->st_ino)
			return (true);
	return (false);
}

/* Is the file behind fd counted for the first time? */
static bool
count_file(int fd)
{
	struct counted_file *list;
	struct stat st;

	if (fstat(fd, &st) != 0 || is_counted(&st))
		return (false);
	list =
	    array_reserve(counted, ncounted + 1, &counted_room, sizeof(*list));
	if (list == NULL)
		return (false);
	counted = list;
	counted[ncounted++] =
	    (struct counted_file){ .ctf_dev = st.st_dev, .ctf_ino = st.st_ino };
	return (true);
}

/* Bytes that a file counts for; false: more than there can be. */
static bool
counted_len(int fd, uint64_t packed_len, uint64_t *len)
{
	*len = packed_len != 0 ? packed_len : holes_data_len(fd);
	return (packed_len == 0 ||
	    !__builtin_mul_overflow(packed_len, PACKED_FACTOR, len));
}

void
helper_allow(int fd, uint64_t packed_len)
{
	uint64_t len, sum;

	if (bound == NULL)
		return;
	if (counted_len(fd, packed_len, &len) &&
	    !__builtin_add_overflow(bound->hb_file_bytes, len, &sum) &&
	    count_file(fd))
		bound->hb_file_bytes = sum;
	helper_resume();
}

void
helper_resume(void)
{
	if (bound != NULL && !apply_bound())
		_exit(EXIT_TIME);
	errno = 0; /* see helper_check() */
}

void
helper_check(void)
{
	int error = errno;

	if (bound != NULL) {
		charge_time();
		if (error == ENOMEM)
			end_without_memory();
		if (error == EIO)
			end_unread();
		charge_memory();
	}
	errno = 0;
}

/*
 * The stack, which RLIMIT_DATA does not count, has a limit of its own.  A soft
 * limit that is lower is raised: it was set for the program that called us.
 */
static void
bound_stack(void)
{
	struct rlimit rl;

	set_limit(RLIMIT_STACK, STACK_LEN);
	if (getrlimit(RLIMIT_STACK, &rl) == 0)
		bound->hb_stack = rl.rlim_cur;
	bound->hb_stack_va = (uintptr_t)&rl;
}

/* ---- the helper's process ---- */

/* Is va after the end of a stack that is shorter than it should be? */
static bool
is_end_of_stack(uintptr_t va)
{
	return (bound->hb_stack < STACK_LEN && va < bound->hb_stack_va &&
	    bound->hb_stack_va - va < bound->hb_stack + STACK_GAP);
}

static void
on_death(int sig, siginfo_t *info, void *context)
{
	int error = errno;

	(void)context;
	if (sig == SIGXCPU) {
		charge_all_time();
		_exit(EXIT_TIME);
	}
	charge_time();
	/* libdwfl maps files. */
	if (sig == SIGBUS)
		end_unread();
	if (sig == SIGSEGV && is_end_of_stack((uintptr_t)info->si_addr))
		_exit(EXIT_STACK);
	/* libdw dies of what malloc(3) did not give it, too. */
	if (error == ENOMEM)
		end_without_memory();
	_exit(EXIT_CRASH);
}

/*
 * No signal of the terminal's ends the helper: it goes with its parent.  What
 * libdw dies of ends it without a core file and without a word in the log.
 */
static void
set_signals(void)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGPIPE,
		SIGUSR1, SIGUSR2 };
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL,
		SIGXCPU };
	static char stack[16384];
	struct sigaction sa = { .sa_flags = SA_ONSTACK | SA_SIGINFO };
	sigset_t none;

	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) },
	    NULL);
	sa.sa_sigaction = on_death;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		(void)sigaction(deadly[i], &sa, NULL);
	sa.sa_flags = 0;
	sa.sa_handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &sa, NULL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The end of the helper's side of the socket, for on_news(). */
static int news_sock;

static void
on_news(int sig)
{
	struct pollfd pfd = { .fd = news_sock };
	int error = errno;

	(void)sig;
	if (poll(&pfd, 1, 0) > 0 && (pfd.revents & POLLHUP) != 0)
		_exit(0);
	errno = error;
}

/*
 * End with the parent, whatever we are waiting for: the socket raises SIGIO at
 * each message, and when its other side is closed.  Linux has a signal for the
 * end of a parent, but takes that of the thread that forked for it.
 */
static void
watch_parent(int sock)
{
	struct sigaction sa = { .sa_handler = on_news, .sa_flags = SA_RESTART };

	news_sock = sock;
	(void)sigaction(SIGIO, &sa, NULL);
	(void)fcntl(sock, F_SETOWN, getpid());
	(void)fcntl(sock, F_SETFL, fcntl(sock, F_GETFL) | O_ASYNC);
}

/*
 * Close all files but two, above all the sockets of others: somebody may wait
 * for their end.  What libdw says on its way out is for no one's eyes.
 */
static void
close_files(int sock, int keep_fd)
{
	int last = keep_fd > sock ? keep_fd : sock;
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= last; fd++) {
		if (fd == sock || fd == keep_fd)
			continue;
		if (fd > 2 || null < 0)
			(void)close(fd);
		else if (fd != null)
			(void)dup2(null, fd);
	}
	closefrom(last + 1);
}

static void
run(int sock, int keep_fd)
{
	set_signals();
	watch_parent(sock);
	set_limit(RLIMIT_CORE, 0);
	bound_stack();
	close_files(sock, keep_fd);
	bound->hb_before = memory_use().mu_data;
	(void)apply_bound();
}

bool
helper_start(struct helper *hp, struct helpcost *hc,
    void (*serve)(int sock, void *arg), void *arg, int keep_fd)
{
	static struct helpcost unshared;
	struct helper_bound *shared;
	int socks[2];

	*hp = (struct helper){ .hlp_pid = 0 };
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	if (shared == MAP_FAILED)
		return (false);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) != 0) {
		munmap(shared, sizeof(*shared));
		return (false);
	}
	hp->hlp_pid = fork();
	if (hp->hlp_pid == 0) {
		bound = shared;
		cost = hc != NULL ? hc : &unshared;
		run(socks[1], keep_fd);
		serve(socks[1], arg);
		_exit(0);
	}
	(void)close(socks[1]);
	hp->hlp_sock = socks[0];
	hp->hlp_bound = shared;
	hp->hlp_cost = hc;
	if (hp->hlp_pid < 0) {
		hp->hlp_pid = 0;
		(void)close(socks[0]);
		munmap(shared, sizeof(*shared));
	}
	return (hp->hlp_pid != 0);
}

/* ---- its end ---- */

/* Its status as of waitpid(2). */
static int
reap(struct helper *hp)
{
	int status = 0;

	(void)close(hp->hlp_sock);
	(void)kill(hp->hlp_pid, SIGKILL);
	/* A program that ignores SIGCHLD, or waits for all, has it already. */
	while (waitpid(hp->hlp_pid, &status, 0) < 0 && errno == EINTR)
		;
	if (hp->hlp_cost != NULL)
		hp->hlp_cost->hco_memory -= hp->hlp_bound->hb_charged_len;
	hp->hlp_pid = 0;
	return (status);
}

void
helper_end(struct helper *hp)
{
	if (hp->hlp_pid == 0)
		return;
	(void)reap(hp);
	munmap(hp->hlp_bound, sizeof(*hp->hlp_bound));
}

/* What would have been needed by a helper that ended with a status of exit(3). */
static void
tell_exit(int code, const struct helper_bound *hb, char *why, size_t len)
{
	switch (code) {
	case EXIT_HOST_MEMORY:
		(void)snprintf(why, len,
		    "more memory than the host gives it: out of memory");
		break;
	case EXIT_TIME:
		(void)snprintf(why, len,
		    "more than %ju s of CPU time (VMCORE_DEBUG_LIMIT)",
		    (uintmax_t)hb->hb_seconds);
		break;
	case EXIT_UNREAD:
		(void)snprintf(why, len,
		    "files that can be read everywhere: %s", strerror(EIO));
		break;
	case EXIT_STACK:
		(void)snprintf(why, len,
		    "a stack of more than %ju KB (ulimit -Hs)",
		    (uintmax_t)hb->hb_stack >> 10);
		break;
	case EXIT_CRASH:
		(void)snprintf(why, len, "a libdw that does not crash on it");
		break;
	default:
		(void)snprintf(why, len,
		    "more than %ju MiB of memory (VMCORE_DEBUG_LIMIT)",
		    (uintmax_t)hb->hb_memory);
		break;
	}
}

void
helper_bury(struct helper *hp, char *why, size_t len)
{
	int status = reap(hp);

	if (WIFSIGNALED(status))
		(void)snprintf(why, len,
		    "a process that is not killed, as it was by signal %d",
		    WTERMSIG(status));
	else
		tell_exit(WEXITSTATUS(status), hp->hlp_bound, why, len);
	munmap(hp->hlp_bound, sizeof(*hp->hlp_bound));
}
