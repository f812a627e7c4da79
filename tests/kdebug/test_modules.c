/* Loaded modules: their list, their files, and what lies where in them. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "kdebug/modfile.h"
#include "tests/kdebug/frames.h"
#include "tests/kdebug/kernel.h"
#include "tests/support/hex.h"
#include "tests/support/notefile.h"
#include "tests/support/unit.h"

#ifndef SHT_X86_64_UNWIND
#define SHT_X86_64_UNWIND 0x70000001
#endif

#define HEAP	  UINT64_C(0xfffff80004000000)
#define FILES_VA  UINT64_C(0xffffffff81500000)
#define KERNEL_LF (HEAP + 0x1000)
#define LF(n)	  (HEAP + 0x2000 + 0x100 * (kvaddr_t)(n))
#define NAME(n)	  (HEAP + 0x3000 + 0x80 * (kvaddr_t)(n))
#define BASE(n)	  (UINT64_C(0xffffffff82000000) + 0x100000 * (kvaddr_t)(n))

#define MODULE_LEN 0x1000

/* struct linker_file, LP64. */
enum {
	LF_REFS = 8,
	LF_NEXT = 24,
	LF_FILENAME = 40,
	LF_PATHNAME = 48,
	LF_ID = 56,
	LF_ADDRESS = 64
};

static void
put_file(struct kernel *k, kvaddr_t va, kvaddr_t next, kvaddr_t name_va,
    const char *name, kvaddr_t base, uint64_t len)
{
	fake_u32(k->k_kd, va + LF_REFS, 3);
	fake_u32(k->k_kd, va + LF_ID, 7);
	fake_word(k->k_kd, va + LF_NEXT, next);
	fake_word(k->k_kd, va + LF_FILENAME, name_va);
	fake_string(k->k_kd, name_va, name);
	fake_word(k->k_kd, va + LF_PATHNAME, name_va + 0x20);
	fake_string(k->k_kd, name_va + 0x20, "/nonexistent/");
	fake_string(k->k_kd, name_va + 0x2d, name);
	fake_word(k->k_kd, va + LF_ADDRESS, base);
	fake_word(k->k_kd, va + LF_ADDRESS + 8, len);
}

/* The kernel, then zfs.ko and if_em.ko. */
static void
setup(struct kernel *k)
{
	kernel_init(k, ARCH_AMD64);
	fake_symbol(k->k_kd, "linker_files", FILES_VA, 16);
	fake_symbol(k->k_kd, "linker_kernel_file", FILES_VA + 16, 8);
	fake_word(k->k_kd, FILES_VA, KERNEL_LF);
	fake_word(k->k_kd, FILES_VA + 16, KERNEL_LF);
	put_file(k, KERNEL_LF, LF(0), NAME(0), "kernel", 0xffffffff80200000,
	    0x2000000);
	put_file(k, LF(0), LF(1), NAME(1), "zfs.ko", BASE(1), MODULE_LEN);
	put_file(k, LF(1), 0, NAME(2), "if_em.ko", BASE(0), MODULE_LEN);
}

static void
nothing(struct kernel *k)
{
	(void)k;
}

static void
circle(struct kernel *k)
{
	fake_word(k->k_kd, LF(1) + LF_NEXT, LF(0));
}

static void
link_out(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_NEXT, 0x1234);
}

static void
no_kernel_file(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "linker_kernel_file");
}

static void
no_list(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "linker_files");
}

static void
name_missing(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_FILENAME, 0x1234);
}

static void
huge_len(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_ADDRESS + 8, UINT64_MAX);
}

static void
other_offset(struct kernel *k)
{
	fake_const(k->k_kd, "kld_off_address", 0xc0);
	fake_word(k->k_kd, KERNEL_LF + 0xc0, 0);
	fake_u32(k->k_kd, LF(0) + 0xb8, 9);
	fake_word(k->k_kd, LF(0) + 0xc0, 0x5000);
	fake_word(k->k_kd, LF(0) + 0xc8, 0x60);
}

static const struct list_row {
	const char *name;
	void (*change)(struct kernel *);
	size_t n;
	const char *first; /* "name base len refs id" */
	const char *note;
} list_rows[] = {
	{ "two modules", nothing, 2, "zfs.ko 0xffffffff82100000 0x1000 3 7",
	    NULL },
	{ "in a circle", circle, 2, "zfs.ko 0xffffffff82100000 0x1000 3 7",
	    "has no end" },
	{ "a link leads out", link_out, 1,
	    "zfs.ko 0xffffffff82100000 0x1000 3 7", "broken at 0x1234" },
	{ "the kernel is not known", no_kernel_file, 3,
	    "kernel 0xffffffff80200000 0x2000000 3 7", NULL },
	{ "no list", no_list, 0, NULL, "no symbol linker_files" },
	{ "a name is missing", name_missing, 2,
	    " 0xffffffff82100000 0x1000 3 7", NULL },
	{ "a length past all bounds", huge_len, 2,
	    "zfs.ko 0xffffffff82100000 0 3 7", NULL },
	{ "the kernel exports the offset", other_offset, 2,
	    "zfs.ko 0x5000 0x60 3 9", NULL },
};

static void
test_list(void **state)
{
	const struct list_row *row = *state;
	const struct kdebug_module *mods;
	struct kernel k;
	char first[128];

	setup(&k);
	row->change(&k);
	assert_int_equal(kdebug_modules(kernel_open(&k), &mods), row->n);
	if (row->first != NULL) {
		snprintf(first, sizeof(first), "%s %#jx %#jx %d %d",
		    mods[0].km_name, (uintmax_t)mods[0].km_base,
		    (uintmax_t)mods[0].km_len, mods[0].km_refs, mods[0].km_id);
		assert_string_equal(first, row->first);
	}
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	kernel_fini(&k);
}

/* The kernel is in the list, and is told apart. */
static void
test_kernel(void **state)
{
	const struct kdebug_module *km;
	struct kernel k;

	(void)state;
	setup(&k);
	km = kdebug_kernel_module(kernel_open(&k));
	assert_non_null(km);
	assert_string_equal(km->km_name, "kernel");
	assert_int_equal(km->km_len, 0x2000000);
	kernel_fini(&k);
	setup(&k);
	no_kernel_file(&k);
	assert_null(kdebug_kernel_module(kernel_open(&k)));
	kernel_fini(&k);
}

/* ---- the file of a module ---- */

/* A section of it. */
struct section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t len, align;
};

/* Names of sections: as long as they may be, and a byte longer. */
#define NAME_51	 "a_name_of_a_section_that_has_just_fifty_one_bytes__"
#define NAME_255 NAME_51 NAME_51 NAME_51 NAME_51 NAME_51
#define NAME_256 "x" NAME_255

/*
 * The sections that the kernel loads, in this order, and their offsets from the
 * module's base:
 * .text 0, .eh_frame 0x28, .data 0x40, .text.late 0x60, .init_array 0x88,
 * set_pcpu 0x90, .bss 0xa0, and those with long names 0x1a0 and 0x1a1.  The
 * others take no memory: what has no bytes, and the notes, the last of which is
 * larger than the module.
 */
static const struct section sections[] = {
	{ ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x21, 16 },
	{ ".note", SHT_NOTE, SHF_ALLOC, 0x24, 64 },
	{ ".empty", SHT_PROGBITS, SHF_ALLOC, 0, 1024 },
	{ ".comment", SHT_PROGBITS, 0, 0x1000, 1 },
	{ ".eh_frame", SHT_X86_64_UNWIND, SHF_ALLOC, 0x18, 8 },
	{ ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8, 8 },
	{ ".text.late", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x24, 32 },
	{ ".init_array", SHT_INIT_ARRAY, SHF_ALLOC | SHF_WRITE, 8, 8 },
	{ "set_pcpu", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x10, 8 },
	{ ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x100, 4 },
	{ ".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0x1000, 4 },
	{ NAME_255, SHT_PROGBITS, SHF_ALLOC, 1, 1 },
	{ NAME_256, SHT_PROGBITS, SHF_ALLOC, 1, 1 },
};

enum { SEC_TEXT = 1, SEC_DATA = 6, SEC_LATE = 7, SEC_PCPU = 9, SEC_BSS = 10 };

static const char strings[] =
    "\0.symtab\0zfs_init\0zfs_late\0zfs_data\0$x\0zfs_bss\0zfs_label\0"
    ".LBB4_15\0pcpu_entry_zfs\0.text\0.note\0.empty\0.comment\0.eh_frame\0"
    ".data\0.text.late\0.init_array\0set_pcpu\0.bss\0"
    ".note.gnu.build-id\0" NAME_255 "\0" NAME_256;

static const struct {
	const char *name;
	unsigned char bind, type;
	uint16_t section;
	uint64_t value, len;
} symbols[] = {
	{ "", 0, 0, 0, 0, 0 },
	{ "zfs_init", STB_GLOBAL, STT_FUNC, SEC_TEXT, 0, 0x10 },
	{ "zfs_label", STB_LOCAL, STT_NOTYPE, SEC_TEXT, 8, 0 },
	{ ".LBB4_15", STB_LOCAL, STT_NOTYPE, SEC_LATE, 0xc, 0 },
	{ "zfs_late", STB_LOCAL, STT_NOTYPE, SEC_LATE, 4, 0 },
	{ "zfs_data", STB_GLOBAL, STT_OBJECT, SEC_DATA, 0, 8 },
	{ "$x", STB_LOCAL, STT_NOTYPE, SEC_LATE, 8, 0 },
	{ "pcpu_entry_zfs", STB_LOCAL, STT_OBJECT, SEC_PCPU, 0, 8 },
	{ "zfs_bss", STB_LOCAL, STT_OBJECT, SEC_BSS, 8, 8 },
};

/* Where in the table the string is. */
static Elf64_Word
string_off(const char *s)
{
	size_t off = 0;

	while (off < sizeof(strings) && strcmp(strings + off, s) != 0)
		off += strlen(strings + off) + 1;
	assert_true(off < sizeof(strings));
	return ((Elf64_Word)off);
}

static void
fill_symbols(Elf64_Sym out[NROWS(symbols)])
{
	for (size_t i = 0; i < NROWS(symbols); i++)
		out[i] = (Elf64_Sym){
			.st_name = string_off(symbols[i].name),
			.st_info = (unsigned char)ELF64_ST_INFO(symbols[i].bind,
			    symbols[i].type),
			.st_shndx = symbols[i].section,
			.st_value = symbols[i].value,
			.st_size = symbols[i].len,
		};
}

static void
add_section(Elf *elf, const struct section *s, void *bytes)
{
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *data = elf_newdata(scn);
	Elf64_Shdr *shdr = elf64_getshdr(scn);

	*data = (Elf_Data){
		.d_buf = bytes,
		.d_size = s->len,
		.d_align = s->align,
		.d_type = s->type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE,
		.d_version = EV_CURRENT,
	};
	shdr->sh_name = string_off(s->name);
	shdr->sh_type = s->type;
	shdr->sh_flags = s->flags;
	shdr->sh_addralign = s->align;
	if (s->type == SHT_SYMTAB) {
		shdr->sh_link = (Elf64_Word)elf_ndxscn(scn) + 1;
		shdr->sh_entsize = sizeof(Elf64_Sym);
	}
}

/* Write the module, with nmore empty sections at its end. */
static void
write_large_module(const char *path, unsigned char class, size_t nmore)
{
	static const struct section empty = { ".empty", SHT_PROGBITS, 0, 0, 1 };
	Elf64_Sym syms[NROWS(symbols)];
	const struct section symtab = { ".symtab", SHT_SYMTAB, 0, sizeof(syms),
		8 };
	const struct section strtab = { "", SHT_STRTAB, 0, sizeof(strings), 1 };
	static uint8_t bytes[0x1000];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	Elf64_Ehdr *ehdr;
	Elf *elf;

	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	fill_symbols(syms);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	assert_non_null(elf);
	ehdr = elf64_newehdr(elf);
	ehdr->e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr->e_type = ET_REL;
	ehdr->e_machine = EM_X86_64;
	for (size_t i = 0; i < NROWS(sections); i++)
		add_section(elf, &sections[i], bytes);
	add_section(elf, &symtab, syms);
	add_section(elf, &strtab, (void *)(uintptr_t)strings);
	for (size_t i = 0; i < nmore; i++)
		add_section(elf, &empty, bytes);
	ehdr->e_shstrndx = NROWS(sections) + 2;
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	if (class != ELFCLASS64)
		assert_int_equal(pwrite(fd, &class, 1, EI_CLASS), 1);
	close(fd);
}

static void
write_module(const char *path, unsigned char class)
{
	write_large_module(path, class, 0);
}

/* A directory that holds a kernel, and a path in it. */
static char dir[64];

static const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return (path);
}

static void
make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/test_modules.XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void
remove_dir(void)
{
	unlink(in_dir("zfs.ko"));
	unlink(in_dir("zfs.ko.debug"));
	unlink(in_dir("if_em.ko"));
	assert_int_equal(rmdir(dir), 0);
}

/* The frame of a thread that stands at pc. */
static struct kdebug_frame
frame_at(struct kernel *k, kvaddr_t pc)
{
	const struct kdebug_reg_desc *descs;
	struct kdebug_thread td = { 0 };
	struct kdebug_frame frame;
	size_t n;

	n = kdebug_reg_descs(k->k_kdb, &descs);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(descs[i].rd_name, "rip") == 0) {
			td.kt_regs.rs_value[i] = pc;
			td.kt_regs.rs_valid = (uint64_t)1 << i;
		}
	}
	assert_int_equal(take_frames(k->k_kdb, &td, &frame, 1), 1);
	return (frame);
}

static const struct place_row {
	const char *name;
	uint64_t off;	    /* of the pc, from the module's base */
	const char *symbol; /* NULL: none */
	uint64_t symbol_off;
} place_rows[] = {
	{ "the first function", 0, "zfs_init", 0 },
	{ "its last byte", 0xf, "zfs_init", 0xf },
	{ "after it", 0x10, NULL, 0 },
	{ "a label inside of it does not count", 0x9, "zfs_init", 9 },
	{ "data is no function", 0x40, NULL, 0 },
	{ "the second section of code, before its symbol", 0x60, NULL, 0 },
	{ "a symbol without a size", 0x64, "zfs_late", 0 },
	{ "a mapping symbol does not count", 0x6a, "zfs_late", 6 },
	{ "a compiler's label does not count", 0x6d, "zfs_late", 9 },
};

static void
test_place(void **state)
{
	const struct place_row *row = *state;
	struct kdebug_frame frame;
	struct kernel k;

	make_dir();
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	setup(&k);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + row->off);
	assert_string_equal(frame.kf_module, "zfs.ko");
	if (row->symbol == NULL) {
		assert_null(frame.kf_symbol);
	} else {
		assert_string_equal(frame.kf_symbol, row->symbol);
		assert_int_equal(frame.kf_offset, row->symbol_off);
	}
	kernel_fini(&k);
	remove_dir();
}

/* The same by name. */
static const struct find_row {
	const char *name; /* of the test; the symbol's follows ": " */
	uint64_t off;	  /* from the module's base; UINT64_MAX: none */
} find_rows[] = {
	{ "find: zfs_init", 0 },
	{ "find: zfs_data", 0x40 },
	{ "find: zfs_label", 8 },
	{ "find: zfs_late", 0x64 },
	{ "find: zfs_bss", 0xa8 },
	{ "find: pcpu_entry_zfs", UINT64_MAX },
	{ "find: zfs", UINT64_MAX },
};

static void
test_find(void **state)
{
	const struct find_row *row = *state;
	const struct modfile_place place = { BASE(1), MODULE_LEN, 8,
		ORDER_LITTLE, EM_X86_64, SHT_X86_64_UNWIND };
	const char *name = row->name + strlen("find: ");
	struct kvm_symbol sym;
	struct modfile *mf;
	const char *why;

	make_dir();
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	mf = modfile_open(in_dir("zfs.ko"), &place, &why);
	assert_non_null(mf);
	assert_int_equal(modfile_symbol_find(mf, name, &sym),
	    row->off != UINT64_MAX);
	if (row->off != UINT64_MAX)
		assert_true(sym.ksy_va == BASE(1) + row->off);
	modfile_close(mf);
	remove_dir();
}

/* The loaded sections: a name that is too long costs only its own section. */
static void
test_sections(void **state)
{
	static const struct modfile_place place = { BASE(1), MODULE_LEN, 8,
		ORDER_LITTLE, EM_X86_64, SHT_X86_64_UNWIND };
	static const char *const names[] = { ".text", ".eh_frame", ".data",
		".text.late", ".init_array", ".bss", NAME_255 };
	const char *name, *why;
	struct modfile *mf;
	size_t ndx = 0;
	kvaddr_t va;

	(void)state;
	make_dir();
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	mf = modfile_open(in_dir("zfs.ko"), &place, &why);
	assert_non_null(mf);
	for (size_t i = 0; i < NROWS(names); i++) {
		assert_true(modfile_next_section(mf, &ndx, &name, &va));
		assert_string_equal(name, names[i]);
	}
	assert_true(va == BASE(1) + 0x1a0);
	assert_false(modfile_next_section(mf, &ndx, &name, &va));
	modfile_close(mf);
	remove_dir();
}

static int
free_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return (fd);
}

/* No descriptor is held, and the file is opened again unless it was replaced. */
static void
test_reopen(void **state)
{
	static const struct modfile_place place = { BASE(1), MODULE_LEN, 8,
		ORDER_LITTLE, EM_X86_64, SHT_X86_64_UNWIND };
	int fd = free_descriptor();
	char other[sizeof(dir) + 16];
	struct modfile *mf;
	const char *why;

	(void)state;
	make_dir();
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	mf = modfile_open(in_dir("zfs.ko"), &place, &why);
	assert_non_null(mf);
	assert_int_equal(free_descriptor(), fd);
	assert_int_equal(modfile_reopen(mf), fd);
	close(fd);
	snprintf(other, sizeof(other), "%s/other", dir);
	write_module(other, ELFCLASS64);
	assert_int_equal(rename(other, in_dir("zfs.ko")), 0);
	assert_int_equal(modfile_reopen(mf), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(free_descriptor(), fd);
	modfile_close(mf);
	remove_dir();
}

/* Symbols may also be in the half that was split off. */
static void
test_split_off(void **state)
{
	struct kdebug_frame frame;
	const char *why;
	struct kernel k;

	(void)state;
	make_dir();
	write_module(in_dir("zfs.ko.debug"), ELFCLASS64);
	setup(&k);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + 4);
	assert_string_equal(frame.kf_symbol, "zfs_init");
	assert_string_equal(kdebug_module_file(k.k_kdb, 0, &why),
	    in_dir("zfs.ko.debug"));
	assert_null(kdebug_module_file(k.k_kdb, 2, &why));
	kernel_fini(&k);
	remove_dir();
}

/* The module is in the last directory of linker_path. */
static const struct dirs_row {
	const char *name;
	const char *first; /* those before it, this often */
	int count;
	bool numbered;
	bool found;
} dirs_rows[] = {
	{ "linker_path: alone", "", 0, false, true },
	{ "linker_path: none that are relative", "..", 100, true, true },
	{ "linker_path: one directory counts once", "/", 400, false, true },
	{ "linker_path: the sixteenth", "/nonexistent/", 15, true, true },
	{ "linker_path: the seventeenth", "/nonexistent/", 16, true, false },
};

/* Write what linker_path is for the row. */
static void
write_dirs(const struct dirs_row *row, char *path, size_t len)
{
	int end = 0;

	for (int i = 0; i < row->count; i++) {
		end +=
		    snprintf(path + end, len - (size_t)end, "%s", row->first);
		if (row->numbered)
			end += snprintf(path + end, len - (size_t)end, "%d", i);
		end += snprintf(path + end, len - (size_t)end, ";");
	}
	snprintf(path + end, len - (size_t)end, "%s", dir);
}

static void
test_dirs(void **state)
{
	const struct dirs_row *row = *state;
	char path[1024];
	const char *why;
	struct kernel k;

	make_dir();
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	setup(&k);
	write_dirs(row, path, sizeof(path));
	fake_symbol(k.k_kd, "linker_path", FILES_VA + 0x100, sizeof(path));
	fake_string(k.k_kd, FILES_VA + 0x100, path);
	fake_set_exec(k.k_kd, "/nonexistent/kernel");
	kernel_open(&k);
	assert_int_equal(kdebug_module_file(k.k_kdb, 0, &why) != NULL,
	    row->found);
	assert_int_equal(has_note(k.k_kdb,
			     "linker_path: only 16 of its directories"),
	    !row->found);
	kernel_fini(&k);
	remove_dir();
}

/* Both modules lead to one file: a second name, a link, the same name. */
static const struct twin_row {
	const char *name;
	int (*make)(const char *file, const char *twin);
	const char *second; /* the second module's name */
} twin_rows[] = {
	{ "twin: another name", link, "if_em.ko" },
	{ "twin: a symbolic link", symlink, "if_em.ko" },
	{ "twin: the same name", NULL, "zfs.ko" },
};

/* It is given to the first that asks for it. */
static void
test_twin(void **state)
{
	const struct twin_row *row = *state;
	char twin[sizeof(dir) + 16];
	struct kernel k;
	const char *why;

	make_dir();
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	snprintf(twin, sizeof(twin), "%s/%s", dir, row->second);
	if (row->make != NULL)
		assert_int_equal(row->make(in_dir("zfs.ko"), twin), 0);
	setup(&k);
	fake_string(k.k_kd, NAME(2), row->second);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	kernel_open(&k);
	assert_non_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_null(kdebug_module_file(k.k_kdb, 1, &why));
	assert_int_equal(errno, 0);
	assert_non_null(strstr(why, "tried for another module"));
	kernel_fini(&k);
	if (row->make != NULL)
		unlink(twin);
	remove_dir();
}

static void
larger_than_loaded(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_ADDRESS + 8, 0x19c);
	write_module(in_dir("zfs.ko"), ELFCLASS64);
}

static void
other_class(struct kernel *k)
{
	(void)k;
	write_module(in_dir("zfs.ko"), ELFCLASS32);
}

/* Write the module, with another value in a field of its header. */
static void
write_changed(off_t off, uint8_t value)
{
	int fd;

	write_module(in_dir("zfs.ko"), ELFCLASS64);
	fd = open(in_dir("zfs.ko"), O_WRONLY);
	assert_int_equal(pwrite(fd, &value, 1, off), 1);
	close(fd);
}

static void
other_machine(struct kernel *k)
{
	(void)k;
	write_changed(offsetof(Elf64_Ehdr, e_machine), EM_AARCH64);
}

static void
other_order(struct kernel *k)
{
	(void)k;
	write_changed(EI_DATA, ELFDATA2MSB);
}

static void
executable(struct kernel *k)
{
	(void)k;
	write_changed(offsetof(Elf64_Ehdr, e_type), ET_EXEC);
}

static void
many_sections(struct kernel *k)
{
	(void)k;
	write_large_module(in_dir("zfs.ko"), ELFCLASS64, 16384);
}

static void
no_elf(struct kernel *k)
{
	int fd = open(in_dir("zfs.ko"), O_WRONLY | O_CREAT, 0600);

	(void)k;
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
}

/* A file of some bytes says that it is long: a hole costs nothing. */
static void
hollow(struct kernel *k)
{
	no_elf(k);
	assert_int_equal(truncate(in_dir("zfs.ko"), 1 << 20), 0);
}

/* A name out of the dump must not make us wait for a writer. */
static void
fifo(struct kernel *k)
{
	(void)k;
	assert_int_equal(mkfifo(in_dir("zfs.ko"), 0600), 0);
}

static void
path_in_name(struct kernel *k)
{
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	fake_string(k->k_kd, NAME(1), "./zfs.ko");
}

/* The system opens no file more. */
static void
no_descriptor(struct kernel *k)
{
	struct rlimit few = { 0, 0 };

	(void)k;
	write_module(in_dir("zfs.ko"), ELFCLASS64);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &few), 0);
	few.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static const struct refusal_row {
	const char *name;
	void (*change)(struct kernel *);
	const char *module;
	const char *note;
	int error; /* the system's; 0: the file is at fault */
} refusal_rows[] = {
	{ "the file is larger than the module", larger_than_loaded, "zfs.ko",
	    "larger than the module", 0 },
	{ "the file is of another class", other_class, "zfs.ko",
	    "for another machine", 0 },
	{ "the file is of another machine", other_machine, "zfs.ko",
	    "for another machine", 0 },
	{ "the file is of another byte order", other_order, "zfs.ko",
	    "for another machine", 0 },
	{ "the file is an executable", executable, "zfs.ko", "not a module",
	    0 },
	{ "the file has too many sections", many_sections, "zfs.ko",
	    "too many sections", 0 },
	{ "the file is no ELF file", no_elf, "zfs.ko", "not an ELF file", 0 },
	{ "the file is a hole", hollow, "zfs.ko", "nearly all of the file is a",
	    0 },
	{ "the file is a FIFO", fifo, "zfs.ko", NULL, 0 },
	{ "no descriptor is free", no_descriptor, "zfs.ko",
	    "Too many open files", EMFILE },
	{ "the name is a path", path_in_name, "./zfs.ko", NULL, 0 },
};

static void
test_refusal(void **state)
{
	const struct refusal_row *row = *state;
	struct kdebug_frame frame;
	struct rlimit old;
	const char *why;
	struct kernel k;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	make_dir();
	setup(&k);
	row->change(&k);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + 4);
	assert_string_equal(frame.kf_module, row->module);
	assert_null(frame.kf_symbol);
	assert_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_int_equal(errno, row->error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	if (row->note != NULL) {
		assert_true(has_note(k.k_kdb, row->note));
		assert_non_null(strstr(why, row->note));
	} else
		assert_null(why);
	kernel_fini(&k);
	remove_dir();
}

/*
 * A module that is a shared object has its build id in memory: where its file
 * says, or elsewhere if it is of another build.
 */
static const struct build_row {
	const char *name;
	const char *file;
	uint64_t off; /* of the dump's note, from the module's base */
	const char *dump;
	bool taken;
} build_rows[] = {
	{ "build: the same", NOTE_ID, 0x400, NOTE_ID, true },
	{ "build: another", NOTE_ID, 0x400, NOTE_NEWER, false },
	{ "build: another, with its note elsewhere", NOTE_ID, 0x800, NOTE_NEWER,
	    false },
	{ "build: no note in the dump", NOTE_ID, 0x400, "", true },
	{ "build: no note in the file", "", 0x400, NOTE_ID, true },
	{ "build: another module's note", NOTE_ID, 0x1400, NOTE_NEWER, true },
};

/* Write a shared object whose notes are loaded at 0x400. */
static void
write_shared(const char *path, const char *notes)
{
	enum { E_TYPE = 16, LOAD_VA = 64 + 16, NOTES_VA = 64 + 56 + 16 };
	uint8_t bytes[NOTEFILE_LEN];
	FILE *file = fopen(path, "w");

	notefile_write(notes, 0, 0x1000, bytes);
	bytes[E_TYPE] = ET_DYN;
	le64enc(bytes + LOAD_VA, 0);
	le64enc(bytes + NOTES_VA, 0x400);
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, sizeof(bytes), 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

static void
test_build(void **state)
{
	const struct build_row *row = *state;
	uint8_t notes[NOTEFILE_NOTES_LEN];
	const char *why;
	struct kernel k;

	make_dir();
	write_shared(in_dir("zfs.ko"), row->file);
	setup(&k);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	hex_decode(row->dump, notes, sizeof(notes));
	fake_put(k.k_kd, BASE(1) + row->off, notes, sizeof(notes));
	kernel_open(&k);
	assert_int_equal(kdebug_module_file(k.k_kdb, 0, &why) != NULL,
	    row->taken);
	if (!row->taken)
		assert_non_null(strstr(why,
		    "another build: its build-id is a1b2c3d4, the dump's 01020304"));
	kernel_fini(&k);
	remove_dir();
}

/* The dump names folders, also such as its reader may not search. */
static void
test_closed_folder(void **state)
{
	uid_t user = geteuid();
	const char *why;
	struct kernel k;

	(void)state;
	make_dir();
	write_shared(in_dir("zfs.ko"), NOTE_ID);
	setup(&k);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	kernel_open(&k);
	assert_int_equal(chmod(dir, 0), 0);
	assert_int_equal(user == 0 ? seteuid(65534) : 0, 0);
	assert_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_int_equal(geteuid() != user ? seteuid(user) : 0, 0);
	assert_null(why);
	assert_int_equal(chmod(dir, 0700), 0);
	kernel_fini(&k);
	remove_dir();
}

/* Where a large module was searched for its id, the next one is not. */
static void
test_search_budget(void **state)
{
	uint8_t notes[NOTEFILE_NOTES_LEN];
	const char *why;
	struct kernel k;

	(void)state;
	make_dir();
	write_shared(in_dir("zfs.ko"), NOTE_ID);
	write_shared(in_dir("if_em.ko"), NOTE_ID);
	setup(&k);
	put_file(&k, LF(0), LF(1), NAME(1), "zfs.ko", BASE(1), 0x10000000);
	fake_set_exec(k.k_kd, in_dir("kernel"));
	hex_decode(NOTE_NEWER, notes, sizeof(notes));
	fake_put(k.k_kd, BASE(0) + 0x800, notes, sizeof(notes));
	kernel_open(&k);
	assert_non_null(kdebug_module_file(k.k_kdb, 0, &why));
	assert_non_null(kdebug_module_file(k.k_kdb, 1, &why));
	kernel_fini(&k);
	remove_dir();
}

/* No module can give the kernel's functions other names. */
static void
test_over_kernel(void **state)
{
	struct kdebug_frame frame;
	struct kernel k;

	(void)state;
	setup(&k);
	fake_symbol(k.k_kd, "panic", BASE(1) + 0x100, 0x80);
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + 0x108);
	assert_string_equal(frame.kf_symbol, "panic");
	assert_null(frame.kf_module);
	kernel_fini(&k);
}

/* A symbol that the kernel's file calls data is no function. */
static void
test_kernel_data(void **state)
{
	struct kdebug_frame frame;
	struct kernel k;

	(void)state;
	setup(&k);
	fake_object(k.k_kd, "proc0", 0xffffffff81700000, 0x500);
	kernel_open(&k);
	frame = frame_at(&k, 0xffffffff81700008);
	assert_null(frame.kf_symbol);
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(list_rows) + NROWS(place_rows) +
	    NROWS(find_rows) + NROWS(build_rows) + NROWS(refusal_rows) +
	    NROWS(twin_rows) + NROWS(dirs_rows) + 8] = {
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_split_off),
		cmocka_unit_test(test_closed_folder),
		cmocka_unit_test(test_search_budget),
		cmocka_unit_test(test_over_kernel),
		cmocka_unit_test(test_kernel_data),
		cmocka_unit_test(test_kernel),
	};
	size_t n = 8;

	ADD_ROWS(tests, n, list_rows, test_list);
	ADD_ROWS(tests, n, place_rows, test_place);
	ADD_ROWS(tests, n, dirs_rows, test_dirs);
	ADD_ROWS(tests, n, twin_rows, test_twin);
	ADD_ROWS(tests, n, build_rows, test_build);
	ADD_ROWS(tests, n, find_rows, test_find);
	ADD_ROWS(tests, n, refusal_rows, test_refusal);
	return (RUN_TESTS(tests, n));
}
