/*
 * Two indexes over the file's symbols: a hash table of their names, and a list
 * by address of those that lie in a section.
 *
 * Which symbol an address belongs to: the last one that starts at or below it,
 * unless that one has a size and ends before.  Functions written in assembly
 * may lie inside of each other, so each entry knows the one around it, which
 * may reach further.  A label without type and size that lies inside of a
 * function names no place of its own.
 */
#include "libkvm/symtab.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 4095 /* bytes; symbols with longer names are left out */

struct symbol {
	const char *sy_name; /* libelf's, until elf_end() */
	kvaddr_t sy_va;
	uint64_t sy_len;
	kvaddr_t sy_limit; /* of its section; 0: it is in none */
	bool sy_code;	   /* its section holds instructions */
	bool sy_typed;	   /* it is a function or an object */
	bool sy_global;
};

/* An entry of the list by address. */
struct place {
	const struct symbol *pl_sym;
	uint32_t pl_outer; /* 1 + index of the entry around it; 0: none */
};

struct symtab {
	const struct symtab_section *st_sections; /* only while reading */
	size_t st_nsections;
	struct symbol *st_syms; /* owned */
	size_t st_nsyms;
	size_t st_room;
	uint32_t *st_by_name; /* owned; hash table of index + 1, 0: empty */
	size_t st_name_mask;
	struct place *st_by_va; /* owned; ascending; NULL: not made yet */
	size_t st_nby_va;
};

/* ---- reading ---- */

/* The section that the symbol is in; NULL: in none, as absolute ones. */
static const struct symtab_section *
section_of(const struct symtab *st, const GElf_Sym *sym)
{
	if (sym->st_shndx >= SHN_LORESERVE || sym->st_shndx >= st->st_nsections)
		return (NULL);
	return (&st->st_sections[sym->st_shndx]);
}

/*
 * Mapping symbols ($a, $x, $d) of the ARMs and RISC-V mark code, and local
 * labels (.L) are the compiler's: neither is a name.  Names may overlap in the
 * file, so their length is bounded too.
 */
static bool
is_wanted(const GElf_Sym *sym, const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return (sym->st_shndx != SHN_UNDEF && name != NULL && name[0] != '\0' &&
	    name[0] != '$' && strncmp(name, ".L", 2) != 0 &&
	    strnlen(name, NAME_MAX_LEN + 1) <= NAME_MAX_LEN &&
	    (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC));
}

static bool
reserve(struct symtab *st)
{
	size_t room = st->st_room == 0 ? 1024 : 2 * st->st_room;
	struct symbol *syms = NULL;

	if (st->st_nsyms < st->st_room)
		return (true);
	if (room <= UINT32_MAX / 4)
		syms = realloc(st->st_syms, room * sizeof(*syms));
	if (syms == NULL)
		return (false);
	st->st_syms = syms;
	st->st_room = room;
	return (true);
}

static void
add_symbol(struct symtab *st, const GElf_Sym *sym, const char *name)
{
	const struct symtab_section *ss = section_of(st, sym);
	struct symbol *sy = &st->st_syms[st->st_nsyms];

	if (ss != NULL && !ss->ss_loaded)
		return;
	st->st_nsyms++;
	*sy = (struct symbol){
		.sy_name = name,
		.sy_va = sym->st_value + (ss != NULL ? ss->ss_bias : 0),
		.sy_len = sym->st_size,
		.sy_typed = GELF_ST_TYPE(sym->st_info) != STT_NOTYPE,
		.sy_global = GELF_ST_BIND(sym->st_info) != STB_LOCAL,
	};
	if (ss != NULL && sy->sy_va >= ss->ss_start &&
	    sy->sy_va <= ss->ss_end) {
		sy->sy_limit = ss->ss_end;
		sy->sy_code = ss->ss_code;
	}
}

/* The symbols of a section of them.  NULL, or what is wrong with it. */
static const char *
read_section(struct symtab *st, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n;

	if (data == NULL || shdr->sh_entsize == 0)
		return ("the symbol table cannot be read");
	n = data->d_size / (size_t)shdr->sh_entsize;
	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		const char *name;
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym) == NULL)
			break;
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (!is_wanted(&sym, name))
			continue;
		if (!reserve(st))
			return ("too many symbols");
		add_symbol(st, &sym, name);
	}
	return (NULL);
}

/* The first of a type; there is one in a file, more could be the same bytes. */
static Elf_Scn *
first_of_type(Elf *elf, unsigned int type, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		if (gelf_getshdr(scn, shdr) != NULL && shdr->sh_type == type)
			return (scn);
	}
	return (NULL);
}

static const char *
read_symbols(struct symtab *st, Elf *elf)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = first_of_type(elf, SHT_SYMTAB, &shdr);

	if (scn == NULL)
		scn = first_of_type(elf, SHT_DYNSYM, &shdr);
	if (scn == NULL)
		return ("no symbol table");
	return (read_section(st, elf, scn, &shdr));
}

/* ---- by name ---- */

static size_t
hash_name(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return ((size_t)(hash ^ hash >> 32));
}

/* The slot of name: that of the symbol, or an empty one. */
static uint32_t *
name_slot(const struct symtab *st, const char *name)
{
	size_t i = hash_name(name) & st->st_name_mask;

	while (st->st_by_name[i] != 0 &&
	    strcmp(st->st_syms[st->st_by_name[i] - 1].sy_name, name) != 0)
		i = (i + 1) & st->st_name_mask;
	return (&st->st_by_name[i]);
}

/* Of symbols with the same name the first global one counts, else the first. */
static bool
index_by_name(struct symtab *st)
{
	size_t size = 16;

	while (size < 2 * st->st_nsyms)
		size *= 2;
	if ((st->st_by_name = calloc(size, sizeof(*st->st_by_name))) == NULL)
		return (false);
	st->st_name_mask = size - 1;
	for (size_t i = 0; i < st->st_nsyms; i++) {
		uint32_t *slot = name_slot(st, st->st_syms[i].sy_name);

		if (*slot == 0 ||
		    (st->st_syms[i].sy_global &&
			!st->st_syms[*slot - 1].sy_global))
			*slot = (uint32_t)i + 1;
	}
	return (true);
}

static void
describe(const struct symbol *sym, struct kvm_symbol *out)
{
	*out = (struct kvm_symbol){
		.ks_name = sym->sy_name,
		.ks_va = sym->sy_va,
		.ks_len = sym->sy_len,
		.ks_code = sym->sy_code,
	};
}

bool
symtab_find(const struct symtab *st, const char *name, struct kvm_symbol *out)
{
	uint32_t idx = *name_slot(st, name);

	if (idx == 0)
		return (false);
	describe(&st->st_syms[idx - 1], out);
	return (true);
}

/* ---- by address ---- */

static int
compare_flags(bool x, bool y)
{
	return ((x ? 1 : 0) - (y ? 1 : 0));
}

/* Of those at one address the best is found, so it comes last. */
static int
compare_va(const void *a, const void *b)
{
	const struct symbol *x = ((const struct place *)a)->pl_sym;
	const struct symbol *y = ((const struct place *)b)->pl_sym;
	int diff;

	if (x->sy_va != y->sy_va)
		return (x->sy_va < y->sy_va ? -1 : 1);
	if ((diff = compare_flags(x->sy_len != 0, y->sy_len != 0)) != 0 ||
	    (diff = compare_flags(x->sy_typed, y->sy_typed)) != 0 ||
	    (diff = compare_flags(x->sy_global, y->sy_global)) != 0)
		return (diff);
	return (x < y ? 1 : x > y ? -1 : 0);
}

/* Does the symbol say that it reaches as far as va, which is above its start? */
static bool
reaches(const struct symbol *sym, kvaddr_t va)
{
	return (sym->sy_len != 0 && va - sym->sy_va < sym->sy_len);
}

/* Find out which entry lies inside of which, and drop the labels that do. */
static void
nest(struct symtab *st)
{
	struct place *list = st->st_by_va;
	uint32_t outer = 0;
	size_t n = 0;

	for (size_t i = 0; i < st->st_nby_va; i++) {
		const struct symbol *sym = list[i].pl_sym;

		while (outer != 0 &&
		    !reaches(list[outer - 1].pl_sym, sym->sy_va))
			outer = list[outer - 1].pl_outer;
		if (outer != 0 && sym->sy_len == 0 && !sym->sy_typed)
			continue;
		list[n++] = (struct place){ .pl_sym = sym, .pl_outer = outer };
		if (sym->sy_len != 0)
			outer = (uint32_t)n;
	}
	st->st_nby_va = n;
}

static bool
index_by_va(struct symtab *st)
{
	st->st_by_va = calloc(st->st_nsyms + 1, sizeof(*st->st_by_va));
	if (st->st_by_va == NULL)
		return (false);
	for (size_t i = 0; i < st->st_nsyms; i++) {
		if (st->st_syms[i].sy_limit != 0)
			st->st_by_va[st->st_nby_va++].pl_sym = &st->st_syms[i];
	}
	qsort(st->st_by_va, st->st_nby_va, sizeof(*st->st_by_va), compare_va);
	nest(st);
	return (true);
}

/* 1 + index of the last entry at or below va; 0: none. */
static uint32_t
last_at(const struct symtab *st, kvaddr_t va)
{
	size_t low = 0, high = st->st_nby_va;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (st->st_by_va[mid].pl_sym->sy_va <= va)
			low = mid + 1;
		else
			high = mid;
	}
	return ((uint32_t)low);
}

/*
 * Does va, at or above its start, belong to the entry?  One without a size ends
 * with what it lies inside of, or with its section.
 */
static bool
covers(const struct symtab *st, const struct place *place, kvaddr_t va)
{
	const struct symbol *sym = place->pl_sym;

	if (va >= sym->sy_limit)
		return (false);
	if (sym->sy_len != 0)
		return (reaches(sym, va));
	return (place->pl_outer == 0 ||
	    reaches(st->st_by_va[place->pl_outer - 1].pl_sym, va));
}

bool
symtab_at(struct symtab *st, kvaddr_t va, struct kvm_symbol *out)
{
	uint32_t i;

	if (st->st_by_va == NULL && !index_by_va(st))
		return (false);
	for (i = last_at(st, va); i != 0; i = st->st_by_va[i - 1].pl_outer) {
		if (covers(st, &st->st_by_va[i - 1], va)) {
			describe(st->st_by_va[i - 1].pl_sym, out);
			return (true);
		}
	}
	return (false);
}

/* ---- the table ---- */

struct symtab *
symtab_create(Elf *elf, const struct symtab_section *sections, size_t n,
    const char **why)
{
	struct symtab *st = calloc(1, sizeof(*st));

	*why = "out of memory";
	if (st == NULL)
		return (NULL);
	st->st_sections = sections;
	st->st_nsections = n;
	*why = read_symbols(st, elf);
	st->st_sections = NULL;
	if (*why == NULL && !index_by_name(st))
		*why = "out of memory";
	if (*why == NULL)
		return (st);
	symtab_destroy(st);
	return (NULL);
}

void
symtab_destroy(struct symtab *st)
{
	if (st == NULL)
		return;
	free(st->st_by_va);
	free(st->st_by_name);
	free(st->st_syms);
	free(st);
}
