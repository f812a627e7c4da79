/*
 * Two indexes over the file's symbols: a list by the hashes of their names, and
 * a list by address of those that lie in a section.  Both are sorted: names that
 * were made to have the same hash cost no more than others.
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

#include "format/search.h"
#include "libkvm/array.h"

#define NAME_MAX_LEN 511 /* bytes; symbols with longer names are left out */

/*
 * A compressed file of some kilobytes can have tables of 256 MB.  Kernels have
 * about 100,000 symbols, whose names take some megabytes.  Places have 32-bit
 * indexes.
 */
#define NSYMS_MAX     ((size_t)1 << 20)
#define NAMES_LEN_MAX ((size_t)32 << 20) /* bytes */

/*
 * Functions that lie inside of one another, at most; assembly has two or three.
 * A search goes from each to the one around it.
 */
#define NEST_MAX 16

const char symtab_none[] = "no symbol table";
static const char unreadable[] = "the symbol table cannot be read";
static const char names_unreadable[] =
    "the names of the symbols cannot be read";
static const char no_memory[] = "out of memory";

struct symbol {
	const char *sym_name; /* libelf's, until elf_end() */
	kvaddr_t sym_va;
	uint64_t sym_len;
	kvaddr_t sym_limit; /* of its section; 0: it is in none */
	uint32_t sym_hash;  /* of its name */
	bool sym_code;	    /* its section holds instructions */
	bool sym_typed;	    /* it is a function or an object */
	bool sym_global;
};

/* An entry of the list by address. */
struct place {
	const struct symbol *pl_sym;
	uint32_t pl_outer; /* 1 + index of the entry around it; 0: none */
	uint32_t pl_depth; /* how many are around it */
};

struct symtab {
	const struct symtab_section *stb_sections; /* only while reading */
	size_t stb_nsections;
	const Elf_Data *stb_names; /* libelf's; only while reading */
	struct symbol *stb_syms;   /* owned */
	size_t stb_nsyms;
	size_t stb_room;
	const struct symbol **stb_by_name; /* owned; see compare_names() */
	struct place *stb_by_va; /* owned; ascending; NULL: not made yet */
	size_t stb_nby_va;
};

/* ---- reading ---- */

/* The section that the symbol is in; NULL: in none, as absolute ones. */
static const struct symtab_section *
section_of(const struct symtab *stb, const GElf_Sym *sym)
{
	if (sym->st_shndx >= SHN_LORESERVE ||
	    sym->st_shndx >= stb->stb_nsections)
		return (NULL);
	return (&stb->stb_sections[sym->st_shndx]);
}

/* elf_strptr() would look for the last NUL of the table each time, from its end. */
const char *
symtab_string(const Elf_Data *table, size_t off, size_t max)
{
	const char *s;
	size_t room;

	if (table == NULL || table->d_buf == NULL || off >= table->d_size)
		return (NULL);
	s = (const char *)table->d_buf + off;
	room = table->d_size - off;
	if (room > max + 1)
		room = max + 1;
	return (memchr(s, '\0', room) != NULL ? s : NULL);
}

/*
 * Mapping symbols ($a, $x, $d) of the ARMs and RISC-V mark code, and local
 * labels (.L) are the compiler's: neither is a name.
 */
static bool
is_wanted(const GElf_Sym *sym, const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return (sym->st_shndx != SHN_UNDEF && name != NULL && name[0] != '\0' &&
	    name[0] != '$' && strncmp(name, ".L", 2) != 0 &&
	    (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC));
}

static bool
reserve(struct symtab *stb)
{
	struct symbol *syms;

	syms = array_reserve(stb->stb_syms, stb->stb_nsyms + 1, &stb->stb_room,
	    sizeof(*syms));
	if (syms == NULL)
		return (false);
	stb->stb_syms = syms;
	return (true);
}

static uint32_t
hash_name(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return ((uint32_t)(hash ^ hash >> 32));
}

static void
add_symbol(struct symtab *stb, const GElf_Sym *sym, const char *name)
{
	const struct symtab_section *sts = section_of(stb, sym);
	struct symbol *new = &stb->stb_syms[stb->stb_nsyms];

	if (sts != NULL && !sts->sts_loaded)
		return;
	stb->stb_nsyms++;
	*new = (struct symbol){
		.sym_name = name,
		.sym_hash = hash_name(name),
		.sym_va = sym->st_value + (sts != NULL ? sts->sts_bias : 0),
		.sym_len = sym->st_size,
		.sym_typed = GELF_ST_TYPE(sym->st_info) != STT_NOTYPE,
		.sym_global = GELF_ST_BIND(sym->st_info) != STB_LOCAL,
	};
	if (sts != NULL &&
	    new->sym_va >= sts->sts_start &&new->sym_va <= sts->sts_end) {
		new->sym_limit = sts->sts_end;
		new->sym_code = sts->sts_code;
	}
}

/* Is it a table as the ELF file's class has it? */
static bool
is_table(Elf *elf, const GElf_Shdr *shdr)
{
	return ((shdr->sh_flags & SHF_COMPRESSED) == 0 &&
	    shdr->sh_entsize == gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT));
}

/* Read a symbol table.  NULL, or what is wrong with it. */
static const char *
read_section(struct symtab *stb, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data;
	size_t n;

	if (!is_table(elf, shdr))
		return (unreadable);
	if (shdr->sh_size / shdr->sh_entsize > NSYMS_MAX)
		return ("more than a million symbols");
	if ((data = elf_getdata(scn, NULL)) == NULL)
		return (unreadable);
	n = data->d_size / (size_t)shdr->sh_entsize;
	for (size_t i = 0; i < n; i++) {
		const char *name;
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym) == NULL)
			break;
		name = symtab_string(stb->stb_names, sym.st_name, NAME_MAX_LEN);
		if (!is_wanted(&sym, name))
			continue;
		if (!reserve(stb))
			return (no_memory);
		add_symbol(stb, &sym, name);
	}
	return (NULL);
}

/* The first section of a type; others could be its copies, and are ignored. */
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

/*
 * Read the strings that the symbols of a table have as names.  NULL, or what is
 * wrong with them.
 */
static const char *
read_names(struct symtab *stb, Elf *elf, const GElf_Shdr *symbols)
{
	Elf_Scn *scn = elf_getscn(elf, symbols->sh_link);
	GElf_Shdr shdr;

	if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL ||
	    shdr.sh_type != SHT_STRTAB || (shdr.sh_flags & SHF_COMPRESSED) != 0)
		return (names_unreadable);
	if (shdr.sh_size > NAMES_LEN_MAX)
		return ("the names of the symbols take more than 32 MiB");
	stb->stb_names = elf_getdata(scn, NULL);
	return (stb->stb_names != NULL ? NULL : names_unreadable);
}

static const char *
read_symbols(struct symtab *stb, Elf *elf)
{
	const char *why;
	GElf_Shdr shdr;
	Elf_Scn *scn;

	(void)elf_errno(); /* forget an older error */
	scn = first_of_type(elf, SHT_SYMTAB, &shdr);
	if (scn == NULL)
		scn = first_of_type(elf, SHT_DYNSYM, &shdr);
	if (scn == NULL)
		return (elf_errno() == 0 ?
			symtab_none :
			"the section headers cannot be read");
	why = read_names(stb, elf, &shdr);
	return (why != NULL ? why : read_section(stb, elf, scn, &shdr));
}

/* ---- by name ---- */

static int
compare_name(const struct symbol *sym, uint32_t hash, const char *name)
{
	if (sym->sym_hash != hash)
		return (sym->sym_hash < hash ? -1 : 1);
	return (strcmp(sym->sym_name, name));
}

/*
 * By hash and name.  The first global symbol of a name counts; without one, the
 * first symbol.
 */
static int
compare_names(const void *a, const void *b)
{
	const struct symbol *x = *(const struct symbol *const *)a;
	const struct symbol *y = *(const struct symbol *const *)b;
	int diff = compare_name(x, y->sym_hash, y->sym_name);

	if (diff != 0)
		return (diff);
	if (x->sym_global != y->sym_global)
		return (x->sym_global ? -1 : 1);
	return (x < y ? -1 : x > y ? 1 : 0);
}

static bool
index_by_name(struct symtab *stb)
{
	stb->stb_by_name =
	    calloc(stb->stb_nsyms + 1, sizeof(*stb->stb_by_name));
	if (stb->stb_by_name == NULL)
		return (false);
	for (size_t i = 0; i < stb->stb_nsyms; i++)
		stb->stb_by_name[i] = &stb->stb_syms[i];
	qsort(stb->stb_by_name, stb->stb_nsyms, sizeof(*stb->stb_by_name),
	    compare_names);
	return (true);
}

static void
describe(const struct symbol *sym, struct kvm_symbol *out)
{
	*out = (struct kvm_symbol){
		.ksy_name = sym->sym_name,
		.ksy_va = sym->sym_va,
		.ksy_len = sym->sym_len,
		.ksy_code = sym->sym_code,
	};
}

bool
symtab_find(const struct symtab *stb, const char *name, struct kvm_symbol *out)
{
	uint32_t hash = hash_name(name);
	size_t low = 0, high = stb->stb_nsyms;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_name(stb->stb_by_name[mid], hash, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == stb->stb_nsyms ||
	    compare_name(stb->stb_by_name[low], hash, name) != 0)
		return (false);
	describe(stb->stb_by_name[low], out);
	return (true);
}

/* ---- by address ---- */

static int
compare_flags(bool x, bool y)
{
	return ((x ? 1 : 0) - (y ? 1 : 0));
}

/* By address; of several at one address the last is found: the best. */
static int
compare_va(const void *a, const void *b)
{
	const struct symbol *x = ((const struct place *)a)->pl_sym;
	const struct symbol *y = ((const struct place *)b)->pl_sym;
	int diff;

	if (x->sym_va != y->sym_va)
		return (x->sym_va < y->sym_va ? -1 : 1);
	if ((diff = compare_flags(x->sym_len != 0, y->sym_len != 0)) != 0 ||
	    (diff = compare_flags(x->sym_typed, y->sym_typed)) != 0 ||
	    (diff = compare_flags(x->sym_global, y->sym_global)) != 0)
		return (diff);
	return (x < y ? 1 : x > y ? -1 : 0);
}

/* Does the symbol say that it reaches as far as va, which is above its start? */
static bool
reaches(const struct symbol *sym, kvaddr_t va)
{
	return (sym->sym_len != 0 && va - sym->sym_va < sym->sym_len);
}

/* Find out which entry lies inside of which, and drop the labels that do. */
static void
nest(struct symtab *stb)
{
	struct place *list = stb->stb_by_va;
	uint32_t outer = 0;
	size_t n = 0;

	for (size_t i = 0; i < stb->stb_nby_va; i++) {
		const struct symbol *sym = list[i].pl_sym;

		while (outer != 0 &&
		    !reaches(list[outer - 1].pl_sym, sym->sym_va))
			outer = list[outer - 1].pl_outer;
		if (outer != 0 && sym->sym_len == 0 && !sym->sym_typed)
			continue;
		list[n] = (struct place){
			.pl_sym = sym,
			.pl_outer = outer,
			.pl_depth =
			    outer != 0 ? list[outer - 1].pl_depth + 1 : 0,
		};
		if (sym->sym_len != 0 && list[n].pl_depth + 1 < NEST_MAX)
			outer = (uint32_t)n + 1;
		n++;
	}
	stb->stb_nby_va = n;
}

static bool
index_by_va(struct symtab *stb)
{
	stb->stb_by_va = calloc(stb->stb_nsyms + 1, sizeof(*stb->stb_by_va));
	if (stb->stb_by_va == NULL)
		return (false);
	for (size_t i = 0; i < stb->stb_nsyms; i++) {
		if (stb->stb_syms[i].sym_limit != 0)
			stb->stb_by_va[stb->stb_nby_va++].pl_sym =
			    &stb->stb_syms[i];
	}
	qsort(stb->stb_by_va, stb->stb_nby_va, sizeof(*stb->stb_by_va),
	    compare_va);
	nest(stb);
	return (true);
}

static uint64_t
place_va(const void *places, size_t i)
{
	return (((const struct place *)places)[i].pl_sym->sym_va);
}

/* 1 + index of the last entry at or below va; 0: none. */
static uint32_t
last_at(const struct symtab *stb, kvaddr_t va)
{
	return ((uint32_t)search_upto(stb->stb_by_va, stb->stb_nby_va, place_va,
	    va));
}

/*
 * Does va, at or above its start, belong to the entry?  One without a size ends
 * with what it lies inside of, or with its section.
 */
static bool
covers(const struct symtab *stb, const struct place *place, kvaddr_t va)
{
	const struct symbol *sym = place->pl_sym;

	if (va >= sym->sym_limit)
		return (false);
	if (sym->sym_len != 0)
		return (reaches(sym, va));
	return (place->pl_outer == 0 ||
	    reaches(stb->stb_by_va[place->pl_outer - 1].pl_sym, va));
}

bool
symtab_at(struct symtab *stb, kvaddr_t va, struct kvm_symbol *out)
{
	uint32_t i;

	if (stb->stb_by_va == NULL && !index_by_va(stb))
		return (false);
	for (i = last_at(stb, va); i != 0; i = stb->stb_by_va[i - 1].pl_outer) {
		if (covers(stb, &stb->stb_by_va[i - 1], va)) {
			describe(stb->stb_by_va[i - 1].pl_sym, out);
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
	struct symtab *stb = calloc(1, sizeof(*stb));

	*why = no_memory;
	if (stb == NULL)
		return (NULL);
	stb->stb_sections = sections;
	stb->stb_nsections = n;
	*why = read_symbols(stb, elf);
	stb->stb_sections = NULL;
	stb->stb_names = NULL;
	if (*why == NULL && !index_by_name(stb))
		*why = no_memory;
	if (*why == NULL)
		return (stb);
	symtab_destroy(stb);
	return (NULL);
}

void
symtab_destroy(struct symtab *stb)
{
	if (stb == NULL)
		return;
	free(stb->stb_by_va);
	free(stb->stb_by_name);
	free(stb->stb_syms);
	free(stb);
}
