/*
 * A "kernel" with processes, threads, CPUs and swap devices, whose structures
 * have FreeBSD's names and hold what test_procs.c expects.  It is never run:
 * the test makes a dump of its segments.
 *
 * OLD: as FreeBSD 10 has them, where that differs.
 */
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint32_t __bits[4];
} sigset_t;

struct loginclass {
	long lc_refcount;
	char lc_name[33];
};

struct prison {
	long pr_pad[3];
	int pr_id;
};

struct ucred {
	int cr_ref;
	unsigned int cr_uid;
	unsigned int cr_ruid;
	unsigned int cr_svuid;
	int cr_ngroups;
	unsigned int cr_rgid;
	unsigned int cr_svgid;
	struct prison *cr_prison;
	struct loginclass *cr_loginclass;
	unsigned int cr_flags;
	unsigned int *cr_groups;
#ifndef OLD
	unsigned int cr_gid;
#endif
};

struct cdev {
	void *si_spare;
	char si_name[64];
};

struct cdev_priv {
	struct cdev cdp_c;
	uint64_t cdp_inode;
};

struct pgrp;
struct session;

struct tty {
	struct pgrp *t_pgrp;
	struct session *t_session;
	struct cdev *t_dev;
};

struct proc;

struct session {
	int s_count;
	struct proc *s_leader;
	void *s_ttyvp;
	struct tty *s_ttyp;
	int s_sid;
	char s_login[40];
};

struct pgrp {
	void *pg_pad;
	struct session *pg_session;
	int pg_id;
#ifdef OLD
	int pg_jobc;
#endif
};

struct vmspace {
	struct {
		void *pad;
		uint64_t size;
	} vm_map;
	int vm_refcnt;
	long vm_swrss;
	long vm_tsize;
	long vm_dsize;
	long vm_ssize;
	struct {
		int pad;
		struct {
			long resident_count;
			long wired_count;
		} pm_stats;
	} vm_pmap;
};

struct sigacts {
	void *ps_sigact[4];
	sigset_t ps_sigignore;
	sigset_t ps_sigcatch;
};

struct sysentvec {
	int sv_size;
	char *sv_name;
};

struct sigqueue {
	sigset_t sq_signals;
	sigset_t sq_kill;
};

struct thread {
	struct {
		struct thread *tqe_next;
		struct thread **tqe_prev;
	} td_plist;
	int td_tid;
	struct sigqueue td_sigqueue;
	int td_flags;
	int td_inhibitors;
	void *td_wchan;
	const char *td_wmesg;
	int td_oncpu;
	int td_lastcpu;
	void *td_blocked;
	const char *td_lockname;
	char td_name[20];
	int td_slptick;
	sigset_t td_sigmask;
	unsigned char td_priority;
	unsigned char td_base_pri;
	unsigned char td_user_pri;
	unsigned char td_pri_class;
	void *td_pcb;
	enum {
		TDS_INACTIVE,
		TDS_INHIBITED,
		TDS_CAN_RUN,
		TDS_RUNQ,
		TDS_RUNNING
	} td_state;
	uintptr_t td_kstack;
};

struct proc {
	struct {
		struct proc *le_next;
		struct proc **le_prev;
	} p_list;
	struct {
		struct thread *tqh_first;
		struct thread **tqh_last;
	} p_threads;
	struct ucred *p_ucred;
	void *p_fd;
	struct sigacts *p_sigacts;
	int p_flag;
	int p_flag2;
	enum { PRS_NEW, PRS_NORMAL, PRS_ZOMBIE } p_state;
	int p_pid;
	struct proc *p_pptr;
	int p_oppid;
	struct vmspace *p_vmspace;
	unsigned int p_swtick;
	struct {
		uint64_t rux_runtime;
		uint64_t rux_uticks;
	} p_rux;
	int p_traceflag;
	void *p_textvp;
	unsigned char p_lock;
	struct sigqueue p_sigqueue;
	signed char p_nice;
	int p_fibnum;
	char p_comm[20];
	struct sysentvec *p_sysent;
	void *p_args;
#ifdef OLD
	unsigned short p_xstat;
#else
	unsigned int p_xexit;
	unsigned int p_xsig;
#endif
	unsigned short p_acflag;
	int p_numthreads;
	struct pgrp *p_pgrp;
};

struct pcpu {
	void *pc_curthread;
	long pc_cp_time[5];
};

struct vnode {
	void *v_pad[2];
	struct cdev *v_rdev;
};

/* WIDE: wider than any number of a device. */
#ifdef WIDE
typedef unsigned __int128 swap_dev_t;
#else
typedef uint32_t swap_dev_t;
#endif

struct swdevt {
	int sw_flags;
	int sw_nblks;
	int sw_used;
	swap_dev_t sw_dev;
	struct vnode *sw_vp;
	struct {
		struct swdevt *tqe_next;
		struct swdevt **tqe_prev;
	} sw_list;
};

/* ---- credentials, terminals, memory ---- */

static unsigned int shell_groups[18] = { 1001, 0, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15, 16, 17, 18, 19, 20 };
static unsigned int root_groups[2] = { 0, 5 };
static struct prison prison0, jail = { .pr_id = 7 };
static struct loginclass lc_staff = { .lc_name = "staff" };

static struct ucred root_cred = {
	.cr_ngroups = 2,
	.cr_groups = root_groups,
	.cr_prison = &prison0,
};
static struct ucred shell_cred = {
	.cr_uid = 1001,
	.cr_ruid = 1002,
	.cr_svuid = 1003,
	.cr_rgid = 2002,
	.cr_svgid = 2003,
	.cr_flags = 0x101, /* one of them is no flag of a kinfo_proc */
	.cr_ngroups = 18,
	.cr_groups = shell_groups,
	.cr_prison = &jail,
	.cr_loginclass = &lc_staff,
#ifndef OLD
	.cr_gid = 999,
#endif
};

extern struct proc proc_shell;
extern struct session shell_session;

static struct pgrp shell_pgrp = { .pg_session = &shell_session, .pg_id = 800 };
static struct cdev_priv pts = { .cdp_c = { .si_name = "pts/0" },
	.cdp_inode = 0x1234567890 };
static struct tty shell_tty = { .t_pgrp = &shell_pgrp,
	.t_session = &shell_session,
	.t_dev = &pts.cdp_c };
struct session shell_session = { .s_leader = &proc_shell,
	.s_ttyvp = &pts,
	.s_ttyp = &shell_tty,
	.s_sid = 798,
	.s_login = "operator-with-a-long-name" };

static struct vmspace shell_vm = {
	.vm_map = { .size = 0x654000 },
	.vm_swrss = 11,
	.vm_tsize = 12,
	.vm_dsize = 13,
	.vm_ssize = 14,
	.vm_pmap = { .pm_stats = { .resident_count = 300 } },
};
static struct sigacts shell_sigacts = {
	.ps_sigignore = { { 0x10, 0, 0, 0x80000000 } },
	.ps_sigcatch = { { 0x4000, 0, 1, 0 } },
};
static struct sysentvec elf64 = { .sv_name = "FreeBSD ELF64" };

/* ---- processes, newest first ---- */

extern struct proc proc_new, proc_zombie, proc_locked, proc_init, proc_swapper;
extern struct thread td_shell2;

struct thread td_shell = {
	.td_plist = { &td_shell2, NULL },
	.td_tid = 100100,
	.td_name = "sh-worker-long-name",
	.td_sigqueue = { .sq_signals = { { 2, 0, 0, 0 } } },
	.td_sigmask = { { 0, 0x20, 0, 0 } },
	.td_flags = 0x40,
	.td_state = TDS_RUNNING,
	.td_oncpu = 1,
	.td_lastcpu = 0,
	.td_priority = 120,
	.td_base_pri = 121,
	.td_user_pri = 122,
	.td_pri_class = 3,
	.td_pcb = &shell_groups[1],
	.td_kstack = 0xfffffe0012340000,
};
struct thread td_shell2 = {
	.td_tid = 100101,
	.td_name = "sh\0longer name befo",
	.td_state = TDS_INHIBITED,
	.td_inhibitors = 2,
	.td_wmesg = "nanslp-too-long",
	.td_wchan = &shell_tty,
	.td_oncpu = -1,
	.td_lastcpu = 300,
	.td_slptick = 1000,
};
struct proc proc_new = {
#ifdef OLD
	.p_list = { &proc_locked, NULL },
#else
	.p_list = { &proc_zombie, NULL },
#endif
	.p_state = PRS_NEW,
	.p_pid = 802,
};
struct proc proc_zombie = {
#ifdef OLD
	.p_xstat = 0x0309,
#else
	.p_list = { &proc_locked, NULL },
	.p_xexit = 3,
	.p_xsig = 9,
#endif
	.p_state = PRS_ZOMBIE,
	.p_pid = 801,
	.p_ucred = &root_cred,
	.p_pptr = &proc_shell,
};
static struct thread td_locked = {
	.td_tid = 100200,
	.td_state = TDS_INHIBITED,
	.td_inhibitors = 8,
	.td_blocked = &td_shell,
	.td_lockname = "vm object interlock",
	.td_oncpu = -1,
};
struct proc proc_locked = {
	.p_list = { &proc_shell, NULL },
	.p_threads = { &td_locked, NULL },
	.p_state = PRS_NORMAL,
	.p_pid = 810,
	.p_ucred = &root_cred,
	.p_comm = "locked",
};
struct proc proc_shell = {
	.p_list = { &proc_init, NULL },
	.p_threads = { &td_shell, NULL },
	.p_state = PRS_NORMAL,
	.p_pid = 800,
	.p_oppid = 1,
	.p_pptr = &proc_init,
	.p_ucred = &shell_cred,
	.p_pgrp = &shell_pgrp,
	.p_vmspace = &shell_vm,
	.p_sigacts = &shell_sigacts,
	.p_sigqueue = { .sq_signals = { { 0, 0, 0, 8 } } },
	.p_sysent = &elf64,
	.p_fd = &shell_groups[2],
	.p_textvp = &shell_groups[3],
	.p_args = &shell_groups[4],
	.p_flag = 0x4802, /* controls a terminal, traced */
	.p_flag2 = 0x80,
	.p_comm = "sh",
	.p_swtick = 4000,
	.p_rux = { .rux_runtime = 7500000000 },
	.p_nice = -5,
	.p_lock = 1,
	.p_traceflag = 0x33,
	.p_numthreads = 2,
	.p_fibnum = 4,
	.p_acflag = 2,
};
static struct thread td_init = {
	.td_tid = 100001,
	.td_state = TDS_INHIBITED,
	.td_inhibitors = 1,
	.td_oncpu = -1,
};
struct proc proc_init = {
	.p_list = { &proc_swapper, NULL },
	.p_threads = { &td_init, NULL },
	.p_state = PRS_NORMAL,
	.p_flag = 0x20000, /* stopped by a signal */
	.p_pid = 1,
	.p_pptr = &proc_swapper,
	.p_ucred = &root_cred,
	.p_comm = "init",
};
static struct thread td_swapper = {
	.td_tid = 100000,
	.td_state = TDS_INHIBITED,
	.td_inhibitors = 0x10,
	.td_oncpu = -1,
};
struct proc proc_swapper = {
	.p_threads = { &td_swapper, NULL },
	.p_state = PRS_NORMAL,
	.p_ucred = &root_cred,
	.p_comm = "kernel",
};
struct proc *allproc = &proc_new;
#ifdef OLD
struct proc *zombproc = &proc_zombie;
#endif

/* ---- clocks, CPUs, load ---- */

int hz = 100;
int ticks = 5000;
uint64_t cpu_tick_frequency = 2500000000;
struct {
	uint32_t ldavg[3];
	long fscale;
} averunnable = { { 2048, 1024, 512 }, 2048 };

int mp_maxcpus = 4;
int mp_ncpus = 2;
struct pcpu pcpus[2] = {
	{ .pc_cp_time = { 1, 2, 3, 4, 5 } },
	{ .pc_cp_time = { 10, 20, 30, 40, 50 } },
};
struct pcpu *cpuid_to_pcpu[4] = { &pcpus[0], NULL, &pcpus[1] };
#ifdef OLD
long cp_time[5] = { 100, 200, 300, 400, 500 };
#endif

/* ---- swap ---- */

static struct cdev swap_cdev = { .si_name = "ada0p3" };
static struct vnode swap_vnode = { .v_rdev = &swap_cdev };
struct swdevt swap_nfs = {
	.sw_nblks = 500,
	.sw_used = 7,
	.sw_dev = UINT32_MAX,
};
struct swdevt swap_odd = {
	.sw_nblks = 10,
	.sw_dev = 0x99,
	.sw_list = { &swap_nfs, NULL },
};
struct swdevt swap_disk = {
	.sw_flags = 4,
	.sw_nblks = 1032,
	.sw_used = 100,
	.sw_dev = 0x55,
	.sw_vp = &swap_vnode,
	.sw_list = { &swap_odd, NULL },
};
struct swdevt *swtailq = &swap_disk;
int dmmax = 32;

/* ---- what the kernel exports for debuggers ---- */

const int proc_off_p_pid = offsetof(struct proc, p_pid);
const int proc_off_p_comm = offsetof(struct proc, p_comm);
const int proc_off_p_list = offsetof(struct proc, p_list);
const int proc_off_p_threads = offsetof(struct proc, p_threads);
const int thread_off_td_tid = offsetof(struct thread, td_tid);
const int thread_off_td_name = offsetof(struct thread, td_name);
const int thread_off_td_oncpu = offsetof(struct thread, td_oncpu);
const int thread_off_td_pcb = offsetof(struct thread, td_pcb);
const int thread_off_td_plist = offsetof(struct thread, td_plist);

void _start(void);

void
_start(void)
{
}
