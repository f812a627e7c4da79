/*
 * A process that does for us what may end the process that does it, or take
 * more than it is worth.
 *
 * libdw and libelf allocate by numbers of the file that they read and abort
 * when there is no more memory.  So a process of our own, made by fork(2),
 * reads debug information, within a bound of memory and of CPU time.  We ask it
 * over a socket; when it ends, there is no debug information, and we go on.
 *
 * The bound grows with the bytes of the files that are read, each of which
 * counts once:
 *
 *	64 MiB of memory, and 16 bytes for each byte that is there; 32 bytes
 *		for each byte of a compressed file, as it is before unpacking
 *	1 second of CPU time, and one for each 32 MiB of memory
 *
 * A command may have several helpers, for types, and for lines and unwind tables.
 * The bound is that of all together: one gets what the others left of it.  Of the
 * memory, what their parent has of its own counts too, but for the first 16 MiB;
 * half of the bound is left to helpers in any case.
 *
 * Lines and unwind tables of all functions take 3 bytes for each byte of a plain
 * file, 5 where its sections are compressed, and 7 to 10 for each byte of a
 * compressed file, which is a third to a fifth as long.
 *
 * Where VMCORE_DEBUG_LIMIT is set in the environment, it is the memory of the
 * helpers, in MiB.
 * Memory is bounded on Linux only, CPU time everywhere.
 *
 * The process that starts a helper may have threads.  It gets SIGCHLD when the
 * helper ends.
 */
#ifndef LIBKVM_HELPER_H
#define LIBKVM_HELPER_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libkvm/helpcost.h"

/* One helper; all zeros: none. */
struct helper {
	pid_t hlp_pid; /* 0: none */
	int hlp_sock;
	struct helper_bound *hlp_bound; /* ours; in memory that both see */
	struct helpcost *hlp_cost;	/* the caller's */
};

/*
 * Start a helper: serve(sock, arg) runs in a process of its own, which ends
 * when it returns.  All files but sock and keep_fd, which may be -1, are closed
 * there.  What it takes is added to *hc, which outlives it; NULL: nobody else
 * takes anything.  false: there is no process to have; *hp is all zeros then.
 */
bool helper_start(struct helper *hp, struct helpcost *hc,
    void (*serve)(int sock, void *arg), void *arg, int keep_fd);

/* End it.  Ending none does nothing. */
void helper_end(struct helper *hp);

/*
 * End a helper that did not answer, and say in why[len] what became of it:
 * "more than 144 MiB of memory (VMCORE_DEBUG_LIMIT)", or that libdw crashed.
 */
void helper_bury(struct helper *hp, char *why, size_t len);

/* All of buf, or false: the other side is gone.  For both sides. */
bool helper_read(int sock, void *buf, size_t len);
bool helper_write(int sock, const void *buf, size_t len);

/*
 * The same for one byte, with which a descriptor goes over.  fd stays open on
 * this side.  -1: there came none.
 */
bool helper_write_fd(int sock, int fd);
int helper_read_fd(int sock);

/* ---- in the helper ---- */

/*
 * The file behind fd is read from now on: the bound may grow by it.  However
 * often a file is named, it counts once.  packed_len: bytes of the compressed
 * file that it was unpacked from; 0: it was not.
 */
void helper_allow(int fd, uint64_t packed_len);

/*
 * Before a piece of work for which helper_allow() is not called: other helpers may
 * have taken some of the bound meanwhile.
 */
void helper_resume(void);

/*
 * After a piece of work: end the process if memory was wanting meanwhile, or a
 * file could not be read, so that what is missing in an answer is not taken for
 * what the file lacks.
 */
void helper_check(void);

#endif
