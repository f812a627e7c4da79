/*
 * The kernel's structures through elfutils' libdw.
 *
 * Structures are searched at the outer level of each compile unit, unit by
 * unit, until all wanted ones were found.  In a kernel the first few units have
 * the common ones.  A search costs at most one pass over the debug information.
 *
 * Types are a graph, and a file can make it a circle.  Chains and nesting are
 * bounded, and so is the number of members that one search may look at.
 */
#include "libkvm/types.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/debuglink.h"
#include "libkvm/debugsections.h"
#include "libkvm/helper.h"

#define DEPTH_MAX   16	    /* of typedefs, arrays, unnamed members */
#define MEMBERS_MAX 1000000 /* looked at in one search */

struct types {
	Dwarf *ty_dwarf;  /* owned; NULL: there is no debug information */
	Elf *ty_exec_elf; /* the kernel file's own */
	Elf *ty_elf;	  /* owned; of what was split off, NULL: not used */
	int ty_fd;	  /* owned; -1: the same */
	bool ty_elsewhere;
	size_t ty_nlooks; /* members looked at in this search */
};

/* ---- files ---- */

static bool
has_units(Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;

	return (dwarf != NULL &&
	    dwarf_get_units(dwarf, NULL, &cu, NULL, NULL, NULL, NULL) == 0);
}

static bool
open_dwarf(struct types *ty, Elf *elf)
{
	ty->ty_dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	helper_check();
	if (has_units(ty->ty_dwarf)) {
		ty->ty_elsewhere = debugsections_elsewhere(ty->ty_dwarf);
		if (!ty->ty_elsewhere)
			return (true);
	}
	(void)dwarf_end(ty->ty_dwarf);
	ty->ty_dwarf = NULL;
	return (false);
}

static bool
open_split(struct types *ty, struct exec *ex)
{
	struct debuglink dl = { .dl_path = exec_path(ex) };
	GElf_Word crc = 0;
	const void *id;
	char *path;
	ssize_t len;

	dl.dl_name = dwelf_elf_gnu_debuglink(exec_elf(ex), &crc);
	dl.dl_crc = crc;
	len = dwelf_elf_gnu_build_id(exec_elf(ex), &id);
	if (len > 0) {
		dl.dl_build_id = id;
		dl.dl_build_id_len = (size_t)len;
	}
	if ((ty->ty_fd = debuglink_open(&dl, &path)) < 0)
		return (false);
	free(path);
	ty->ty_elf = elf_begin(ty->ty_fd, ELF_C_READ, NULL);
	return (ty->ty_elf != NULL && open_dwarf(ty, ty->ty_elf));
}

struct types *
types_open(struct exec *ex)
{
	struct types *ty = calloc(1, sizeof(*ty));

	if (ty == NULL)
		return (NULL);
	ty->ty_fd = -1;
	ty->ty_exec_elf = exec_elf(ex);
	if (!open_dwarf(ty, ty->ty_exec_elf))
		(void)open_split(ty, ex);
	return (ty);
}

const char *
types_unreadable(const struct types *ty)
{
	const char *name = debugsections_unreadable(ty->ty_exec_elf);

	if (name == NULL && ty->ty_elf != NULL)
		name = debugsections_unreadable(ty->ty_elf);
	return (name);
}

bool
types_elsewhere(const struct types *ty)
{
	return (ty->ty_elsewhere);
}

void
types_close(struct types *ty)
{
	if (ty == NULL)
		return;
	(void)dwarf_end(ty->ty_dwarf);
	(void)elf_end(ty->ty_elf);
	if (ty->ty_fd >= 0)
		(void)close(ty->ty_fd);
	free(ty);
}

/* ---- types ---- */

/* The type of die without typedefs and qualifiers. */
static bool
bare_type(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute attr;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		if (dwarf_attr(die, DW_AT_type, &attr) == NULL ||
		    dwarf_formref_die(&attr, out) == NULL)
			return (false);
		switch (dwarf_tag(out)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			die = out;
			break;
		default:
			return (true);
		}
	}
	return (false);
}

static uint64_t
number(Dwarf_Die *die, unsigned int name, uint64_t otherwise)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (dwarf_attr(die, name, &attr) == NULL ||
	    dwarf_formudata(&attr, &value) != 0)
		return (otherwise);
	return (value);
}

/* How many elements an array has in all its dimensions; 0: unknown. */
static uint64_t
count_elements(Dwarf_Die *array)
{
	uint64_t count = 1;
	Dwarf_Die child;

	if (dwarf_child(array, &child) != 0)
		return (0);
	do {
		uint64_t last = number(&child, DW_AT_upper_bound, UINT64_MAX);
		uint64_t n = number(&child, DW_AT_count, last + 1);

		if (dwarf_tag(&child) == DW_TAG_subrange_type &&
		    __builtin_mul_overflow(count, n, &count))
			return (0);
	} while (dwarf_siblingof(&child, &child) == 0);
	return (count);
}

/* The size of die's type, a member's or an array's, in bytes; 0: unknown. */
static uint64_t
type_len(Dwarf_Die *die)
{
	uint64_t count = 1;
	uint64_t len = 0;
	Dwarf_Die type;
	uint8_t ptr_len;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		if (!bare_type(die, &type))
			return (0);
		if (dwarf_tag(&type) != DW_TAG_array_type)
			break;
		if (__builtin_mul_overflow(count, count_elements(&type),
			&count))
			return (0);
		die = &type;
	}
	if (dwarf_tag(&type) == DW_TAG_pointer_type &&
	    dwarf_cu_die(type.cu, &(Dwarf_Die){ 0 }, NULL, NULL, &ptr_len, NULL,
		NULL, NULL) != NULL)
		len = ptr_len;
	len = number(&type, DW_AT_byte_size, len);
	return (__builtin_mul_overflow(len, count, &len) ? 0 : len);
}

/* ---- members ---- */

/* The offset of a member.  Members of a union have no location: it is 0. */
static bool
member_off(Dwarf_Die *member, uint64_t *off)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t nops;

	*off = 0;
	if (dwarf_hasattr(member, DW_AT_data_bit_offset) ||
	    dwarf_hasattr(member, DW_AT_bit_offset))
		return (false);
	if (dwarf_attr(member, DW_AT_data_member_location, &attr) == NULL)
		return (true);
	if (dwarf_getlocation(&attr, &ops, &nops) != 0 || nops != 1 ||
	    ops[0].atom != DW_OP_plus_uconst)
		return (false);
	*off = ops[0].number;
	return (true);
}

static bool
is_named(Dwarf_Die *die, const char *name, size_t len)
{
	const char *text = dwarf_diename(die);

	return (text != NULL && strncmp(text, name, len) == 0 &&
	    text[len] == '\0');
}

/*
 * Find the member of the structure; the members of an unnamed structure inside
 * it count too.  The member's offset is added to *off.
 */
static bool
find_member(struct types *ty, Dwarf_Die *type, const char *name, size_t len,
    int depth, Dwarf_Die *out, uint64_t *off)
{
	Dwarf_Die inner;
	uint64_t at;

	if (depth == DEPTH_MAX || dwarf_child(type, out) != 0)
		return (false);
	do {
		if (++ty->ty_nlooks > MEMBERS_MAX)
			return (false);
		if (dwarf_tag(out) != DW_TAG_member || !member_off(out, &at))
			continue;
		if (is_named(out, name, len)) {
			*off += at;
			return (true);
		}
		if (dwarf_diename(out) == NULL && bare_type(out, &inner)) {
			Dwarf_Die found;
			uint64_t sum = *off + at;

			if (find_member(ty, &inner, name, len, depth + 1,
				&found, &sum)) {
				*out = found;
				*off = sum;
				return (true);
			}
		}
	} while (dwarf_siblingof(out, out) == 0);
	return (false);
}

/* The value that the enumeration gives to the name. */
static bool
find_enumerator(Dwarf_Die *type, const char *name, uint64_t *value)
{
	Dwarf_Die die;

	if (dwarf_tag(type) != DW_TAG_enumeration_type ||
	    dwarf_child(type, &die) != 0)
		return (false);
	do {
		if (is_named(&die, name, strlen(name))) {
			*value = number(&die, DW_AT_const_value, UINT64_MAX);
			return (*value != UINT64_MAX);
		}
	} while (dwarf_siblingof(&die, &die) == 0);
	return (false);
}

/* Fill in mb, of the structure at type.  false: it has no such member. */
static bool
fill_in(struct types *ty, Dwarf_Die *type, struct kvm_member *mb)
{
	const char *name = mb->kmb_name;
	Dwarf_Die at = *type;
	Dwarf_Die member;
	uint64_t len = number(type, DW_AT_byte_size, 0);
	uint64_t off = 0;

	while (name != NULL) {
		size_t n = strcspn(name, ".");

		if (find_enumerator(&at, name, &off)) {
			len = 0;
			break;
		}
		if (!find_member(ty, &at, name, n, 0, &member, &off))
			return (false);
		len = type_len(&member);
		name = name[n] == '.' ? name + n + 1 : NULL;
		if (name != NULL && !bare_type(&member, &at))
			return (false);
	}
	if (off > KVM_MEMBER_MAX || len > KVM_MEMBER_MAX)
		return (false);
	mb->kmb_off = (uint32_t)off;
	mb->kmb_len = (uint32_t)len;
	return (true);
}

/* ---- structures ---- */

static bool
is_structure(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return ((tag == DW_TAG_structure_type || tag == DW_TAG_union_type) &&
	    !dwarf_hasattr(die, DW_AT_declaration));
}

/*
 * The members that a search has not found yet.  types_find() owns the arrays.
 */
struct search {
	struct kvm_member *sr_list;
	bool *sr_seen; /* its structure was */
	size_t sr_n;
	size_t sr_nleft;  /* not seen */
	size_t sr_nfound; /* filled in */
};

/* Fill in all wanted members of this structure. */
static void
visit(struct types *ty, Dwarf_Die *die, struct search *sr)
{
	for (size_t i = 0; i < sr->sr_n; i++) {
		struct kvm_member *mb = &sr->sr_list[i];

		if (sr->sr_seen[i] ||
		    !is_named(die, mb->kmb_type, strlen(mb->kmb_type)))
			continue;
		sr->sr_seen[i] = true;
		sr->sr_nleft--;
		if (fill_in(ty, die, mb))
			sr->sr_nfound++;
	}
}

static void
visit_units(struct types *ty, struct search *sr)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit, die;

	while (sr->sr_nleft != 0 &&
	    dwarf_get_units(ty->ty_dwarf, cu, &cu, NULL, NULL, &unit, NULL) ==
		0) {
		if (dwarf_child(&unit, &die) != 0)
			continue;
		do {
			if (is_structure(&die))
				visit(ty, &die, sr);
		} while (sr->sr_nleft != 0 && dwarf_siblingof(&die, &die) == 0);
	}
}

size_t
types_find(struct types *ty, struct kvm_member *list, size_t n)
{
	struct search sr = { .sr_list = list, .sr_n = n, .sr_nleft = n };

	if (ty->ty_dwarf == NULL)
		return (0);
	if ((sr.sr_seen = calloc(n, sizeof(*sr.sr_seen))) == NULL)
		return (0);
	ty->ty_nlooks = 0;
	visit_units(ty, &sr);
	free(sr.sr_seen);
	return (sr.sr_nfound);
}
