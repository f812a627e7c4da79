#include "tests/dumper/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/bytes.h"

static _Noreturn void
die(const char *what, uint64_t pa)
{
	fprintf(stderr, "sim: %s: %#jx\n", what, (uintmax_t)pa);
	abort();
}

/* len zeros at a page boundary. */
static void *
allocate(uint64_t len)
{
	size_t rounded = ((size_t)len + DUMP_PAGE_SIZE - 1) / DUMP_PAGE_SIZE *
	    DUMP_PAGE_SIZE;
	void *p = aligned_alloc(DUMP_PAGE_SIZE, rounded);

	if (p == NULL)
		die("out of memory", len);
	memset(p, 0, rounded);
	return (p);
}

/* splitmix64, by Sebastiano Vigna: public domain. */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31);
}

uint64_t
sim_random(struct sim *sim, uint64_t n)
{
	sim->random += UINT64_C(0x9e3779b97f4a7c15);
	return (mix(sim->random) % n);
}

uint64_t
sim_index(const struct sim *sim, uint64_t pa)
{
	uint64_t index = 0;

	for (size_t i = 0; i < sim->nranges; i++) {
		const struct dump_range *r = &sim->ranges[i];

		if (pa >= r->r_start && pa < r->r_end)
			return (index + (pa - r->r_start) / DUMP_PAGE_SIZE);
		index += (r->r_end - r->r_start) / DUMP_PAGE_SIZE;
	}
	return (UINT64_MAX);
}

uint64_t
sim_pa(const struct sim *sim, uint64_t index)
{
	for (size_t i = 0; i < sim->nranges; i++) {
		const struct dump_range *r = &sim->ranges[i];
		uint64_t n = (r->r_end - r->r_start) / DUMP_PAGE_SIZE;

		if (index < n)
			return (r->r_start + index * DUMP_PAGE_SIZE);
		index -= n;
	}
	die("no such page", index);
}

uint8_t *
sim_bytes(struct sim *sim, uint64_t pa)
{
	uint64_t index = sim_index(sim, pa);

	if (index == UINT64_MAX)
		die("not memory", pa);
	return (sim->memory + index * DUMP_PAGE_SIZE);
}

static const void *
look(void *arg, uint64_t pa)
{
	struct sim *sim = arg;

	if (pa % DUMP_PAGE_SIZE != 0 || sim_index(sim, pa) == UINT64_MAX)
		die("the dumper looked at what is not a page", pa);
	return (sim->unreadable[sim_index(sim, pa)] ? NULL :
						      sim_bytes(sim, pa));
}

/*
 * A bulk page describes the eight pages whose index starts at eight times its
 * own, as far as there are so many.
 */
static bool
describes(void *arg, uint64_t pa, unsigned int i, struct dump_range *out)
{
	const struct sim *sim = arg;
	uint64_t index = sim_index(sim, pa) * 8 + i;

	if (i >= 8 || index >= sim->npages)
		return (false);
	out->r_start = sim_pa(sim, index);
	out->r_end = out->r_start + DUMP_PAGE_SIZE;
	return (true);
}

uint8_t
sim_owner(const struct sim *sim, uint64_t pa)
{
	return ((uint8_t)(mix(sim_index(sim, pa)) % (OWNER_COUNT + 2)));
}

static void
tell_owners(void *arg, uint64_t pa, unsigned int n, uint8_t *owner)
{
	const struct sim *sim = arg;

	if (n == 0 || n > DUMP_OWNERS_MAX)
		die("the dumper asks for so many owners", n);
	for (unsigned int i = 0; i < n; i++, pa += DUMP_PAGE_SIZE) {
		if (sim_index(sim, pa) == UINT64_MAX)
			die("the dumper asks for an owner of no page", pa);
		owner[i] = sim_owner(sim, pa);
	}
}

/* Every eight bytes of memory tell where they are. */
static void
fill(struct sim *sim)
{
	for (uint64_t i = 0; i < sim->npages * DUMP_PAGE_SIZE; i += 8)
		le64enc(sim->memory + i, mix(i + 1));
	for (size_t i = 0; i < sizeof(sim->msgbuf); i++)
		sim->msgbuf[i] = (uint8_t)('a' + i % 26);
	memset(sim->msgbuf_tail, '!', sizeof(sim->msgbuf_tail));
}

/* A table for entries at level, on the way to va. */
static uint64_t
new_table(struct sim *sim, uint64_t va, unsigned int level)
{
	uint64_t len = UINT64_C(1) << (21 + 9 * level);
	uint64_t pa = sim_page(sim);

	if (sim->ntables == SIM_MAXTABLES)
		die("too many tables", pa);
	memset(sim_bytes(sim, pa), 0, DUMP_PAGE_SIZE);
	sim->tables[sim->ntables++] =
	    (struct sim_table){ .pa = pa, .va = va & ~(len - 1), .len = len };
	return (pa);
}

static void
describe_machine(struct sim *sim)
{
	sim->machine = (struct dump_machine){
		.dm_arch = ARCH_AMD64,
		.dm_pages = &sim->pages,
		.dm_arg = sim,
		.dm_page = look,
		.dm_describes = describes,
		.dm_owners = tell_owners,
		.dm_root_pa = sim->tables[0].pa,
		.dm_phys_bits = 46,
		.dm_kva_start = SIM_KERNBASE,
		.dm_kva_len = SIM_KVA_LEN,
		.dm_dmap_start = SIM_DMAP,
		.dm_dmap_end = SIM_DMAP_END,
		.dm_load_va = SIM_DATA_VA,
		.dm_load_pa = sim->data_pa,
		.dm_msgbuf = sim->msgbuf,
		.dm_msgbuf_len = sizeof(sim->msgbuf),
		.dm_msgbuf_tail = sizeof(sim->msgbuf_tail),
		.dm_hostname = "sim",
		.dm_version = "vmcore sim 1\n",
		.dm_panic = "simulated",
		.dm_time = 1234567890,
	};
}

struct sim *
sim_create(const struct dump_range *ranges, size_t nranges, uint64_t seed)
{
	struct sim *sim = allocate(sizeof(*sim));
	size_t len = dump_pages_len(ranges, nranges);

	if (len == 0 || nranges > SIM_MAXRANGES)
		die("bad ranges", nranges);
	memcpy(sim->ranges, ranges, nranges * sizeof(*ranges));
	sim->nranges = nranges;
	sim->random = seed;
	sim->pages_mem = allocate(len);
	if (dump_pages_init(&sim->pages, ranges, nranges, sim->pages_mem,
		len) != 0)
		die("no page set", len);
	sim->npages = sim->pages.dp_set.set_nbits;
	sim->memory = allocate(sim->npages * DUMP_PAGE_SIZE);
	sim->classes = allocate(sim->npages);
	sim->taken = allocate(sim->npages);
	sim->unreadable = allocate(sim->npages);
	fill(sim);
	(void)new_table(sim, SIM_KERNBASE, 3);
	sim->data_pa = sim_page(sim);
	sim_map(sim, SIM_DATA_VA, sim->data_pa, 0, SIM_RW | SIM_NX);
	le64enc(sim_bytes(sim, sim->data_pa), sim->tables[0].pa);
	describe_machine(sim);
	return (sim);
}

void
sim_destroy(struct sim *sim)
{
	free(sim->memory);
	free(sim->classes);
	free(sim->taken);
	free(sim->unreadable);
	free(sim->pages_mem);
	free(sim);
}

uint64_t
sim_page(struct sim *sim)
{
	for (int tries = 0; tries < 100000; tries++) {
		uint64_t index = sim_random(sim, sim->npages);

		if (sim->taken[index] ||
		    (sim->classes[index] & 1 << DUMP_CLASS_NEVER) != 0)
			continue;
		sim->taken[index] = 1;
		return (sim_pa(sim, index));
	}
	die("memory is full", 0);
}

static uint8_t *
entry_in(struct sim *sim, uint64_t table, uint64_t va, unsigned int level)
{
	return (sim_bytes(sim, table) + 8 * (va >> (12 + 9 * level) & 511));
}

static uint64_t
frame(uint64_t entry)
{
	return (entry & UINT64_C(0x000ffffffffff000));
}

uint64_t
sim_table(struct sim *sim, uint64_t va, unsigned int level)
{
	uint64_t table = sim->tables[0].pa;

	for (unsigned int l = 3; l > level; l--)
		table = frame(le64dec(entry_in(sim, table, va, l)));
	return (table);
}

uint8_t *
sim_entry(struct sim *sim, uint64_t va, unsigned int level)
{
	return (entry_in(sim, sim_table(sim, va, level), va, level));
}

void
sim_map(struct sim *sim, uint64_t va, uint64_t pa, unsigned int level,
    uint64_t flags)
{
	uint64_t table = sim->tables[0].pa;

	for (unsigned int l = 3; l > level; l--) {
		uint8_t *entry = entry_in(sim, table, va, l);

		if (le64dec(entry) == 0)
			le64enc(entry,
			    new_table(sim, va, l - 1) | SIM_V | SIM_RW);
		table = frame(le64dec(entry));
	}
	if (le64dec(entry_in(sim, table, va, level)) != 0)
		die("mapped already", va);
	le64enc(entry_in(sim, table, va, level),
	    pa | flags | SIM_V | (level > 0 ? SIM_PS : 0));
	if (sim->nmaps == SIM_MAXMAPS)
		die("too many mappings", va);
	sim->maps[sim->nmaps++] = (struct sim_map){ .va = va,
		.pa = pa,
		.len = UINT64_C(1) << (12 + 9 * level) };
}

void
sim_damage(struct sim *sim, uint64_t va, unsigned int level, uint64_t entry)
{
	uint64_t len = UINT64_C(1) << (12 + 9 * level);

	le64enc(sim_entry(sim, va, level), entry);
	sim->lost = (struct sim_map){ .va = va & ~(len - 1), .len = len };
}

void
sim_add(struct sim *sim, uint64_t pa, enum dump_class class)
{
	dump_pages_add(&sim->pages, pa, class);
	sim->classes[sim_index(sim, pa)] |= (uint8_t)(1 << class);
}

void
sim_scatter(struct sim *sim)
{
	for (int i = 0; i < 200; i++) {
		uint64_t index = sim_random(sim, sim->npages);
		enum dump_class class =
		    (enum dump_class)sim_random(sim, DUMP_NCLASSES);

		/* The root and the data have to be dumped. */
		if (class != DUMP_CLASS_NEVER || !sim->taken[index])
			sim_add(sim, sim_pa(sim, index), class);
	}
	/* In the first GB after the data's 2 MB, at most one mapping each. */
	for (uint64_t va = SIM_KERNBASE + 0x400000; sim->nmaps < 100;
	     va += (1 + sim_random(sim, 1000)) * DUMP_PAGE_SIZE)
		sim_map(sim, va, sim_pa(sim, sim_random(sim, sim->npages)), 0,
		    sim_random(sim, 2) ? SIM_RW : SIM_NX);
	/* In the second: 2 MB each, of which parts may not be memory. */
	for (uint64_t i = 0; i < 4; i++)
		sim_map(sim,
		    SIM_KERNBASE + 0x40000000 + sim_random(sim, 50) * 0x200000 +
			i * 100 * 0x200000,
		    sim_pa(sim, sim_random(sim, sim->npages)) &
			~UINT64_C(0x1fffff),
		    1, SIM_RW);
}

/* ---- The model ---- */

static bool
is_lost(const struct sim *sim, uint64_t va, uint64_t len)
{
	return (va >= sim->lost.va && va - sim->lost.va < sim->lost.len &&
	    len <= sim->lost.len - (va - sim->lost.va));
}

bool
sim_translate(const struct sim *sim, uint64_t va, uint64_t *pa)
{
	for (size_t i = 0; i < sim->nmaps; i++) {
		const struct sim_map *map = &sim->maps[i];

		if (va < map->va || va - map->va >= map->len ||
		    is_lost(sim, map->va, map->len))
			continue;
		*pa = map->pa + (va - map->va);
		return (true);
	}
	return (false);
}

static bool
is_mapped(const struct sim *sim, uint64_t pa)
{
	for (size_t i = 0; i < sim->nmaps; i++) {
		const struct sim_map *map = &sim->maps[i];

		if (pa >= map->pa && pa - map->pa < map->len &&
		    !is_lost(sim, map->va, map->len))
			return (true);
	}
	return (false);
}

static bool
is_table(const struct sim *sim, uint64_t pa)
{
	for (size_t i = 0; i < sim->ntables; i++)
		if (sim->tables[i].pa == pa &&
		    !is_lost(sim, sim->tables[i].va, sim->tables[i].len))
			return (true);
	return (false);
}

bool
sim_dumped(const struct sim *sim, uint64_t pa, enum dump_format format,
    unsigned int flags)
{
	uint64_t index = sim_index(sim, pa);
	unsigned int class;

	if (index == UINT64_MAX)
		return (false);
	class = sim->classes[index];
	if (format != DUMP_FORMAT_FULL && (class & 1 << DUMP_CLASS_NEVER) != 0)
		return (false);
	if (format == DUMP_FORMAT_FULL || (class & 1 << DUMP_CLASS_CORE) != 0 ||
	    (format == DUMP_FORMAT_MINIDUMP3 && is_table(sim, pa)))
		return (true);
	if ((class & 1 << DUMP_CLASS_BULK) != 0) {
		if ((flags & DUMP_FLAG_NOBULK) != 0)
			return (false);
		if ((flags & DUMP_FLAG_ALLBULK) != 0)
			return (true);
		for (uint64_t i = index * 8;
		     i < index * 8 + 8 && i < sim->npages; i++)
			if (i != index &&
			    sim_dumped(sim, sim_pa(sim, i), format, flags))
				return (true);
		return (false);
	}
	if ((class & 1 << DUMP_CLASS_USER) != 0)
		return ((flags & DUMP_FLAG_ALLUSER) != 0);
	return (is_mapped(sim, pa));
}
