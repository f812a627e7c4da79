/*
 * The generator against the description of the formats, and against itself.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/gen/dumpgen.h"
#include "tests/gen/scratch.h"

#define MB ((uint64_t)1 << 20)

/* Three real dumps of 2022: their headers, and where their sections were. */
static const struct gen_seg amd64_segs[] = {
	{ 0, 0x9f000 },
	{ 0x104000, 0x7fdf000 },
};
static const struct gen_seg i386_segs[] = {
	{ 0, 0x9f000 },
	{ 0x100000, 0x7fdf000 },
};
static const struct gen_seg arm64_segs[] = {
	{ 0x40000000, 0x4bca0000 },
	{ 0x4bd00000, 0x4bdc0000 },
	{ 0x4be40000, 0x4bfb0000 },
	{ 0x4c000000, 0x4c020000 },
	{ 0x4c040000, 0x4c0f0000 },
	{ 0x4c1e0000, 0x4f4c0000 },
	{ 0x4f550000, 0x50000000 },
};

static const struct {
	const char *name;
	struct gen_spec spec;
	uint64_t avail_off, bitmap_off, bitmap_len, pmap_off, pmap_len;
	uint64_t pages_off, file_len;
} real[] = {
	{
	    .name = "amd64 version 3",
	    .spec = { .gs_arch = "amd64",
		.gs_version = 3,
		.gs_flags = GEN_PLAIN,
		.gs_mem_len = (uint64_t)24144 * 4096,
		.gs_msgbuf_len = 0x17fb8,
		.gs_segs = amd64_segs,
		.gs_nsegs = 2 },
	    .avail_off = 0x19000,
	    .bitmap_off = 0x1a000,
	    .bitmap_len = 0x1000,
	    .pmap_off = 0x1b000,
	    .pmap_len = 0x7ff000,
	    .pages_off = 0x81a000,
	    .file_len = 0x666a000,
	},
	{
	    .name = "i386 version 2, PAE",
	    .spec = { .gs_arch = "i386",
		.gs_version = 2,
		.gs_flags = GEN_PLAIN | GEN_PAE,
		.gs_mem_len = (uint64_t)18928 * 4096,
		.gs_msgbuf_len = 0x17fc8,
		.gs_kva_len = 0xec * 2 * MB,
		.gs_segs = i386_segs,
		.gs_nsegs = 2 },
	    .avail_off = 0x19000,
	    .bitmap_off = 0x1a000,
	    .bitmap_len = 0x1000,
	    .pmap_off = 0x1b000,
	    .pmap_len = 0xec000,
	    .pages_off = 0x107000,
	    .file_len = 0x4af7000,
	},
	{
	    .name = "arm64 version 2",
	    .spec = { .gs_arch = "arm64",
		.gs_version = 2,
		.gs_flags = GEN_PLAIN,
		.gs_mem_len = (uint64_t)19296 * 4096,
		.gs_msgbuf_len = 0x17fb8,
		.gs_kva_len = 0x6ae * 2 * MB,
		.gs_segs = arm64_segs,
		.gs_nsegs = 7 },
	    .avail_off = 0x19000,
	    .bitmap_off = 0x1a000,
	    .bitmap_len = 0x2000,
	    .pmap_off = 0x1c000,
	    .pmap_len = 0x6ae000,
	    .pages_off = 0x6ca000,
	    .file_len = 0x522a000,
	},
};

static struct gen *
create(const struct gen_spec *spec)
{
	const char *why = NULL;
	struct gen *g = gen_create(spec, &why);

	if (g == NULL)
		fail_msg("%s: %s", spec->gs_arch, why);
	return (g);
}

static void
test_sections_as_in_real_dumps(void **state)
{
	struct gen_facts f;
	struct gen *g;

	(void)state;
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
		print_message("%s\n", real[i].name);
		g = create(&real[i].spec);
		gen_facts(g, &f);
		assert_int_equal(f.msgbuf_off, 0x1000);
		assert_int_equal(f.msgbuf_len, real[i].spec.gs_msgbuf_len);
		assert_int_equal(f.avail_off, real[i].avail_off);
		assert_int_equal(f.avail_len, 0x1000);
		assert_int_equal(f.bitmap_off, real[i].bitmap_off);
		assert_int_equal(f.bitmap_len, real[i].bitmap_len);
		assert_int_equal(f.pmap_off, real[i].pmap_off);
		assert_int_equal(f.pmap_len, real[i].pmap_len);
		assert_int_equal(f.pages_off, real[i].pages_off);
		assert_int_equal(f.file_len, real[i].file_len);
		gen_destroy(g);
	}
}

/* The first bytes of a real amd64 minidump of version 3, but for its sizes. */
static void
test_header_bytes(void **state)
{
	/* clang-format off */
	static const uint8_t expected[72] = {
		'm', 'i', 'n', 'i', 'd', 'u', 'm', 'p', ' ', 'F', 'r', 'e',
		'e', 'B', 'S', 'D', '/', 'a', 'm', 'd', '6', '4', 0, 0,
		3, 0, 0, 0,             /* version */
		0xb8, 0x7f, 1, 0,       /* msgbufsize */
		0, 0x10, 0, 0,          /* bitmapsize */
		0, 0xf0, 0x7f, 0,       /* pmapsize */
		0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, /* kernbase */
		0, 0, 0, 0, 0, 0xf8, 0xff, 0xff, /* dmapbase */
		0, 0, 0, 0, 0, 0xfc, 0xff, 0xff, /* dmapend */
		0, 0x10, 0, 0,          /* dumpavailsize */
	};
	static const uint8_t avail[48] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 9, 0, 0, 0, 0, 0,
		0, 0x40, 0x10, 0, 0, 0, 0, 0, 0, 0xf0, 0xfd, 7, 0, 0, 0, 0,
	};
	/* clang-format on */
	uint8_t bytes[72];
	struct scratch s;
	struct gen *g;
	int fd;

	(void)state;
	scratch_init(&s);
	g = create(&real[0].spec);
	scratch_write(&s, g);
	fd = open(s.core, O_RDONLY);
	assert_int_equal(pread(fd, bytes, 72, 0), 72);
	assert_memory_equal(bytes, expected, 72);
	assert_int_equal(pread(fd, bytes, 48, 0x19000), 48);
	assert_memory_equal(bytes, avail, 48);
	close(fd);
	gen_destroy(g);
	scratch_fini(&s);
}

static void
test_words(void **state)
{
	uint8_t whole[64], part[8];

	(void)state;
	gen_fill(7, 0x1000, whole, sizeof(whole));
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(whole[8 + i],
		    gen_word(7, 0x1008) >> (8 * i) & 0xff);
	for (unsigned off = 0; off < 56; off++)
		for (unsigned len = 1; len <= 8; len++) {
			gen_fill(7, 0x1000 + off, part, len);
			assert_memory_equal(part, whole + off, len);
		}
	assert_int_not_equal(gen_word(7, 0x1000), gen_word(8, 0x1000));
}

static uint8_t *
slurp(const char *path, size_t *len)
{
	struct stat st;
	uint8_t *bytes;
	int fd = open(path, O_RDONLY);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	assert_non_null(bytes = malloc(*len));
	assert_int_equal(read(fd, bytes, *len), st.st_size);
	close(fd);
	return (bytes);
}

static uint8_t *
core_of(uint64_t seed, size_t *len)
{
	struct gen_spec spec = { .gs_arch = "i386",
		.gs_seed = seed,
		.gs_nprocs = 4 };
	struct gen *g = create(&spec);
	struct scratch s;
	uint8_t *bytes;

	scratch_init(&s);
	scratch_write(&s, g);
	bytes = slurp(s.core, len);
	gen_destroy(g);
	scratch_fini(&s);
	return (bytes);
}

static void
test_only_the_seed_matters(void **state)
{
	size_t len[3];
	uint8_t *core[3] = { core_of(5, &len[0]), core_of(5, &len[1]),
		core_of(6, &len[2]) };

	(void)state;
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(core[0], core[1], len[0]);
	assert_false(len[0] == len[2] && memcmp(core[0], core[2], len[0]) == 0);
	for (unsigned i = 0; i < 3; i++)
		free(core[i]);
}

/* What a walk over the pages of a dump has seen. */
struct pages {
	const struct gen *g;
	int fd;
	uint64_t n;
	uint64_t mapped;
	uint64_t last_pa;
};

static bool
check_page(const struct gen_page *page, void *arg)
{
	struct pages *pages = arg;
	uint8_t expected[4096], file[4096];
	size_t got;

	assert_true(pages->n == 0 || page->pa > pages->last_pa);
	pages->n++;
	pages->last_pa = page->pa;
	pages->mapped += page->kmap_va != 0;
	assert_int_equal(pread(pages->fd, file, 4096, (off_t)page->off), 4096);
	assert_int_equal(gen_read_phys(pages->g, page->pa, expected, 4096,
			     &got),
	    GEN_OK);
	assert_memory_equal(file, expected, 4096);
	if (page->kmap_va != 0) {
		assert_int_equal(gen_read(pages->g, page->kmap_va, expected,
				     4096, &got),
		    GEN_OK);
		assert_memory_equal(file, expected, 4096);
	}
	return (true);
}

/* How many mappings are of each kind. */
struct kinds {
	uint64_t state[GEN_TABLE_MISSING + 1];
	uint64_t large;
	uint64_t giga;
};

static bool
count_mapping(const struct gen_mapping *m, void *arg)
{
	struct kinds *kinds = arg;

	kinds->state[m->state]++;
	kinds->large += m->leaf_len > 16384;
	kinds->giga += m->leaf_len == 1024 * MB;
	return (true);
}

static void
check_variant(const struct gen_variant *variant, uint64_t seed)
{
	struct gen_spec spec = gen_variant_spec(variant, seed);
	struct gen *g = create(&spec);
	struct pages pages = { .g = g };
	struct kinds kinds = { 0 };
	struct gen_facts f;
	struct stat st;
	struct scratch s;

	scratch_init(&s);
	scratch_write(&s, g);
	assert_int_not_equal(pages.fd = open(s.core, O_RDONLY), -1);
	gen_facts(g, &f);
	assert_int_equal(fstat(pages.fd, &st), 0);
	assert_int_equal(st.st_size, f.file_len);
	assert_true(gen_foreach_page(g, check_page, &pages));
	assert_true(pages.mapped > 0);
	assert_true(gen_foreach_mapping(g, count_mapping, &kinds));
	assert_true(kinds.large > 0);
	if (strcmp(variant->gv_arch, "amd64") == 0)
		assert_true(kinds.giga > 0);
	assert_true(kinds.state[GEN_OK] > 10);
	assert_true(kinds.state[GEN_NOT_DUMPED] > 0);
	if (variant->gv_format == GEN_MINIDUMP) {
		assert_int_equal(pages.n, f.npages);
		assert_true(pages.mapped < f.npages);
		assert_true(pages.mapped > f.npages / 2);
	}
	if ((spec.gs_flags & GEN_LOSE_TABLES) != 0)
		assert_true(kinds.state[GEN_TABLE_MISSING] > 0);
	close(pages.fd);
	gen_destroy(g);
	scratch_fini(&s);
}

static void
test_every_variant(void **state)
{
	unsigned n;
	const struct gen_variant *variants = gen_variants(&n);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		print_message("%s\n", variants[i].gv_name);
		for (uint64_t seed = 1; seed <= 2; seed++)
			check_variant(&variants[i], seed);
	}
}

/* Add up what large pages map; every mapping must be of pages in the dump. */
static bool
count_solid(const struct gen_mapping *m, void *arg)
{
	uint64_t *len = arg;

	assert_int_equal(m->state, GEN_OK);
	if (m->leaf_len == 2 * MB)
		*len += m->len;
	return (true);
}

static void
test_large_pages_are_whole(void **state)
{
	struct gen_spec spec = { .gs_arch = "amd64",
		.gs_flags = GEN_PLAIN,
		.gs_mem_len = 32 * MB,
		.gs_big_percent = 40 };
	struct gen *g = create(&spec);
	uint64_t len = 0;

	(void)state;
	assert_true(gen_foreach_mapping(g, count_solid, &len));
	assert_int_equal(len, 12 * MB);
	gen_destroy(g);
}

static void
test_message_buffer(void **state)
{
	struct gen_spec spec = { .gs_arch = "arm64", .gs_flags = GEN_WRAPPED };
	struct gen *g = create(&spec);
	struct gen_facts f;
	struct scratch s;
	size_t len, got;
	uint8_t *core, *ring, magic[4];
	uint64_t va;

	(void)state;
	scratch_init(&s);
	scratch_write(&s, g);
	core = slurp(s.core, &len);
	gen_facts(g, &f);
	/* struct msgbuf after the ring: its pointer, then its magic. */
	assert_memory_equal(core + f.msgbuf_off + f.msgbuf_len + 8,
	    "\x62\x30\x06\0", 4);
	/* The same, in kernel memory, where msgbufp points. */
	assert_true(gen_symbol(g, "msgbufp", &va));
	assert_int_equal(gen_read(g, va, &va, 8, &got), GEN_OK);
	assert_int_equal(gen_read(g, va + 8, magic, 4, &got), GEN_OK);
	assert_memory_equal(magic, "\x62\x30\x06\0", 4);
	/* A wrapped ring is full. */
	gen_msgbuf_text(g, &len);
	assert_int_equal(len, f.msgbuf_len);
	ring = core + f.msgbuf_off;
	assert_null(memchr(ring, '\0', len));
	free(core);
	gen_destroy(g);
	scratch_fini(&s);
}

static const struct {
	const char *name;
	struct gen_spec spec;
} refusals[] = {
	{ "an unknown machine", { .gs_arch = "vax" } },
	{ "a version to come", { .gs_arch = "amd64", .gs_version = 4 } },
	{ "no full dumps of arm", { .gs_arch = "arm", .gs_format = GEN_FULL } },
	{ "16 KiB pages before version 3",
	    { .gs_arch = "arm64", .gs_version = 2, .gs_flags = GEN_PAGE_16K } },
	{ "hardly any memory", { .gs_arch = "amd64", .gs_phys_len = 32 * MB } },
	{ "more memory than 32 bits address",
	    { .gs_arch = "arm", .gs_phys_len = 4096 * MB } },
	{ "more than all pages large",
	    { .gs_arch = "amd64", .gs_big_percent = 101 } },
	{ "too many CPUs", { .gs_arch = "arm", .gs_ncpus = 9 } },
};

static void
test_refusals(void **state)
{
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		why = NULL;
		if (gen_create(&refusals[i].spec, &why) != NULL)
			fail_msg("made a dump with %s", refusals[i].name);
		assert_non_null(why);
	}
}

/* Every variant is among the arguments, or the build tests too few. */
static void
test_build_knows_variants(void **state)
{
	char **names = *state;
	unsigned n, given = 0;

	gen_variants(&n);
	for (; names[given] != NULL; given++)
		assert_non_null(gen_variant_find(names[given]));
	assert_int_equal(given, n);
}

int
main(int argc, char **argv)
{
	char **names = argv + 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_sections_as_in_real_dumps),
		cmocka_unit_test(test_header_bytes),
		cmocka_unit_test(test_only_the_seed_matters),
		cmocka_unit_test(test_every_variant),
		cmocka_unit_test(test_large_pages_are_whole),
		cmocka_unit_test(test_message_buffer),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test_prestate(test_build_knows_variants, names),
	};

	(void)argc;
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
