/* Zones as sysctls: their names, what each has, and that they come and go. */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/sysctl.h"

/* The value of a variable, or "error N". */
static const char *
ask(const char *name)
{
	static char old[256];
	int error = kernel_sysctlbyname(name, old, sizeof(old), NULL);

	if (error != 0)
		snprintf(old, sizeof(old), "error %d", error);
	return (old);
}

static int
construct(void *mem, int size, void *arg, int flags)
{
	(void)mem, (void)size, (void)arg, (void)flags;
	return (0);
}

static int
import_none(void *arg, void **store, int count, int domain, int flags)
{
	(void)arg, (void)store, (void)count, (void)domain, (void)flags;
	return (0);
}

static void
release_none(void *arg, void **store, int count)
{
	(void)arg, (void)store, (void)count;
}

#define LIMIT 50

static struct {
	uma_zone_t zone; /* with a limit, which it meets */
	uma_zone_t second;
	uma_zone_t cache;
	void *items[LIMIT];
} some;

/* All items of the limit, two more for nothing, and one of them back. */
static void
make_zones(void)
{
	some.zone = uma_zcreate("some zone", 100, construct, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, 0);
	(void)uma_zone_set_max(some.zone, LIMIT);
	uma_zone_reserve(some.zone, 3);
	for (size_t i = 0; i < LIMIT; i++)
		some.items[i] = uma_zalloc(some.zone, M_NOWAIT);
	assert_null(uma_zalloc(some.zone, M_NOWAIT));
	assert_null(uma_zalloc(some.zone, M_NOWAIT));
	uma_zfree(some.zone, some.items[0]);

	some.second = uma_zsecond_create("a second/zone", construct, NULL, NULL,
	    NULL, some.zone);
	some.cache = uma_zcache_create("cache.zone", 32, NULL, NULL, NULL, NULL,
	    import_none, release_none, NULL, 0);
}

static void
destroy_zones(void)
{
	for (size_t i = 1; i < LIMIT; i++)
		uma_zfree(some.zone, some.items[i]);
	uma_zdestroy(some.cache);
	uma_zdestroy(some.second);
	uma_zdestroy(some.zone);
}

static const struct value_row {
	const char *name;
	const char *value;
} value_rows[] = {
	{ "vm.uma.some_zone.size", "100" },
	{ "vm.uma.some_zone.keg.name", "some zone" },
	{ "vm.uma.some_zone.keg.rsize", "104" },
	{ "vm.uma.some_zone.keg.ppera", "1" },
	{ "vm.uma.some_zone.keg.ipers", "38" },
	{ "vm.uma.some_zone.keg.reserve", "3" },
	{ "vm.uma.some_zone.keg.efficiency", "96" },
	{ "vm.uma.some_zone.limit.items", "50" },
	{ "vm.uma.some_zone.limit.max_items", "50" },
	{ "vm.uma.some_zone.limit.sleepers", "0" },
	{ "vm.uma.some_zone.limit.sleeps", "0" },
	{ "vm.uma.some_zone.stats.current", "49" },
	{ "vm.uma.some_zone.stats.allocs", "50" },
	{ "vm.uma.some_zone.stats.frees", "1" },
	{ "vm.uma.some_zone.stats.fails", "2" },
	{ "vm.uma.a_second_zone.size", "100" },
	{ "vm.uma.a_second_zone.keg.name", "some zone" },
	{ "vm.uma.a_second_zone.limit.max_items", "0" },
	{ "vm.uma.cache_zone.size", "32" },
	{ "vm.uma.cache_zone.keg.name", "cache zone" },
	{ "vm.uma.cache_zone.keg.rsize", "error 2" },
	{ "vm.uma.some_zone.none", "error 2" },
	{ "vm.uma.some_zone.", "error 2" },
	{ "vm.uma.some_zone", "error 2" },
	{ "vm.uma.some.size", "error 2" },
	{ "vm.uma.some zone.size", "error 2" },
	{ "vm.uma.no_zone.size", "error 2" },
	{ "vm.zone_stats.some_zone.size", "error 2" },
	{ "vm.zone_stats.no_zone", "error 2" },
};

static void
test_value(void **state)
{
	const struct value_row *row = *state;

	(void)uma_power_on_one_cpu(NULL);
	make_zones();
	assert_string_equal(ask(row->name), row->value);
	destroy_zones();
	(void)uma_power_off(NULL);
}

/* A line of vm.zone_stats, which says what vm.uma says. */
static void
test_stats_line(void **state)
{
	const char *line;

	(void)state;
	make_zones();
	line = ask("vm.zone_stats.some_zone");
	assert_non_null(strstr(line, "size 100 limit 50 used 49 free "));
	assert_non_null(strstr(line, " requests 50 fails 2 sleeps 0"));
	destroy_zones();
}

/* The names are those of uma.h. */
static void
test_flags(void **state)
{
	(void)state;
	make_zones();
	assert_non_null(strstr(ask("vm.uma.some_zone.flags"), "LIMIT"));
	assert_non_null(strstr(ask("vm.uma.a_second_zone.flags"), "SECONDARY"));
	assert_null(strstr(ask("vm.uma.some_zone.flags"), "SECONDARY"));
	destroy_zones();
}

static size_t nlisted, nnotfound;

static void
see_name(const char *name)
{
	char old[256];

	nlisted++;
	if (kernel_sysctlbyname(name, old, sizeof(old), NULL) != 0)
		nnotfound++;
}

static size_t
list(const char *prefix)
{
	nlisted = nnotfound = 0;
	sysctl_foreach(prefix, see_name);
	assert_int_equal(nnotfound, 0);
	return (nlisted);
}

/* What is listed is found, and comes and goes with its zone. */
static void
test_list(void **state)
{
	size_t nzones, nvars;

	(void)state;
	nzones = list("vm.zone_stats.");
	nvars = list("vm.uma.");
	assert_int_equal(atoi(ask("vm.zone_count")), nzones);
	make_zones();
	assert_int_equal(list("vm.zone_stats."), nzones + 3);
	assert_int_equal(atoi(ask("vm.zone_count")), nzones + 3);
	assert_int_equal(list("vm.uma."),
	    nvars + 2 * list("vm.uma.some_zone.") + list("vm.uma.cache_zone."));
	assert_true(list("vm.uma.cache_zone.") < list("vm.uma.some_zone."));
	destroy_zones();
	assert_int_equal(list("vm.uma."), nvars);
	assert_int_equal(list("vm.uma.some_zone."), 0);
}

static uma_zone_t
zone_named(const char *name, size_t size)
{
	return (uma_zcreate(name, size, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR,
	    0));
}

/* Zones of one name, also of one name as it is shown, are told apart. */
static void
test_same_names(void **state)
{
	static const char LONG[] =
	    "a name of which more than forty bytes are too many";
	uma_zone_t zones[] = {
		zone_named("a-b", 16),
		zone_named("a b", 32),
		zone_named("a_b_1", 64),
		zone_named("a.b", 128),
		zone_named(LONG, 256),
		zone_named(LONG, 512),
	};

	(void)state;
	assert_string_equal(ask("vm.uma.a_b.size"), "16");
	assert_string_equal(ask("vm.uma.a_b_1.size"), "32");
	assert_string_equal(ask("vm.uma.a_b_1_1.size"), "64");
	assert_string_equal(ask("vm.uma.a_b_2.size"), "128");
	assert_string_equal(
	    ask("vm.uma.a_name_of_which_more_than_forty_bytes_ar.size"), "256");
	assert_string_equal(
	    ask("vm.uma.a_name_of_which_more_than_forty_bytes_ar_1.size"),
	    "512");
	uma_zdestroy(zones[1]);
	assert_string_equal(ask("vm.uma.a_b_1.size"), "error 2");
	assert_string_equal(ask("vm.uma.a_b_2.size"), "128");
	zones[1] = zone_named("a/b", 48);
	assert_string_equal(ask("vm.uma.a_b_1.size"), "48");
	for (size_t i = 0; i < NROWS(zones); i++)
		uma_zdestroy(zones[i]);
}

#define BOOTED(test)                                                           \
	cmocka_unit_test_setup_teardown(test, uma_power_on_one_cpu,            \
	    uma_power_off)

int
main(void)
{
	static const struct CMUnitTest single[] = {
		BOOTED(test_stats_line),
		BOOTED(test_flags),
		BOOTED(test_list),
		BOOTED(test_same_names),
	};
	static struct CMUnitTest tests[NROWS(single) + NROWS(value_rows)];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, value_rows, test_value);
	return (RUN_TESTS(tests, n));
}
