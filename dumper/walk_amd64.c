/*
 * Walks the kernel's page tables, which may be what the kernel died of.
 *
 * An entry is believed only if no reserved bit is set in it, the table that it
 * leads to is memory that can be read and may be dumped, and that table is not
 * one of those on the way to it.  The way down has one step for each level, and
 * the way along skips all that an entry maps, so the size of the kernel map
 * bounds the walk, whatever is in memory.
 *
 * The walk that chooses pages reports what it does not believe.  The writers
 * look tables up again by the same rules, and report nothing.
 */
#include "dumper/dumper_int.h"
#include "format/paging_amd64.h"

/* Entries of a table, and the root's level. */
#define NENTRIES   512
#define ROOT_LEVEL 3

/* A decoded entry, and whether it may be followed. */
enum entry_kind { ENTRY_NONE, ENTRY_TABLE, ENTRY_PAGE, ENTRY_BAD };

struct entry {
	enum entry_kind we_kind;
	enum dump_bad we_bad;
	unsigned int we_level; /* at which it was found */
	uint64_t we_raw;
	uint64_t we_pa;			  /* of the table or page */
	const uint8_t *we_table;	  /* ENTRY_TABLE: the table, readable */
	uint64_t we_path[ROOT_LEVEL + 1]; /* tables on the way, by level */
};

static uint64_t
span_of(unsigned int level)
{
	return (UINT64_C(1) << level_shift(level));
}

static uint64_t
table_entry(const uint8_t *table, uint64_t va, unsigned int level)
{
	return (le64dec(table +
	    8 * (va >> level_shift(level) & (NENTRIES - 1))));
}

/* Is pa one of the tables that led to a table at level? */
static bool
on_path(const struct entry *we, unsigned int level, uint64_t pa)
{
	for (unsigned int i = level; i <= ROOT_LEVEL; i++)
		if (we->we_path[i] == pa)
			return (true);
	return (false);
}

static void
refuse(struct entry *we, enum dump_bad why)
{
	we->we_kind = ENTRY_BAD;
	we->we_bad = why;
}

/*
 * A table is memory, can be read, and may be dumped: or else a damaged entry
 * could bring a page that is never dumped into a dump as a table.
 */
static void
check_table(const struct attempt *at, uint64_t pa, struct entry *we)
{
	const struct dump_machine *machine = at->at_machine;

	if ((pa & PAGE_MASK) != 0 || !pages_memory(at, pa >> PAGE_SHIFT)) {
		refuse(we, DUMP_BAD_TABLE);
		return;
	}
	if (dump_pages_has(at->at_pages, pa, DUMP_CLASS_NEVER)) {
		refuse(we, DUMP_BAD_NEVER);
		return;
	}
	we->we_kind = ENTRY_TABLE;
	we->we_table = machine->dm_page(machine->dm_arg, pa);
	if (we->we_table == NULL)
		refuse(we, DUMP_BAD_UNREADABLE);
}

/* Check an entry at level that was found in the last of the tables of *we. */
static void
check_entry(const struct attempt *at, uint64_t raw, unsigned int level,
    struct entry *we)
{
	struct pte pte = amd64_pte_decode(raw, level);

	we->we_level = level;
	we->we_raw = raw;
	we->we_pa = raw & AMD64_PTE_FRAME;
	if ((raw & AMD64_PTE_V) == 0) {
		we->we_kind = ENTRY_NONE;
	} else if (amd64_pte_reserved(raw, level, at->at_phys_bits) != 0) {
		refuse(we, DUMP_BAD_RESERVED);
	} else if (pte.pte_kind == PTE_PAGE) {
		we->we_kind = ENTRY_PAGE;
		we->we_pa = pte.pte_pa;
	} else if (on_path(we, level, pte.pte_pa)) {
		refuse(we, DUMP_BAD_SELF);
	} else {
		check_table(at, pte.pte_pa, we);
	}
}

/*
 * The entry that maps va: at level if the tables reach down to it, else the
 * one above at which they end.
 */
static void
find_entry(const struct attempt *at, uint64_t va, unsigned int level,
    struct entry *out)
{
	out->we_level = ROOT_LEVEL + 1;
	out->we_raw = out->we_pa = at->at_machine->dm_root_pa;
	check_table(at, out->we_pa, out);
	for (unsigned int l = ROOT_LEVEL + 1; l-- > level;) {
		if (out->we_kind != ENTRY_TABLE)
			return;
		out->we_path[l] = out->we_pa;
		check_entry(at, table_entry(out->we_table, va, l), l, out);
	}
}

static bool
is_device(const struct attempt *at, uint64_t pa, uint64_t len)
{
	const struct dump_machine *machine = at->at_machine;

	for (size_t i = 0; i < machine->dm_ndevices; i++) {
		const struct dump_range *r = &machine->dm_devices[i];

		if (pa >= r->r_start && pa < r->r_end && len <= r->r_end - pa)
			return (true);
	}
	return (false);
}

static void
record(struct attempt *at, uint64_t va, const struct entry *we,
    enum dump_bad why)
{
	attempt_record(at,
	    &(struct dump_anomaly){ .da_kind = why,
		.da_level = (uint8_t)we->we_level,
		.da_va = va,
		.da_entry = we->we_raw,
		.da_pa = we->we_pa });
}

/* Mark what an entry maps, if it is a page; report it if it is bad. */
static void
mark_entry(struct attempt *at, uint64_t va, const struct entry *we)
{
	if (we->we_kind == ENTRY_BAD)
		record(at, va, we, we->we_bad);
	if (we->we_kind == ENTRY_PAGE &&
	    !pages_mark(at, we->we_pa >> PAGE_SHIFT,
		span_of(we->we_level) >> PAGE_SHIFT) &&
	    !is_device(at, we->we_pa, span_of(we->we_level)))
		record(at, va, we, DUMP_BAD_PAGE);
}

/* All entries of a last-level table, which maps va and what follows. */
static void
mark_table(struct attempt *at, uint64_t va, const struct entry *table)
{
	struct entry we = *table;

	we.we_path[0] = table->we_pa;
	for (unsigned int i = 0; i < NENTRIES; i++) {
		uint64_t raw = le64dec(table->we_table + 8 * (size_t)i);

		if ((raw & AMD64_PTE_V) == 0)
			continue;
		check_entry(at, raw, 0, &we);
		mark_entry(at, va + i * span_of(0), &we);
	}
}

/* Version 3 has the tables among the pages. */
static void
mark_path(struct attempt *at, const struct entry *we)
{
	if (at->at_format != DUMP_FORMAT_MINIDUMP3 || we->we_level > ROOT_LEVEL)
		return;
	for (unsigned int level = we->we_level; level <= ROOT_LEVEL; level++)
		pages_force(at, we->we_path[level] >> PAGE_SHIFT);
	if (we->we_kind == ENTRY_TABLE)
		pages_force(at, we->we_pa >> PAGE_SHIFT);
}

static int
mark(struct attempt *at)
{
	uint64_t left = at->at_machine->dm_kva_len;
	uint64_t va = at->at_machine->dm_kva_start;
	uint64_t step, span;

	for (; left > 0; left -= step, va += step) {
		struct entry we;
		int error = attempt_poll(at, 0);

		if (error != 0)
			return (error);
		find_entry(at, va, 1, &we);
		mark_path(at, &we);
		if (we.we_kind == ENTRY_TABLE)
			mark_table(at, va, &we);
		else
			mark_entry(at, va, &we);
		if (we.we_level > ROOT_LEVEL)
			break; /* no root */
		span = span_of(we.we_level);
		step = span - (va & (span - 1));
		if (step > left)
			step = left;
	}
	return (0);
}

/* ---- Entries for the dump's map section ---- */

/*
 * The first n entries of a page directory, without those that cannot be
 * believed: a reader would take what they lead to for page tables.
 */
static int
write_directory(const struct attempt *at, struct stream *st,
    const struct entry *directory, uint64_t n)
{
	const uint8_t *table = directory->we_table;
	struct entry we = *directory;
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	we.we_path[1] = directory->we_pa;
	memset(page, 0, DUMP_PAGE_SIZE);
	for (uint64_t i = 0; i < n && i < NENTRIES; i++) {
		check_entry(at, le64dec(table + 8 * i), 1, &we);
		le64enc(page + 8 * i, we.we_kind != ENTRY_BAD ? we.we_raw : 0);
	}
	return (0);
}

/* The entry at level for va that stands for a part of a larger page. */
static uint64_t
part_entry(const struct entry *we, uint64_t va, unsigned int level)
{
	uint64_t part = va & (span_of(we->we_level) - 1);

	if (level > 0)
		return (we->we_raw + part);
	return ((we->we_pa + part) |
	    (we->we_raw & (AMD64_PTE_NX | AMD64_PTE_RW)) | AMD64_PTE_V);
}

/* A page of such entries, with the rights of the larger page. */
static int
write_parts(struct stream *st, const struct entry *we, uint64_t va,
    unsigned int level)
{
	uint64_t first = part_entry(we, va, level);
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	for (uint64_t i = 0; i < NENTRIES; i++)
		le64enc(page + 8 * i, first + i * span_of(level));
	return (0);
}

static int
write_entries(const struct attempt *at, struct stream *st, uint64_t va,
    unsigned int level, uint64_t n)
{
	struct entry we;

	find_entry(at, va, level + 1, &we);
	switch (we.we_kind) {
	case ENTRY_TABLE:
		if (level > 0)
			return (write_directory(at, st, &we, n));
		return (stream_add(st, we.we_table, we.we_pa, DUMP_PAGE_SIZE));
	case ENTRY_PAGE:
		return (write_parts(st, &we, va, level));
	case ENTRY_NONE:
	case ENTRY_BAD:
		break;
	}
	return (stream_zero(st));
}

const struct mmu mmu_amd64 = {
	.mmu_arch_version = 2,
	.mmu_mark = mark,
	.mmu_write = write_entries,
};
