/*
 * The kernel's own state: processes, load, swap.
 * usage: test_procs DIR, with the kernels that procs/kernels.sh makes in it
 *
 * A dump is made of a kernel's own segments: what the compiler put there is
 * what the kernel left behind.
 */
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/kinfo.h"
#include "tests/libkvm/small.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

static const char *dir;

/* A kernel and its dump, to be changed before it is opened. */
struct scene {
	char kernel[4096];
	char core[TEMP_PATH_LEN];
	struct small machine;
	kvm_t *kd;
};

/* ---- the dump ---- */

#define LAST_PAGE 24 /* tables are above */

/* Copy a segment to where it is mapped: va is SMALL_KERNBASE + pa. */
static void
load_segment(struct small *sm, int fd, const GElf_Phdr *phdr)
{
	uint64_t pa = phdr->p_vaddr - SMALL_KERNBASE;
	uint8_t *memory = &sm->mem[0][0];

	assert_true(pa + phdr->p_memsz <= LAST_PAGE * SMALL_PAGE);
	memset(memory + pa, 0, (size_t)phdr->p_memsz);
	assert_int_equal(pread(fd, memory + pa, (size_t)phdr->p_filesz,
			     (off_t)phdr->p_offset),
	    (ssize_t)phdr->p_filesz);
}

static void
load_kernel(struct scene *sc)
{
	int fd = open(sc->kernel, O_RDONLY);
	GElf_Phdr phdr;
	Elf *elf;

	assert_int_not_equal(fd, -1);
	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	assert_non_null(elf = elf_begin(fd, ELF_C_READ, NULL));
	for (int i = 0; gelf_getphdr(elf, i, &phdr) != NULL; i++)
		if (phdr.p_type == PT_LOAD)
			load_segment(&sc->machine, fd, &phdr);
	(void)elf_end(elf);
	(void)close(fd);
}

static void
scene_init(struct scene *sc, const char *kernel)
{
	const uint32_t all = (UINT32_C(1) << (LAST_PAGE + 1)) - 1;

	memset(sc, 0, sizeof(*sc));
	(void)snprintf(sc->kernel, sizeof(sc->kernel), "%s/%s", dir, kernel);
	small_init(&sc->machine, all, all);
	for (uint64_t page = 0; page <= LAST_PAGE; page++)
		small_map(&sc->machine, SMALL_KERNBASE + page * SMALL_PAGE,
		    page * SMALL_PAGE | SMALL_V | SMALL_RW);
	load_kernel(sc);
}

static void
scene_open(struct scene *sc)
{
	static uint8_t bytes[SMALL_FILE_MAX];
	char why[2048];

	temp_named(bytes, small_minidump(&sc->machine, bytes), sc->core);
	sc->kd = kvm_open2(sc->kernel, sc->core, O_RDONLY, why, NULL);
	if (sc->kd == NULL)
		fail_msg("%s", why);
}

static void
scene_close(struct scene *sc)
{
	(void)kvm_close(sc->kd);
	(void)unlink(sc->core);
}

/* The address of a variable; the dump may be changed at it. */
static uint64_t
address_of(struct scene *sc, const char *name)
{
	struct kvm_nlist nl[2] = { { .n_name = name }, { .n_name = NULL } };

	assert_int_equal(kvm_nlist2(sc->kd, nl), 0);
	return (nl[0].n_value);
}

static void
expect_error(struct scene *sc, const char *why)
{
	if (strstr(kvm_geterr(sc->kd), why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, kvm_geterr(sc->kd));
}

/* ---- which processes ---- */

#define ALL "801 810 800 1 0"

static const struct select_row {
	const char *name;
	const char *kernel;
	int op;
	int arg;
	const char *pids; /* of the entries; of threads their ids */
} select_rows[] = {
	{ "all", "today", KERN_PROC_ALL, 0, ALL },
	{ "all, with a list of zombies", "old", KERN_PROC_ALL, 0,
	    "810 800 1 0 801" },
	{ "all processes", "today", KERN_PROC_PROC, 99, ALL },
	{ "a process", "today", KERN_PROC_PID, 800, "800" },
	{ "no such process", "today", KERN_PROC_PID, 802, "" },
	{ "a process group", "today", KERN_PROC_PGRP, 800, "800" },
	{ "a session", "today", KERN_PROC_SESSION, 798, "800" },
	{ "a terminal", "today", KERN_PROC_TTY, 0x34567890, "800" },
	{ "no terminal", "today", KERN_PROC_TTY, -1, "801 810 1 0" },
	{ "a user", "today", KERN_PROC_UID, 1001, "800" },
	{ "the superuser", "today", KERN_PROC_UID, 0, "801 810 1 0" },
	{ "a real user", "today", KERN_PROC_RUID, 1002, "800" },
	{ "a real group", "today", KERN_PROC_RGID, 2002, "800" },
	{ "a group", "today", KERN_PROC_GID, 999, "800" },
	{ "a group, in the list of groups", "old", KERN_PROC_GID, 1001, "800" },
	{ "threads", "today", KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0,
	    "0 100200 100100 100101 100001 100000" },
	{ "threads of a process", "today", KERN_PROC_PID | KERN_PROC_INC_THREAD,
	    800, "100100 100101" },
	{ "all, without debug information", "bare", KERN_PROC_ALL, 0,
	    "802 801 810 800 1 0" },
	{ "threads, without debug information", "bare",
	    KERN_PROC_PID | KERN_PROC_INC_THREAD, 800, "100100 100101" },
};

static void
test_select(void **state)
{
	const struct select_row *row = *state;
	bool threads = (row->op & KERN_PROC_INC_THREAD) != 0;
	const struct kinfo_proc *kp;
	struct scene sc;
	char got[256] = "";
	int n = -1;

	scene_init(&sc, row->kernel);
	scene_open(&sc);
	kp = kvm_getprocs(sc.kd, row->op, row->arg, &n);
	if (kp == NULL)
		fail_msg("%s", kvm_geterr(sc.kd));
	for (int i = 0; i < n; i++) {
		size_t len = strlen(got);

		(void)snprintf(got + len, sizeof(got) - len, "%s%d",
		    i == 0 ? "" : " ",
		    threads ? (int)kp[i].ki_tid : (int)kp[i].ki_pid);
		assert_int_equal(kp[i].ki_structsize, sizeof(*kp));
	}
	assert_string_equal(got, row->pids);
	scene_close(&sc);
}

/* ---- what is said of them ---- */

/* The entry of a process or, if tid is not 0, of its thread. */
static struct kinfo_proc
entry(struct scene *sc, int pid, int tid)
{
	int op = KERN_PROC_PID | (tid != 0 ? KERN_PROC_INC_THREAD : 0);
	int n = 0;
	struct kinfo_proc *kp = kvm_getprocs(sc->kd, op, pid, &n);

	for (int i = 0; kp != NULL && i < n; i++)
		if (tid == 0 || kp[i].ki_tid == tid)
			return (kp[i]);
	fail_msg("no process %d, thread %d: %s", pid, tid, kvm_geterr(sc->kd));
	return ((struct kinfo_proc){ 0 });
}

/* Signals of four words, hexadecimal, the first word last. */
static void
expect_signals(const struct kvm_sigset *set, const char *want)
{
	char got[64];

	(void)snprintf(got, sizeof(got), "%x %x %x %x", set->__bits[3],
	    set->__bits[2], set->__bits[1], set->__bits[0]);
	assert_string_equal(got, want);
}

static void
test_process(void **state)
{
	struct kinfo_proc kp;
	struct scene sc;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	kp = entry(&sc, 800, 0);
	assert_true((uintptr_t)kp.ki_paddr == address_of(&sc, "proc_shell"));
	assert_true((uintptr_t)kp.ki_tdaddr == address_of(&sc, "td_shell"));
	assert_true((uintptr_t)kp.ki_fd == address_of(&sc, "shell_groups") + 8);
	assert_int_equal((char *)kp.ki_args - (char *)kp.ki_textvp, 4);
	assert_int_equal(kp.ki_ppid, 1);
	assert_int_equal(kp.ki_tracer, 1);
	assert_int_equal(kp.ki_pgid, 800);
	assert_int_equal(kp.ki_sid, 798);
	assert_int_equal(kp.ki_tpgid, 800);
	assert_int_equal(kp.ki_tsid, 798);
	assert_true(kp.ki_tdev == 0x1234567890);
	assert_int_equal(kp.ki_kiflag, KI_CTTY | KI_SLEADER);
	assert_int_equal(kp.ki_flag, 0x4802);
	assert_int_equal(kp.ki_flag2, 0x80);
	assert_string_equal(kp.ki_login, "operator-with-a-l");
	assert_string_equal(kp.ki_comm, "sh");
	assert_string_equal(kp.ki_emul, "FreeBSD ELF64");
	assert_int_equal(kp.ki_nice, -5);
	assert_int_equal(kp.ki_lock, 1);
	assert_int_equal(kp.ki_traceflag, 0x33);
	assert_int_equal(kp.ki_numthreads, 2);
	assert_int_equal(kp.ki_fibnum, 4);
	assert_int_equal(kp.ki_acflag, 2);
	assert_int_equal(kp.ki_swtime, 10);
	assert_true(kp.ki_runtime == 3000000);
	scene_close(&sc);
}

static void
test_cred(void **state)
{
	struct kinfo_proc kp;
	struct scene sc;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	kp = entry(&sc, 800, 0);
	assert_int_equal(kp.ki_uid, 1001);
	assert_int_equal(kp.ki_ruid, 1002);
	assert_int_equal(kp.ki_svuid, 1003);
	assert_int_equal(kp.ki_rgid, 2002);
	assert_int_equal(kp.ki_svgid, 2003);
	assert_int_equal(kp.ki_jid, 7);
	assert_string_equal(kp.ki_loginclass, "staff");
	assert_int_equal(kp.ki_ngroups, KI_NGROUPS);
	assert_int_equal(kp.ki_groups[0], 999);
	assert_int_equal(kp.ki_groups[1], 1001);
	assert_int_equal(kp.ki_groups[KI_NGROUPS - 1], 17);
	assert_int_equal(kp.ki_cr_flags,
	    KI_CRF_CAPABILITY_MODE | KI_CRF_GRP_OVERFLOW);
	kp = entry(&sc, 1, 0);
	assert_int_equal(kp.ki_ngroups, 3);
	assert_int_equal(kp.ki_cr_flags, 0);
	assert_int_equal(kp.ki_jid, 0);
	scene_close(&sc);
}

static void
test_memory(void **state)
{
	struct kinfo_proc kp;
	struct scene sc;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	kp = entry(&sc, 800, 0);
	assert_int_equal(kp.ki_size, 0x654000);
	assert_int_equal(kp.ki_rssize, 300);
	assert_int_equal(kp.ki_swrss, 11);
	assert_int_equal(kp.ki_tsize, 12);
	assert_int_equal(kp.ki_dsize, 13);
	assert_int_equal(kp.ki_ssize, 14);
	expect_signals((const void *)&kp.ki_siglist, "8 0 0 2");
	expect_signals((const void *)&kp.ki_sigignore, "80000000 0 0 10");
	expect_signals((const void *)&kp.ki_sigcatch, "0 1 0 4000");
	expect_signals((const void *)&kp.ki_sigmask, "0 0 20 0");
	/* A process without a terminal, a group or memory of its own. */
	kp = entry(&sc, 0, 0);
	assert_int_equal(kp.ki_size, 0);
	assert_int_equal(kp.ki_pgid, 0);
	assert_true(kp.ki_tdev == UINT64_MAX);
	assert_int_equal(kp.ki_kiflag, 0);
	assert_int_equal(kp.ki_runtime, 0);
	scene_close(&sc);
}

static void
test_thread(void **state)
{
	struct kinfo_proc kp;
	struct scene sc;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	kp = entry(&sc, 800, 100100);
	assert_string_equal(kp.ki_tdname, "sh-worker-long-n");
	assert_string_equal(kp.ki_moretdname, "ame");
	assert_int_equal(kp.ki_oncpu, 1);
	assert_int_equal(kp.ki_oncpu_old, 1);
	assert_int_equal(kp.ki_lastcpu, 0);
	assert_int_equal(kp.ki_pri.pri_level, 120);
	assert_int_equal(kp.ki_pri.pri_native, 121);
	assert_int_equal(kp.ki_pri.pri_user, 122);
	assert_int_equal(kp.ki_pri.pri_class, 3);
	assert_int_equal(kp.ki_tdflags, 0x40);
	assert_true((uintptr_t)kp.ki_kstack == 0xfffffe0012340000);
	assert_true((uintptr_t)kp.ki_pcb ==
	    address_of(&sc, "shell_groups") + 4);
	assert_string_equal(kp.ki_wmesg, "");
	kp = entry(&sc, 800, 100101);
	assert_string_equal(kp.ki_tdname, "sh");
	assert_string_equal(kp.ki_moretdname, "");
	assert_string_equal(kp.ki_wmesg, "nanslp-t");
	assert_true((uintptr_t)kp.ki_wchan == address_of(&sc, "shell_tty"));
	assert_int_equal(kp.ki_slptime, 40);
	assert_int_equal(kp.ki_oncpu, -1);
	assert_int_equal(kp.ki_oncpu_old, 255);
	assert_int_equal(kp.ki_lastcpu, 300);
	assert_int_equal(kp.ki_lastcpu_old, 254);
	kp = entry(&sc, 810, 0);
	assert_int_equal(kp.ki_kiflag, KI_LOCKBLOCK);
	assert_string_equal(kp.ki_lockname, "vm objec");
	scene_close(&sc);
}

static const struct state_row {
	const char *name;
	int pid, tid;
	int stat;
} state_rows[] = {
	{ "state: on a CPU", 800, 100100, SRUN },
	{ "state: sleeps", 800, 100101, SSLEEP },
	{ "state: waits for a lock", 810, 0, SLOCK },
	{ "state: waits for an interrupt", 0, 0, SWAIT },
	{ "state: stopped", 1, 0, SSTOP },
	{ "state: exited", 801, 0, SZOMB },
};

static void
test_state(void **state)
{
	const struct state_row *row = *state;
	struct scene sc;

	scene_init(&sc, "today");
	scene_open(&sc);
	assert_int_equal(entry(&sc, row->pid, row->tid).ki_stat, row->stat);
	scene_close(&sc);
}

/* How a process ended, in kernels that keep it in one word or in two. */
static void
test_exit(void **state)
{
	static const char *const kernels[] = { "today", "old" };
	struct scene sc;

	(void)state;
	for (size_t i = 0; i < NROWS(kernels); i++) {
		scene_init(&sc, kernels[i]);
		scene_open(&sc);
		assert_int_equal(entry(&sc, 801, 0).ki_xstat, 0x0309);
		scene_close(&sc);
	}
}

/* Fields that the kernel exports are known; the others are 0, not guesses. */
static void
test_bare(void **state)
{
	struct kinfo_proc kp;
	struct scene sc;
	int n = 0;

	(void)state;
	scene_init(&sc, "bare");
	scene_open(&sc);
	kp = entry(&sc, 800, 100100);
	assert_string_equal(kp.ki_comm, "sh");
	assert_string_equal(kp.ki_tdname, "sh-worker-long-n");
	assert_int_equal(kp.ki_oncpu, 1);
	assert_int_equal(kp.ki_stat, SRUN); /* it is on a CPU */
	assert_int_equal(entry(&sc, 800, 100101).ki_stat, 0);
	assert_int_equal(kp.ki_uid, 0);
	assert_null(kvm_getprocs(sc.kd, KERN_PROC_UID, 0, &n));
	expect_error(&sc, "cr_uid of struct ucred is not known");
	scene_close(&sc);
}

/* ---- what cannot be ---- */

static const struct damage_row {
	const char *name;
	const char *object; /* its first word is changed */
	const char *to;	    /* into the address of this; NULL: of nothing */
	const char *why;
} damage_rows[] = {
	{ "damage: a list of processes without end", "proc_swapper",
	    "proc_locked", "the list allproc has no end" },
	{ "damage: a process before itself", "proc_init", "proc_init",
	    "the list allproc has no end" },
	{ "damage: threads without end", "td_shell2", "td_shell",
	    "have no end" },
	{ "damage: a list that leads nowhere", "proc_init", NULL,
	    "address 0x10 is not" },
	{ "damage: an unreadable head", "allproc", NULL,
	    "address 0x10 is not" },
};

static void
test_damage(void **state)
{
	const struct damage_row *row = *state;
	struct scene sc;
	uint64_t object, to = 0x10;
	int n = 0;

	scene_init(&sc, "today");
	scene_open(&sc);
	object = address_of(&sc, row->object);
	if (row->to != NULL)
		to = address_of(&sc, row->to);
	scene_close(&sc);
	small_poke64(&sc.machine, object - SMALL_KERNBASE, to);
	scene_open(&sc);
	assert_null(kvm_getprocs(sc.kd, KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0,
	    &n));
	expect_error(&sc, row->why);
	scene_close(&sc);
}

/* Threads that share their bytes: more of them than those bytes can hold. */
static void
test_shared_threads(void **state)
{
	const uint64_t start = (LAST_PAGE - 5) * SMALL_PAGE;
	struct scene sc;
	uint64_t td;
	int n = 0;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	td = address_of(&sc, "td_shell2");
	scene_close(&sc);
	small_poke64(&sc.machine, td - SMALL_KERNBASE, SMALL_KERNBASE + start);
	for (uint64_t pa = start; pa < LAST_PAGE * SMALL_PAGE; pa += 8)
		small_poke64(&sc.machine, pa, SMALL_KERNBASE + pa + 8);
	small_poke64(&sc.machine, LAST_PAGE * SMALL_PAGE, 0);
	scene_open(&sc);
	assert_null(kvm_getprocs(sc.kd, KERN_PROC_ALL | KERN_PROC_INC_THREAD, 0,
	    &n));
	expect_error(&sc, "more processes and threads than the dump can hold");
	scene_close(&sc);
}

static void
test_refusals(void **state)
{
	struct kinfo_proc kp = { 0 };
	struct scene sc;
	int n = 0;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	assert_null(kvm_getprocs(sc.kd, 7, 0, &n));
	expect_error(&sc, "unknown operation 7");
	assert_null(kvm_getargv(sc.kd, &kp, 0));
	expect_error(&sc, "kvm_getargv: a dump does not hold");
	assert_null(kvm_getenvv(sc.kd, &kp, 0));
	expect_error(&sc, "kvm_getenvv: a dump does not hold");
	scene_close(&sc);
}

/* ---- load ---- */

static void
test_loadavg(void **state)
{
	double load[4] = { -1, -1, -1, -1 };
	uint64_t va;
	struct scene sc;

	(void)state;
	scene_init(&sc, "today");
	scene_open(&sc);
	assert_int_equal(kvm_getloadavg(sc.kd, load, 1), 1);
	assert_true(load[0] == 1.0 && load[1] == -1);
	assert_int_equal(kvm_getloadavg(sc.kd, load, 4), 3);
	assert_int_equal(kvm_getloadavg(sc.kd, load, 0), 0);
	assert_int_equal(kvm_getloadavg(sc.kd, load, -2), -1);
	assert_string_equal(kvm_geterr(sc.kd), "no room for -2 load averages");
	assert_true(load[1] == 0.5 && load[2] == 0.25 && load[3] == -1);
	va = address_of(&sc, "averunnable");
	scene_close(&sc);
	small_poke64(&sc.machine, va + 16 - SMALL_KERNBASE, 0);
	scene_open(&sc);
	assert_int_equal(kvm_getloadavg(sc.kd, load, 3), -1);
	expect_error(&sc, "a scale of 0");
	scene_close(&sc);
}

static const struct cptime_row {
	const char *name;
	const char *kernel;
	long want[CPUSTATES];
	const char *why; /* NULL: it is not refused */
} cptime_rows[] = {
	{ "CPU time: the sum over CPUs", "today", { 11, 22, 33, 44, 55 },
	    NULL },
	{ "CPU time: cp_time", "old", { 100, 200, 300, 400, 500 }, NULL },
	{ "CPU time: without debug information", "bare", { 0 },
	    "pc_cp_time of struct pcpu is not known" },
};

static void
test_cptime(void **state)
{
	const struct cptime_row *row = *state;
	long got[CPUSTATES];
	struct scene sc;

	scene_init(&sc, row->kernel);
	scene_open(&sc);
	if (row->why != NULL) {
		assert_int_equal(kvm_getcptime(sc.kd, got), -1);
		expect_error(&sc, row->why);
	} else {
		assert_int_equal(kvm_getcptime(sc.kd, got), 0);
		assert_memory_equal(got, row->want, sizeof(got));
	}
	scene_close(&sc);
}

/* ---- swap ---- */

static const struct swap_row {
	const char *name;
	const char *kernel;
	int max, flags;
	int n;
	const char *want; /* a line a device: name used/total flags */
} swap_rows[] = {
	{ "swap: all devices", "today", 4, 0, 3,
	    "ada0p3 100/1000 4\n#C:0x99 0/0 0\n[NFS swap] 7/468 0\n"
	    " 107/1468 0\n" },
	{ "swap: names as of files", "today", 4, SWIF_DEV_PREFIX, 3,
	    "/dev/ada0p3 100/1000 4\n/dev/#C:0x99 0/0 0\n"
	    "[NFS swap] 7/468 0\n 107/1468 0\n" },
	{ "swap: one device and the sum", "today", 2, 0, 1,
	    "ada0p3 100/1000 4\n 107/1468 0\n" },
	{ "swap: the sum only", "today", 1, 0, 0, " 107/1468 0\n" },
	{ "swap: no room", "today", 0, 0, -1, "" },
	{ "swap: numbers that are too wide", "wide", 4, 0, 3,
	    "ada0p3 100/1000 4\n#C:0 0/0 0\n#C:0 7/468 0\n"
	    " 107/1468 0\n" },
};

static void
test_swap(void **state)
{
	const struct swap_row *row = *state;
	struct kvm_swap swap[5];
	struct scene sc;
	char got[512] = "";

	memset(swap, 0xa5, sizeof(swap));
	scene_init(&sc, row->kernel);
	scene_open(&sc);
	assert_int_equal(kvm_getswapinfo(sc.kd, swap, row->max, row->flags),
	    row->n);
	for (int i = 0; i <= row->n; i++) {
		size_t len = strlen(got);

		(void)snprintf(got + len, sizeof(got) - len, "%s %u/%u %d\n",
		    swap[i].ksw_devname, swap[i].ksw_used, swap[i].ksw_total,
		    swap[i].ksw_flags);
	}
	assert_string_equal(got, row->want);
	assert_int_equal(swap[row->n + 1].ksw_used, 0xa5a5a5a5);
	if (row->n < 0)
		expect_error(&sc, "no room for the sum");
	assert_int_equal(kvm_getswapinfo(NULL, swap, 1, 0), 0);
	scene_close(&sc);
}

static void
test_swap_refusals(void **state)
{
	struct kvm_swap swap[2];
	uint64_t disk, odd;
	struct scene sc;

	(void)state;
	scene_init(&sc, "bare");
	scene_open(&sc);
	assert_int_equal(kvm_getswapinfo(sc.kd, swap, 2, 0), -1);
	expect_error(&sc, "of struct swdevt is not known");
	scene_close(&sc);
	scene_init(&sc, "today");
	scene_open(&sc);
	disk = address_of(&sc, "swap_disk");
	odd = address_of(&sc, "swap_odd");
	scene_close(&sc);
	small_poke64(&sc.machine, odd + 24 - SMALL_KERNBASE, disk);
	scene_open(&sc);
	assert_int_equal(kvm_getswapinfo(sc.kd, swap, 2, 0), -1);
	expect_error(&sc, "the list swtailq has no end");
	scene_close(&sc);
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	if (argc != 2)
		return (1);
	dir = argv[1];
	ADD_ROWS(tests, n, select_rows, test_select);
	tests[n++] = row_test("a process", test_process, NULL);
	tests[n++] = row_test("its credentials", test_cred, NULL);
	tests[n++] = row_test("its memory and signals", test_memory, NULL);
	tests[n++] = row_test("its threads", test_thread, NULL);
	ADD_ROWS(tests, n, state_rows, test_state);
	tests[n++] = row_test("how it ended", test_exit, NULL);
	tests[n++] = row_test("without debug information", test_bare, NULL);
	ADD_ROWS(tests, n, damage_rows, test_damage);
	tests[n++] = row_test("damage: threads that share their bytes",
	    test_shared_threads, NULL);
	tests[n++] = row_test("refusals", test_refusals, NULL);
	tests[n++] = row_test("load averages", test_loadavg, NULL);
	ADD_ROWS(tests, n, cptime_rows, test_cptime);
	ADD_ROWS(tests, n, swap_rows, test_swap);
	tests[n++] = row_test("swap: refusals", test_swap_refusals, NULL);
	return (RUN_TESTS(tests, n));
}
