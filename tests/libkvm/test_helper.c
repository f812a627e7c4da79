/* A process for what may end the process that does it. */
#include "libkvm/helper.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/temp.h"
#include "tests/support/unit.h"

/* ---- what helpers do here ---- */

static void
echo(int sock, void *arg)
{
	char byte;

	(void)arg;
	while (helper_read(sock, &byte, 1) && helper_write(sock, &byte, 1))
		;
}

static void
do_abort(int sock, void *arg)
{
	(void)sock;
	(void)arg;
	abort();
}

static void
do_raise(int sock, void *arg)
{
	(void)sock;
	(void)arg;
	raise(SIGSEGV);
}

static void
do_get_killed(int sock, void *arg)
{
	(void)sock;
	(void)arg;
	raise(SIGKILL);
}

static void
do_meet_eio(int sock, void *arg)
{
	(void)arg;
	errno = EIO;
	helper_check();
	(void)helper_write(sock, "x", 1);
}

static void
do_meet_sigbus(int sock, void *arg)
{
	(void)sock;
	(void)arg;
	raise(SIGBUS);
}

static void
do_raise_unfed(int sock, void *arg)
{
	(void)sock;
	(void)arg;
	errno = ENOMEM;
	raise(SIGSEGV);
}

static void
take_mib(int n)
{
	for (int i = 0; i < n; i++) {
		/* Not a malloc() that the compiler sees is for nothing. */
		volatile char *p = malloc(1 << 20);

		if (p == NULL)
			break;
		for (size_t at = 0; at < 1 << 20; at += 4096)
			p[at] = 1;
	}
	helper_check();
}

static void
take_memory(int sock, void *arg)
{
	(void)arg;
	take_mib(200);
	/* Reached only if the bound is none. */
	(void)helper_write(sock, "x", 1);
}

#ifndef SANITIZED
/* The same, where the host gives it 20 MiB at most. */
static void
take_limited(int resource, int sock)
{
	struct rlimit rl = { .rlim_cur = 20 << 20, .rlim_max = 20 << 20 };

	assert_int_equal(setrlimit(resource, &rl), 0);
	take_memory(sock, NULL);
}

static void
take_memory_as(int sock, void *arg)
{
	(void)arg;
	take_limited(RLIMIT_AS, sock);
}

static void
take_memory_data(int sock, void *arg)
{
	(void)arg;
	take_limited(RLIMIT_DATA, sock);
}
#endif

/* Half of the memory of a bound of 64 MiB; then wait for the end. */
static void
take_half(int sock, void *arg)
{
	char byte;

	(void)arg;
	helper_resume();
	take_mib(32);
	(void)helper_write(sock, "x", 1);
	(void)helper_read(sock, &byte, 1);
}

#ifndef SANITIZED
/* Name the same new file of mib MiB three times, by other descriptors, too. */
static void
allow_thrice(size_t mib, uint64_t packed_len)
{
	char *bytes = malloc(mib << 20);
	int fd;

	if (bytes == NULL)
		return;
	memset(bytes, 'x', mib << 20);
	fd = temp_file(bytes, mib << 20);
	free(bytes);
	helper_allow(fd, packed_len);
	helper_allow(fd, packed_len);
	helper_allow(dup(fd), packed_len);
}

/* Two files have 3 MiB together. */
static void
take_memory_of_files(int sock, void *arg)
{
	allow_thrice(1, 0);
	allow_thrice(2, 0);
	take_memory(sock, arg);
}

/* It was a file of 1 MiB that unpacks to 8 MiB. */
static void
take_memory_of_packed(int sock, void *arg)
{
	allow_thrice(8, 1 << 20);
	take_memory(sock, arg);
}

/* A length that is no file's allows nothing. */
static void
take_memory_of_too_long(int sock, void *arg)
{
	allow_thrice(8, UINT64_MAX / 2 + 1);
	take_memory(sock, arg);
}
#endif

static void
take_time(int sock, void *arg)
{
	volatile unsigned int n = 0;

	(void)sock;
	(void)arg;
	for (;;)
		n = n + 1;
}

/* Wait for something that does not come, after a word. */
static void
wait_long(int sock, void *arg)
{
	(void)arg;
	(void)helper_write(sock, "x", 1);
	for (;;)
		(void)pause();
}

/* Say whether the descriptor that arg leads to is open, and 1 and 2 are. */
static void
look_at_fd(int sock, void *arg)
{
	const int *fd = arg;
	char answer[2] = { fcntl(*fd, F_GETFD) >= 0,
		write(1, "x", 1) == 1 && write(2, "x", 1) == 1 };

	(void)helper_write(sock, answer, 2);
}

/* Send back the first byte of the file that comes. */
static void
read_passed(int sock, void *arg)
{
	int fd = helper_read_fd(sock);
	char byte;

	(void)arg;
	if (pread(fd, &byte, 1, 0) == 1)
		(void)helper_write(sock, &byte, 1);
}

/* ---- */

static void
test_answers(void **state)
{
	struct helper hp;
	char byte;

	(void)state;
	assert_true(helper_start(&hp, NULL, echo, NULL, -1));
	for (char c = 'a'; c < 'e'; c++) {
		assert_true(helper_write(hp.hlp_sock, &c, 1));
		assert_true(helper_read(hp.hlp_sock, &byte, 1));
		assert_int_equal(byte, c);
	}
	helper_end(&hp);
	assert_int_equal(hp.hlp_pid, 0);
	helper_end(&hp);
}

/* Helpers that end, with VMCORE_DEBUG_LIMIT, and what is said of it. */
static const struct end_row {
	const char *name;
	void (*serve)(int sock, void *arg);
	int error; /* hco_error */
	const char *limit;
	const char *why;
} end_rows[] = {
	{ "abort(3)", do_abort, 0, NULL, "a libdw that does not crash on it" },
	{ "SIGSEGV", do_raise, 0, "7", "a libdw that does not crash on it" },
	{ "SIGKILL from elsewhere", do_get_killed, 0, NULL,
	    "a process that is not killed, as it was by signal 9" },
	{ "a read fails", do_meet_eio, EIO, NULL,
	    "files that can be read everywhere: Input/output error" },
	{ "a mapped file is not there", do_meet_sigbus, EIO, NULL,
	    "files that can be read everywhere: Input/output error" },
	{ "SIGSEGV for want of memory", do_raise_unfed, 0, "7",
	    "more than 7 MiB of memory (VMCORE_DEBUG_LIMIT)" },
#ifndef SANITIZED
	{ "the host's limit of all memory", take_memory_as, ENOMEM, NULL,
	    "more memory than the host gives it: out of memory" },
	{ "the host's limit of data", take_memory_data, ENOMEM, NULL,
	    "more memory than the host gives it: out of memory" },
	{ "memory", take_memory, 0, NULL,
	    "more than 80 MiB of memory (VMCORE_DEBUG_LIMIT)" },
	{ "a limit that is no number", take_memory, 0, "1x",
	    "more than 80 MiB of memory (VMCORE_DEBUG_LIMIT)" },
	{ "a negative limit", take_memory, 0, "-1",
	    "more than 80 MiB of memory (VMCORE_DEBUG_LIMIT)" },
	{ "memory, and files that are named often", take_memory_of_files, 0,
	    NULL, "more than 128 MiB of memory (VMCORE_DEBUG_LIMIT)" },
	{ "memory, and a compressed file", take_memory_of_packed, 0, NULL,
	    "more than 112 MiB of memory (VMCORE_DEBUG_LIMIT)" },
	{ "memory, and a length that is too long", take_memory_of_too_long, 0,
	    NULL, "more than 80 MiB of memory (VMCORE_DEBUG_LIMIT)" },
#endif
	{ "CPU time", take_time, 0, "7",
	    "more than 1 s of CPU time (VMCORE_DEBUG_LIMIT)" },
};

static void
test_end(void **state)
{
	const struct end_row *row = *state;
	struct helpcost *hc = helpcost_create();
	struct helper hp;
	char why[100], byte;

	assert_non_null(hc);
	if (row->limit != NULL)
		setenv("VMCORE_DEBUG_LIMIT", row->limit, 1);
	assert_true(helper_start(&hp, hc, row->serve, NULL, -1));
	unsetenv("VMCORE_DEBUG_LIMIT");
	assert_false(helper_read(hp.hlp_sock, &byte, 1));
	/* It is gone: writing to it raises no signal. */
	(void)helper_write(hp.hlp_sock, "x", 1);
	helper_bury(&hp, why, sizeof(why));
	assert_string_equal(why, row->why);
	assert_int_equal(hp.hlp_pid, 0);
	assert_int_equal(hc->hco_error, row->error);
	helpcost_destroy(hc);
}

/* A larger limit is one. */
static void
test_raised(void **state)
{
	struct helper hp;
	char byte;

	(void)state;
	setenv("VMCORE_DEBUG_LIMIT", "16000", 1);
	assert_true(helper_start(&hp, NULL, take_memory, NULL, -1));
	unsetenv("VMCORE_DEBUG_LIMIT");
	assert_true(helper_read(hp.hlp_sock, &byte, 1));
	helper_end(&hp);
}

/* What others took of a bound of 64 MiB and 3 s, and what becomes of one more. */
static const struct shared_row {
	const char *name;
	struct helpcost took;
	const char *why; /* NULL: nothing, it answers */
} shared_rows[] = {
	{ "others took nothing", { 0 }, NULL },
	{ "others took some time", { .hco_cpu_ms = 2999 }, NULL },
	{ "others took all the time", { .hco_cpu_ms = 3000 },
	    "more than 3 s of CPU time (VMCORE_DEBUG_LIMIT)" },
#ifndef SANITIZED
	{ "others took some memory", { .hco_memory = 20 << 20 }, NULL },
	{ "others took most of the memory", { .hco_memory = 40 << 20 },
	    "more than 64 MiB of memory (VMCORE_DEBUG_LIMIT)" },
	{ "others took all the memory", { .hco_memory = 1 << 30 },
	    "more than 64 MiB of memory (VMCORE_DEBUG_LIMIT)" },
#endif
};

static void
test_shared(void **state)
{
	const struct shared_row *row = *state;
	struct helpcost *hc = helpcost_create();
	struct helper hp;
	char why[100] = "", byte;

	assert_non_null(hc);
	*hc = row->took;
	setenv("VMCORE_DEBUG_LIMIT", "64", 1);
	assert_true(helper_start(&hp, hc, take_half, NULL, -1));
	unsetenv("VMCORE_DEBUG_LIMIT");
	if (helper_read(hp.hlp_sock, &byte, 1)) {
#ifndef SANITIZED
		assert_true(hc->hco_memory >=
		    row->took.hco_memory + (32 << 20));
#endif
		helper_end(&hp);
	} else
		helper_bury(&hp, why, sizeof(why));
	assert_string_equal(why, row->why != NULL ? row->why : "");
	assert_true(hc->hco_memory == row->took.hco_memory);
	assert_true(hc->hco_cpu_ms >= row->took.hco_cpu_ms);
	helpcost_destroy(hc);
}

/* What a helper took is known when it has ended at its bound. */
static void
test_time_is_charged(void **state)
{
	struct helpcost *hc = helpcost_create();
	struct helper hp;
	char why[100], byte;

	(void)state;
	assert_non_null(hc);
	setenv("VMCORE_DEBUG_LIMIT", "7", 1);
	assert_true(helper_start(&hp, hc, take_time, NULL, -1));
	unsetenv("VMCORE_DEBUG_LIMIT");
	assert_false(helper_read(hp.hlp_sock, &byte, 1));
	helper_bury(&hp, why, sizeof(why));
	assert_true(hc->hco_cpu_ms >= 1000);
	helpcost_destroy(hc);
}

#ifndef SANITIZED
/* What we have of our own leaves helpers less, but half of the bound. */
static void
test_own_memory(void **state)
{
	char *own = calloc(1, 100 << 20);
	struct helper hp;
	char why[100], byte;

	(void)state;
	assert_non_null(own);
	own[0] = 'x';
	assert_true(helper_start(&hp, NULL, take_memory, NULL, -1));
	assert_false(helper_read(hp.hlp_sock, &byte, 1));
	helper_bury(&hp, why, sizeof(why));
	free(own);
	assert_string_equal(why,
	    "more than 40 MiB of memory (VMCORE_DEBUG_LIMIT)");
}
#endif

/* The helper holds no file of ours open but the one that it is to keep. */
static void
test_files(void **state)
{
	int fd = temp_file("x", 1);
	struct helper hp;
	char open[2];

	(void)state;
	assert_true(helper_start(&hp, NULL, look_at_fd, &fd, -1));
	assert_true(helper_read(hp.hlp_sock, open, 2));
	helper_end(&hp);
	assert_false(open[0]);
	assert_true(open[1]);
	assert_true(helper_start(&hp, NULL, look_at_fd, &fd, fd));
	assert_true(helper_read(hp.hlp_sock, open, 2));
	helper_end(&hp);
	assert_true(open[0]);
	close(fd);
}

static void
test_passing(void **state)
{
	int fd = temp_file("q", 1);
	struct helper hp;
	char byte;

	(void)state;
	assert_true(helper_start(&hp, NULL, read_passed, NULL, -1));
	assert_true(helper_write_fd(hp.hlp_sock, fd));
	close(fd);
	assert_true(helper_read(hp.hlp_sock, &byte, 1));
	helper_end(&hp);
	assert_int_equal(byte, 'q');
}

/* A program that waits for all its children may take ours. */
static void
test_no_children(void **state)
{
	struct helper hp;

	(void)state;
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	assert_true(helper_start(&hp, NULL, echo, NULL, -1));
	helper_end(&hp);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

/* A helper goes with its parent, without having been ended. */
static void
test_orphan(void **state)
{
	struct helper hp;
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		/* Of all files, the helper keeps this one open. */
		if (helper_start(&hp, NULL, wait_long, NULL, ends[1]))
			(void)helper_read(hp.hlp_sock, &byte, 1);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_true(wait(NULL) > 0);
}

int
main(void)
{
	struct CMUnitTest tests[8 + NROWS(end_rows) + NROWS(shared_rows)] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_raised),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_no_children),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_time_is_charged),
	};
	size_t n = 7;

#ifndef SANITIZED
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_own_memory);
#endif
	ADD_ROWS(tests, n, shared_rows, test_shared);
	ADD_ROWS(tests, n, end_rows, test_end);
	return (RUN_TESTS(tests, n));
}
