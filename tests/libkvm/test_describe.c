/* A core that is opened without its kernel: what it tells, and what it cannot. */
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/unit.h"

static struct dumps minidump, full;

/* It says of itself what it says with its kernel. */
static void
test_same(void **state)
{
	const struct dumps *d = *state;
	kvm_t *with = dumps_open(d);
	kvm_t *kd = kvm_describe(d->core, NULL, NULL);
	const struct kvm_core *want = kvm_core(with);
	const struct kvm_core *got;

	assert_non_null(kd);
	assert_non_null(got = kvm_core(kd));
	assert_string_equal(got->kc_format, want->kc_format);
	assert_string_equal(got->kc_arch_name, want->kc_arch_name);
	assert_int_equal(got->kc_order, want->kc_order);
	assert_int_equal(got->kc_ptr_len, want->kc_ptr_len);
	assert_int_equal(got->kc_page_size, want->kc_page_size);
	assert_int_equal(got->kc_npages, want->kc_npages);
	assert_int_equal(got->kc_file_len, want->kc_file_len);
	assert_int_equal(got->kc_file_short, 0);
	assert_int_equal(got->kc_minidump != NULL, want->kc_minidump != NULL);
	assert_null(got->kc_exec_path);
	kvm_close(with);
	kvm_close(kd);
}

static void
test_memory(void **state)
{
	const struct dumps *d = *state;
	kvm_t *kd = kvm_describe(d->core, NULL, NULL);
	uint8_t byte;

	assert_non_null(kd);
	assert_int_equal(kvm_read_phys(kd, SMALL_PAGE, &byte, 1), 1);
	assert_int_equal(byte, small_byte(SMALL_PAGE));
	kvm_close(kd);
}

/* A minidump has page tables, whose place in a full dump the kernel tells. */
static void
test_virtual(void **state)
{
	kvm_t *kd = kvm_describe(minidump.core, NULL, NULL);
	uint8_t byte;

	(void)state;
	assert_non_null(kd);
	assert_int_equal(kvm_read2(kd, KVA(1), &byte, 1), 1);
	assert_int_equal(byte, small_byte(SMALL_PAGE));
	kvm_close(kd);
	assert_non_null(kd = kvm_describe(full.core, NULL, NULL));
	assert_int_equal(kvm_read2(kd, KVA(1), &byte, 1), -1);
	assert_non_null(strstr(kvm_geterr(kd), "without its kernel"));
	kvm_close(kd);
}

/* What only the kernel's file tells is not found, and says why. */
static void
test_no_kernel(void **state)
{
	struct kvm_nlist nl[2] = { { .n_name = "kernbase" } };
	struct kvm_member member = { .kmb_type = "thread" };
	const struct dumps *d = *state;
	kvm_t *kd = kvm_describe(d->core, NULL, NULL);
	struct kvm_symbol sym;
	uint8_t byte;

	assert_non_null(kd);
	assert_false(kvm_has_symbols(kd));
	assert_false(kvm_symbol_find(kd, "kernbase", &sym));
	assert_false(kvm_symbol_at(kd, KVA(1), &sym));
	assert_int_equal(kvm_members_find(kd, &member, 1), 0);
	assert_int_equal(kvm_read_exec(kd, KVA(1), &byte, 1), -1);
	assert_non_null(strstr(kvm_geterr(kd), "without its kernel"));
	assert_int_equal(kvm_nlist2(kd, nl), -1);
	assert_non_null(strstr(kvm_geterr(kd), "without its kernel"));
	kvm_close(kd);
}

/* Symbols that cannot be read are not the same as none. */
static void
test_unreadable_symbols(void **state)
{
	struct dumps d;
	struct kvm_symbol sym;
	kvm_t *kd;

	(void)state;
	dumps_init(&d);
	dumps_write(&d);
	kd = dumps_open(&d);
	assert_int_equal(truncate(d.kernel, 64), 0);
	assert_false(kvm_symbol_find(kd, "kernbase", &sym));
	assert_int_equal(kvm_load_symbols(kd), -1);
	assert_non_null(strstr(kvm_geterr(kd), "symbols: "));
	kvm_close(kd);
	assert_non_null(kd = kvm_open2(d.kernel, d.core, 0, NULL, NULL));
	assert_int_equal(kvm_load_symbols(kd), -1);
	kvm_close(kd);
	dumps_fini(&d);
}

static void
test_readable_symbols(void **state)
{
	kvm_t *kd = dumps_open(&minidump);

	(void)state;
	assert_int_equal(kvm_load_symbols(kd), 0);
	kvm_close(kd);
	assert_non_null(kd = kvm_describe(minidump.core, NULL, NULL));
	assert_int_equal(kvm_load_symbols(kd), 0);
	kvm_close(kd);
}

static void
test_refused(void **state)
{
	char why[_POSIX2_LINE_MAX];

	(void)state;
	assert_null(kvm_describe(minidump.kernel, why, NULL));
	assert_non_null(strstr(why, minidump.kernel));
	assert_null(kvm_describe(NULL, why, NULL));
	assert_non_null(strstr(why, "no core file"));
	assert_null(kvm_describe("/nonexistent", NULL, NULL));
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		row_test("a minidump tells the same", test_same, &minidump),
		row_test("a full dump tells the same", test_same, &full),
		row_test("memory of a minidump", test_memory, &minidump),
		row_test("memory of a full dump", test_memory, &full),
		row_test("virtual addresses", test_virtual, NULL),
		row_test("a minidump has no symbols", test_no_kernel,
		    &minidump),
		row_test("a full dump has no symbols", test_no_kernel, &full),
		row_test("refusals", test_refused, NULL),
		row_test("symbols that cannot be read", test_unreadable_symbols,
		    NULL),
		row_test("symbols that can", test_readable_symbols, NULL),
	};
	int status;

	dumps_init(&minidump);
	dumps_write(&minidump);
	dumps_init(&full);
	dumps_write_full(&full);
	status = RUN_TESTS(tests, NROWS(tests));
	dumps_fini(&minidump);
	dumps_fini(&full);
	return (status);
}
