/*
 * usage: test_debugfile KERNEL SOURCE DIR
 *
 * Unwind tables and source lines of an ELF file: kern_amd64.S.  DIR has what
 * split_debug.sh laid out of each kind of file that meson.build names.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "kdebug/arch.h"
#include "kdebug/dwfile.h"
#include "kdebug/modfile.h"
#include "tests/kdebug/frames.h"
#include "tests/kdebug/kernel.h"
#include "tests/support/unit.h"

static const char *kernel_path, *source_path, *dir;

#define STACK UINT64_C(0xfffffe0000100000)

/* Find the symbol in the file's table. */
static bool
find_symbol(Elf *elf, const char *name, GElf_Sym *out)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		Elf_Data *data = elf_getdata(scn, NULL);

		if (gelf_getshdr(scn, &shdr) == NULL ||
		    shdr.sh_type != SHT_SYMTAB)
			continue;
		for (int i = 0; gelf_getsym(data, i, out) != NULL; i++) {
			if (strcmp(elf_strptr(elf, shdr.sh_link, out->st_name),
				name) == 0)
				return (true);
		}
	}
	return (false);
}

/* The value of a label in the file at path. */
static kvaddr_t
label_in(const char *path, const char *name)
{
	int fd = open(path, O_RDONLY);
	GElf_Sym sym;
	Elf *elf;

	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!find_symbol(elf, name, &sym))
		fail_msg("%s has no symbol %s", path, name);
	elf_end(elf);
	close(fd);
	return (sym.st_value);
}

/* The address of a label of the kernel. */
static kvaddr_t
label(const char *name)
{
	return (label_in(kernel_path, name));
}

/* In which line of the source the text is, the first time. */
static int
line_of(const char *text)
{
	FILE *file = fopen(source_path, "r");
	char line[256];
	int n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		n++;
		if (strstr(line, text) != NULL) {
			fclose(file);
			return (n);
		}
	}
	fclose(file);
	fail_msg("%s: no line has %s", source_path, text);
	return (0);
}

/* A thread that stands in leaf. */
static void
setup(struct kernel *k, const char *path)
{
	kvaddr_t pcb = UINT64_C(0xffffffff81000000) + KERNEL_DUMPPCB;

	kernel_init(k, ARCH_AMD64);
	fake_set_exec(k->k_kd, path);
	kernel_proc(k, k->k_base + 0x100000, 1, "init");
	kernel_thread(k, k->k_base + 0x101000, 100001, "init");
	fake_u32(k->k_kd, k->k_base + KERNEL_DUMPTID, 100001);
	fake_word(k->k_kd, pcb + 32, 0);		/* rbp */
	fake_word(k->k_kd, pcb + 40, STACK);		/* rsp */
	fake_word(k->k_kd, pcb + 48, STACK + 0x100);	/* rbx */
	fake_word(k->k_kd, pcb + 56, label("leaf_pc")); /* rip */

	fake_word(k->k_kd, STACK, label("middle_back"));
	fake_word(k->k_kd, STACK + 8, STACK + 0x200); /* rbx */
	fake_word(k->k_kd, STACK + 16, 0x1234);	      /* rbp */
	fake_word(k->k_kd, STACK + 24, label("outer_back"));
	fake_word(k->k_kd, STACK + 32 + 0x28, 0);
}

static size_t
backtrace(struct kernel *k, struct kdebug_frame frames[MAXFRAMES])
{
	const struct kdebug_thread *threads;

	assert_int_equal(kdebug_threads(kernel_open(k), &threads), 1);
	return (take_frames(k->k_kdb, &threads[0], frames, MAXFRAMES));
}

static void
test_tables(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;

	(void)state;
	setup(&k, kernel_path);
	assert_int_equal(backtrace(&k, frames), 3);
	assert_true(frames[0].kf_pc == label("leaf_pc"));
	assert_true(frames[1].kf_pc == label("middle_back"));
	assert_true(frames[2].kf_pc == label("outer_back"));
	kernel_fini(&k);
}

/* A register of a frame, by gdb's name.  false: it is not known. */
static bool
frame_reg(const struct kernel *k, const struct kdebug_frame *frame,
    const char *name, uint64_t *value)
{
	const struct kdebug_reg_desc *descs;
	size_t ndescs = kdebug_reg_descs(k->k_kdb, &descs);
	unsigned int i = 0;

	while (i < ndescs && strcmp(descs[i].rd_name, name) != 0)
		i++;
	assert_true(i < ndescs);
	*value = frame->kf_regs.rs_value[i];
	return (regs_has(&frame->kf_regs, i));
}

static void
check_reg(const struct kernel *k, const struct kdebug_frame *frame,
    const char *name, uint64_t want)
{
	uint64_t value;

	if (!frame_reg(k, frame, name, &value))
		fail_msg("%s is not known", name);
	if (value != want)
		fail_msg("%s is %#jx", name, (uintmax_t)value);
}

/* Let a trap have interrupted leaf: a handler calls, its frame lies below. */
static void
put_trap(struct kernel *k)
{
	kvaddr_t handler = label("first_pc") + 0x1000;
	kvaddr_t tf = STACK - 0x200;

	fake_symbol(k->k_kd, "calltrap", handler, 0x20);
	fake_word(k->k_kd, k->k_base + KERNEL_DUMPPCB + 40, tf);
	fake_word(k->k_kd, k->k_base + KERNEL_DUMPPCB + 56, handler + 8);
	fake_word(k->k_kd, tf + 48, 0xaaaa);		/* rax */
	fake_word(k->k_kd, tf + 56, STACK + 0x100);	/* rbx */
	fake_word(k->k_kd, tf + 88, 0x1212);		/* r12 */
	fake_word(k->k_kd, tf + 152, label("leaf_pc")); /* rip */
	fake_word(k->k_kd, tf + 160, 0x20);		/* cs */
	fake_word(k->k_kd, tf + 176, STACK);		/* rsp */
	fake_word(k->k_kd, tf + 184, 0);
}

/*
 * The tables' rules for registers: what a function pushed is found, what it
 * must keep is its caller's too, and of what it may change nothing is known.
 */
static void
test_registers(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;
	uint64_t value;

	(void)state;
	setup(&k, kernel_path);
	put_trap(&k);
	assert_int_equal(backtrace(&k, frames), 4);
	assert_true(frames[1].kf_trap);
	check_reg(&k, &frames[1], "rip", label("leaf_pc"));
	check_reg(&k, &frames[1], "rax", 0xaaaa);
	check_reg(&k, &frames[2], "rip", label("middle_back"));
	check_reg(&k, &frames[2], "rsp", STACK + 8);
	check_reg(&k, &frames[2], "rbx", STACK + 0x100);
	assert_false(frame_reg(&k, &frames[2], "rax", &value));
	check_reg(&k, &frames[3], "rsp", STACK + 32);
	check_reg(&k, &frames[3], "rbx", STACK + 0x200);
	check_reg(&k, &frames[3], "rbp", 0x1234);
	check_reg(&k, &frames[3], "r12", 0x1212);
	assert_false(frame_reg(&k, &frames[3], "rax", &value));
	kernel_fini(&k);
}

/* A CFA that is not near sp but near another register. */
static void
test_odd_cfa(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;

	(void)state;
	setup(&k, kernel_path);
	fake_word(k.k_kd, k.k_base + KERNEL_DUMPPCB + 56, label("odd_pc"));
	fake_word(k.k_kd, STACK + 0x108, label("outer_back"));
	fake_word(k.k_kd, STACK + 0x110 + 0x28, 0);
	assert_int_equal(backtrace(&k, frames), 2);
	assert_true(frames[1].kf_pc == label("outer_back"));
	kernel_fini(&k);
}

/* The tables' word that there is no caller is the last one. */
static void
test_outermost(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;

	(void)state;
	setup(&k, kernel_path);
	fake_word(k.k_kd, k.k_base + KERNEL_DUMPPCB + 56, label("first_pc"));
	fake_word(k.k_kd, k.k_base + KERNEL_DUMPPCB + 32, STACK + 0x100);
	fake_word(k.k_kd, STACK + 0x108, label("outer_back"));
	assert_int_equal(backtrace(&k, frames), 1);
	kernel_fini(&k);
}

/* Where the tables' next word is missing, the trace ends. */
static void
test_stack_missing(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;

	(void)state;
	setup(&k, kernel_path);
	fake_drop(k.k_kd, STACK);
	assert_int_equal(backtrace(&k, frames), 1);
	kernel_fini(&k);
}

/* The frames of leaf, middle and outer. */
static void
check_frames_of(struct kernel *k)
{
	struct kdebug_frame frames[MAXFRAMES];

	assert_int_equal(backtrace(k, frames), 3);
	assert_true(frames[1].kf_pc == label("middle_back"));
	assert_true(frames[2].kf_pc == label("outer_back"));
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(frames[i].kf_file);
		assert_non_null(strstr(frames[i].kf_file, "kern_amd64.S"));
	}
	assert_int_equal(frames[0].kf_line, line_of("leaf_pc:") + 1);
	assert_int_equal(frames[1].kf_line, line_of("call\tleaf"));
	assert_int_equal(frames[2].kf_line, line_of("call\tmiddle"));
}

/* The same, in the kernel at path. */
static void
check_frames(const char *path)
{
	struct kernel k;

	setup(&k, path);
	check_frames_of(&k);
	kernel_fini(&k);
}

static void
test_lines(void **state)
{
	(void)state;
	check_frames(kernel_path);
}

/* The file that libkvm has open is read, whatever has its name by now. */
static void
test_other_by_name(void **state)
{
	char path[1024];
	struct kernel k;

	(void)state;
	snprintf(path, sizeof(path), "%s/by_name.%ld", dir, (long)getpid());
	assert_int_equal(link(kernel_path, path), 0);
	setup(&k, path);
	assert_int_equal(unlink(path), 0);
	check_frames_of(&k);
	kernel_fini(&k);
}

/*
 * A file in what was laid out.  Skips the test if this way was not, or if libdw
 * would not find the library that asks servers.
 */
static const char *
in_dir(const char *way, const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, way, name);
	if (access(path, R_OK) != 0 ||
	    (strcmp(way, "id/debuginfod") == 0 &&
		dlopen("libdebuginfod.so.1", RTLD_LAZY) == NULL))
		skip();
	return (path);
}

static void
test_no_aranges(void **state)
{
	(void)state;
	check_frames(in_dir("eh/clang", "boot/kernel/kernel"));
}

/* Line 0 is no line. */
static void
test_no_line(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s/kern_no_line", dir);
	setup(&k, path);
	fake_word(k.k_kd, k.k_base + KERNEL_DUMPPCB + 56,
	    label_in(path, "no_line_pc"));
	assert_true(backtrace(&k, frames) >= 1);
	assert_null(frames[0].kf_file);
	kernel_fini(&k);
}

/* A list of ranges that many units share gets no table of that size. */
static void
test_many_ranges(void **state)
{
	struct dwfile_desc desc = { .dwd_module = false };
	struct dwfile *dw;
	const char *file;
	char path[1024];
	int line;

	(void)state;
	snprintf(path, sizeof(path), "%s/kern_many_ranges", dir);
	dw = dwfile_open(&desc, strdup(path), open(path, O_RDONLY));
	assert_non_null(dw);
	assert_false(dwfile_line(dw, 0x1000, &file, &line));
	assert_int_equal(dw->dwf_cus.dc_count, DWFILE_RANGES_MAX);
	dwfile_close(dw);
}

#ifndef SANITIZED
/*
 * A file that takes too much costs the lines and the tables, and that is said
 * once; the trace goes on by frame pointers.
 */
static void
test_too_much(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	const char *const *notes;
	struct kernel k;
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s/kern_many_ranges", dir);
	setup(&k, path);
	fake_word(k.k_kd, k.k_base + KERNEL_DUMPPCB + 32, STACK);
	fake_word(k.k_kd, STACK, STACK + 0x100);
	fake_word(k.k_kd, STACK + 8, label("middle_back"));
	setenv("VMCORE_DEBUG_LIMIT", "4", 1);
	assert_int_equal(backtrace(&k, frames), 2);
	unsetenv("VMCORE_DEBUG_LIMIT");
	assert_null(frames[0].kf_file);
	assert_null(frames[1].kf_file);
	assert_int_equal(kdebug_notes(k.k_kdb, &notes), 1);
	assert_non_null(strstr(notes[0], path));
	assert_non_null(strstr(notes[0], "needs more than 4 MiB of memory"));
	kernel_fini(&k);
}
#endif

/* How files were split, and where their tables are. */
static const struct split_row {
	const char *name;
	const char *way;
} split_rows[] = {
	{ "GNU objcopy", "eh/gnu" },
	{ "llvm-objcopy", "eh/llvm" },
	{ "eu-strip", "eh/elfutils" },
	{ "no program headers", "eh/nophdrs" },
	{ "GNU objcopy, .debug_frame", "debug/gnu" },
	{ "llvm-objcopy, .debug_frame", "debug/llvm" },
	{ "eu-strip, .debug_frame", "debug/elfutils" },
	{ "no program headers, .debug_frame", "debug/nophdrs" },
	{ "by build id", "id/buildid" },
	{ "by build id, from debuginfod", "id/debuginfod" },
};

/* A split-off file, given as the kernel itself. */
static void
test_debug_half(void **state)
{
	(void)state;
	check_frames(in_dir("debug/nophdrs",
	    "usr/lib/debug/boot/kernel/kernel.debug"));
}

static void
test_split(void **state)
{
	const struct split_row *row = *state;

	check_frames(in_dir(row->way, "boot/kernel/kernel"));
}

/* Debug information of another build is left alone. */
static void
test_other_build(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;

	(void)state;
	setup(&k, in_dir("eh/other", "boot/kernel/kernel"));
	assert_int_equal(backtrace(&k, frames), 3);
	assert_null(frames[0].kf_file);
	assert_null(frames[1].kf_file);
	kernel_fini(&k);
}

/* The same code, in a module that was loaded at MODULE_VA. */
#define MODULE_VA  UINT64_C(0xffffffff82400000)
#define MODULE_LEN 0x8000
#define FILES_VA   UINT64_C(0xffffffff81500000)
#define LF_VA	   UINT64_C(0xfffff80004000000)

/* clang's .eh_frame has the type SHT_X86_64_UNWIND. */
static const struct modfile_place module_place = { MODULE_VA, MODULE_LEN, 8,
	ORDER_LITTLE, EM_X86_64, 0x70000001 };

static void
put_module(struct kernel *k, const char *path)
{
	kvaddr_t leaf = MODULE_VA + label_in(path, "leaf_pc");
	kvaddr_t middle = MODULE_VA + label_in(path, "middle_back");
	kvaddr_t outer = MODULE_VA + label_in(path, "outer_back");

	fake_symbol(k->k_kd, "linker_files", FILES_VA, 16);
	fake_word(k->k_kd, FILES_VA, LF_VA);
	fake_word(k->k_kd, LF_VA + 24, 0);	       /* next */
	fake_word(k->k_kd, LF_VA + 40, LF_VA + 0x100); /* filename */
	fake_string(k->k_kd, LF_VA + 0x100, "zfs.ko");
	fake_word(k->k_kd, LF_VA + 64, MODULE_VA);  /* address */
	fake_word(k->k_kd, LF_VA + 72, MODULE_LEN); /* size */
	fake_word(k->k_kd, k->k_base + KERNEL_DUMPPCB + 56, leaf);
	fake_word(k->k_kd, STACK, middle);
	fake_word(k->k_kd, STACK + 24, outer);
}

/* The section of relocations for .eh_frame; NULL: it has none. */
static Elf_Scn *
find_relocations(Elf *elf, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	assert_int_equal(elf_getshdrstrndx(elf, &strndx), 0);
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		assert_non_null(gelf_getshdr(scn, shdr));
		if (strcmp(elf_strptr(elf, strndx, shdr->sh_name),
			".rela.eh_frame") == 0)
			return (scn);
	}
	return (NULL);
}

/* Relocate bytes, which lie at va, against .text: S + A - P. */
static void
relocate(Elf_Data *relocations, uint8_t *bytes, kvaddr_t text, kvaddr_t va)
{
	GElf_Rela rela;

	for (int i = 0; gelf_getrela(relocations, i, &rela) != NULL; i++) {
		assert_int_equal(GELF_R_TYPE(rela.r_info), R_X86_64_PC32);
		le32enc(bytes + rela.r_offset,
		    (uint32_t)(text + (uint64_t)rela.r_addend -
			(va + rela.r_offset)));
	}
}

static kvaddr_t
section_va(const struct modfile *mf, const char *name)
{
	kvaddr_t va = 0;
	uint64_t len;

	(void)modfile_section_find(mf, name, &va, &len);
	return (va);
}

/* Put the module's .eh_frame into memory, as the kernel's linker does. */
static void
put_eh_frame(struct kernel *k, const char *path)
{
	const char *why;
	struct modfile *mf = modfile_open(path, &module_place, &why);
	int fd = modfile_reopen(mf);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	kvaddr_t va = section_va(mf, ".eh_frame");
	GElf_Shdr shdr;
	Elf_Scn *scn = find_relocations(elf, &shdr);

	if (scn != NULL) {
		Elf_Data *data =
		    elf_getdata(elf_getscn(elf, shdr.sh_info), NULL);

		relocate(elf_getdata(scn, NULL), data->d_buf,
		    section_va(mf, ".text"), va);
		fake_put(k->k_kd, va, data->d_buf, data->d_size);
	}
	elf_end(elf);
	close(fd);
	modfile_close(mf);
}

/* A module of a kind of file, and how that was split. */
static const struct module_row {
	const char *name;
	const char *kind, *way;
} module_rows[] = {
	{ "module: not split", "eh", "whole" },
	{ "module: GNU objcopy", "eh", "gnu" },
	{ "module: llvm-objcopy", "eh", "llvm" },
	{ "module: eu-strip", "eh", "elfutils" },
	{ "module: not split, .debug_frame", "debug", "whole" },
	{ "module: GNU objcopy, .debug_frame", "debug", "gnu" },
	{ "module: llvm-objcopy, .debug_frame", "debug", "llvm" },
	{ "module: eu-strip, .debug_frame", "debug", "elfutils" },
	{ "module: other section numbers", "late", "nophdrs" },
	{ "module: by build id", "id", "buildid" },
	{ "module: by build id, from debuginfod", "id", "debuginfod" },
	{ "shared object: not split", "shared", "whole" },
	{ "shared object: GNU objcopy", "shared", "gnu" },
	{ "shared object: llvm-objcopy", "shared", "llvm" },
	{ "shared object: eu-strip", "shared", "elfutils" },
	{ "shared object: no program headers", "shared", "nophdrs" },
};

static void
test_module(void **state)
{
	static const char *const lines[] = { NULL, "call\tleaf",
		"call\tmiddle" };
	const struct module_row *row = *state;
	struct kdebug_frame frames[MAXFRAMES];
	char path[1024], way[64];
	struct kernel k;

	snprintf(way, sizeof(way), "%s/%s", row->kind, row->way);
	snprintf(path, sizeof(path), "%s/zfs_%s.ko", dir, row->kind);
	setup(&k, in_dir(way, "boot/kernel/kernel"));
	put_module(&k, path);
	put_eh_frame(&k, path);
	assert_int_equal(backtrace(&k, frames), NROWS(lines));
	assert_string_equal(frames[0].kf_module, "zfs.ko");
	assert_string_equal(frames[0].kf_symbol, "leaf");
	assert_non_null(frames[0].kf_file);
	assert_int_equal(frames[0].kf_line, line_of("leaf_pc:") + 1);
	for (size_t i = 1; i < NROWS(lines); i++)
		assert_int_equal(frames[i].kf_line, line_of(lines[i]));
	kernel_fini(&k);
}

/* Without its .eh_frame in the dump, a module has no tables. */
static void
test_eh_frame_missing(void **state)
{
	struct kdebug_frame frames[MAXFRAMES];
	struct kernel k;
	char path[1024];

	(void)state;
	setup(&k, in_dir("eh/whole", "boot/kernel/kernel"));
	snprintf(path, sizeof(path), "%s/zfs_eh.ko", dir);
	put_module(&k, path);
	assert_int_equal(backtrace(&k, frames), 1);
	kernel_fini(&k);
}

/* The tables come out of the dump: with any byte of them changed, no harm. */
static void
test_eh_frame_hostile(void **state)
{
	static const uint8_t values[] = { 0x00, 0x7f, 0x80, 0xff };
	struct kdebug_frame frames[MAXFRAMES];
	struct modfile *mf;
	const char *why;
	char path[1024];
	kvaddr_t va;

	(void)state;
	snprintf(path, sizeof(path), "%s/zfs_eh.ko", dir);
	mf = modfile_open(path, &module_place, &why);
	va = section_va(mf, ".eh_frame");
	modfile_close(mf);
	for (size_t i = 0; i < 0x90 * NROWS(values); i++) {
		struct kernel k;

		setup(&k, in_dir("eh/whole", "boot/kernel/kernel"));
		put_module(&k, path);
		put_eh_frame(&k, path);
		fake_put(k.k_kd, va + i / NROWS(values),
		    &values[i % NROWS(values)], 1);
		assert_true(backtrace(&k, frames) >= 1);
		kernel_fini(&k);
	}
}

int
main(int argc, char *argv[])
{
	struct CMUnitTest tests[17 + NROWS(split_rows) + NROWS(module_rows)] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_odd_cfa),
		cmocka_unit_test(test_outermost),
		cmocka_unit_test(test_stack_missing),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_other_by_name),
		cmocka_unit_test(test_no_aranges),
		cmocka_unit_test(test_other_build),
		cmocka_unit_test(test_no_line),
		cmocka_unit_test(test_eh_frame_missing),
		cmocka_unit_test(test_debug_half),
		cmocka_unit_test(test_eh_frame_hostile),
		cmocka_unit_test(test_many_ranges),
#ifndef SANITIZED /* memory is not bounded under one */
		cmocka_unit_test(test_too_much),
#endif
	};
	size_t n = 15;

	if (argc != 4) {
		fprintf(stderr, "usage: test_debugfile KERNEL SOURCE DIR\n");
		return (2);
	}
	kernel_path = argv[1];
	source_path = argv[2];
	dir = argv[3];
	ADD_ROWS(tests, n, split_rows, test_split);
	ADD_ROWS(tests, n, module_rows, test_module);
	return (RUN_TESTS(tests, n));
}
