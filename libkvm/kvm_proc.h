/*
 * struct kinfo_proc and the constants that go with it, for hosts other than
 * FreeBSD.  kvm.h includes this file on Linux.  Elsewhere the system may have
 * a struct kinfo_proc of its own (macOS, in <sys/sysctl.h>): a program includes
 * this file or that one.
 *
 * Names, order and types are those of FreeBSD's <sys/user.h>, so that programs
 * written for it compile; on a 64-bit host the layout is that of FreeBSD/amd64,
 * 1088 bytes.  Pointers are addresses of the dumped kernel, for kvm_read2();
 * NULL if they do not fit this host's.  kvm_getprocs(3) says what is filled in.
 *
 * Facts: FreeBSD's sys/sys/user.h, sysctl.h, resource.h, proc.h, priority.h.
 */
#ifndef _KVM_PROC_H_
#define _KVM_PROC_H_

#include <sys/types.h>

#include <sys/resource.h>
#include <sys/time.h>

#include <stdint.h>

/* The values of op, by which kvm_getprocs() selects. */
#define KERN_PROC_ALL	     0	  /* everything */
#define KERN_PROC_PID	     1	  /* process id */
#define KERN_PROC_PGRP	     2	  /* process group id */
#define KERN_PROC_SESSION    3	  /* session id */
#define KERN_PROC_TTY	     4	  /* device number of the terminal */
#define KERN_PROC_UID	     5	  /* effective user id */
#define KERN_PROC_RUID	     6	  /* real user id */
#define KERN_PROC_PROC	     8	  /* everything, without threads */
#define KERN_PROC_RGID	     10	  /* real group id */
#define KERN_PROC_GID	     11	  /* effective group id */
#define KERN_PROC_INC_THREAD 0x10 /* added to one above: an entry a thread */

/* ki_stat */
#define SIDL   1 /* being created */
#define SRUN   2 /* running or able to */
#define SSLEEP 3 /* waits for an event */
#define SSTOP  4 /* stopped by a signal or a debugger */
#define SZOMB  5 /* exited, not waited for */
#define SWAIT  6 /* waits for an interrupt */
#define SLOCK  7 /* waits for a lock */

/* ki_kiflag */
#define KI_CTTY	     0x00000001 /* has a controlling terminal */
#define KI_SLEADER   0x00000002 /* leads its session */
#define KI_LOCKBLOCK 0x00000004 /* waits for the lock ki_lockname */

/* ki_cr_flags */
#define KI_CRF_CAPABILITY_MODE 0x00000001
#define KI_CRF_GRP_OVERFLOW    0x80000000 /* more groups than ki_groups holds */

#define NOCPU	   (-1) /* ki_oncpu: on none */
#define NOCPU_OLD  255	/* ki_oncpu_old: on none */
#define MAXCPU_OLD 254	/* ki_oncpu_old: this CPU or a higher one */

/* Lengths of texts, without the NUL. */
#define WMESGLEN       8
#define LOCKNAMELEN    8
#define TDNAMLEN       16
#define COMMLEN	       19
#define KI_EMULNAMELEN 16
#define LOGNAMELEN     17
#define LOGINCLASSLEN  17

#define KI_NGROUPS     16
#define KI_NSPARE_INT  2
#define KI_NSPARE_LONG 12
#define KI_NSPARE_PTR  5

/* FreeBSD's sigset_t; bit n % 32 of word n / 32 is signal n + 1. */
struct kvm_sigset {
	uint32_t __bits[4];
};

struct priority {
	unsigned char pri_class;
	unsigned char pri_level;
	unsigned char pri_native;
	unsigned char pri_user;
};

struct kinfo_proc {
	int ki_structsize; /* sizeof(struct kinfo_proc) */
	int ki_layout;	   /* 0 */
	struct pargs *ki_args;
	struct proc *ki_paddr;
	struct user *ki_addr;
	struct vnode *ki_tracep;
	struct vnode *ki_textvp;
	struct filedesc *ki_fd;
	struct vmspace *ki_vmspace;
	const void *ki_wchan; /* what it sleeps on */
	pid_t ki_pid;
	pid_t ki_ppid;
	pid_t ki_pgid;
	pid_t ki_tpgid; /* of the terminal's foreground */
	pid_t ki_sid;
	pid_t ki_tsid; /* the terminal's session */
	short ki_jobc;
	short ki_spare_short1;
	uint32_t ki_tdev_freebsd11; /* the low 32 bits of ki_tdev */
	struct kvm_sigset ki_siglist;
	struct kvm_sigset ki_sigmask;
	struct kvm_sigset ki_sigignore;
	struct kvm_sigset ki_sigcatch;
	uid_t ki_uid;
	uid_t ki_ruid;
	uid_t ki_svuid;
	gid_t ki_rgid;
	gid_t ki_svgid;
	short ki_ngroups;
	short ki_spare_short2;
	gid_t ki_groups[KI_NGROUPS];
	unsigned long ki_size; /* of the address space, bytes */
	long ki_rssize;	       /* resident pages */
	long ki_swrss;	       /* resident pages before the last swap */
	long ki_tsize;	       /* pages of text */
	long ki_dsize;	       /* ... of data */
	long ki_ssize;	       /* ... of stack */
	unsigned short ki_xstat;
	unsigned short ki_acflag;
	uint32_t ki_pctcpu;
	unsigned int ki_estcpu;
	unsigned int ki_slptime; /* seconds */
	unsigned int ki_swtime;	 /* seconds */
	unsigned int ki_cow;
	uint64_t ki_runtime; /* microseconds */
	struct timeval ki_start;
	struct timeval ki_childtime;
	long ki_flag;	/* p_flag */
	long ki_kiflag; /* KI_* */
	int ki_traceflag;
	char ki_stat; /* SIDL, SRUN, ... */
	signed char ki_nice;
	char ki_lock;
	char ki_rqindex;
	unsigned char ki_oncpu_old;
	unsigned char ki_lastcpu_old;
	char ki_tdname[TDNAMLEN + 1];
	char ki_wmesg[WMESGLEN + 1];
	char ki_login[LOGNAMELEN + 1];
	char ki_lockname[LOCKNAMELEN + 1];
	char ki_comm[COMMLEN + 1];
	char ki_emul[KI_EMULNAMELEN + 1];
	char ki_loginclass[LOGINCLASSLEN + 1];
	char ki_moretdname[COMMLEN - TDNAMLEN + 1]; /* rest of ki_tdname */
	char ki_sparestrings[46];
	int ki_spareints[KI_NSPARE_INT];
	uint64_t ki_tdev; /* of the terminal; all ones: none */
	int ki_oncpu;
	int ki_lastcpu;
	int ki_tracer; /* id of the process that traces it */
	int ki_flag2;  /* p_flag2 */
	int ki_fibnum;
	unsigned int ki_cr_flags;
	int ki_jid;
	int ki_numthreads;
	int32_t ki_tid;
	struct priority ki_pri;
	struct rusage ki_rusage;
	struct rusage ki_rusage_ch;
	struct pcb *ki_pcb;
	void *ki_kstack;
	void *ki_udata;
	struct thread *ki_tdaddr;
	struct pwddesc *ki_pd;
	void *ki_spareptrs[KI_NSPARE_PTR];
	long ki_sparelongs[KI_NSPARE_LONG];
	long ki_sflag;
	long ki_tdflags;
};

/* Ticks that CPUs spent, the elements that kvm_getcptime() stores. */
#define CP_USER	  0
#define CP_NICE	  1
#define CP_SYS	  2
#define CP_INTR	  3
#define CP_IDLE	  4
#define CPUSTATES 5

#endif /* _KVM_PROC_H_ */
