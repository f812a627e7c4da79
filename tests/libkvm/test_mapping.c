/*
 * SIGBUS: that of a cut dump is the library's, any other the program's, as if
 * the library were not there.  Each case is a process that has a handler of its
 * own, opens a dump, and then touches a file of its own that was cut.
 */
#include "libkvm/mapping.h"

#include <sys/mman.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define HANDLED	 42
#define DUMP_LEN 65536

/* Where the program itself faults. */
static volatile uint8_t *own;

static void
on_signal(int sig)
{
	_exit(sig == SIGBUS ? HANDLED : 1);
}

static void
on_signal_info(int sig, siginfo_t *info, void *context)
{
	bool known = sig == SIGBUS && context != NULL &&
	    (uintptr_t)info->si_addr == (uintptr_t)own;

	_exit(known ? HANDLED : 1);
}

static const struct handler_row {
	const char *name;
	void (*plain)(int);
	void (*with_info)(int, siginfo_t *, void *);
	int want; /* of run_child() */
} handler_rows[] = {
	{ "no handler: killed", SIG_DFL, NULL, -SIGBUS },
	{ "ignored: killed all the same", SIG_IGN, NULL, -SIGBUS },
	{ "a handler", on_signal, NULL, HANDLED },
	{ "a handler that wants to know more", NULL, on_signal_info, HANDLED },
};

static void
set_handler(const struct handler_row *row)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	if (row->with_info != NULL) {
		action.sa_sigaction = row->with_info;
		action.sa_flags = SA_SIGINFO;
	} else {
		action.sa_handler = row->plain;
	}
	assert_int_equal(sigaction(SIGBUS, &action, NULL), 0);
}

static int
make_file(void)
{
	static uint8_t bytes[DUMP_LEN];

	memset(bytes, 0x55, sizeof(bytes));
	return (temp_file(bytes, sizeof(bytes)));
}

static struct mapping *
map_dump(int fd)
{
	struct mapping *mp = mapping_create(fd, DUMP_LEN);

	assert_non_null(mp);
	return (mp);
}

/* A truncated dump must not raise a signal. */
static void
lose_dump(void)
{
	int fd = make_file();
	struct mapping *mp = map_dump(fd);
	volatile uint8_t *base = atomic_load(&mp->mp_base);

	assert_false(mapping_torn(mp));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(base[DUMP_LEN - 1], 0);
	assert_true(mapping_torn(mp));
	assert_int_equal(base[0], 0);
	mapping_destroy(mp);
	(void)close(fd);
}

static void
fault_on_own(const void *row)
{
	int fd = make_file();

	set_handler(row);
	lose_dump();
	own = mmap(NULL, DUMP_LEN, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(own, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	(void)*own;
}

static void
test_handler(void **state)
{
	const struct handler_row *row = *state;

	assert_int_equal(run_child(fault_on_own, row), row->want);
}

/* The same after the mapping was destroyed: its addresses are not ours. */
static void
fault_after_destroy(const void *row)
{
	int fd = make_file();
	struct mapping *mp;

	set_handler(row);
	mp = map_dump(fd);
	own = atomic_load(&mp->mp_base);
	mapping_destroy(mp);
	assert_ptr_equal(mmap((void *)(uintptr_t)own, DUMP_LEN, PROT_READ,
			     MAP_SHARED | MAP_FIXED, fd, 0),
	    own);
	assert_int_equal(ftruncate(fd, 0), 0);
	(void)*own;
}

static void
test_after_destroy(void **state)
{
	assert_int_equal(run_child(fault_after_destroy, *state), HANDLED);
}

/* Zeros from the page of the fault on, and the bytes before it stay. */
static void
tear_in_the_middle(const void *arg)
{
	size_t page_len = (size_t)sysconf(_SC_PAGESIZE);
	int fd = make_file();
	struct mapping *mp = map_dump(fd);
	const volatile uint8_t *base = atomic_load(&mp->mp_base);

	(void)arg;
	assert_int_equal(ftruncate(fd, (off_t)page_len), 0);
	assert_int_equal(base[page_len], 0);
	assert_int_equal(base[page_len - 1], 0x55);
	assert_int_equal(base[DUMP_LEN - 1], 0);
	assert_true(mapping_torn(mp));
	mapping_destroy(mp);
	(void)close(fd);
}

static void
test_tear(void **state)
{
	(void)state;
	assert_int_equal(run_child(tear_in_the_middle, NULL), CHILD_OK);
}

/* A descriptor that cannot be mapped gives its place back. */
static void
test_unmappable(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 200; i++)
		assert_null(mapping_create(ends[0], DUMP_LEN));
	(void)close(ends[0]);
	(void)close(ends[1]);
	mapping_destroy(NULL);
}

int
main(void)
{
	struct CMUnitTest tests[16];
	size_t n = 0;

	/* In children: this process must not have the handler yet. */
	ADD_ROWS(tests, n, handler_rows, test_handler);
	tests[n++] = row_test("a fault where a dump was mapped before",
	    test_after_destroy, &handler_rows[2]);
	tests[n++] = row_test("a dump torn in the middle", test_tear, NULL);
	tests[n++] = row_test("no mapping, no place", test_unmappable, NULL);
	return (RUN_TESTS(tests, n));
}
