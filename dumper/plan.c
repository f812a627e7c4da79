/*
 * Which pages a dump is made of.
 *
 *	base	registered as core, or mapped by the kernel and in no other class
 *	frozen	base, and the bulk and user pages that go with it
 *
 * Pages of the class never are in neither.
 *
 * The base is made once for a sink; the frozen set is made again, from it, for
 * each smaller dump that is tried.
 */
#include "dumper/dumper_int.h"

/*
 * A page of the page array is described by another page of it, so one pass is
 * not enough.  Each pass finds far fewer than the one before.
 */
#define MAXPASSES 16

static uint64_t
load_bits(const struct attempt *at, enum dump_class class, uint64_t word)
{
	return (__atomic_load_n(&at->at_pages->dp_class[class][word],
	    __ATOMIC_RELAXED));
}

/* Those of a class that may be dumped. */
static uint64_t
load_word(const struct attempt *at, enum dump_class class, uint64_t word)
{
	return (load_bits(at, class, word) &
	    ~load_bits(at, DUMP_CLASS_NEVER, word));
}

/* Also what the walk marked: nothing marks pages of the base after this. */
static void
drop_never(struct attempt *at)
{
	struct dump_pages *dp = at->at_pages;

	for (uint64_t word = 0; word < dp->dp_nwords; word++)
		dp->dp_base[word] &= ~load_bits(at, DUMP_CLASS_NEVER, word);
}

int
plan_base(struct attempt *at)
{
	struct dump_pages *dp = at->at_pages;
	int error;

	attempt_phase(at, DUMP_PHASE_WALK);
	for (uint64_t word = 0; word < dp->dp_nwords; word++)
		dp->dp_base[word] = load_word(at, DUMP_CLASS_CORE, word);
	error = at->at_mmu->mmu_mark(at);
	drop_never(at);
	return (error);
}

/* Does the bulk page at pa describe a page that is dumped? */
static bool
describes(struct attempt *at, uint64_t pa)
{
	const struct dump_machine *machine = at->at_machine;
	struct dump_range r;

	for (unsigned int i = 0;
	     machine->dm_describes(machine->dm_arg, pa, i, &r); i++)
		if (pages_any(at, at->at_pages->dp_frozen, &r))
			return (true);
	return (false);
}

/* The bulk pages of a word that are to be dumped and were not chosen before. */
static uint64_t
choose_bulk(struct attempt *at, uint64_t word, uint64_t candidates)
{
	uint64_t chosen = 0;
	uint64_t pa;

	for (; candidates != 0; candidates &= candidates - 1) {
		unsigned int bit = (unsigned int)__builtin_ctzll(candidates);

		if (dumpset_pa(&at->at_pages->dp_set, word * 64 + bit, &pa) &&
		    describes(at, pa))
			chosen |= UINT64_C(1) << bit;
	}
	return (chosen);
}

static int
add_bulk(struct attempt *at, uint64_t *nadded)
{
	struct dump_pages *dp = at->at_pages;
	bool all = (at->at_flags & DUMP_FLAG_ALLBULK) != 0 ||
	    at->at_machine->dm_describes == NULL;

	*nadded = 0;
	for (uint64_t word = 0; word < dp->dp_nwords; word++) {
		uint64_t new =
		    load_word(at, DUMP_CLASS_BULK, word) & ~dp->dp_frozen[word];

		if (word % 4096 == 0 && attempt_poll(at, 0) != 0)
			return (DUMP_ECANCELED);
		if (new == 0)
			continue;
		if (!all)
			new = choose_bulk(at, word, new);
		dp->dp_frozen[word] |= new;
		*nadded += count_bits(new);
	}
	return (0);
}

static int
select_bulk(struct attempt *at)
{
	uint64_t nadded;

	for (int pass = 0; pass < MAXPASSES; pass++) {
		int error = add_bulk(at, &nadded);

		if (error != 0)
			return (error);
		if (nadded == 0)
			break;
		at->at_res->res_pages[DUMP_CLASS_BULK] += nadded;
	}
	return (0);
}

/* A user page that is also bulk counts as bulk, and is chosen with that. */
static void
select_user(struct attempt *at)
{
	struct dump_pages *dp = at->at_pages;

	for (uint64_t word = 0; word < dp->dp_nwords; word++) {
		uint64_t new = load_word(at, DUMP_CLASS_USER, word) &
		    ~load_word(at, DUMP_CLASS_BULK, word) &
		    ~dp->dp_frozen[word];

		dp->dp_frozen[word] |= new;
		at->at_res->res_pages[DUMP_CLASS_USER] += count_bits(new);
	}
}

int
plan_select(struct attempt *at)
{
	struct dump_pages *dp = at->at_pages;
	uint64_t *npages = at->at_res->res_pages;

	attempt_phase(at, DUMP_PHASE_PLAN);
	memset(npages, 0, sizeof(at->at_res->res_pages));
	for (uint64_t word = 0; word < dp->dp_nwords; word++) {
		dp->dp_frozen[word] = dp->dp_base[word];
		npages[DUMP_CLASS_CORE] += count_bits(dp->dp_base[word]);
	}
	if ((at->at_flags & DUMP_FLAG_ALLUSER) != 0)
		select_user(at);
	if ((at->at_flags & DUMP_FLAG_NOBULK) != 0)
		return (0);
	return (select_bulk(at));
}
