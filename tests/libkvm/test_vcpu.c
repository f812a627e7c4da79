/*
 * Cores of virtual machines, as QEMU writes them: the CPUs in their notes, the
 * page tables that these lead to, and segments that overlap or leave gaps.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/holes.h"
#include "tests/libkvm/dumps.h"
#include "tests/support/unit.h"

#define PHDRS	     64
#define PHDR_LEN     56
#define NOTES	     1024
#define PRSTATUS_LEN 336
#define QEMU_LEN     440
#define MEMORY	     4096 /* where the file has it: a block in one piece */
#define NCPUS	     2

#define PAGE(n) ((uint64_t)(n)*SMALL_PAGE)

/* Roots: the machine's, and pages of memory that are none. */
#define ROOT  PAGE(SMALL_NPAGES - 4)
#define WRONG PAGE(2)

#define CR4	 0xa0
#define CR4_LA57 0x10a0

/* A segment: pages of memory, and by how many the file has them elsewhere. */
struct segment {
	unsigned int first, npages;
	unsigned int shift;
};

static const struct core_row {
	const char *name;
	struct segment segs[4];
	uint64_t cr3[NCPUS];
	uint64_t cr4;
	bool no_qemu;	 /* notes of the registers only */
	bool no_symbol;	 /* KPML4phys is 0 */
	bool xnum;	 /* the section header counts the segments */
	const char *why; /* NULL: it opens */
	bool gap;	 /* pages 12 to 19 can be read */
} rows[] = {
	{ "all of memory", { { 0, 32, 0 } }, { ROOT, ROOT }, CR4, .gap = true },
	{ "the root by CR3 only", { { 0, 32, 0 } }, { ROOT, ROOT }, CR4,
	    .no_symbol = true, .gap = true },
	{ "CR3 with flags", { { 0, 32, 0 } }, { ROOT | 0x18, 0 }, CR4,
	    .no_symbol = true, .gap = true },
	{ "CR3 with the number of an address space", { { 0, 32, 0 } },
	    { ROOT | 0xfff, 0 }, CR4 | 0x20000, .no_symbol = true,
	    .gap = true },
	{ "CR3 of a CPU in user mode, then the kernel's", { { 0, 32, 0 } },
	    { WRONG, ROOT }, CR4, .no_symbol = true, .gap = true },
	{ "the root by its symbol, CR3 is wrong", { { 0, 32, 0 } },
	    { WRONG, PAGE(500) }, CR4, .gap = true },
	{ "pages mapped twice, and pages in no mapping",
	    { { 4, 8, 0 }, { 0, 8, 0 }, { 20, 12, 0 }, { 25, 2, 0 } },
	    { ROOT, ROOT }, CR4, .no_symbol = true, .gap = true },
	{ "another hypervisor's gap is no memory",
	    { { 0, 12, 0 }, { 20, 12, 0 } }, { ROOT, ROOT }, CR4,
	    .no_qemu = true },
	{ "a gap between two blocks is no memory",
	    { { 0, 4, 0 }, { 20, 12, 0 }, { 4, 8, 0 }, { 13, 2, 18 } },
	    { ROOT, ROOT }, CR4, .no_symbol = true },
	{ "segments counted by the section header", { { 0, 32, 0 } },
	    { ROOT, ROOT }, CR4, .xnum = true, .gap = true },
	{ "refuses: two places of the same page", { { 0, 32, 0 }, { 4, 2, 1 } },
	    { ROOT, ROOT }, CR4,
	    .why = "memory segments at 0 and 0x4000 overlap" },
	{ "refuses: page tables nowhere", { { 0, 32, 0 } },
	    { WRONG, PAGE(500) }, CR4, .no_symbol = true,
	    .why = "page tables cannot be found" },
	{ "refuses: page tables of five levels", { { 0, 32, 0 } },
	    { ROOT, ROOT }, CR4_LA57, .no_symbol = true,
	    .why = "page tables cannot be found" },
};

static uint8_t *
put_note(uint8_t *p, const char *name, uint32_t type, uint32_t len)
{
	le32enc(p, 5);
	le32enc(p + 4, len);
	le32enc(p + 8, type);
	memcpy(p + 12, name, 5);
	return (p + 20);
}

/* Returns how many bytes there are. */
static size_t
put_notes(uint8_t *start, const struct core_row *row)
{
	uint8_t *p = start;

	for (unsigned int i = 0; i < NCPUS; i++) {
		p = put_note(p, "CORE", 1, PRSTATUS_LEN);
		le64enc(p + 240, 0xffffffff80001000 + i); /* rip */
		p += PRSTATUS_LEN;
	}
	for (unsigned int i = 0; i < NCPUS && !row->no_qemu; i++) {
		p = put_note(p, "QEMU", 0, QEMU_LEN);
		le32enc(p, 1);
		le32enc(p + 4, QEMU_LEN);
		le64enc(p + 264, 0xfffff80000005000 + 256 * i); /* gs base */
		le64enc(p + 416, row->cr3[i]);
		le64enc(p + 424, row->cr4);
		p += QEMU_LEN;
	}
	return ((size_t)(p - start));
}

static void
put_phdr(uint8_t *p, uint32_t type, uint64_t off, uint64_t pa, uint64_t len)
{
	memset(p, 0, PHDR_LEN);
	le32enc(p, type);
	le64enc(p + 8, off);
	le64enc(p + 24, pa);
	le64enc(p + 32, len);
	le64enc(p + 40, len);
}

/* Rewrite a full dump's headers.  A shifted page is at another one's place. */
static void
make_core(struct dumps *d, const struct core_row *row)
{
	uint8_t *ph = d->bytes + PHDRS;
	unsigned int n = 1;

	memset(d->bytes + PHDRS, 0, MEMORY - PHDRS);
	put_phdr(ph, 4, NOTES, 0, put_notes(d->bytes + NOTES, row));
	for (size_t i = 0; i < NROWS(row->segs); i++) {
		const struct segment *seg = &row->segs[i];

		if (seg->npages == 0)
			continue;
		put_phdr(ph + PHDR_LEN * n++, 1,
		    MEMORY + PAGE(seg->first + seg->shift), PAGE(seg->first),
		    PAGE(seg->npages));
	}
	le16enc(d->bytes + 56, (uint16_t)(row->xnum ? 0xffff : n));
	if (row->xnum) {
		le64enc(d->bytes + 40, 512); /* e_shoff */
		le32enc(d->bytes + 512 + 44, n);
	}
}

static void
make(struct dumps *d, const struct core_row *row)
{
	dumps_init(d);
	dumps_write_full(d);
	make_core(d, row);
	if (row->no_symbol)
		le64enc(d->bytes + MEMORY + 0x1160, 0);
	dumps_rewrite(d);
}

static void
check_memory(kvm_t *kd, const struct dumps *d, const struct core_row *row)
{
	const struct small *sm = &d->machine;
	uint8_t byte;

	assert_int_equal(kvm_read2(kd, KVA(2) + 5, &byte, 1), 1);
	assert_int_equal(byte, sm->mem[3][5]);
	for (unsigned int n = 12; n < 20; n++) {
		kssize_t got = kvm_read_phys(kd, PAGE(n) + 7, &byte, 1);

		if (n == 13 || n == 14)
			continue; /* see the rows */
		assert_int_equal(got, row->gap ? 1 : -1);
		if (row->gap)
			assert_int_equal(byte, sm->mem[n][7]);
	}
}

static void
check_vcpus(kvm_t *kd, const struct core_row *row)
{
	const struct kvm_core *core = kvm_core(kd);

	assert_int_equal(core->kc_nvcpus, NCPUS);
	for (unsigned int i = 0; i < NCPUS; i++) {
		const struct kvm_vcpu *vc = &core->kc_vcpus[i];

		assert_int_equal(vc->vc_prstatus.len, PRSTATUS_LEN);
		assert_true(le64dec(vc->vc_prstatus.base + 240) ==
		    0xffffffff80001000 + i);
		assert_int_equal(vc->vc_qemu, !row->no_qemu);
		if (vc->vc_qemu)
			assert_true(vc->vc_state.qc_gs_base ==
			    0xfffff80000005000 + 256 * i);
	}
}

static void
test_core(void **state)
{
	const struct core_row *row = *state;
	static struct dumps d;
	char why[2048] = "";
	kvm_t *kd;

	make(&d, row);
	kd = kvm_open2(d.kernel, d.core, O_RDONLY, why, NULL);
	if (row->why != NULL) {
		assert_null(kd);
		assert_non_null(strstr(why, row->why));
	} else {
		if (kd == NULL)
			fail_msg("%s", why);
		check_memory(kd, &d, row);
		check_vcpus(kd, row);
		kvm_close(kd);
	}
	dumps_fini(&d);
}

/* The first row's core with some bytes changed. */
static const struct bad_row {
	const char *name;
	size_t off;
	uint64_t value;
	const char *why;
} bad_rows[] = {
	{ "refuses: notes past the end", PHDRS + 8, 0x7fffffff0000, "notes" },
	{ "refuses: notes without end", PHDRS + 32, 0x7fffffff0000,
	    "notes of 140737488289792 bytes" },
	{ "takes a core without notes", PHDRS + 32, 0, NULL },
	{ "takes notes that are cut short", PHDRS + 32, 400, NULL },
	{ "takes notes that run over", NOTES + 4, 0x1ffffffff, NULL },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	static struct dumps d;
	char why[2048] = "";
	kvm_t *kd;

	make(&d, &rows[0]);
	le64enc(d.bytes + row->off, row->value);
	dumps_rewrite(&d);
	kd = kvm_open2(d.kernel, d.core, O_RDONLY, why, NULL);
	assert_int_equal(kd == NULL, row->why != NULL);
	if (row->why != NULL)
		assert_non_null(strstr(why, row->why));
	kvm_close(kd);
	dumps_fini(&d);
}

/* A core whose section header counts the segments. */
static const struct core_row counted = { .segs = { { 0, 32, 0 } },
	.cr3 = { ROOT, ROOT },
	.cr4 = CR4,
	.xnum = true };

/* That number is compared with the file. */
static void
test_too_many(void **state)
{
	static struct dumps d;
	char why[2048] = "";

	(void)state;
	make(&d, &counted);
	le32enc(d.bytes + 512 + 44, UINT32_MAX);
	dumps_rewrite(&d);
	assert_null(kvm_open2(d.kernel, d.core, O_RDONLY, why, NULL));
	assert_non_null(strstr(why,
	    "too short for 4294967295 program headers"));
	dumps_fini(&d);
}

/*
 * Program headers in a hole of the file cost nothing, however many there are.
 * The notes are the first of them, memory is the last.
 */
static void
test_hole(void **state)
{
	const uint32_t nheaders = 1 << 30;
	const off_t first = 1 << 20;
	const off_t last = first + (off_t)(nheaders - 1) * PHDR_LEN;
	static struct dumps d;
	uint64_t data_len;
	kvm_t *kd;
	int fd;

	(void)state;
	make(&d, &counted);
	le64enc(d.bytes + 32, (uint64_t)first);
	le32enc(d.bytes + 512 + 44, nheaders);
	dumps_rewrite(&d);
	assert_true((fd = open(d.core, O_RDWR)) >= 0);
	assert_int_equal(pwrite(fd, d.bytes + PHDRS, PHDR_LEN, first),
	    PHDR_LEN);
	assert_int_equal(pwrite(fd, d.bytes + PHDRS + PHDR_LEN, PHDR_LEN, last),
	    PHDR_LEN);
	data_len = holes_data_len(fd);
	close(fd);
	if (data_len > (uint64_t)first) {
		dumps_fini(&d);
		skip(); /* the file system does not tell */
	}
	kd = dumps_open(&d);
	check_memory(kd, &d, &rows[0]);
	kvm_close(kd);
	dumps_fini(&d);
}

/* Segments cost memory, however many times a header is repeated. */
static void
test_many_segments(void **state)
{
	enum { CHUNK = 4096, NCHUNKS = 1048576 / CHUNK };
	static uint8_t headers[CHUNK * PHDR_LEN];
	const off_t first = 1 << 20;
	static struct dumps d;
	char why[2048] = "";
	int fd;

	(void)state;
	make(&d, &counted);
	le64enc(d.bytes + 32, (uint64_t)first);
	le32enc(d.bytes + 512 + 44, NCHUNKS * CHUNK + 1);
	dumps_rewrite(&d);
	for (size_t i = 0; i < CHUNK; i++)
		memcpy(headers + i * PHDR_LEN, d.bytes + PHDRS + PHDR_LEN,
		    PHDR_LEN);
	assert_true((fd = open(d.core, O_RDWR)) >= 0);
	for (off_t i = 0; i <= NCHUNKS; i++)
		assert_int_equal(pwrite(fd, headers, sizeof(headers),
				     first + i * (off_t)sizeof(headers)),
		    sizeof(headers));
	close(fd);
	assert_null(kvm_open2(d.kernel, d.core, O_RDONLY, why, NULL));
	assert_non_null(strstr(why, "more than 1048576 segments of memory"));
	dumps_fini(&d);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + NROWS(bad_rows) + 3] = {
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_many_segments),
	};
	size_t n = 3;

	ADD_ROWS(tests, n, rows, test_core);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	return (RUN_TESTS(tests, n));
}
