/* Symbols through kvm(3), and what each CPU and network stack has a copy of. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tests/libkvm/dumps.h"
#include "tests/libkvm/nlist/user.h"
#include "tests/support/unit.h"

static struct dumps dump;

#define NO_VA 0

/* ---- kvm_nlist2() ---- */

static const struct name_row {
	const char *name; /* of the test; the symbol's follows ": " */
	unsigned int cpu;
	uint64_t va; /* NO_VA: not found */
} name_rows[] = {
	{ "nlist: mp_ncpus", 0, SMALL_KERNBASE + 0x1100 },
	{ "nlist: _mp_ncpus", 0, SMALL_KERNBASE + 0x1100 },
	{ "nlist: __mp_ncpus", 0, NO_VA },
	{ "nlist: a_local", 0, SMALL_KERNBASE + 0x1300 },
	{ "nlist: _underscored", 0, SMALL_KERNBASE + 0x1308 },
	{ "nlist: underscored", 0, NO_VA },
	{ "nlist: kernbase", 0, SMALL_KERNBASE },
	{ "nlist: nothing_like_it", 0, NO_VA },
	/* In their sets at 0x2008 and 0x2110; the copies at a distance. */
	{ "nlist: cpu_var", 0, SMALL_KERNBASE + 0x2008 + 0x10000 },
	{ "nlist: _cpu_var", 0, SMALL_KERNBASE + 0x2008 + 0x10000 },
	{ "nlist: pcpu_entry_cpu_var", 0, SMALL_KERNBASE + 0x2008 + 0x10000 },
	{ "nlist, CPU 2: cpu_var", 2, SMALL_KERNBASE + 0x2008 + 0x20000 },
	{ "nlist, CPU 2: mp_ncpus", 2, SMALL_KERNBASE + 0x1100 },
	{ "nlist: net_var", 0, SMALL_KERNBASE + 0x2110 + 0x30000 },
	{ "nlist: vnet_entry_net_var", 0, SMALL_KERNBASE + 0x2110 + 0x30000 },
};

static const char *
symbol_of(const struct name_row *row)
{
	return (strstr(row->name, ": ") + 2);
}

static void
test_name(void **state)
{
	const struct name_row *row = *state;
	struct kvm_nlist nl[] = {
		{ .n_name = symbol_of(row), .n_type = 99, .n_value = 99 },
		{ .n_name = NULL, .n_type = 99 },
	};
	kvm_t *kd = dumps_open(&dump);

	if (row->cpu != 0)
		assert_int_equal(kvm_dpcpu_setcpu(kd, row->cpu), 0);
	assert_int_equal(kvm_nlist2(kd, nl), row->va == NO_VA ? 1 : 0);
	assert_true(nl[0].n_value == row->va);
	assert_int_equal(nl[0].n_type != 0, row->va != NO_VA);
	assert_int_equal(nl[1].n_type, 99);
	(void)kvm_close(kd);
}

/* All at once: the number of those missing, and an empty name ends the list. */
static void
test_list(void **state)
{
	struct kvm_nlist nl[] = {
		{ .n_name = "mp_ncpus" },
		{ .n_name = "missing" },
		{ .n_name = "kernbase" },
		{ .n_name = "missing_too" },
		{ .n_name = "", .n_type = 99 },
		{ .n_name = "mp_maxcpus", .n_type = 99 },
	};
	kvm_t *kd = dumps_open(&dump);

	(void)state;
	assert_int_equal(kvm_nlist2(kd, nl), 2);
	assert_true(nl[2].n_value == SMALL_KERNBASE);
	assert_int_equal(nl[1].n_type, 0);
	assert_int_equal(nl[4].n_type, 99);
	assert_int_equal(nl[5].n_type, 99);
	assert_int_equal(kvm_nlist2(kd, nl + 4), 0);
	(void)kvm_close(kd);
}

/* ---- kvm_nlist() ---- */

static const struct user_row {
	const char *name;
	nlist_user_t *look_up;
	uint64_t widest; /* value that its struct nlist holds */
	const char *why; /* ... or the text of the refusal */
} user_rows[] = {
	{ "kvm_nlist: libelf's nlist.h", nlist_user_libelf, ULONG_MAX, NULL },
	{ "kvm_nlist: FreeBSD's nlist.h", nlist_user_bsd, ULONG_MAX, NULL },
	{ "kvm_nlist: macOS's nlist.h", nlist_user_macho, ULONG_MAX, NULL },
	{ "kvm_nlist: the exported symbol", nlist_user_plain, ULONG_MAX, NULL },
	{ "kvm_nlist: a value of 32 bits", nlist_user_narrow, UINT32_MAX,
	    "mp_ncpus: 0xffffffff80001100 does not fit" },
	{ "kvm_nlist: no name", nlist_user_nameless, 0,
	    "no pointer to a name" },
};

static void
test_user(void **state)
{
	const struct user_row *row = *state;
	char ncpus[] = "mp_ncpus", missing[] = "missing", base[] = "kernbase";
	char *names[NLIST_USER_NAMES] = { ncpus, missing, base };
	struct nlist_found found[NLIST_USER_NAMES];
	uint8_t bytes[4];
	kvm_t *kd = dumps_open(&dump);

	if (row->widest < SMALL_KERNBASE) {
		assert_int_equal(row->look_up(kd, names, found), -1);
		if (row->why != NULL &&
		    strstr(kvm_geterr(kd), row->why) == NULL)
			fail_msg("%s", kvm_geterr(kd));
	} else {
		assert_int_equal(row->look_up(kd, names, found), 1);
		assert_int_equal(found[0].nf_type, 7);
		assert_true(found[0].nf_value == SMALL_KERNBASE + 0x1100);
		assert_int_equal(found[1].nf_type, 0);
		assert_true(found[1].nf_value == 0);
		assert_int_equal(found[2].nf_type, 7);
		assert_true(found[2].nf_value == SMALL_KERNBASE);
		/* The address leads to the variable. */
		assert_int_equal(kvm_read(kd, found[0].nf_value, bytes, 4), 4);
		assert_int_equal(le32dec(bytes), 2);
	}
	(void)kvm_close(kd);
}

/* ---- resolvers ---- */

static char asked[64];

static int
resolve(const char *name, kvaddr_t *addr)
{
	(void)snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked),
	    "%s ", name);
	if (strcmp(name, "known") != 0)
		return (1);
	*addr = 0x1234;
	return (0);
}

/* The kernel's own symbols do not count, and names arrive as they are. */
static void
test_resolver(void **state)
{
	struct kvm_nlist nl[] = { { .n_name = "known" },
		{ .n_name = "a_local" }, { .n_name = NULL } };
	kvm_t *kd = kvm_open2(dump.kernel, dump.core, O_RDONLY, NULL, resolve);

	(void)state;
	assert_non_null(kd);
	asked[0] = '\0';
	assert_int_equal(kvm_nlist2(kd, nl), 1);
	assert_int_equal(nl[0].n_value, 0x1234);
	assert_int_not_equal(nl[0].n_type, 0);
	assert_int_equal(nl[1].n_type, 0);
	assert_int_equal(strncmp(asked, "known ", 6), 0);
	assert_non_null(strstr(asked, "a_local "));
	(void)kvm_close(kd);
}

/* ---- variables that are damaged ---- */

/* One change to the dump, and the name that is lost by it. */
static const struct damage_row {
	const char *name;
	uint64_t pa;
	uint64_t value;
	const char *lost;
} damage_rows[] = {
	{ "VNET: a wrong magic number", 0x1210, 0x3e0d8f28, "net_var" },
	{ "VNET: vnet0 points nowhere", 0x1168, 0x1000, "net_var" },
	{ "VNET: vnet0 is NULL", 0x1168, 0, "net_var" },
};

static void
test_damage(void **state)
{
	const struct damage_row *row = *state;
	struct kvm_nlist nl[] = { { .n_name = row->lost },
		{ .n_name = "mp_ncpus" }, { .n_name = NULL } };
	struct dumps d = dump;
	kvm_t *kd;

	le64enc(d.bytes + small_page_off(&d.machine, row->pa) + row->pa % 4096,
	    row->value);
	temp_named(d.bytes, d.len, d.core);
	kd = dumps_open(&d);
	assert_int_equal(kvm_nlist2(kd, nl), 1);
	assert_int_equal(nl[0].n_type, 0);
	assert_int_equal(nl[0].n_value, 0);
	assert_int_not_equal(nl[1].n_type, 0);
	(void)kvm_close(kd);
	(void)remove(d.core);
}

/* ---- network stacks ---- */

#define NET_VAR	  (SMALL_KERNBASE + 0x2110)
#define VNET_JAIL (SMALL_KERNBASE + 0x1240)

static const struct vnet_row {
	const char *name;
	uint64_t which;
	uint64_t va;	 /* of net_var; NO_VA: refused */
	const char *why; /* ... for this */
} vnet_rows[] = {
	{ "vnet: the default one by number", 0, NET_VAR + 0x30000, NULL },
	{ "vnet: a jail's by number", 1, NET_VAR + 0x50000, NULL },
	{ "vnet: a jail's by address", VNET_JAIL, NET_VAR + 0x50000, NULL },
	{ "vnet: a number too many", 2, NO_VA,
	    "no network stack 2: the kernel has 2" },
	{ "vnet: no such thing at the address", VNET_JAIL + 8, NO_VA,
	    "no struct vnet at 0xffffffff80001248" },
	{ "vnet: nothing at the address", 0x10000, NO_VA,
	    "not a kernel address" },
};

static void
test_vnet(void **state)
{
	const struct vnet_row *row = *state;
	struct kvm_nlist nl[] = { { .n_name = "net_var" }, { .n_name = NULL } };
	kvm_t *kd = dumps_open(&dump);

	if (row->va == NO_VA) {
		assert_int_equal(kvm_vnet_select(kd, row->which), -1);
		if (strstr(kvm_geterr(kd), row->why) == NULL)
			fail_msg("%s", kvm_geterr(kd));
	} else {
		assert_int_equal(kvm_vnet_select(kd, row->which), 0);
		assert_int_equal(kvm_nlist2(kd, nl), 0);
		assert_true(nl[0].n_value == row->va);
	}
	(void)kvm_close(kd);
}

/* The list of network stacks may lead back into itself. */
static void
test_vnet_circle(void **state)
{
	struct dumps d = dump;
	kvm_t *kd;

	(void)state;
	le64enc(d.bytes + small_page_off(&d.machine, 0x1000) + 0x200,
	    VNET_JAIL);
	temp_named(d.bytes, d.len, d.core);
	kd = dumps_open(&d);
	assert_int_equal(kvm_vnet_select(kd, 0), -1);
	assert_non_null(strstr(kvm_geterr(kd), "has no end"));
	(void)kvm_close(kd);
	(void)remove(d.core);
}

/* ---- CPUs ---- */

static void
test_cpus(void **state)
{
	kvm_t *kd = dumps_open(&dump);
	void *pcpu;

	(void)state;
	assert_int_equal(kvm_getncpus(kd), 2);
	assert_int_equal(kvm_getmaxcpu(kd), 3);

	pcpu = kvm_getpcpu(kd, 2);
	assert_non_null(pcpu);
	assert_ptr_not_equal(pcpu, (void *)-1);
	assert_memory_equal(pcpu, dump.machine.mem[6], 4096);
	free(pcpu);
	assert_null(kvm_getpcpu(kd, 1));
	assert_null(kvm_getpcpu(kd, 3));
	assert_null(kvm_getpcpu(kd, -1));
	assert_null(kvm_getpcpu(kd, 2147483647));

	assert_int_equal(kvm_dpcpu_setcpu(kd, 2), 0);
	assert_int_equal(kvm_dpcpu_setcpu(kd, 1), -1);
	assert_non_null(strstr(kvm_geterr(kd), "no CPU 1"));
	assert_int_equal(kvm_dpcpu_setcpu(kd, 3), -1);
	assert_int_equal(kvm_dpcpu_setcpu(kd, 4294967295), -1);
	(void)kvm_close(kd);
}

/* CPU n's copy is n pages after CPU 0's, which __pcpu points to. */
static void
test_zpcpu(void **state)
{
	kvm_t *kd = dumps_open(&dump);
	const uint8_t *cpu0 = dump.machine.mem[5] + 64;
	const uint8_t *cpu1 = dump.machine.mem[6] + 64;
	uint8_t buf[8];

	(void)state;
	assert_int_equal(kvm_read_zpcpu(kd, 64, buf, 8, 0), 8);
	assert_memory_equal(buf, cpu0, 8);
	assert_int_equal(kvm_read_zpcpu(kd, 64, buf, 8, 1), 8);
	assert_memory_equal(buf, cpu1, 8);
	assert_int_equal(kvm_read_zpcpu(kd, 64, buf, 8, -1), -1);
	assert_non_null(strstr(kvm_geterr(kd), "no CPU -1"));
	/* Behind it there is a gap. */
	assert_int_equal(kvm_read_zpcpu(kd, 64, buf, 8, 2), -1);
	/* An error of before is not the counter's. */
	assert_string_not_equal(kvm_geterr(kd), "");
	assert_true(kvm_counter_u64_fetch(kd, 64) ==
	    le64dec(cpu0) + le64dec(cpu1));
	assert_string_equal(kvm_geterr(kd), "");
	assert_int_equal(kvm_counter_u64_fetch(kd, 0x10000000), 0);
	assert_string_not_equal(kvm_geterr(kd), "");
	(void)kvm_close(kd);
}

static const struct count_row {
	const char *name;
	uint32_t value;
	int want; /* -1: refused */
} count_rows[] = {
	{ "CPUs: none", 0, -1 },
	{ "CPUs: one", 1, 1 },
	{ "CPUs: as many as may be", 65536, 65536 },
	{ "CPUs: one too many", 65537, -1 },
	{ "CPUs: the largest number", UINT32_MAX, -1 },
};

static void
test_count(void **state)
{
	const struct count_row *row = *state;
	struct dumps d = dump;
	kvm_t *kd;

	le32enc(d.bytes + small_page_off(&d.machine, 0x1000) + 0x100,
	    row->value);
	temp_named(d.bytes, d.len, d.core);
	kd = dumps_open(&d);
	assert_int_equal(kvm_getncpus(kd), row->want);
	if (row->want < 0) {
		assert_non_null(strstr(kvm_geterr(kd), "mp_ncpus"));
		assert_int_equal(kvm_counter_u64_fetch(kd, 64), 0);
		assert_non_null(strstr(kvm_geterr(kd), "mp_ncpus"));
	}
	(void)kvm_close(kd);
	(void)remove(d.core);
}

int
main(void)
{
	struct CMUnitTest tests[60];
	size_t n = 0;
	int failed;

	dumps_init(&dump);
	dumps_write(&dump);
	ADD_ROWS(tests, n, name_rows, test_name);
	ADD_ROWS(tests, n, damage_rows, test_damage);
	ADD_ROWS(tests, n, vnet_rows, test_vnet);
	ADD_ROWS(tests, n, count_rows, test_count);
	tests[n++] = row_test("vnet: a circle", test_vnet_circle, NULL);
	tests[n++] = row_test("a list of names", test_list, NULL);
	ADD_ROWS(tests, n, user_rows, test_user);
	tests[n++] = row_test("a resolver", test_resolver, NULL);
	tests[n++] = row_test("CPUs and their pages", test_cpus, NULL);
	tests[n++] = row_test("per-CPU memory and counters", test_zpcpu, NULL);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&dump);
	return (failed);
}
