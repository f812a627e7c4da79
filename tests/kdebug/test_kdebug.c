/* What a kernel says of itself: version, panic, and whether the dump is its own. */
#include "tests/kdebug/threeprocs.h"
#include "tests/support/unit.h"

static void
test_texts(void **state)
{
	struct kernel k;

	(void)state;
	kernel_init(&k, ARCH_AMD64);
	fake_symbol(k.k_kd, "version", HEAP, 0);
	fake_string(k.k_kd, HEAP, "FreeBSD 14.0 #0: now\n    root@host:/obj\n");
	fake_symbol(k.k_kd, "panicstr", HEAP + 0x1000, 8);
	fake_word(k.k_kd, HEAP + 0x1000, HEAP + 0x1ff8);
	fake_put(k.k_kd, HEAP + 0x1ff8, "\033oops", 6); /* page's end */
	kernel_open(&k);
	assert_string_equal(kdebug_version(k.k_kdb)->kx_text,
	    "FreeBSD 14.0 #0: now root@host:/obj");
	assert_string_equal(kdebug_panic(k.k_kdb)->kx_text, "\\x1boops");
	kernel_fini(&k);
}

/* What a kernel calls "version" is not always a text. */
static const struct version_row {
	const char *name;
	uint64_t value;	  /* of a word there */
	uint64_t len;	  /* of the symbol; 0: unknown */
	const char *text; /* NULL: it is none */
} version_rows[] = {
	{ "a version of three characters", 0x302e31, 4, "1.0" },
	{ "a version of unknown length", 0x302e31, 0, "1.0" },
	{ "a version that is a number", 3, 4, NULL },
	{ "a version that is a number like a letter's", 0x41, 4, NULL },
	{ "a version that is a pointer", 0xffffffff80413c41, 8, NULL },
	{ "a version that is a pointer of unknown length", 0xffffffff80413c41,
	    0, NULL },
	{ "a version that is 0", 0, 4, NULL },
};

static void
test_version(void **state)
{
	const struct version_row *row = *state;
	struct kernel k;

	kernel_init(&k, ARCH_AMD64);
	fake_symbol(k.k_kd, "version", HEAP, row->len);
	fake_word(k.k_kd, HEAP, row->value);
	kernel_open(&k);
	check_text(kdebug_version(k.k_kdb)->kx_text, row->text);
	assert_int_equal(kdebug_version(k.k_kdb)->kx_why,
	    row->text != NULL ? KDEBUG_WHY_KNOWN : KDEBUG_WHY_NO_SYMBOL);
	assert_false(has_note(k.k_kdb, "another kernel"));
	kernel_fini(&k);
}

/* The version is not in the dump: is it of this kernel all the same? */
static const struct pairing_row {
	const char *name;
	bool no_symbol;	 /* for the version, either */
	bool is_there;	 /* the constant, in the dump */
	uint32_t change; /* what is added to it there */
	enum kdebug_pairing pairing;
	const char *note; /* NULL: none */
} pairing_rows[] = {
	{ "pairing: a constant is another one", false, true, 4,
	    KDEBUG_OTHER_KERNEL, "thread_off_td_tid is not the same in both" },
	{ "pairing: a constant is another one, and there is no version", true,
	    true, 4, KDEBUG_OTHER_KERNEL,
	    "thread_off_td_tid is not the same in both" },
	{ "pairing: a constant is the same", false, true, 0,
	    KDEBUG_UNKNOWN_KERNEL, "may be of another kernel" },
	{ "pairing: a constant was left out", false, true, -(uint32_t)TD_TID,
	    KDEBUG_UNKNOWN_KERNEL, "may be of another kernel" },
	{ "pairing: nothing is there", false, false, 0, KDEBUG_UNKNOWN_KERNEL,
	    "may be of another kernel" },
	{ "pairing: nothing is there, nor a symbol", true, false, 0,
	    KDEBUG_UNKNOWN_KERNEL, NULL },
};

static void
test_pairing(void **state)
{
	const struct pairing_row *row = *state;
	struct kvm_symbol tid;
	struct kernel k;

	kernel_init(&k, ARCH_AMD64);
	if (!row->no_symbol)
		fake_symbol(k.k_kd, "version", HEAP, 0);
	assert_true(kvm_symbol_find(k.k_kd, "thread_off_td_tid", &tid));
	if (row->is_there)
		fake_u32(k.k_kd, tid.ksy_va, TD_TID + row->change);
	kernel_open(&k);
	assert_int_equal(kdebug_pairing(k.k_kdb), row->pairing);
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	else
		assert_false(has_note(k.k_kdb, "another kernel"));
	kernel_fini(&k);
}

static void
no_symbol(struct kernel *k)
{
	(void)k;
}

static void
no_symbols(struct kernel *k)
{
	fake_strip(k->k_kd);
}

static void
no_panic(struct kernel *k)
{
	fake_symbol(k->k_kd, "panicstr", HEAP, 8);
	fake_word(k->k_kd, HEAP, 0);
}

static void
pointer_not_dumped(struct kernel *k)
{
	fake_symbol(k->k_kd, "panicstr", HEAP, 8);
}

static void
string_not_dumped(struct kernel *k)
{
	no_panic(k);
	fake_word(k->k_kd, HEAP, 0x1234);
}

static void
string_empty(struct kernel *k)
{
	no_panic(k);
	fake_word(k->k_kd, HEAP, HEAP + 0x100);
}

/* No panic string: why not, and what is noted. */
static const struct why_row {
	const char *name;
	void (*change)(struct kernel *);
	enum kdebug_why why;
	const char *note;
} why_rows[] = {
	{ "no symbol panicstr", no_symbol, KDEBUG_WHY_NO_SYMBOL, NULL },
	{ "no symbols at all", no_symbols, KDEBUG_WHY_STRIPPED, NULL },
	{ "panicstr is NULL", no_panic, KDEBUG_WHY_NONE, NULL },
	{ "panicstr is not dumped", pointer_not_dumped, KDEBUG_WHY_NOT_DUMPED,
	    NULL },
	{ "the panic string is not dumped", string_not_dumped,
	    KDEBUG_WHY_NOT_DUMPED,
	    "the panic string at 0x1234 is not in the dump" },
	{ "the panic string is empty", string_empty, KDEBUG_WHY_UNREADABLE,
	    "the panic string at 0xfffff80004000100 is no text" },
};

static void
test_why(void **state)
{
	const struct why_row *row = *state;
	const char *const *notes;
	struct kernel k;

	kernel_init(&k, ARCH_AMD64);
	row->change(&k);
	kernel_open(&k);
	assert_null(kdebug_panic(k.k_kdb)->kx_text);
	assert_int_equal(kdebug_panic(k.k_kdb)->kx_why, row->why);
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	else
		assert_int_equal(kdebug_notes(k.k_kdb, &notes), 0);
	assert_null(kdebug_version(k.k_kdb)->kx_text);
	assert_int_equal(kdebug_version(k.k_kdb)->kx_why,
	    row->why == KDEBUG_WHY_STRIPPED ? KDEBUG_WHY_STRIPPED :
					      KDEBUG_WHY_NO_SYMBOL);
	assert_null(kdebug_dumper(k.k_kdb));
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(why_rows) + NROWS(version_rows) +
	    NROWS(pairing_rows) + 1] = {
		cmocka_unit_test(test_texts),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, why_rows, test_why);
	ADD_ROWS(tests, n, pairing_rows, test_pairing);
	ADD_ROWS(tests, n, version_rows, test_version);
	return (RUN_TESTS(tests, n));
}
