#include "tests/fuzz/base.h"

#include <sys/types.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "tests/fuzz/need.h"
#include "tests/gen/dumpgen.h"

#define MAX_BASES   32
#define MAX_CHANGES 64
#define SEED	    7
#define BLOCK_LEN   4096
#define HEADER_LEN  128 /* no header is longer */
#define MB	    UINT64_C(1048576)

static struct base *bases[MAX_BASES]; /* made when they are first asked for */

/* The changes that base_restore() has to undo. */
static struct {
	struct {
		uint64_t off;
		size_t len;
	} change[MAX_CHANGES];
	size_t nchanges;
	uint64_t cut; /* the file's length; UINT64_MAX: whole */
} done;

/* Add v to an array that grows by doubling. */
static void
push(uint32_t **array, size_t *n, uint64_t v)
{
	if ((*n & (*n - 1)) == 0) {
		size_t size = *n == 0 ? 1 : 2 * *n;

		*array = realloc(*array, size * sizeof(**array));
		need(*array != NULL, "realloc");
	}
	(*array)[(*n)++] = (uint32_t)v;
}

static void
read_at(int fd, uint64_t off, void *buf, size_t len)
{
	need(pread(fd, buf, len, (off_t)off) == (ssize_t)len, "pread");
}

static void
write_at(int fd, uint64_t off, const void *buf, size_t len)
{
	need(pwrite(fd, buf, len, (off_t)off) == (ssize_t)len, "pwrite");
}

/* ---- making one ---- */

/* The words of a page that are neither the generator's pattern nor zero. */
static bool
note_words(const struct gen_page *page, void *arg)
{
	static const uint8_t zeros[BLOCK_LEN];
	struct base *ba = arg;
	uint8_t bytes[BLOCK_LEN];

	read_at(ba->ba_good.fd, page->off, bytes, sizeof(bytes));
	/* Nearly all pages of a full dump. */
	if (memcmp(bytes, zeros, sizeof(bytes)) == 0)
		return (true);
	for (size_t i = 0; i < sizeof(bytes); i += 8) {
		uint64_t word = le64dec(bytes + i);

		if (word != 0 && word != gen_word(SEED, page->pa + i))
			push(&ba->ba_words, &ba->ba_nwords, page->off + i);
	}
	return (true);
}

static void
note_blocks(struct base *ba)
{
	uint8_t bytes[BLOCK_LEN];

	for (uint64_t off = 0; off + BLOCK_LEN <= ba->ba_len;
	     off += BLOCK_LEN) {
		read_at(ba->ba_good.fd, off, bytes, sizeof(bytes));
		if (bytes[0] != 0 ||
		    memcmp(bytes, bytes + 1, sizeof(bytes) - 1) != 0)
			push(&ba->ba_blocks, &ba->ba_nblocks, off / BLOCK_LEN);
	}
}

/* The file's bytes from off on, as they were generated. */
static void
copy_blocks(const struct base *ba, uint64_t from)
{
	uint8_t bytes[BLOCK_LEN];

	need(ftruncate(ba->ba_core.fd, (off_t)ba->ba_len) == 0, "ftruncate");
	for (size_t i = 0; i < ba->ba_nblocks; i++) {
		uint64_t off = (uint64_t)ba->ba_blocks[i] * BLOCK_LEN;

		if (off + BLOCK_LEN <= from)
			continue;
		read_at(ba->ba_good.fd, off, bytes, sizeof(bytes));
		write_at(ba->ba_core.fd, off, bytes, sizeof(bytes));
	}
}

/* What the kernels of some dumps did besides. */
static void
add_deeds(struct gen_spec *spec, const char *variant)
{
	static const struct {
		const char *variant;
		unsigned int flags;
		unsigned int recursion; /* frames */
	} deeds[] = {
		{ "amd64-v1", 0, 60 },
		{ "amd64-v3-unaligned", GEN_LIVE, 0 },
		{ "i386-v2", GEN_LIVE, 0 },
	};

	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(deeds[i].variant, variant) == 0) {
			spec->gs_flags |= deeds[i].flags;
			spec->gs_recursion = deeds[i].recursion;
		}
}

/* As small as the machine may be: many inputs a second is what counts. */
static struct gen_spec
small_spec(const struct gen_variant *variant)
{
	static const struct {
		const char *arch;
		uint64_t kva_len;
	} sizes[] = {
		{ "arm", 64 * MB },
		{ "arm64", 128 * MB },
		{ "i386", 64 * MB },
		{ "riscv64", 64 * MB },
	};
	struct gen_spec spec = gen_variant_spec(variant, SEED);

	spec.gs_flags |= GEN_PLAIN;
	spec.gs_mem_len = MB;
	spec.gs_phys_len = 64 * MB;
	spec.gs_msgbuf_len = 512;
	spec.gs_nprocs = 3;
	spec.gs_ncpus = 2;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (strcmp(sizes[i].arch, variant->gv_arch) == 0)
			spec.gs_kva_len = sizes[i].kva_len;
	add_deeds(&spec, variant->gv_name);
	return (spec);
}

static struct base *
create(const struct gen_variant *variant)
{
	struct gen_spec spec = small_spec(variant);
	struct base *ba = calloc(1, sizeof(*ba));
	struct gen_facts facts;
	const char *why = NULL;
	struct gen *g;

	need(ba != NULL, "calloc");
	if ((g = gen_create(&spec, &why)) == NULL) {
		(void)fprintf(stderr, "%s: %s\n", variant->gv_name, why);
		exit(1);
	}
	memfile_create(&ba->ba_core);
	memfile_create(&ba->ba_good);
	memfile_create(&ba->ba_kernel);
	need(gen_write_core(g, ba->ba_good.path) == 0, "core");
	need(gen_write_kernel(g, ba->ba_kernel.path) == 0, "kernel");
	gen_facts(g, &facts);
	ba->ba_len = facts.file_len;
	ba->ba_pages_off = facts.pages_off;
	(void)gen_foreach_page(g, note_words, ba);
	note_blocks(ba);
	copy_blocks(ba, 0);
	gen_destroy(g);
	return (ba);
}

size_t
base_count(void)
{
	unsigned int n;

	(void)gen_variants(&n);
	return (n < MAX_BASES ? n : MAX_BASES);
}

/* ---- changing one ---- */

static uint64_t
get24(const uint8_t *p)
{
	return ((uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16);
}

static void
change(const struct base *ba, uint64_t off, const void *bytes, size_t len)
{
	if (off >= ba->ba_len || done.nchanges == MAX_CHANGES)
		return;
	if (len > ba->ba_len - off)
		len = (size_t)(ba->ba_len - off);
	done.change[done.nchanges].off = off;
	done.change[done.nchanges++].len = len;
	write_at(ba->ba_core.fd, off, bytes, len);
}

static uint64_t
word_at(const struct base *ba, uint64_t n)
{
	return (ba->ba_nwords == 0 ? 0 : ba->ba_words[n % ba->ba_nwords]);
}

/* Apply the change at p.  Returns its length; 0: it is cut short. */
static size_t
apply_change(const struct base *ba, const uint8_t *p, size_t left)
{
	size_t len = (size_t)(p[0] & 7) + 1;
	unsigned int op = p[0] >> 3 & 3;
	uint8_t word[8];
	uint64_t where;

	if (left < 4 + (op == 3 ? 3 : len))
		return (0);
	where = get24(p + 1);
	switch (op) {
	case 0:
		change(ba, where % HEADER_LEN, p + 4, len);
		break;
	case 1:
		change(ba, where % (ba->ba_pages_off + 1), p + 4, len);
		break;
	case 2:
		change(ba, word_at(ba, where), p + 4, len);
		break;
	default:
		read_at(ba->ba_good.fd, word_at(ba, get24(p + 4)), word,
		    sizeof(word));
		change(ba, word_at(ba, where), word, sizeof(word));
		return (7);
	}
	return (4 + len);
}

const struct base *
base_get(size_t which)
{
	unsigned int nvariants;
	const struct gen_variant *variants = gen_variants(&nvariants);

	which %= base_count();
	if (bases[which] == NULL)
		bases[which] = create(&variants[which]);
	return (bases[which]);
}

const struct base *
base_apply(const uint8_t *data, size_t size)
{
	const struct base *ba;
	size_t n;

	if (size < 2)
		return (NULL);
	ba = base_get(data[0] & 0x7f);
	done.nchanges = 0;
	done.cut = UINT64_MAX;
	for (size_t off = 2; off < size; off += n)
		if ((n = apply_change(ba, data + off, size - off)) == 0)
			break;
	if (data[1] != 0) {
		done.cut = ba->ba_len * data[1] / 256;
		need(ftruncate(ba->ba_core.fd, (off_t)done.cut) == 0,
		    "ftruncate");
	}
	return (ba);
}

void
base_restore(const struct base *ba)
{
	uint8_t bytes[8];

	if (done.cut != UINT64_MAX)
		copy_blocks(ba, done.cut);
	for (size_t i = 0; i < done.nchanges; i++) {
		read_at(ba->ba_good.fd, done.change[i].off, bytes,
		    done.change[i].len);
		write_at(ba->ba_core.fd, done.change[i].off, bytes,
		    done.change[i].len);
	}
}
