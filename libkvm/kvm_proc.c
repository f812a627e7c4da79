/*
 * kvm_getprocs(): the lists of processes and threads, and which of them are
 * selected.  kinfo.c fills in the entries.
 */
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "libkvm/array.h"
#include "libkvm/circle.h"
#include "libkvm/fields.h"
#include "libkvm/kinfo.h"
#include "libkvm/kvm_int.h"
#include "libkvm/run_states.h"

#define WHAT "kvm_getprocs"

/*
 * A process or thread takes at least this many bytes of the dump.  A list with
 * more elements than that allows is damaged: it uses some elements repeatedly.
 */
#define MIN_ELEMENT_LEN 64

/* The field of an entry, of 4 bytes, that an operation compares with arg. */
struct selector {
	int se_op;
	enum field se_needs;
	size_t se_off; /* bytes into struct kinfo_proc */
};

static const struct selector selectors[] = {
	{ KERN_PROC_ALL, FLD_P_PID, 0 },
	{ KERN_PROC_PROC, FLD_P_PID, 0 },
	{ KERN_PROC_PID, FLD_P_PID, offsetof(struct kinfo_proc, ki_pid) },
	{ KERN_PROC_PGRP, FLD_PG_ID, offsetof(struct kinfo_proc, ki_pgid) },
	{ KERN_PROC_SESSION, FLD_S_SID, offsetof(struct kinfo_proc, ki_sid) },
	{ KERN_PROC_TTY, FLD_CDP_INODE,
	    offsetof(struct kinfo_proc, ki_tdev_freebsd11) },
	{ KERN_PROC_UID, FLD_CR_UID, offsetof(struct kinfo_proc, ki_uid) },
	{ KERN_PROC_RUID, FLD_CR_RUID, offsetof(struct kinfo_proc, ki_ruid) },
	{ KERN_PROC_RGID, FLD_CR_RGID, offsetof(struct kinfo_proc, ki_rgid) },
	{ KERN_PROC_GID, FLD_CR_GROUPS,
	    offsetof(struct kinfo_proc, ki_groups) },
};

/* A call of kvm_getprocs(). */
struct query {
	const struct selector *qu_selector;
	int qu_arg;
	bool qu_threads; /* an entry for each */
	struct kinfo_proc *qu_list;
	size_t qu_n;
	size_t qu_size; /* allocated */
	uint64_t qu_max;
};

static const struct selector *
find_selector(int op)
{
	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		if (selectors[i].se_op == op)
			return (&selectors[i]);
	return (NULL);
}

static bool
is_selected(const struct query *qu, const struct kinfo_proc *kp)
{
	const struct selector *se = qu->qu_selector;

	return (se->se_off == 0 ||
	    memcmp((const char *)kp + se->se_off, &qu->qu_arg,
		sizeof(qu->qu_arg)) == 0);
}

static int
add(kvm_t *kd, struct query *qu, kvaddr_t proc, kvaddr_t td)
{
	struct kinfo_proc entry, *list;

	kinfo_fill(kd, proc, td, &entry);
	if (!is_selected(qu, &entry))
		return (0);
	if (qu->qu_n == qu->qu_max)
		return (kvm_fail(kd,
		    "%s: more processes and threads than the dump can hold",
		    WHAT));
	list = array_reserve(qu->qu_list, qu->qu_n + 1, &qu->qu_size,
	    sizeof(*list));
	if (list == NULL)
		return (kvm_fail(kd, "%s: out of memory", WHAT));
	qu->qu_list = list;
	qu->qu_list[qu->qu_n++] = entry;
	return (0);
}

/* Add one entry for a process and its first thread, or one for each thread. */
static int
add_process(kvm_t *kd, struct query *qu, kvaddr_t proc)
{
	struct circle circle = { 0 };
	uint64_t td = field_uint(kd, proc, FLD_P_THREADS);

	if (field_known(kd, FLD_P_STATE) &&
	    field_uint(kd, proc, FLD_P_STATE) == PROC_STATE_NEW)
		return (0);
	if (!qu->qu_threads || td == 0)
		return (add(kd, qu, proc, td));
	while (td != 0) {
		if (circle_closes(&circle, td))
			return (kvm_fail(kd,
			    "%s: the threads of the process at %#jx have no end",
			    WHAT, (uintmax_t)proc));
		if (add(kd, qu, proc, td) != 0 ||
		    field_read(kd, td, FLD_TD_PLIST, &td) != 0)
			return (-1);
	}
	return (0);
}

static int
add_list(kvm_t *kd, struct query *qu, const char *name, kvaddr_t head)
{
	struct circle circle = { 0 };
	uint64_t proc;

	if (kvm_read_uint(kd, head, kd->kd_core.kc_ptr_len, &proc) != 0)
		return (-1);
	while (proc != 0) {
		if (circle_closes(&circle, proc))
			return (kvm_fail(kd, "%s: the list %s has no end", WHAT,
			    name));
		if (add_process(kd, qu, proc) != 0 ||
		    field_read(kd, proc, FLD_P_LIST, &proc) != 0)
			return (-1);
	}
	return (0);
}

/* FreeBSD 13 has zombies in allproc, older versions in a second list. */
static int
add_all(kvm_t *kd, struct query *qu)
{
	kvaddr_t head;

	if (field_need(kd, FLD_P_LIST, WHAT) != 0 ||
	    field_need(kd, FLD_P_PID, WHAT) != 0 ||
	    field_need(kd, qu->qu_selector->se_needs, WHAT) != 0)
		return (-1);
	if (!kvm_lookup(kd, "allproc", &head))
		return (kvm_fail(kd, "%s: no symbol allproc", WHAT));
	if (add_list(kd, qu, "allproc", head) != 0)
		return (-1);
	if (!kvm_lookup(kd, "zombproc", &head))
		return (0);
	return (add_list(kd, qu, "zombproc", head));
}

static int
max_elements(kvm_t *kd, uint64_t *out)
{
	const struct kvm_core *core = kvm_core(kd);

	if (core == NULL)
		return (-1);
	*out = core->kc_npages * core->kc_page_size / MIN_ELEMENT_LEN;
	if (*out > INT_MAX)
		*out = INT_MAX;
	return (0);
}

struct kinfo_proc *
kvm_getprocs(kvm_t *kd, int op, int arg, int *cnt)
{
	struct query qu = {
		.qu_selector = find_selector(op & ~KERN_PROC_INC_THREAD),
		.qu_arg = arg,
		.qu_threads = (op & KERN_PROC_INC_THREAD) != 0,
	};

	free(kd->kd_procs);
	kd->kd_procs = NULL;
	if (qu.qu_selector == NULL) {
		(void)kvm_fail(kd, "%s: unknown operation %d", WHAT, op);
		return (NULL);
	}
	/* Not NULL even if there is no such process. */
	qu.qu_list = array_reserve(NULL, 1, &qu.qu_size, sizeof(*qu.qu_list));
	if (qu.qu_list == NULL) {
		(void)kvm_fail(kd, "%s: out of memory", WHAT);
		return (NULL);
	}
	if (max_elements(kd, &qu.qu_max) != 0 || add_all(kd, &qu) != 0) {
		free(qu.qu_list);
		return (NULL);
	}
	kd->kd_procs = qu.qu_list;
	*cnt = (int)qu.qu_n;
	return (kd->kd_procs);
}

/* Arguments are in the memory of the process, which dumps leave out. */
static char **
refuse_strings(kvm_t *kd, const char *what)
{
	(void)kvm_fail(kd, "%s: a dump does not hold the memory of processes",
	    what);
	return (NULL);
}

char **
kvm_getargv(kvm_t *kd, const struct kinfo_proc *kp, int nchr)
{
	(void)kp;
	(void)nchr;
	return (refuse_strings(kd, "kvm_getargv"));
}

char **
kvm_getenvv(kvm_t *kd, const struct kinfo_proc *kp, int nchr)
{
	(void)kp;
	(void)nchr;
	return (refuse_strings(kd, "kvm_getenvv"));
}
