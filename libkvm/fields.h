/*
 * Fields of the kernel's structures: where they are comes from the kernel's
 * debug information, or from the constants that it exports for debuggers.
 */
#ifndef LIBKVM_FIELDS_H
#define LIBKVM_FIELDS_H

#include <stdbool.h>

#include "libkvm/kvm.h"

enum field {
	/* struct proc */
	FLD_P_LIST, /* the next process */
	FLD_P_THREADS,
	FLD_P_PID,
	FLD_P_COMM,
	FLD_P_STATE,
	FLD_P_OPPID,
	FLD_P_PPTR,
	FLD_P_UCRED,
	FLD_P_FD,
	FLD_P_PD,
	FLD_P_VMSPACE,
	FLD_P_ARGS,
	FLD_P_TRACEVP,
	FLD_P_TEXTVP,
	FLD_P_SIGACTS,
	FLD_P_SIGLIST,
	FLD_P_PGRP,
	FLD_P_FLAG,
	FLD_P_FLAG2,
	FLD_P_SYSENT,
	FLD_P_RUNTIME,
	FLD_P_XSTAT, /* until FreeBSD 10 */
	FLD_P_XEXIT,
	FLD_P_XSIG,
	FLD_P_ACFLAG,
	FLD_P_LOCK,
	FLD_P_SWTICK,
	FLD_P_NICE,
	FLD_P_TRACEFLAG,
	FLD_P_NUMTHREADS,
	FLD_P_FIBNUM,
	/* struct thread */
	FLD_TD_PLIST, /* the next thread of the process */
	FLD_TD_TID,
	FLD_TD_NAME,
	FLD_TD_ONCPU,
	FLD_TD_PCB,
	FLD_TD_STATE,
	FLD_TD_INHIBITORS,
	FLD_TD_FLAGS,
	FLD_TD_LASTCPU,
	FLD_TD_WMESG,
	FLD_TD_WCHAN,
	FLD_TD_BLOCKED,
	FLD_TD_LOCKNAME,
	FLD_TD_SIGLIST,
	FLD_TD_SIGMASK,
	FLD_TD_PRIORITY,
	FLD_TD_BASE_PRI,
	FLD_TD_USER_PRI,
	FLD_TD_PRI_CLASS,
	FLD_TD_KSTACK,
	FLD_TD_SLPTICK,
	/* struct ucred, prison, loginclass */
	FLD_CR_UID,
	FLD_CR_RUID,
	FLD_CR_SVUID,
	FLD_CR_GID, /* since FreeBSD 15; before, the first of cr_groups */
	FLD_CR_RGID,
	FLD_CR_SVGID,
	FLD_CR_NGROUPS,
	FLD_CR_GROUPS,
	FLD_CR_FLAGS,
	FLD_CR_PRISON,
	FLD_CR_LOGINCLASS,
	FLD_PR_ID,
	FLD_LC_NAME,
	/* struct pgrp, session, tty, cdev_priv, cdev */
	FLD_PG_ID,
	FLD_PG_JOBC,
	FLD_PG_SESSION,
	FLD_S_SID,
	FLD_S_LOGIN,
	FLD_S_LEADER,
	FLD_S_TTYVP,
	FLD_S_TTYP,
	FLD_T_PGRP,
	FLD_T_SESSION,
	FLD_T_DEV,
	FLD_CDP_INODE,
	FLD_SI_NAME,
	/* struct vmspace, sigacts, sysentvec */
	FLD_VM_SIZE,
	FLD_VM_RESIDENT,
	FLD_VM_SWRSS,
	FLD_VM_TSIZE,
	FLD_VM_DSIZE,
	FLD_VM_SSIZE,
	FLD_PS_SIGIGNORE,
	FLD_PS_SIGCATCH,
	FLD_SV_NAME,
	/* struct pcpu */
	FLD_PC_CP_TIME,
	/* struct swdevt, vnode */
	FLD_SW_LIST, /* the next device */
	FLD_SW_FLAGS,
	FLD_SW_NBLKS,
	FLD_SW_USED,
	FLD_SW_DEV,
	FLD_SW_VP,
	FLD_V_RDEV,
	FLD_COUNT
};

/* Is it known where the field is? */
bool field_known(kvm_t *kd, enum field which);

/*
 * Returns 0 if the field's offset is known.  Otherwise -1, and kvm_geterr()
 * says so; its text starts with what, the name of a function or a file.
 */
int field_need(kvm_t *kd, enum field which, const char *what);

/*
 * Read an integer or a pointer of the structure at base.  -1 (kvm_geterr()): it
 * is not known where the field is, or it cannot be read.
 */
int field_read(kvm_t *kd, kvaddr_t base, enum field which, uint64_t *out);

/* The same; 0 if it is not known or cannot be read, or base is 0. */
uint64_t field_uint(kvm_t *kd, kvaddr_t base, enum field which);
int64_t field_int(kvm_t *kd, kvaddr_t base, enum field which);

/* Copy an array, at most len bytes of it, and fill up with zeros. */
void field_bytes(kvm_t *kd, kvaddr_t base, enum field which, void *buf,
    size_t len);

/* Where a field is: bytes into its structure.  Only if it is known. */
uint32_t field_off(kvm_t *kd, enum field which);

#endif
