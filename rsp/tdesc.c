/*
 * Target descriptions: see tdesc.h.
 *
 * The tables are written as runs of registers of one kind, so that they read
 * as a debugger prints them.
 */
#include "rsp/tdesc.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Consecutive registers of one kind. */
struct tdesc_run {
	const char *names; /* "name" or "name/alias", separated by blanks */
	unsigned int len;  /* bytes */
	const char *type;
};

#define MAXRUNS 8

struct machine {
	const char *gdb;
	const char *lldb;
	const char *lldb_big; /* the same with big-endian memory */
	const char *feature;
	const char *pc;
	const char *mode; /* for rtd_mode, or NULL */
	uint64_t mode_value;
	struct tdesc_run runs[MAXRUNS]; /* up to one without names */

	/*
	 * A second feature, or NULL.  If the calling convention of the kernel's
	 * file (e_flags) has floating point, as FreeBSD's lp64d on riscv64 has,
	 * gdb refuses the file unless the target has floating point too.
	 */
	const char *fpu_feature;
	struct tdesc_run fpu_runs[MAXRUNS];
};

/*
 * cpsr: supervisor mode, ARM instructions, as FreeBSD's kernel runs.  Without it
 * gdb does not unwind.
 */
#define ARM_SUPERVISOR 0x13

#define X86_SEGMENTS "cs ss ds es fs gs"
#define X87_STACK    "st0 st1 st2 st3 st4 st5 st6 st7"
#define X87_CONTROL  "fctrl fstat ftag fiseg fioff foseg fooff fop"

static const struct machine machines[ARCH_COUNT] = {
	[ARCH_AMD64] = {
		.gdb = "i386:x86-64",
		.lldb = "x86_64",
		.feature = "org.gnu.gdb.i386.core",
		.pc = "rip",
		.runs = {
			{ "rax rbx rcx rdx rsi rdi", 8, "int64" },
			{ "rbp rsp", 8, "data_ptr" },
			{ "r8 r9 r10 r11 r12 r13 r14 r15", 8, "int64" },
			{ "rip", 8, "code_ptr" },
			{ "eflags/rflags " X86_SEGMENTS, 4, "int32" },
			{ X87_STACK, 10, "i387_ext" },
			{ X87_CONTROL, 4, "int32" },
		},
	},
	[ARCH_ARM] = {
		.gdb = "arm",
		.lldb = "armv7",
		.lldb_big = "armebv7",
		.feature = "org.gnu.gdb.arm.core",
		.pc = "pc",
		.mode = "cpsr",
		.mode_value = ARM_SUPERVISOR,
		.runs = {
			{ "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12", 4,
			    "uint32" },
			{ "sp/r13", 4, "data_ptr" },
			{ "lr/r14", 4, "uint32" },
			{ "pc/r15", 4, "code_ptr" },
			{ "cpsr", 4, "uint32" },
		},
	},
	[ARCH_ARM64] = {
		.gdb = "aarch64",
		.lldb = "aarch64",
		.feature = "org.gnu.gdb.aarch64.core",
		.pc = "pc",
		.runs = {
			{ "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9", 8, "int64" },
			{ "x10 x11 x12 x13 x14 x15 x16 x17", 8, "int64" },
			{ "x18 x19 x20 x21 x22 x23 x24 x25", 8, "int64" },
			{ "x26 x27 x28 x29/fp x30/lr", 8, "int64" },
			{ "sp", 8, "data_ptr" },
			{ "pc", 8, "code_ptr" },
			{ "cpsr", 4, "int32" },
		},
	},
	[ARCH_I386] = {
		.gdb = "i386",
		.lldb = "i386",
		.feature = "org.gnu.gdb.i386.core",
		.pc = "eip",
		.runs = {
			{ "eax ecx edx ebx", 4, "int32" },
			{ "esp ebp", 4, "data_ptr" },
			{ "esi edi", 4, "int32" },
			{ "eip", 4, "code_ptr" },
			{ "eflags " X86_SEGMENTS, 4, "int32" },
			{ X87_STACK, 10, "i387_ext" },
			{ X87_CONTROL, 4, "int32" },
		},
	},
	[ARCH_RISCV] = {
		.gdb = "riscv:rv64",
		.lldb = "riscv64",
		.feature = "org.gnu.gdb.riscv.cpu",
		.pc = "pc",
		.runs = {
			{ "zero", 8, "int64" },
			{ "ra", 8, "code_ptr" },
			{ "sp gp tp", 8, "data_ptr" },
			{ "t0 t1 t2 fp/s0 s1 a0 a1 a2 a3 a4 a5 a6 a7", 8,
			    "int64" },
			{ "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6", 8,
			    "int64" },
			{ "pc", 8, "code_ptr" },
		},
		.fpu_feature = "org.gnu.gdb.riscv.fpu",
		.fpu_runs = {
			{ "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1", 8,
			    "ieee_double" },
			{ "fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7", 8, "ieee_double" },
			{ "fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11", 8,
			    "ieee_double" },
			{ "ft8 ft9 ft10 ft11", 8, "ieee_double" },
			{ "fflags frm fcsr", 4, "int32" },
		},
	},
};

static void
copy_name(char *to, const char *from, size_t len)
{
	assert(len < RSP_REG_NAME_LEN);
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Append the registers of a run, which belong to feature. */
static void
add_run(struct rsp_tdesc *tdesc, const struct tdesc_run *run,
    const char *feature)
{
	const char *name = run->names;
	struct rsp_reg *reg;
	size_t len, name_len;

	while (*name != '\0') {
		len = strcspn(name, " ");
		name_len = strcspn(name, " /");
		assert(tdesc->rtd_nregs < RSP_MAXREGS);
		reg = &tdesc->rtd_regs[tdesc->rtd_nregs++];
		reg->rrg_len = run->len;
		reg->rrg_type = run->type;
		reg->rrg_feature = feature;
		copy_name(reg->rrg_name, name, name_len);
		if (name_len < len)
			copy_name(reg->rrg_alias, name + name_len + 1,
			    len - name_len - 1);
		name += len;
		name += strspn(name, " ");
	}
}

/* Append runs, up to MAXRUNS or one without names. */
static void
add_runs(struct rsp_tdesc *tdesc, const struct tdesc_run *runs,
    const char *feature)
{
	for (size_t i = 0; i < MAXRUNS && runs[i].names != NULL; i++)
		add_run(tdesc, &runs[i], feature);
}

size_t
rsp_tdesc_reg(const struct rsp_tdesc *tdesc, const char *name)
{
	size_t i;

	for (i = 0; i < tdesc->rtd_nregs; i++) {
		if (strcmp(tdesc->rtd_regs[i].rrg_name, name) == 0 ||
		    strcmp(tdesc->rtd_regs[i].rrg_alias, name) == 0)
			break;
	}
	return (i);
}

void
rsp_tdesc_init(struct rsp_tdesc *tdesc, enum dump_arch arch,
    enum byte_order order)
{
	const struct machine *m = &machines[arch];

	*tdesc = (struct rsp_tdesc){
		.rtd_gdb = m->gdb,
		.rtd_lldb = m->lldb,
		.rtd_ptr_len = arch_facts(arch)->af_ptr_len,
	};
	if (order == ORDER_BIG && m->lldb_big != NULL)
		tdesc->rtd_lldb = m->lldb_big;
	add_runs(tdesc, m->runs, m->feature);
	add_runs(tdesc, m->fpu_runs, m->fpu_feature);
	tdesc->rtd_pc = rsp_tdesc_reg(tdesc, m->pc);
	assert(tdesc->rtd_pc < tdesc->rtd_nregs);
	tdesc->rtd_mode = tdesc->rtd_nregs;
	if (m->mode != NULL)
		tdesc->rtd_mode = rsp_tdesc_reg(tdesc, m->mode);
	tdesc->rtd_mode_value = m->mode_value;
}

static void
put_attribute(struct rsp_reply *reply, const char *name, const char *value)
{
	rsp_put(reply, " ");
	rsp_put(reply, name);
	rsp_put(reply, "=\"");
	rsp_put_xml(reply, value);
	rsp_put(reply, "\"");
}

static void
put_reg(struct rsp_reply *reply, const struct rsp_reg *reg)
{
	char bits[12];

	snprintf(bits, sizeof(bits), "%u", 8 * reg->rrg_len);
	rsp_put(reply, "<reg");
	put_attribute(reply, "name", reg->rrg_name);
	if (reg->rrg_alias[0] != '\0')
		put_attribute(reply, "altname", reg->rrg_alias);
	put_attribute(reply, "bitsize", bits);
	put_attribute(reply, "type", reg->rrg_type);
	rsp_put(reply, "/>\n");
}

/* Put the registers from start on that are of one feature; returns their end. */
static size_t
put_feature(const struct rsp_tdesc *tdesc, size_t start,
    struct rsp_reply *reply)
{
	const char *feature = tdesc->rtd_regs[start].rrg_feature;
	size_t i;

	rsp_put(reply, "<feature");
	put_attribute(reply, "name", feature);
	rsp_put(reply, ">\n");
	for (i = start; i < tdesc->rtd_nregs; i++) {
		if (strcmp(tdesc->rtd_regs[i].rrg_feature, feature) != 0)
			break;
		put_reg(reply, &tdesc->rtd_regs[i]);
	}
	rsp_put(reply, "</feature>\n");
	return (i);
}

void
rsp_tdesc_put(const struct rsp_tdesc *tdesc, struct rsp_reply *reply)
{
	rsp_put(reply,
	    "<?xml version=\"1.0\"?>\n"
	    "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
	    "<target version=\"1.0\">\n"
	    "<architecture>");
	rsp_put_xml(reply, tdesc->rtd_gdb);
	rsp_put(reply, "</architecture>\n");
	for (size_t i = 0; i < tdesc->rtd_nregs;)
		i = put_feature(tdesc, i, reply);
	rsp_put(reply, "</target>\n");
}
