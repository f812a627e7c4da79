/*
 * Fills in struct kinfo_proc: one function for each structure of the kernel
 * that it is made of.
 *
 * Facts: FreeBSD's sys/sys/proc.h, ucred.h, user.h.  What the kernel does for
 * kern.proc: sys/kern/kern_proc.c, fill_kinfo_proc().
 */
#include "libkvm/kinfo.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "libkvm/fields.h"
#include "libkvm/kvm_int.h"
#include "libkvm/run_states.h"

#if defined(__LP64__) && (defined(__GLIBC__) || defined(__FreeBSD__))
static_assert(sizeof(struct kinfo_proc) == 1088, "as on FreeBSD/amd64");
static_assert(offsetof(struct kinfo_proc, ki_comm) == 447, "the same");
#endif

#define USEC_PER_SEC 1000000

#define NO_DEVICE UINT64_MAX

/* Flags of p_flag (P_*); the names are ours, to avoid FreeBSD's macros. */
#define FLAG_CONTROLT 0x00002
#define FLAG_TRACED   0x00800
#define FLAG_STOPPED  0xe0000 /* by a signal, by another thread, traced */

/* An address of the dumped kernel; NULL if it does not fit a host's pointer. */
static void *
address(uint64_t va)
{
	uintptr_t p = (uintptr_t)va;

	return (p == va ? (void *)p : NULL);
}

static void *
pointer(kvm_t *kd, kvaddr_t base, enum field which)
{
	return (address(field_uint(kd, base, which)));
}

/*
 * Copy a text of at most len - 1 characters, and fill up with NULs.  In the
 * kernel's array, the rest of an older text may follow it.
 */
static void
text(kvm_t *kd, kvaddr_t base, enum field which, char *buf, size_t len)
{
	size_t n;

	field_bytes(kd, base, which, buf, len);
	n = strnlen(buf, len - 1);
	memset(buf + n, 0, len - n);
}

/* The same for a text that a field points to. */
static void
text_at(kvm_t *kd, kvaddr_t base, enum field which, char *buf, size_t len)
{
	kvaddr_t va = field_uint(kd, base, which);

	memset(buf, 0, len);
	for (size_t i = 0; va != 0 && i < len - 1; i++)
		if (kvm_read2(kd, va + i, &buf[i], 1) != 1 || buf[i] == '\0')
			break;
}

/* The value of a variable of type u_int; 0: not known. */
static uint32_t
variable(kvm_t *kd, const char *name)
{
	uint64_t value;
	kvaddr_t va;

	if (!kvm_lookup(kd, name, &va) || kvm_read_uint(kd, va, 4, &value) != 0)
		return (0);
	return ((uint32_t)value);
}

/* How many seconds ago the tick counter had this value. */
static unsigned int
seconds_since(kvm_t *kd, uint64_t tick)
{
	uint32_t hz = variable(kd, "hz");
	uint32_t ticks = variable(kd, "ticks");

	return (hz == 0 ? 0 : (ticks - (uint32_t)tick) / hz);
}

static uint64_t
microseconds(kvm_t *kd, uint64_t cpu_ticks)
{
	uint64_t freq;
	kvaddr_t va;

	if (!kvm_lookup(kd, "cpu_tick_frequency", &va) ||
	    kvm_read_uint(kd, va, 8, &freq) != 0 || freq == 0 ||
	    freq > UINT64_MAX / USEC_PER_SEC)
		return (0);
	return (cpu_ticks / freq * USEC_PER_SEC +
	    cpu_ticks % freq * USEC_PER_SEC / freq);
}

/* ---- the process ---- */

static void
fill_groups(kvm_t *kd, kvaddr_t cred, struct kinfo_proc *kp)
{
	bool has_gid = field_known(kd, FLD_CR_GID);
	uint64_t ngroups = field_uint(kd, cred, FLD_CR_NGROUPS);
	kvaddr_t groups = field_uint(kd, cred, FLD_CR_GROUPS);
	unsigned int n = 0;

	if (has_gid)
		kp->ki_groups[n++] = (gid_t)field_uint(kd, cred, FLD_CR_GID);
	for (uint64_t i = 0; i < ngroups; i++) {
		uint64_t gid;

		if (n == KI_NGROUPS) {
			kp->ki_cr_flags |= KI_CRF_GRP_OVERFLOW;
			break;
		}
		if (kvm_read_uint(kd, groups + 4 * i, 4, &gid) != 0)
			break;
		kp->ki_groups[n++] = (gid_t)gid;
	}
	kp->ki_ngroups = (short)n;
}

static void
fill_cred(kvm_t *kd, kvaddr_t proc, struct kinfo_proc *kp)
{
	kvaddr_t cred = field_uint(kd, proc, FLD_P_UCRED);

	kp->ki_uid = (uid_t)field_uint(kd, cred, FLD_CR_UID);
	kp->ki_ruid = (uid_t)field_uint(kd, cred, FLD_CR_RUID);
	kp->ki_svuid = (uid_t)field_uint(kd, cred, FLD_CR_SVUID);
	kp->ki_rgid = (gid_t)field_uint(kd, cred, FLD_CR_RGID);
	kp->ki_svgid = (gid_t)field_uint(kd, cred, FLD_CR_SVGID);
	kp->ki_cr_flags = (unsigned int)field_uint(kd, cred, FLD_CR_FLAGS) &
	    KI_CRF_CAPABILITY_MODE;
	kp->ki_jid =
	    (int)field_int(kd, field_uint(kd, cred, FLD_CR_PRISON), FLD_PR_ID);
	text(kd, field_uint(kd, cred, FLD_CR_LOGINCLASS), FLD_LC_NAME,
	    kp->ki_loginclass, sizeof(kp->ki_loginclass));
	fill_groups(kd, cred, kp);
}

static void
fill_tty(kvm_t *kd, kvaddr_t tty, struct kinfo_proc *kp)
{
	kvaddr_t pgrp = field_uint(kd, tty, FLD_T_PGRP);
	kvaddr_t session = field_uint(kd, tty, FLD_T_SESSION);
	kvaddr_t dev = field_uint(kd, tty, FLD_T_DEV);

	kp->ki_tpgid = pgrp != 0 ? (pid_t)field_int(kd, pgrp, FLD_PG_ID) : -1;
	kp->ki_tsid = (pid_t)field_int(kd, session, FLD_S_SID);
	if (dev != 0 && field_known(kd, FLD_CDP_INODE))
		kp->ki_tdev = field_uint(kd, dev, FLD_CDP_INODE);
}

static void
fill_session(kvm_t *kd, kvaddr_t proc, struct kinfo_proc *kp)
{
	kvaddr_t pgrp = field_uint(kd, proc, FLD_P_PGRP);
	kvaddr_t session = field_uint(kd, pgrp, FLD_PG_SESSION);
	kvaddr_t tty = field_uint(kd, session, FLD_S_TTYP);

	kp->ki_pgid = (pid_t)field_int(kd, pgrp, FLD_PG_ID);
	kp->ki_jobc = (short)field_int(kd, pgrp, FLD_PG_JOBC);
	kp->ki_sid = (pid_t)field_int(kd, session, FLD_S_SID);
	text(kd, session, FLD_S_LOGIN, kp->ki_login, sizeof(kp->ki_login));
	if (field_uint(kd, session, FLD_S_TTYVP) != 0)
		kp->ki_kiflag |= KI_CTTY;
	if (session != 0 && field_uint(kd, session, FLD_S_LEADER) == proc)
		kp->ki_kiflag |= KI_SLEADER;
	kp->ki_tdev = NO_DEVICE;
	if ((kp->ki_flag & FLAG_CONTROLT) != 0 && tty != 0)
		fill_tty(kd, tty, kp);
	kp->ki_tdev_freebsd11 = (uint32_t)kp->ki_tdev;
}

static void
fill_ids(kvm_t *kd, kvaddr_t proc, struct kinfo_proc *kp)
{
	kvaddr_t parent = field_uint(kd, proc, FLD_P_PPTR);
	pid_t parent_pid = (pid_t)field_int(kd, parent, FLD_P_PID);

	kp->ki_pid = (pid_t)field_int(kd, proc, FLD_P_PID);
	kp->ki_ppid = (pid_t)field_int(kd, proc, FLD_P_OPPID);
	if (kp->ki_ppid == 0)
		kp->ki_ppid = parent_pid;
	kp->ki_flag = (long)field_uint(kd, proc, FLD_P_FLAG);
	kp->ki_flag2 = (int)field_uint(kd, proc, FLD_P_FLAG2);
	if ((kp->ki_flag & FLAG_TRACED) != 0)
		kp->ki_tracer = parent_pid;
}

static void
fill_vm(kvm_t *kd, kvaddr_t proc, struct kinfo_proc *kp)
{
	kvaddr_t vm = field_uint(kd, proc, FLD_P_VMSPACE);

	kp->ki_vmspace = address(vm);
	kp->ki_size = (unsigned long)field_uint(kd, vm, FLD_VM_SIZE);
	kp->ki_rssize = (long)field_int(kd, vm, FLD_VM_RESIDENT);
	kp->ki_swrss = (long)field_int(kd, vm, FLD_VM_SWRSS);
	kp->ki_tsize = (long)field_int(kd, vm, FLD_VM_TSIZE);
	kp->ki_dsize = (long)field_int(kd, vm, FLD_VM_DSIZE);
	kp->ki_ssize = (long)field_int(kd, vm, FLD_VM_SSIZE);
}

/* A set of signals: four words, in the kernel's byte order. */
static void
add_signals(kvm_t *kd, kvaddr_t base, enum field which, void *set)
{
	uint8_t bytes[16];
	uint32_t words[4];

	field_bytes(kd, base, which, bytes, sizeof(bytes));
	memcpy(words, set, sizeof(words));
	for (size_t i = 0; i < 4; i++)
		words[i] |= dec32(kd->kd_core.kc_order, bytes + 4 * i);
	memcpy(set, words, sizeof(words));
}

static void
fill_signals(kvm_t *kd, kvaddr_t proc, struct kinfo_proc *kp)
{
	kvaddr_t acts = field_uint(kd, proc, FLD_P_SIGACTS);

	add_signals(kd, proc, FLD_P_SIGLIST, &kp->ki_siglist);
	add_signals(kd, acts, FLD_PS_SIGIGNORE, &kp->ki_sigignore);
	add_signals(kd, acts, FLD_PS_SIGCATCH, &kp->ki_sigcatch);
}

/* The status as for wait(2): FreeBSD 11 split it into code and signal. */
static unsigned short
exit_status(kvm_t *kd, kvaddr_t proc)
{
	uint64_t code = field_uint(kd, proc, FLD_P_XEXIT);
	uint64_t sig = field_uint(kd, proc, FLD_P_XSIG);

	if (field_known(kd, FLD_P_XSTAT))
		return ((unsigned short)field_uint(kd, proc, FLD_P_XSTAT));
	return ((unsigned short)((code & 0xff) << 8 | (sig & 0xff)));
}

static void
fill_misc(kvm_t *kd, kvaddr_t proc, struct kinfo_proc *kp)
{
	kp->ki_args = pointer(kd, proc, FLD_P_ARGS);
	kp->ki_tracep = pointer(kd, proc, FLD_P_TRACEVP);
	kp->ki_textvp = pointer(kd, proc, FLD_P_TEXTVP);
	kp->ki_fd = pointer(kd, proc, FLD_P_FD);
	kp->ki_pd = pointer(kd, proc, FLD_P_PD);
	text(kd, proc, FLD_P_COMM, kp->ki_comm, sizeof(kp->ki_comm));
	text_at(kd, field_uint(kd, proc, FLD_P_SYSENT), FLD_SV_NAME,
	    kp->ki_emul, sizeof(kp->ki_emul));
	kp->ki_xstat = exit_status(kd, proc);
	kp->ki_acflag = (unsigned short)field_uint(kd, proc, FLD_P_ACFLAG);
	kp->ki_runtime = microseconds(kd, field_uint(kd, proc, FLD_P_RUNTIME));
	kp->ki_lock = (char)field_uint(kd, proc, FLD_P_LOCK);
	kp->ki_nice = (signed char)field_int(kd, proc, FLD_P_NICE);
	kp->ki_traceflag = (int)field_uint(kd, proc, FLD_P_TRACEFLAG);
	kp->ki_numthreads = (int)field_int(kd, proc, FLD_P_NUMTHREADS);
	kp->ki_fibnum = (int)field_int(kd, proc, FLD_P_FIBNUM);
	if (field_known(kd, FLD_P_SWTICK))
		kp->ki_swtime =
		    seconds_since(kd, field_uint(kd, proc, FLD_P_SWTICK));
}

/* ---- the thread ---- */

/* Without FreeBSD's state: what other fields leave no doubt about. */
static char
evident_state(kvm_t *kd, kvaddr_t td)
{
	if (field_known(kd, FLD_TD_ONCPU) &&
	    field_int(kd, td, FLD_TD_ONCPU) >= 0)
		return (SRUN);
	return (field_uint(kd, td, FLD_TD_WCHAN) != 0 ? SSLEEP : 0);
}

static char
thread_state(kvm_t *kd, kvaddr_t td, const struct kinfo_proc *kp)
{
	uint64_t inhibitors = field_uint(kd, td, FLD_TD_INHIBITORS);

	if (!field_known(kd, FLD_TD_STATE) ||
	    !field_known(kd, FLD_TD_INHIBITORS))
		return (evident_state(kd, td));
	if (field_uint(kd, td, FLD_TD_STATE) >= THREAD_CAN_RUN)
		return (SRUN);
	if ((kp->ki_flag & FLAG_STOPPED) != 0)
		return (SSTOP);
	if ((inhibitors & INHIBITED_SLEEPING) != 0)
		return (SSLEEP);
	return ((inhibitors & INHIBITED_LOCK) != 0 ? SLOCK : SWAIT);
}

static unsigned char
old_cpu(int cpu)
{
	if (cpu < 0)
		return (NOCPU_OLD);
	return ((unsigned char)(cpu < MAXCPU_OLD ? cpu : MAXCPU_OLD));
}

static void
fill_cpu(kvm_t *kd, kvaddr_t td, struct kinfo_proc *kp)
{
	kp->ki_oncpu = (int)field_int(kd, td, FLD_TD_ONCPU);
	kp->ki_lastcpu = (int)field_int(kd, td, FLD_TD_LASTCPU);
	kp->ki_oncpu_old = old_cpu(kp->ki_oncpu);
	kp->ki_lastcpu_old = old_cpu(kp->ki_lastcpu);
	kp->ki_pri.pri_class =
	    (unsigned char)field_uint(kd, td, FLD_TD_PRI_CLASS);
	kp->ki_pri.pri_level =
	    (unsigned char)field_uint(kd, td, FLD_TD_PRIORITY);
	kp->ki_pri.pri_native =
	    (unsigned char)field_uint(kd, td, FLD_TD_BASE_PRI);
	kp->ki_pri.pri_user =
	    (unsigned char)field_uint(kd, td, FLD_TD_USER_PRI);
}

/* Fill in what the thread waits for. */
static void
fill_wait(kvm_t *kd, kvaddr_t td, struct kinfo_proc *kp)
{
	uint64_t tick = field_uint(kd, td, FLD_TD_SLPTICK);

	kp->ki_wchan = pointer(kd, td, FLD_TD_WCHAN);
	text_at(kd, td, FLD_TD_WMESG, kp->ki_wmesg, sizeof(kp->ki_wmesg));
	if (tick != 0)
		kp->ki_slptime = seconds_since(kd, tick);
	if (field_uint(kd, td, FLD_TD_BLOCKED) == 0)
		return;
	kp->ki_kiflag |= KI_LOCKBLOCK;
	text_at(kd, td, FLD_TD_LOCKNAME, kp->ki_lockname,
	    sizeof(kp->ki_lockname));
}

/* A name that is longer than its first part goes on in the second. */
static void
fill_thread_name(kvm_t *kd, kvaddr_t td, struct kinfo_proc *kp)
{
	char name[COMMLEN + 1];

	text(kd, td, FLD_TD_NAME, name, sizeof(name));
	memcpy(kp->ki_tdname, name, TDNAMLEN);
	memcpy(kp->ki_moretdname, name + TDNAMLEN, COMMLEN - TDNAMLEN);
}

static void
fill_thread(kvm_t *kd, kvaddr_t td, struct kinfo_proc *kp)
{
	kp->ki_stat = thread_state(kd, td, kp);
	kp->ki_tid = (int32_t)field_int(kd, td, FLD_TD_TID);
	kp->ki_tdaddr = address(td);
	kp->ki_pcb = pointer(kd, td, FLD_TD_PCB);
	kp->ki_kstack = pointer(kd, td, FLD_TD_KSTACK);
	kp->ki_tdflags = (long)field_uint(kd, td, FLD_TD_FLAGS);
	fill_thread_name(kd, td, kp);
	fill_cpu(kd, td, kp);
	fill_wait(kd, td, kp);
	add_signals(kd, td, FLD_TD_SIGLIST, &kp->ki_siglist);
	add_signals(kd, td, FLD_TD_SIGMASK, &kp->ki_sigmask);
}

void
kinfo_fill(kvm_t *kd, kvaddr_t proc, kvaddr_t td, struct kinfo_proc *kp)
{
	memset(kp, 0, sizeof(*kp));
	kp->ki_structsize = sizeof(*kp);
	kp->ki_paddr = address(proc);
	kp->ki_oncpu = kp->ki_lastcpu = NOCPU;
	kp->ki_oncpu_old = kp->ki_lastcpu_old = NOCPU_OLD;
	fill_ids(kd, proc, kp);
	fill_cred(kd, proc, kp);
	fill_session(kd, proc, kp);
	fill_vm(kd, proc, kp);
	fill_signals(kd, proc, kp);
	fill_misc(kd, proc, kp);
	if (td != 0)
		fill_thread(kd, td, kp);
	switch (field_uint(kd, proc, FLD_P_STATE)) {
	case PROC_STATE_NEW:
		if (field_known(kd, FLD_P_STATE))
			kp->ki_stat = SIDL;
		break;
	case PROC_STATE_ZOMBIE:
		kp->ki_stat = SZOMB;
		break;
	}
}
