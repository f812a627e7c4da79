/*
 * The loaded kernel modules: linker_files, a tail queue of struct linker_file
 * that the kernel itself is an element of.
 */
#include <errno.h>
#include <stdlib.h>

#include "format/search.h"
#include "kdebug/debugfile.h"
#include "kdebug/kdebug_int.h"
#include "kdebug/modfile.h"
#include "libkvm/array.h"

/* Larger than any module, in bytes: a length above this is damaged. */
#define MODULE_LEN_MAX ((uint64_t)1 << 30)

static kvaddr_t
field(struct kdebug *kdb, kvaddr_t lf_va, enum layout_const which)
{
	return (lf_va + kdb->kdb_layout.kl_const[which]);
}

/* The string that a pointer at va points to; "" if there is none. */
static const char *
read_path(struct kdebug *kdb, kvaddr_t va)
{
	char path[KPATH_LEN];
	const char *text;
	kvaddr_t str_va;

	if (!mem_word(kdb, va, &str_va) || str_va == 0)
		return ("");
	text = arena_text(&kdb->kdb_arena, path,
	    mem_string(kdb, str_va, path, sizeof(path)));
	return (text != NULL ? text : "");
}

static bool
reserve(struct modules *ms)
{
	size_t room = ms->ms_room; /* of the first; both are as long */
	struct kdebug_module *list =
	    array_reserve(ms->ms_list, ms->ms_count + 1, &room, sizeof(*list));
	struct modmap *maps;

	if (list == NULL)
		return (false);
	ms->ms_list = list;
	maps = array_reserve(ms->ms_maps, ms->ms_count + 1, &ms->ms_room,
	    sizeof(*maps));
	if (maps == NULL)
		return (false);
	ms->ms_maps = maps;
	return (true);
}

/* An int at va; 0 if it is not in the dump. */
static int
read_int(struct kdebug *kdb, kvaddr_t va)
{
	uint32_t value;

	return (mem_u32(kdb, va, &value) ? (int)value : 0);
}

/*
 * Read the struct linker_file at lf_va.  Three of its fields have no constant:
 * "refs" lies after the first pointer, "id" before the address, with room for a
 * pointer, and "size" after the address.
 */
static bool
read_module(struct kdebug *kdb, kvaddr_t lf_va, struct kdebug_module *km)
{
	unsigned int ptr_len = kdb->kdb_core->kc_ptr_len;
	kvaddr_t address_va = field(kdb, lf_va, LO_KLD_ADDRESS);
	kvaddr_t base, len, end;

	if (!mem_word(kdb, address_va, &base)) {
		kdb_note(kdb, "linker_files: broken at %#jx", (uintmax_t)lf_va);
		return (false);
	}
	if (!mem_word(kdb, address_va + ptr_len, &len) ||
	    len > MODULE_LEN_MAX || __builtin_add_overflow(base, len, &end))
		len = 0;
	*km = (struct kdebug_module){
		.km_name = read_path(kdb, field(kdb, lf_va, LO_KLD_FILENAME)),
		.km_path = read_path(kdb, field(kdb, lf_va, LO_KLD_PATHNAME)),
		.km_id = read_int(kdb, address_va - ptr_len),
		.km_refs = read_int(kdb, lf_va + ptr_len),
		.km_base = base,
		.km_len = len,
	};
	return (true);
}

/* Add the module whose struct linker_file is at lf_va. */
static bool
add_module(struct kdebug *kdb, kvaddr_t lf_va)
{
	struct modules *ms = &kdb->kdb_modules;
	struct kdebug_module *km;

	if (!reserve(ms)) {
		kdb_note(kdb, "linker_files: out of memory");
		return (false);
	}
	km = &ms->ms_list[ms->ms_count];
	if (!read_module(kdb, lf_va, km))
		return (false);
	ms->ms_maps[ms->ms_count] = (struct modmap){
		.mm_start = km->km_base,
		.mm_end = km->km_base + km->km_len,
		.mm_idx = ms->ms_count,
	};
	ms->ms_count++;
	return (true);
}

static bool
add_linker_file(struct kdebug *kdb, kvaddr_t lf_va, kvaddr_t kernel_va)
{
	struct modules *ms = &kdb->kdb_modules;

	if (lf_va != kernel_va)
		return (add_module(kdb, lf_va));
	ms->ms_has_kernel = read_module(kdb, lf_va, &ms->ms_kernel);
	return (true);
}

static int
compare_maps(const void *a, const void *b)
{
	const struct modmap *x = a, *y = b;

	return (x->mm_start < y->mm_start ? -1 : x->mm_start > y->mm_start);
}

static void
walk(struct kdebug *kdb, kvaddr_t head_va, kvaddr_t kernel_va)
{
	struct addrset seen = { 0 };
	kvaddr_t link_va = head_va;
	kvaddr_t lf_va;

	for (;;) {
		if (!mem_word(kdb, link_va, &lf_va)) {
			kdb_note(kdb, "linker_files: broken at %#jx",
			    (uintmax_t)link_va);
			break;
		}
		if (lf_va == 0)
			break;
		if (seen.as_count >= MODULES_MAX ||
		    addrset_add(&seen, lf_va) != ADDRSET_ADDED) {
			kdb_note(kdb, "linker_files: has no end");
			break;
		}
		if (!add_linker_file(kdb, lf_va, kernel_va))
			break;
		link_va = field(kdb, lf_va, LO_KLD_NEXT);
	}
	addrset_fini(&seen);
}

static void
modules_load(struct kdebug *kdb)
{
	struct modules *ms = &kdb->kdb_modules;
	kvaddr_t head_va, va, kernel_va = 0;

	if (ms->ms_done)
		return;
	ms->ms_done = true;
	if (kdb->kdb_core == NULL ||
	    !layout_symbol(kdb, "linker_files", &head_va))
		return;
	if (layout_symbol(kdb, "linker_kernel_file", &va))
		(void)mem_word(kdb, va, &kernel_va);
	walk(kdb, head_va, kernel_va);
	if (ms->ms_count > 0)
		qsort(ms->ms_maps, ms->ms_count, sizeof(*ms->ms_maps),
		    compare_maps);
}

void
modules_fini(struct kdebug *kdb)
{
	struct modules *ms = &kdb->kdb_modules;

	for (size_t i = 0; i < ms->ms_count; i++) {
		debugfile_close(ms->ms_maps[i].mm_debug);
		modfile_close(ms->ms_maps[i].mm_file);
	}
	free(ms->ms_list);
	free(ms->ms_maps);
	free(ms->ms_tried);
}

size_t
kdebug_modules(struct kdebug *kdb, const struct kdebug_module **mods)
{
	kvaddr_t va;

	modules_load(kdb);
	if (kdb->kdb_core != NULL && !layout_symbol(kdb, "linker_files", &va))
		kdb_note_symbol(kdb, "no modules", "linker_files");
	*mods = kdb->kdb_modules.ms_list;
	return (kdb->kdb_modules.ms_count);
}

const struct kdebug_module *
kdebug_kernel_module(struct kdebug *kdb)
{
	modules_load(kdb);
	return (kdb->kdb_modules.ms_has_kernel ? &kdb->kdb_modules.ms_kernel :
						 NULL);
}

static void
seek_once(struct kdebug *kdb, struct modmap *mm)
{
	if (!mm->mm_sought)
		modseek_file(kdb, mm);
}

/* The idx'th module of the kernel's list, with its file if there is one. */
static struct modmap *
modules_nth(struct kdebug *kdb, size_t idx)
{
	struct modules *ms = &kdb->kdb_modules;

	modules_load(kdb);
	for (size_t i = 0; i < ms->ms_count; i++) {
		if (ms->ms_maps[i].mm_idx == idx) {
			seek_once(kdb, &ms->ms_maps[i]);
			return (&ms->ms_maps[i]);
		}
	}
	return (NULL);
}

const char *
kdebug_module_file(struct kdebug *kdb, size_t idx, const char **why)
{
	struct modmap *mm = modules_nth(kdb, idx);

	*why = NULL;
	errno = 0;
	if (mm == NULL)
		return (NULL);
	if (mm->mm_file != NULL)
		return (modfile_path(mm->mm_file));
	*why = mm->mm_why;
	errno = mm->mm_error;
	return (NULL);
}

bool
kdebug_module_section(struct kdebug *kdb, size_t idx, size_t *pos,
    const char **name, kvaddr_t *va)
{
	const struct modmap *mm = modules_nth(kdb, idx);

	return (mm != NULL && mm->mm_file != NULL &&
	    modfile_next_section(mm->mm_file, pos, name, va));
}

bool
kdebug_module_symbol(struct kdebug *kdb, const char *name,
    struct kvm_symbol *out)
{
	modules_load(kdb);
	for (size_t i = 0; i < kdb->kdb_modules.ms_count; i++) {
		const struct modmap *mm = modules_nth(kdb, i);

		if (mm->mm_file != NULL &&
		    modfile_symbol_find(mm->mm_file, name, out))
			return (true);
	}
	return (false);
}

static uint64_t
map_start(const void *maps, size_t i)
{
	return (((const struct modmap *)maps)[i].mm_start);
}

/* The module that va lies in, with its file if there is one; NULL: none. */
struct modmap *
modules_find(struct kdebug *kdb, kvaddr_t va)
{
	struct modules *ms = &kdb->kdb_modules;
	size_t n;

	modules_load(kdb);
	n = search_upto(ms->ms_maps, ms->ms_count, map_start, va);
	if (n == 0 || va >= ms->ms_maps[n - 1].mm_end)
		return (NULL);
	seek_once(kdb, &ms->ms_maps[n - 1]);
	return (&ms->ms_maps[n - 1]);
}
