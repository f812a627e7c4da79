/*
 * The kernel's ELF file: its text and constants as in memory, its data as
 * they were before it ran, and its symbols.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gen/gen.h"
#include "tests/support/elffile.h"

#define ALIGN 16

enum {
	KF_NULL,
	KF_TEXT,
	KF_RODATA,
	KF_INTERP,
	KF_DATA,
	KF_BSS,
	KF_SYMTAB,
	KF_STRTAB,
	KF_SHSTRTAB,
	KF_NSECTIONS,
};

static const char section_names[] = "\0.text\0.rodata\0.interp\0.data\0.bss\0"
				    ".symtab\0.strtab\0.shstrtab\0.dynsym";

static const char interp[] = "/red/herring";

/* The file in the making. */
struct kernfile {
	struct gen *g;
	struct elffile elf;
	struct elffile_section sections[KF_NSECTIONS];
	uint8_t *bytes[SEC_NSECTIONS]; /* of the image's sections */
	uint8_t *syms;
	char *strings;
	size_t strings_len;
};

/* The image's text and constants are in the file as they are in memory. */
static uint8_t *
kf_image_bytes(const struct gen *g, enum section section)
{
	uint64_t va = g->g_image.sec_va[section];
	uint64_t len = g->g_image.sec_len[section], size = gen_page_size(g);
	uint64_t pa = va - g->g_lay.gl_image_va + g->g_lay.gl_image_pa;
	uint8_t *p = gen_zalloc(1, (size_t)len);

	if (section == SEC_TEXT || section == SEC_RODATA)
		for (uint64_t off = 0; off < len; off += size)
			phys_copy(g, pa + off, p + off, (size_t)size);
	return (p);
}

static void
kf_add_image(struct kernfile *kf, unsigned index, enum section section,
    const struct elffile_section *like)
{
	const struct kimage *image = &kf->g->g_image;
	struct elffile_section *sec = &kf->sections[index];

	*sec = *like;
	sec->flags |= SHF_ALLOC;
	sec->align = ALIGN;
	sec->va = image->sec_va[section];
	sec->len = image->sec_len[section];
	sec->bytes = kf->bytes[section] = kf_image_bytes(kf->g, section);
}

static uint32_t
kf_add_string(struct kernfile *kf, const char *name)
{
	size_t at = kf->strings_len, len = strlen(name) + 1;

	memcpy(kf->strings + at, name, len);
	kf->strings_len += len;
	return ((uint32_t)at);
}

static void
kf_put_symbol(struct kernfile *kf, size_t n, const struct symbol *sym)
{
	static const struct {
		unsigned char type;
		uint16_t index;
	} kinds[SEC_NSECTIONS] = {
		[SEC_ABS] = { STT_NOTYPE, SHN_ABS },
		[SEC_TEXT] = { STT_FUNC, KF_TEXT },
		[SEC_RODATA] = { STT_OBJECT, KF_RODATA },
		[SEC_DATA] = { STT_OBJECT, KF_DATA },
		[SEC_BSS] = { STT_OBJECT, KF_BSS },
	};
	unsigned bind = sym->sy_local ? STB_LOCAL : STB_GLOBAL;

	elffile_put_symbol(&kf->elf, kf->syms, n,
	    &(struct elffile_symbol){
		.name = kf_add_string(kf, sym->sy_name),
		.info =
		    (uint8_t)ELF64_ST_INFO(bind, kinds[sym->sy_section].type),
		.section = kinds[sym->sy_section].index,
		.va = sym->sy_va,
		.len = sym->sy_len,
	    });
}

static bool
kf_stripped(const struct kernfile *kf)
{
	return ((kf->g->g_spec.gs_flags & GEN_STRIPPED) != 0);
}

/*
 * Local symbols first, as ELF wants it; returns their count, with the null.
 * .dynsym has none, so that entries at its end stay empty.
 */
static uint32_t
kf_put_symbols(struct kernfile *kf)
{
	const struct kimage *image = &kf->g->g_image;
	uint32_t n = 1, nlocals;

	for (size_t i = 0; i < image->nsyms; i++)
		if (image->syms[i].sy_local && !kf_stripped(kf))
			kf_put_symbol(kf, n++, &image->syms[i]);
	nlocals = n;
	for (size_t i = 0; i < image->nsyms; i++)
		if (!image->syms[i].sy_local)
			kf_put_symbol(kf, n++, &image->syms[i]);
	return (nlocals);
}

static size_t
kf_strings_room(const struct gen *g)
{
	size_t room = 1;

	for (size_t i = 0; i < g->g_image.nsyms; i++)
		room += strlen(g->g_image.syms[i].sy_name) + 1;
	return (room);
}

static void
kf_add_symbols(struct kernfile *kf)
{
	size_t nsyms = kf->g->g_image.nsyms + 1;
	size_t sym_len = elffile_symbol_len(&kf->elf);
	uint32_t nlocals;

	kf->syms = gen_zalloc(nsyms, sym_len);
	kf->strings = gen_zalloc(1, kf_strings_room(kf->g));
	kf->strings_len = 1;
	nlocals = kf_put_symbols(kf);
	kf->sections[KF_SYMTAB] = (struct elffile_section){
		.name = kf_stripped(kf) ? ".dynsym" : ".symtab",
		.type = kf_stripped(kf) ? SHT_DYNSYM : SHT_SYMTAB,
		.bytes = kf->syms,
		.len = nsyms * sym_len,
		.link = KF_STRTAB,
		.info = nlocals,
		.align = ALIGN,
		.entry_len = (uint32_t)sym_len,
	};
	kf->sections[KF_STRTAB] = (struct elffile_section){
		.name = ".strtab",
		.type = SHT_STRTAB,
		.bytes = kf->strings,
		.len = kf->strings_len,
		.align = ALIGN,
	};
}

static void
kf_add_sections(struct kernfile *kf)
{
	kf_add_image(kf, KF_TEXT, SEC_TEXT,
	    &(struct elffile_section){ .name = ".text",
		.type = SHT_PROGBITS,
		.flags = SHF_EXECINSTR });
	kf_add_image(kf, KF_RODATA, SEC_RODATA,
	    &(struct elffile_section){ .name = ".rodata",
		.type = SHT_PROGBITS });
	kf->sections[KF_INTERP] = (struct elffile_section){
		.name = ".interp",
		.type = SHT_PROGBITS,
		.bytes = interp,
		.len = sizeof(interp),
		.align = ALIGN,
	};
	kf_add_image(kf, KF_DATA, SEC_DATA,
	    &(struct elffile_section){ .name = ".data",
		.type = SHT_PROGBITS,
		.flags = SHF_WRITE });
	kf_add_image(kf, KF_BSS, SEC_BSS,
	    &(struct elffile_section){ .name = ".bss",
		.type = SHT_NOBITS,
		.flags = SHF_WRITE });
	kf_add_symbols(kf);
	kf->sections[KF_SHSTRTAB] = (struct elffile_section){
		.name = ".shstrtab",
		.type = SHT_STRTAB,
		.bytes = section_names,
		.len = sizeof(section_names),
		.align = ALIGN,
	};
}

static uint32_t
kf_flags(const struct gen *g)
{
	switch (g->g_arch->ga_machine) {
	case EM_ARM:
		return (EF_ARM_EABI_VER5);
	case EM_RISCV:
		return (EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE);
	default:
		return (0);
	}
}

/* One program header for each section of the image, and the interpreter. */
static void
kf_init(struct kernfile *kf, struct gen *g)
{
	static const struct elffile_segment segments[] = {
		{ KF_INTERP, PT_INTERP, PF_R },
		{ KF_TEXT, PT_LOAD, PF_R | PF_X },
		{ KF_RODATA, PT_LOAD, PF_R },
		{ KF_DATA, PT_LOAD, PF_R | PF_W },
		{ KF_BSS, PT_LOAD, PF_R | PF_W },
	};

	*kf = (struct kernfile){ .g = g };
	kf->elf = (struct elffile){
		.is64 = g->g_lay.gl_ptr_len == 8,
		.big_endian = g->g_lay.gl_big_endian,
		.type = ET_EXEC,
		.machine = g->g_arch->ga_machine,
		.flags = kf_flags(g),
		.entry = g->g_image.sec_va[SEC_TEXT],
		.sections = kf->sections,
		.nsections = KF_NSECTIONS,
		.names = KF_SHSTRTAB,
		.segments = segments,
		.nsegments = sizeof(segments) / sizeof(segments[0]),
	};
	kf_add_sections(kf);
}

static void
kf_fini(struct kernfile *kf)
{
	for (unsigned i = 0; i < SEC_NSECTIONS; i++)
		free(kf->bytes[i]);
	free(kf->syms);
	free(kf->strings);
}

int
gen_write_kernel(struct gen *g, const char *path)
{
	struct kernfile kf;
	uint8_t *bytes;
	size_t len;
	int error, fd;

	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0755)) == -1)
		return (-1);
	kf_init(&kf, g);
	len = elffile_len(&kf.elf);
	bytes = gen_zalloc(1, len);
	elffile_write(&kf.elf, bytes, len);
	error = out_bytes(fd, 0, bytes, len);
	free(bytes);
	kf_fini(&kf);
	if (error == 0 && ftruncate(fd, (off_t)len) == -1)
		error = -1;
	return (close(fd) == -1 ? -1 : error);
}
