/*
 * FreeBSD's values of the states of processes and threads, for kinfo_proc and
 * for kdebug/.  Facts: sys/sys/proc.h.  The names here are not FreeBSD's, whose
 * macros programs on FreeBSD have.
 */
#ifndef LIBKVM_RUN_STATES_H
#define LIBKVM_RUN_STATES_H

/* p_state (PRS_*). */
enum { PROC_STATE_NEW, PROC_STATE_NORMAL, PROC_STATE_ZOMBIE };

/* td_state (TDS_*). */
enum {
	THREAD_INACTIVE,
	THREAD_INHIBITED,
	THREAD_CAN_RUN,
	THREAD_RUNQ,
	THREAD_RUNNING
};

/* Bits of td_inhibitors (TDI_*), of a thread that is THREAD_INHIBITED. */
enum {
	INHIBITED_SUSPENDED = 0x01,
	INHIBITED_SLEEPING = 0x02,
	INHIBITED_LOCK = 0x08,
	INHIBITED_IWAIT = 0x10
};

#endif
