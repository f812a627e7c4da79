/* Where each machine's kernel saves registers, and what they are called. */
#include <stdio.h>
#include <string.h>

#include "tests/kdebug/kernel.h"
#include "tests/support/unit.h"

#define PROC_VA(k)   ((k)->k_base + 0x100000)
#define THREAD_VA(k) ((k)->k_base + 0x101000)
#define PCB_VA(k)    ((k)->k_base + 0x102000)

static const struct names_row {
	const char *name;
	enum dump_arch arch;
	const char *names; /* with a length where it is not a word's */
} names_rows[] = {
	{ "amd64's names", ARCH_AMD64,
	    "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 "
	    "rip eflags:4 cs:4 ss:4 ds:4 es:4 fs:4 gs:4 " },
	{ "i386's names", ARCH_I386,
	    "eax ecx edx ebx esp ebp esi edi eip eflags cs ss ds es fs gs " },
	{ "arm64's names", ARCH_ARM64,
	    "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 "
	    "x18 x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 x30 sp pc "
	    "cpsr:4 " },
	{ "arm's names", ARCH_ARM,
	    "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 sp lr pc cpsr " },
	{ "riscv's names", ARCH_RISCV,
	    "zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 "
	    "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6 pc " },
};

static void
test_names(void **state)
{
	const struct names_row *row = *state;
	const struct kdebug_reg_desc *descs;
	char names[512] = "";
	struct kernel k;
	size_t n, len = 0;

	kernel_init(&k, row->arch);
	n = kdebug_reg_descs(kernel_open(&k), &descs);
	assert_in_range(n, 1, KDEBUG_MAXREGS);
	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s",
		    descs[i].rd_name);
		if (descs[i].rd_len != kvm_core(k.k_kd)->kc_ptr_len)
			len += (size_t)snprintf(names + len,
			    sizeof(names) - len, ":%u", descs[i].rd_len);
		len += (size_t)snprintf(names + len, sizeof(names) - len, " ");
	}
	assert_string_equal(names, row->names);
	kernel_fini(&k);
}

/* Which context a thread has. */
enum context { DUMPED, STOPPED, SWITCHED, VCPU };

/* arm64's pcb before and after 14.0. */
#define ARM64_PCB_OLD                                                          \
	"x0@0 x1@8 x2@16 x3@24 x4@32 x5@40 x6@48 x7@56 x8@64 x9@72 "           \
	"x10@80 x11@88 x12@96 x13@104 x14@112 x15@120 x16@128 x17@136 "        \
	"x18@144 x19@152 x20@160 x21@168 x22@176 x23@184 x24@192 x25@200 "     \
	"x26@208 x27@216 x28@224 x29@232 pc@240 sp@256"
#define ARM64_PCB                                                              \
	"x19@0 x20@8 x21@16 x22@24 x23@32 x24@40 x25@48 x26@56 x27@64 "        \
	"x28@72 x29@80 pc@88 sp@96"

/* A list "name@offset ...": all registers that the context holds. */
static const struct pcb_row {
	const char *name;
	enum dump_arch arch;
	enum context context;
	uint32_t osreldate; /* 0: the kernel does not say */
	uint32_t pcb_len;   /* sizeof(struct pcb); 0: PCB_LEN */
	const char *regs;
} pcb_rows[] = {
	{ "amd64 dumppcb", ARCH_AMD64, DUMPED, 0, 0,
	    "r15@0 r14@8 r13@16 r12@24 rbp@32 rsp@40 rbx@48 rip@56" },
	{ "amd64 stoppcbs", ARCH_AMD64, STOPPED, 0, 0,
	    "r15@0 r14@8 r13@16 r12@24 rbp@32 rsp@40 rbx@48 rip@56" },
	{ "amd64 switched out", ARCH_AMD64, SWITCHED, 0, 0,
	    "r15@0 r14@8 r13@16 r12@24 rbp@32 rsp@40 rbx@48 rip@56" },
	{ "amd64 by its hypervisor", ARCH_AMD64, VCPU, 0, 0,
	    "r15@112 r14@120 r13@128 r12@136 rbp@144 rbx@152 r11@160 r10@168 "
	    "r9@176 r8@184 rax@192 rcx@200 rdx@208 rsi@216 rdi@224 rip@240 "
	    "cs@248 eflags@256 rsp@264 ss@272 ds@296 es@304 fs@312 gs@320" },
	{ "i386 by its hypervisor", ARCH_I386, VCPU, 0, 0,
	    "ebx@72 ecx@76 edx@80 esi@84 edi@88 ebp@92 eax@96 ds@100 es@104 "
	    "fs@108 gs@112 eip@120 cs@124 eflags@128 esp@132 ss@136" },
	{ "arm64 by its hypervisor", ARCH_ARM64, VCPU, 0, 0,
	    "x0@112 x1@120 x2@128 x3@136 x4@144 x5@152 x6@160 x7@168 x8@176 "
	    "x9@184 x10@192 x11@200 x12@208 x13@216 x14@224 x15@232 x16@240 "
	    "x17@248 x18@256 x19@264 x20@272 x21@280 x22@288 x23@296 x24@304 "
	    "x25@312 x26@320 x27@328 x28@336 x29@344 x30@352 sp@360 pc@368 "
	    "cpsr@376" },
	{ "i386", ARCH_I386, SWITCHED, 0, 0,
	    "edi@0 esi@4 ebp@8 esp@12 ebx@16 eip@20" },
	{ "arm", ARCH_ARM, SWITCHED, 0, 0,
	    "r4@0 r5@4 r6@8 r7@12 r8@16 r9@20 r10@24 r11@28 r12@32 sp@36 "
	    "lr@40 pc@44" },
	{ "arm64 of 13, dumppcb", ARCH_ARM64, DUMPED, 1301000, 0,
	    ARM64_PCB_OLD },
	{ "arm64 of 13, switched out", ARCH_ARM64, SWITCHED, 1301000, 0,
	    ARM64_PCB_OLD },
	{ "arm64, last with the old pcb", ARCH_ARM64, SWITCHED, 1400083, 0,
	    ARM64_PCB_OLD },
	{ "arm64, first with the new pcb", ARCH_ARM64, SWITCHED, 1400084, 1376,
	    ARM64_PCB },
	{ "arm64 of 14, dumppcb", ARCH_ARM64, DUMPED, 1400097, 0, ARM64_PCB },
	{ "arm64, old by its size", ARCH_ARM64, SWITCHED, 0, 1376,
	    ARM64_PCB_OLD },
	{ "arm64, new by its size", ARCH_ARM64, SWITCHED, 0, 1216, ARM64_PCB },
	{ "riscv", ARCH_RISCV, SWITCHED, 1400097, 664,
	    "pc@0 sp@8 gp@16 tp@24 fp@32 s1@40 s2@48 s3@56 s4@64 s5@72 s6@80 "
	    "s7@88 s8@96 s9@104 s10@112 s11@120" },
	{ "riscv, the old pcb", ARCH_RISCV, SWITCHED, 0, 784,
	    "pc@0 sp@8 gp@16 tp@24 t0@32 t1@40 t2@48 t3@56 t4@64 t5@72 t6@80 "
	    "fp@88 s1@96 s2@104 s3@112 s4@120 s5@128 s6@136 s7@144 s8@152 "
	    "s9@160 s10@168 s11@176 a0@184 a1@192 a2@200 a3@208 a4@216 a5@224 "
	    "a6@232 a7@240" },
};

/* The value that fill() writes at an offset, cut to a register's width. */
static uint64_t
pattern(unsigned int off, unsigned int len)
{
	return (len == 8 ? 0xfedcba9880000000 + off : 0x80000000 + off);
}

static void
fill(struct kernel *k, kvaddr_t va)
{
	unsigned int word = kvm_core(k->k_kd)->kc_ptr_len;

	for (unsigned int off = 0; off < 512; off += word)
		fake_word(k->k_kd, va + off, pattern(off, word));
}

static unsigned int
reg_len(struct kdebug *kdb, const char *name)
{
	const struct kdebug_reg_desc *descs;
	size_t n = kdebug_reg_descs(kdb, &descs);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(descs[i].rd_name, name) == 0)
			return (descs[i].rd_len);
	}
	return (0);
}

static void
check_regs(struct kernel *k, const struct kdebug_regs *regs, const char *list)
{
	unsigned int word = kvm_core(k->k_kd)->kc_ptr_len;
	unsigned int off, n = 0;
	char name[16];
	int used;

	for (; sscanf(list, " %15[^@]@%u%n", name, &off, &used) == 2; n++) {
		uint64_t want = pattern(off, word);

		if (reg_len(k->k_kdb, name) == 4)
			want &= UINT32_MAX;
		if (reg_named(k->k_kdb, regs, name) != want)
			fail_msg("%s is %#jx", name,
			    (uintmax_t)reg_named(k->k_kdb, regs, name));
		list += used;
	}
	assert_int_equal(nvalid(regs), n);
}

/* CPU 0, which was not stopped, has what fill() writes in its note. */
static void
fill_vcpu(struct kernel *k, uint8_t note[512])
{
	struct kvm_vcpu vc = { .vc_prstatus = { note, 512 } };

	fill(k, PCB_VA(k));
	assert_int_equal(kvm_read2(k->k_kd, PCB_VA(k), note, 512), 512);
	fake_vcpu(k->k_kd, &vc);
	kernel_oncpu(k, 0);
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0);
}

static void
test_pcb(void **state)
{
	const struct pcb_row *row = *state;
	const struct kdebug_thread *threads;
	uint8_t note[512];
	struct kernel k;

	kernel_init(&k, row->arch);
	if (row->osreldate != 0)
		fake_const(k.k_kd, "osreldate", row->osreldate);
	if (row->pcb_len != 0) {
		fake_unsymbol(k.k_kd, "pcb_size");
		fake_const(k.k_kd, "pcb_size", row->pcb_len);
	}
	kernel_proc(&k, PROC_VA(&k), 1, "init");
	kernel_thread(&k, THREAD_VA(&k), 100002, "init");
	kernel_pcb(&k, PCB_VA(&k));
	if (row->context == DUMPED) {
		fake_u32(k.k_kd, k.k_base + KERNEL_DUMPTID, 100002);
		fill(&k, k.k_base + KERNEL_DUMPPCB);
	} else if (row->context == STOPPED) {
		kernel_oncpu(&k, 2);
		fill(&k, k.k_base + KERNEL_STOPPCBS + 2 * PCB_LEN);
	} else if (row->context == VCPU) {
		fill_vcpu(&k, note);
	} else {
		fill(&k, PCB_VA(&k));
	}
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 1);
	check_regs(&k, &threads[0].kt_regs, row->regs);
	kernel_fini(&k);
}

/* 32-bit arm was the last of FreeBSD's machines with big-endian kernels. */
static void
test_big_endian(void **state)
{
	const struct kdebug_thread *threads;
	struct kernel k;

	(void)state;
	kernel_init_big_endian(&k, ARCH_ARM);
	kernel_proc(&k, PROC_VA(&k), 7, "init");
	kernel_thread(&k, THREAD_VA(&k), 100002, "init");
	kernel_pcb(&k, PCB_VA(&k));
	fill(&k, PCB_VA(&k));
	assert_int_equal(kdebug_threads(kernel_open(&k), &threads), 1);
	assert_int_equal(threads[0].kt_pid, 7);
	assert_int_equal(threads[0].kt_tid, 100002);
	assert_true(reg_named(k.k_kdb, &threads[0].kt_regs, "pc") ==
	    pattern(44, 4));
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(names_rows) + NROWS(pcb_rows) + 1] = {
		cmocka_unit_test(test_big_endian),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, names_rows, test_names);
	ADD_ROWS(tests, n, pcb_rows, test_pcb);
	return (RUN_TESTS(tests, n));
}
