/*
 * An ELF file of any bytes as the kernel of a dump, or as a module of it: its
 * unwind tables, lines and structures.
 *
 * The first byte picks the machine and, with MODULE, that the file is a module.
 * The second one is where the thread stands: that many bytes into the code.  A
 * third of the words of its stack lead back into the code.  What is to fail may
 * come before these (fail.h).
 */
#include <libelf.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/arch.h"
#include "kdebug/kdebug.h"
#include "kdebug/modfile.h"
#include "tests/fuzz/fail.h"
#include "tests/fuzz/memfile.h"
#include "tests/kdebug/kernel.h"

#define MODULE 0x80

#define CODE_VA	   UINT64_C(0xffffffff80200000)
#define MODULE_VA  UINT64_C(0xffffffff82400000)
#define MODULE_LEN 0x8000
#define FILES_VA   UINT64_C(0xffffffff81500000)
#define LF_VA	   UINT64_C(0xfffff80004000000)
#define STACK_VA   UINT64_C(0xfffffe0000100000)
#define STACK_LEN  0x400

/* Of FreeBSD's struct linker_file. */
enum {
	LF_NEXT = 24,
	LF_FILENAME = 40,
	LF_PATHNAME = 48,
	LF_ADDRESS = 64,
	LF_SIZE = 72
};

/* Of FreeBSD's struct pcb, amd64: rbp, rsp, rbx and rip follow each other. */
enum { PCB_REGS = 32, PCB_NREGS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_stack(struct kernel *k, kvaddr_t code)
{
	for (kvaddr_t off = 0; off < STACK_LEN; off += 8)
		fake_word(k->k_kd, STACK_VA + off,
		    off % 24 == 0 ? code + 0x10 + off / 8 : STACK_VA + off / 2);
}

static void
put_module(struct kernel *k, const char *path)
{
	fake_symbol(k->k_kd, "linker_files", FILES_VA, 16);
	fake_word(k->k_kd, FILES_VA, LF_VA);
	fake_word(k->k_kd, LF_VA + LF_NEXT, 0);
	fake_word(k->k_kd, LF_VA + LF_FILENAME, LF_VA + 0x100);
	fake_string(k->k_kd, LF_VA + 0x100, "zfs.ko");
	fake_word(k->k_kd, LF_VA + LF_PATHNAME, LF_VA + 0x200);
	fake_string(k->k_kd, LF_VA + 0x200, path);
	fake_word(k->k_kd, LF_VA + LF_ADDRESS, MODULE_VA);
	fake_word(k->k_kd, LF_VA + LF_SIZE, MODULE_LEN);
}

/* Let the unwind tables in memory be those of the file, as they are. */
static void
put_tables(struct kernel *k, const char *path)
{
	const struct kvm_core *core = kvm_core(k->k_kd);
	const struct modfile_place place = { MODULE_VA, MODULE_LEN,
		core->kc_ptr_len, core->kc_order,
		arch_facts(core->kc_arch)->af_elf_machine, 0 };
	const char *why;
	struct modfile *mf = modfile_open(path, &place, &why);
	uint64_t len;
	kvaddr_t va;
	size_t ndx;
	int fd = -1;
	Elf *elf;

	if (mf == NULL)
		return;
	ndx = modfile_section_find(mf, ".eh_frame", &va, &len);
	if (ndx != 0 && (fd = modfile_reopen(mf)) >= 0 &&
	    (elf = elf_begin(fd, ELF_C_READ, NULL))) {
		Elf_Data *data = elf_rawdata(elf_getscn(elf, ndx), NULL);

		if (data != NULL && data->d_buf != NULL)
			fake_put(k->k_kd, va, data->d_buf,
			    len < data->d_size ? len : data->d_size);
		(void)elf_end(elf);
	}
	if (fd >= 0)
		(void)close(fd);
	modfile_close(mf);
}

/* A thread that stands in the file's code. */
static void
put_thread(struct kernel *k, kvaddr_t code, uint8_t where)
{
	const uint64_t regs[PCB_NREGS] = { STACK_VA + 0x80, STACK_VA,
		STACK_VA + 0x100, code + where };

	kernel_proc(k, k->k_base + 0x100000, 1, "init");
	kernel_thread(k, k->k_base + 0x101000, 100001, "init");
	fake_u32(k->k_kd, k->k_base + KERNEL_DUMPTID, 100001);
	for (unsigned int i = 0; i < PCB_NREGS; i++)
		fake_word(k->k_kd,
		    k->k_base + KERNEL_DUMPPCB + PCB_REGS + 8 * i, regs[i]);
	put_stack(k, code);
}

static void
walk(struct kdebug *kdb)
{
	const struct kdebug_thread *threads;
	size_t n = kdebug_threads(kdb, &threads);

	for (size_t i = 0; i < n; i++) {
		struct kdebug_trace *tr = kdebug_trace_create(kdb, &threads[i]);
		struct kdebug_frame frame;

		while (tr != NULL && kdebug_trace_next(tr, &frame))
			;
		kdebug_trace_destroy(tr);
	}
}

/* Its name, where its sections are, and where its functions are. */
static void
look_at_module(struct kdebug *kdb)
{
	struct kvm_symbol sym;
	const char *text;
	size_t pos = 0;
	kvaddr_t va;

	(void)kdebug_module_file(kdb, 0, &text);
	while (kdebug_module_section(kdb, 0, &pos, &text, &va))
		;
	/* It may lie anywhere: the file says where. */
	(void)kdebug_module_symbol(kdb, "zfs_open", &sym);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail_plan plan = fail_take(&data, &size);
	static struct memfile file;
	static bool created;
	struct kernel k;
	kvaddr_t code;

	if (size < 2)
		return (0);
	if (!created)
		memfile_create(&file);
	created = true;
	memfile_set(&file, data + 2, size - 2);
	code = (data[0] & MODULE) != 0 ? MODULE_VA : CODE_VA;
	kernel_init(&k, (enum dump_arch)((data[0] & 0x7f) % ARCH_COUNT));
	fake_set_exec(k.k_kd, file.path);
	fake_symbol(k.k_kd, "code", CODE_VA, 0x1000);
	if ((data[0] & MODULE) != 0) {
		put_module(&k, file.path);
		put_tables(&k, file.path);
	}
	put_thread(&k, code, data[1]);
	kernel_open(&k);
	fail_set(plan.fp_kind, plan.fp_n);
	walk(k.k_kdb);
	look_at_module(k.k_kdb);
	fail_clear();
	kernel_fini(&k);
	return (0);
}
