#include "tests/kdebug/kernel.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct {
	const char *name;
	uint32_t value;
} consts[] = {
	{ "proc_off_p_pid", P_PID },
	{ "proc_off_p_comm", P_COMM },
	{ "proc_off_p_list", P_LIST },
	{ "proc_off_p_threads", P_THREADS },
	{ "thread_off_td_tid", TD_TID },
	{ "thread_off_td_name", TD_NAME },
	{ "thread_off_td_oncpu", TD_ONCPU },
	{ "thread_off_td_pcb", TD_PCB },
	{ "thread_off_td_plist", TD_PLIST },
	{ "pcb_size", PCB_LEN },
};

static const struct {
	const char *name;
	kvaddr_t off;
	uint64_t len;
} variables[] = {
	{ "allproc", KERNEL_ALLPROC, 8 },
	{ "zombproc", KERNEL_ZOMBPROC, 8 },
	{ "dumptid", KERNEL_DUMPTID, 4 },
	{ "mp_maxid", KERNEL_MAXID, 4 },
	{ "stopped_cpus", KERNEL_STOPPED, 32 },
	{ "dumppcb", KERNEL_DUMPPCB, PCB_LEN },
	{ "stoppcbs", KERNEL_STOPPCBS, (uint64_t)64 * PCB_LEN },
};

static void
init(struct kernel *k, enum dump_arch arch, enum byte_order order)
{
	*k = (struct kernel){ .k_kd = fake_create(arch, order) };
	k->k_base = kvm_core(k->k_kd)->kc_ptr_len == 8 ?
	    UINT64_C(0xffffffff81000000) :
	    0xc1000000;
	k->k_proc_link = k->k_base + KERNEL_ALLPROC;
	for (size_t i = 0; i < NROWS(consts); i++)
		fake_const(k->k_kd, consts[i].name, consts[i].value);
	for (size_t i = 0; i < NROWS(variables); i++)
		fake_symbol(k->k_kd, variables[i].name,
		    k->k_base + variables[i].off, variables[i].len);
	fake_word(k->k_kd, k->k_base + KERNEL_ALLPROC, 0);
	fake_u32(k->k_kd, k->k_base + KERNEL_MAXID, 3);
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0xf);
	fake_u32(k->k_kd, k->k_base + KERNEL_STOPPCBS, 0);
}

void
kernel_init(struct kernel *k, enum dump_arch arch)
{
	init(k, arch, ORDER_LITTLE);
}

void
kernel_init_big_endian(struct kernel *k, enum dump_arch arch)
{
	init(k, arch, ORDER_BIG);
}

void
kernel_fini(struct kernel *k)
{
	kdebug_destroy(k->k_kdb);
	fake_destroy(k->k_kd);
}

struct kdebug *
kernel_open(struct kernel *k)
{
	k->k_kdb = kdebug_create(k->k_kd);
	assert_non_null(k->k_kdb);
	return (k->k_kdb);
}

void
kernel_proc(struct kernel *k, kvaddr_t va, int pid, const char *comm)
{
	fake_word(k->k_kd, k->k_proc_link, va);
	fake_u32(k->k_kd, va + P_PID, (uint32_t)pid);
	fake_string(k->k_kd, va + P_COMM, comm);
	k->k_proc_link = va + P_LIST;
	k->k_td_link = va + P_THREADS;
}

void
kernel_thread(struct kernel *k, kvaddr_t va, int tid, const char *name)
{
	fake_word(k->k_kd, k->k_td_link, va);
	fake_u32(k->k_kd, va + TD_TID, (uint32_t)tid);
	fake_string(k->k_kd, va + TD_NAME, name);
	fake_u32(k->k_kd, va + TD_ONCPU, UINT32_MAX);
	k->k_td_link = va + TD_PLIST;
	k->k_td = va;
}

void
kernel_oncpu(struct kernel *k, int cpu)
{
	fake_u32(k->k_kd, k->k_td + TD_ONCPU, (uint32_t)cpu);
}

void
kernel_pcb(struct kernel *k, kvaddr_t pcb_va)
{
	fake_word(k->k_kd, k->k_td + TD_PCB, pcb_va);
}

void
kernel_put_pcb(struct kernel *k, kvaddr_t va, uint64_t pc, uint64_t sp)
{
	fake_u64(k->k_kd, va + 56, pc);
	fake_u64(k->k_kd, va + 40, sp);
}

uint64_t
reg_named(struct kdebug *kdb, const struct kdebug_regs *regs, const char *name)
{
	const struct kdebug_reg_desc *descs;
	size_t n = kdebug_reg_descs(kdb, &descs);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(descs[i].rd_name, name) != 0)
			continue;
		if ((regs->rs_valid >> i & 1) == 0)
			fail_msg("%s is not valid", name);
		return (regs->rs_value[i]);
	}
	fail_msg("there is no register %s", name);
	return (0);
}

unsigned int
nvalid(const struct kdebug_regs *regs)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 64; i++)
		n += (regs->rs_valid >> i & 1) != 0;
	return (n);
}

void
check_text(const char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

bool
has_note(const struct kdebug *kdb, const char *text)
{
	const char *const *notes;
	size_t n = kdebug_notes(kdb, &notes);

	for (size_t i = 0; i < n; i++) {
		if (strstr(notes[i], text) != NULL)
			return (true);
	}
	return (false);
}
