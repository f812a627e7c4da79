/*
 * The table of the fields that libkvm reads, and their offsets: see fields.h.
 *
 * All fields are looked up together, the first time that one is needed.
 */
#include "libkvm/fields.h"

#include <stdlib.h>
#include <string.h>

#include "libkvm/kvm_int.h"

#define LEN_OF_POINTER 0

/*
 * A field's structure, its name there, and the exported constant that has its
 * offset if there is no debug information, with its length in that case.
 */
static const struct {
	const char *type;
	const char *name;
	const char *constant; /* NULL: there is none */
	uint32_t len;
} fields[FLD_COUNT] = {
	[FLD_P_LIST] = { "proc", "p_list.le_next", "proc_off_p_list",
	    LEN_OF_POINTER },
	[FLD_P_THREADS] = { "proc", "p_threads.tqh_first", "proc_off_p_threads",
	    LEN_OF_POINTER },
	[FLD_P_PID] = { "proc", "p_pid", "proc_off_p_pid", 4 },
	[FLD_P_COMM] = { "proc", "p_comm", "proc_off_p_comm", 20 },
	[FLD_P_STATE] = { "proc", "p_state", NULL, 0 },
	[FLD_P_OPPID] = { "proc", "p_oppid", NULL, 0 },
	[FLD_P_PPTR] = { "proc", "p_pptr", NULL, 0 },
	[FLD_P_UCRED] = { "proc", "p_ucred", NULL, 0 },
	[FLD_P_FD] = { "proc", "p_fd", NULL, 0 },
	[FLD_P_PD] = { "proc", "p_pd", NULL, 0 },
	[FLD_P_VMSPACE] = { "proc", "p_vmspace", NULL, 0 },
	[FLD_P_ARGS] = { "proc", "p_args", NULL, 0 },
	[FLD_P_TRACEVP] = { "proc", "p_tracevp", NULL, 0 },
	[FLD_P_TEXTVP] = { "proc", "p_textvp", NULL, 0 },
	[FLD_P_SIGACTS] = { "proc", "p_sigacts", NULL, 0 },
	[FLD_P_SIGLIST] = { "proc", "p_sigqueue.sq_signals", NULL, 0 },
	[FLD_P_PGRP] = { "proc", "p_pgrp", NULL, 0 },
	[FLD_P_FLAG] = { "proc", "p_flag", NULL, 0 },
	[FLD_P_FLAG2] = { "proc", "p_flag2", NULL, 0 },
	[FLD_P_SYSENT] = { "proc", "p_sysent", NULL, 0 },
	[FLD_P_RUNTIME] = { "proc", "p_rux.rux_runtime", NULL, 0 },
	[FLD_P_XSTAT] = { "proc", "p_xstat", NULL, 0 },
	[FLD_P_XEXIT] = { "proc", "p_xexit", NULL, 0 },
	[FLD_P_XSIG] = { "proc", "p_xsig", NULL, 0 },
	[FLD_P_ACFLAG] = { "proc", "p_acflag", NULL, 0 },
	[FLD_P_LOCK] = { "proc", "p_lock", NULL, 0 },
	[FLD_P_SWTICK] = { "proc", "p_swtick", NULL, 0 },
	[FLD_P_NICE] = { "proc", "p_nice", NULL, 0 },
	[FLD_P_TRACEFLAG] = { "proc", "p_traceflag", NULL, 0 },
	[FLD_P_NUMTHREADS] = { "proc", "p_numthreads", NULL, 0 },
	[FLD_P_FIBNUM] = { "proc", "p_fibnum", NULL, 0 },
	[FLD_TD_PLIST] = { "thread", "td_plist.tqe_next", "thread_off_td_plist",
	    LEN_OF_POINTER },
	[FLD_TD_TID] = { "thread", "td_tid", "thread_off_td_tid", 4 },
	[FLD_TD_NAME] = { "thread", "td_name", "thread_off_td_name", 20 },
	[FLD_TD_ONCPU] = { "thread", "td_oncpu", "thread_off_td_oncpu", 4 },
	[FLD_TD_PCB] = { "thread", "td_pcb", "thread_off_td_pcb",
	    LEN_OF_POINTER },
	[FLD_TD_STATE] = { "thread", "td_state", NULL, 0 },
	[FLD_TD_INHIBITORS] = { "thread", "td_inhibitors", NULL, 0 },
	[FLD_TD_FLAGS] = { "thread", "td_flags", NULL, 0 },
	[FLD_TD_LASTCPU] = { "thread", "td_lastcpu", NULL, 0 },
	[FLD_TD_WMESG] = { "thread", "td_wmesg", NULL, 0 },
	[FLD_TD_WCHAN] = { "thread", "td_wchan", NULL, 0 },
	[FLD_TD_BLOCKED] = { "thread", "td_blocked", NULL, 0 },
	[FLD_TD_LOCKNAME] = { "thread", "td_lockname", NULL, 0 },
	[FLD_TD_SIGLIST] = { "thread", "td_sigqueue.sq_signals", NULL, 0 },
	[FLD_TD_SIGMASK] = { "thread", "td_sigmask", NULL, 0 },
	[FLD_TD_PRIORITY] = { "thread", "td_priority", NULL, 0 },
	[FLD_TD_BASE_PRI] = { "thread", "td_base_pri", NULL, 0 },
	[FLD_TD_USER_PRI] = { "thread", "td_user_pri", NULL, 0 },
	[FLD_TD_PRI_CLASS] = { "thread", "td_pri_class", NULL, 0 },
	[FLD_TD_KSTACK] = { "thread", "td_kstack", NULL, 0 },
	[FLD_TD_SLPTICK] = { "thread", "td_slptick", NULL, 0 },
	[FLD_CR_UID] = { "ucred", "cr_uid", NULL, 0 },
	[FLD_CR_RUID] = { "ucred", "cr_ruid", NULL, 0 },
	[FLD_CR_SVUID] = { "ucred", "cr_svuid", NULL, 0 },
	[FLD_CR_GID] = { "ucred", "cr_gid", NULL, 0 },
	[FLD_CR_RGID] = { "ucred", "cr_rgid", NULL, 0 },
	[FLD_CR_SVGID] = { "ucred", "cr_svgid", NULL, 0 },
	[FLD_CR_NGROUPS] = { "ucred", "cr_ngroups", NULL, 0 },
	[FLD_CR_GROUPS] = { "ucred", "cr_groups", NULL, 0 },
	[FLD_CR_FLAGS] = { "ucred", "cr_flags", NULL, 0 },
	[FLD_CR_PRISON] = { "ucred", "cr_prison", NULL, 0 },
	[FLD_CR_LOGINCLASS] = { "ucred", "cr_loginclass", NULL, 0 },
	[FLD_PR_ID] = { "prison", "pr_id", NULL, 0 },
	[FLD_LC_NAME] = { "loginclass", "lc_name", NULL, 0 },
	[FLD_PG_ID] = { "pgrp", "pg_id", NULL, 0 },
	[FLD_PG_JOBC] = { "pgrp", "pg_jobc", NULL, 0 },
	[FLD_PG_SESSION] = { "pgrp", "pg_session", NULL, 0 },
	[FLD_S_SID] = { "session", "s_sid", NULL, 0 },
	[FLD_S_LOGIN] = { "session", "s_login", NULL, 0 },
	[FLD_S_LEADER] = { "session", "s_leader", NULL, 0 },
	[FLD_S_TTYVP] = { "session", "s_ttyvp", NULL, 0 },
	[FLD_S_TTYP] = { "session", "s_ttyp", NULL, 0 },
	[FLD_T_PGRP] = { "tty", "t_pgrp", NULL, 0 },
	[FLD_T_SESSION] = { "tty", "t_session", NULL, 0 },
	[FLD_T_DEV] = { "tty", "t_dev", NULL, 0 },
	[FLD_CDP_INODE] = { "cdev_priv", "cdp_inode", NULL, 0 },
	[FLD_SI_NAME] = { "cdev", "si_name", NULL, 0 },
	[FLD_VM_SIZE] = { "vmspace", "vm_map.size", NULL, 0 },
	[FLD_VM_RESIDENT] = { "vmspace", "vm_pmap.pm_stats.resident_count",
	    NULL, 0 },
	[FLD_VM_SWRSS] = { "vmspace", "vm_swrss", NULL, 0 },
	[FLD_VM_TSIZE] = { "vmspace", "vm_tsize", NULL, 0 },
	[FLD_VM_DSIZE] = { "vmspace", "vm_dsize", NULL, 0 },
	[FLD_VM_SSIZE] = { "vmspace", "vm_ssize", NULL, 0 },
	[FLD_PS_SIGIGNORE] = { "sigacts", "ps_sigignore", NULL, 0 },
	[FLD_PS_SIGCATCH] = { "sigacts", "ps_sigcatch", NULL, 0 },
	[FLD_SV_NAME] = { "sysentvec", "sv_name", NULL, 0 },
	[FLD_PC_CP_TIME] = { "pcpu", "pc_cp_time", NULL, 0 },
	[FLD_SW_LIST] = { "swdevt", "sw_list.tqe_next", NULL, 0 },
	[FLD_SW_FLAGS] = { "swdevt", "sw_flags", NULL, 0 },
	[FLD_SW_NBLKS] = { "swdevt", "sw_nblks", NULL, 0 },
	[FLD_SW_USED] = { "swdevt", "sw_used", NULL, 0 },
	[FLD_SW_DEV] = { "swdevt", "sw_dev", NULL, 0 },
	[FLD_SW_VP] = { "swdevt", "sw_vp", NULL, 0 },
	[FLD_V_RDEV] = { "vnode", "v_rdev", NULL, 0 },
};

/* The offset that the kernel exports.  It is read from the file if need be. */
static bool
read_constant(kvm_t *kd, const char *name, uint32_t *out)
{
	uint8_t bytes[4];
	kvaddr_t va;

	if (!kvm_lookup(kd, name, &va) ||
	    (!exec_read(kd->kd_exec, va, bytes, sizeof(bytes)) &&
		kvm_read2(kd, va, bytes, sizeof(bytes)) < 0))
		return (false);
	*out = dec32(kd->kd_core.kc_order, bytes);
	return (*out <= KVM_MEMBER_MAX);
}

static struct kvm_member *
load(kvm_t *kd)
{
	struct kvm_member *list = calloc(FLD_COUNT, sizeof(*list));

	if (list == NULL)
		return (NULL);
	for (size_t i = 0; i < FLD_COUNT; i++) {
		list[i].kmb_type = fields[i].type;
		list[i].kmb_name = fields[i].name;
	}
	(void)kvm_members_find(kd, list, FLD_COUNT);
	for (size_t i = 0; i < FLD_COUNT; i++) {
		uint32_t len = fields[i].len;

		if (list[i].kmb_len == 0 && fields[i].constant != NULL &&
		    read_constant(kd, fields[i].constant, &list[i].kmb_off))
			list[i].kmb_len = len == LEN_OF_POINTER ?
			    kd->kd_core.kc_ptr_len :
			    len;
	}
	return (list);
}

/* Where a field is; kmb_len is 0 if that is not known. */
static const struct kvm_member *
find(kvm_t *kd, enum field which)
{
	static const struct kvm_member unknown;

	if (kd->kd_fields == NULL && (kd->kd_fields = load(kd)) == NULL)
		return (&unknown);
	return (&kd->kd_fields[which]);
}

uint32_t
field_off(kvm_t *kd, enum field which)
{
	return (find(kd, which)->kmb_off);
}

/* Bytes that a field takes; 0: not known. */
static size_t
field_len(kvm_t *kd, enum field which)
{
	return (find(kd, which)->kmb_len);
}

bool
field_known(kvm_t *kd, enum field which)
{
	return (field_len(kd, which) != 0);
}

int
field_need(kvm_t *kd, enum field which, const char *what)
{
	if (field_known(kd, which))
		return (0);
	return (kvm_fail(kd,
	    "%s: %s of struct %s is not known: the kernel's debug information lacks it, or there is none",
	    what, fields[which].name, fields[which].type));
}

int
field_read(kvm_t *kd, kvaddr_t base, enum field which, uint64_t *out)
{
	const struct kvm_member *mb = find(kd, which);
	bool big = kd->kd_core.kc_order == ORDER_BIG;
	uint8_t bytes[8];

	if (field_need(kd, which, kd->kd_core.kc_exec_path) != 0)
		return (-1);
	if (mb->kmb_len > sizeof(bytes))
		return (kvm_fail(kd, "%s of struct %s has %u bytes",
		    fields[which].name, fields[which].type, mb->kmb_len));
	if (kvm_read2(kd, base + mb->kmb_off, bytes, mb->kmb_len) < 0)
		return (-1);
	*out = 0;
	for (uint32_t i = 0; i < mb->kmb_len; i++)
		*out = *out << 8 | bytes[big ? i : mb->kmb_len - 1 - i];
	return (0);
}

uint64_t
field_uint(kvm_t *kd, kvaddr_t base, enum field which)
{
	uint64_t value;

	if (base == 0 || !field_known(kd, which) ||
	    field_read(kd, base, which, &value) != 0)
		return (0);
	return (value);
}

int64_t
field_int(kvm_t *kd, kvaddr_t base, enum field which)
{
	uint64_t value = field_uint(kd, base, which);
	size_t len = field_len(kd, which);
	uint64_t sign;

	if (len == 0 || len >= sizeof(value))
		return ((int64_t)value);
	sign = UINT64_C(1) << (8 * len - 1);
	return ((int64_t)((value ^ sign) - sign));
}

void
field_bytes(kvm_t *kd, kvaddr_t base, enum field which, void *buf, size_t len)
{
	const struct kvm_member *mb = find(kd, which);
	size_t n = mb->kmb_len < len ? mb->kmb_len : len;

	memset(buf, 0, len);
	if (base != 0 && n != 0 &&
	    kvm_read2(kd, base + mb->kmb_off, buf, n) < 0)
		memset(buf, 0, len);
}
