/*
 * Loaded modules: the tail queue that starts at linker_files, the kernel
 * itself first.
 */
#include <string.h>

#include "tests/gen/gen.h"

#define MODULE_LEN 0x4000

/* Offsets into struct linker_file. */
struct linker_layout {
	unsigned refs, next, filename, pathname, id, address, size, len;
};

static const struct linker_layout linker_lp64 = { 8, 24, 40, 48, 56, 64, 72,
	128 };
static const struct linker_layout linker_ilp32 = { 4, 16, 24, 28, 32, 36, 40,
	80 };

static const char *const module_names[] = { "zfs.ko", "if_gen.ko",
	"nullfs.ko" };
#define NMODULES (sizeof(module_names) / sizeof(module_names[0]))

static_assert(NMODULES <= GEN_MAX_MODS, "room in struct gen");

static uint64_t
module_string(struct gen *g, const char *text)
{
	uint64_t va = kimage_alloc(g, strlen(text) + 1, 1);

	kimage_store(g, va, text, strlen(text) + 1);
	return (va);
}

/* One struct linker_file; the pointer to it goes to *link. */
static void
module_add(struct gen *g, const struct linker_layout *at,
    const struct gen_module *mod, uint64_t *link)
{
	uint64_t va = kimage_alloc(g, at->len, 16);
	uint64_t name = module_string(g, mod->name);
	uint64_t path = module_string(g, mod->path);

	kimage_poke_ptr(g, *link, va);
	kimage_poke_ptr(g, va + at->filename, name);
	kimage_poke_ptr(g, va + at->pathname, path);
	kimage_poke(g, va + at->refs, 4, (uint32_t)mod->refs);
	kimage_poke(g, va + at->id, 4, (uint32_t)mod->id);
	kimage_poke_ptr(g, va + at->address, mod->address);
	kimage_poke_ptr(g, va + at->size, mod->size);
	*link = va + at->next;
}

/* The offsets as symbols, and moved; or as declared, and no symbols. */
static void
module_offsets(struct gen *g, struct linker_layout *at)
{
	unsigned move;

	*at = g->g_lay.gl_ptr_len == 8 ? linker_lp64 : linker_ilp32;
	if (rng_once_in(&g->g_rng, 3))
		return;
	move = 8 * (unsigned)rng_below(&g->g_rng, 4);
	at->next += move;
	at->filename += move;
	at->pathname += move;
	at->id += move;
	at->address += move;
	at->size += move;
	kimage_int(g, "kld_off_next", SEC_RODATA, (int)at->next);
	kimage_int(g, "kld_off_filename", SEC_RODATA, (int)at->filename);
	kimage_int(g, "kld_off_pathname", SEC_RODATA, (int)at->pathname);
	kimage_int(g, "kld_off_address", SEC_RODATA, (int)at->address);
}

static void
module_describe(struct gen *g, const char *name)
{
	struct gen_module *mod = &g->g_mods[g->g_nmods++];

	snprintf(mod->name, sizeof(mod->name), "%s", name);
	snprintf(mod->path, sizeof(mod->path), "/boot/kernel/%s", name);
	mod->id = (int)g->g_nmods + 1;
	mod->refs = 1;
	mod->size = MODULE_LEN;
	mod->address = kimage_alloc_arena(g, MODULE_LEN, gen_page_size(g));
}

void
module_init(struct gen *g)
{
	struct gen_module kernel = {
		.name = "kernel",
		.path = "/boot/kernel/kernel",
		.id = 1,
		.refs = 1 + NMODULES,
		.address = g->g_lay.gl_image_va,
		.size = g->g_image.len,
	};
	unsigned ptr_len = g->g_lay.gl_ptr_len;
	struct linker_layout at;
	uint64_t head, link, self;

	module_offsets(g, &at);
	head = kimage_symbol(g, "linker_files", SEC_BSS, 2 * ptr_len, ptr_len);
	link = head;
	module_add(g, &at, &kernel, &link);
	self = link - at.next;
	for (size_t i = 0; i < NMODULES; i++) {
		module_describe(g, module_names[i]);
		module_add(g, &at, &g->g_mods[i], &link);
	}
	kimage_poke_ptr(g, link, 0);
	kimage_poke_ptr(g, head + ptr_len, link); /* tqh_last */
	kimage_ptr(g, "linker_kernel_file", SEC_BSS, self);
	kimage_string(g, "linker_path", SEC_DATA, "/boot/kernel;/boot/modules");
}

const struct gen_module *
gen_modules(const struct gen *g, unsigned *n)
{
	*n = g->g_nmods;
	return (g->g_mods);
}
