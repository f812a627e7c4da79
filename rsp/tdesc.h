/*
 * Target descriptions: the registers of a machine, in the order and with the
 * names that gdb demands for its standard features.  With it debuggers need no
 * configuration.
 *
 * Registers that a feature demands and that a kernel never saves (the x87's)
 * are described too; they are unavailable in every thread.
 *
 * Facts: Debugging with GDB, appendix "Target Descriptions", Standard Target
 * Features.
 */
#ifndef RSP_TDESC_H
#define RSP_TDESC_H

#include <stddef.h>

#include "format/minidump.h"
#include "rsp/text.h"

/* Enough for every architecture; riscv64 has 68. */
#define RSP_MAXREGS 72

#define RSP_REG_NAME_LEN 8

struct rsp_reg {
	char rrg_name[RSP_REG_NAME_LEN];
	char rrg_alias[RSP_REG_NAME_LEN]; /* another name for it, or "" */
	unsigned int rrg_len;		  /* bytes */
	const char *rrg_type;		  /* a type that gdb defines */
	const char *rrg_feature; /* what gdb calls its set of registers */
};

/* A machine as gdb and lldb know it. */
struct rsp_tdesc {
	const char *rtd_gdb;	  /* gdb's "set architecture" */
	const char *rtd_lldb;	  /* the first part of lldb's triple */
	unsigned int rtd_ptr_len; /* bytes */
	size_t rtd_nregs;
	struct rsp_reg rtd_regs[RSP_MAXREGS];
	size_t rtd_pc; /* which of them is the program counter */

	/*
	 * A register that gdb needs, and its value while a thread is in the
	 * kernel.  rtd_nregs: there is no such register.
	 */
	size_t rtd_mode;
	uint64_t rtd_mode_value;
};

/* Describe the machine that a dump of arch, in that byte order, comes from. */
void rsp_tdesc_init(struct rsp_tdesc *tdesc, enum dump_arch arch,
    enum byte_order order);

/* The register called name, by either name; rtd_nregs if there is none. */
size_t rsp_tdesc_reg(const struct rsp_tdesc *tdesc, const char *name);

/* Write the description, the document that gdb calls target.xml. */
void rsp_tdesc_put(const struct rsp_tdesc *tdesc, struct rsp_reply *reply);

#endif
