/*
 * Kernels to look at: a fake libkvm in which the variables and lists are that
 * kdebug/ looks for.  Offsets are made up, and differ from every real kernel's.
 */
#ifndef TESTS_KDEBUG_KERNEL_H
#define TESTS_KDEBUG_KERNEL_H

#include "kdebug/kdebug.h"
#include "tests/kdebug/fake_kvm.h"

/* Room for the traces of tests. */
enum { MAXFRAMES = 256 };

/* The offsets that the kernel exports. */
enum {
	P_LIST = 0,
	P_THREADS = 16,
	P_PID = 40,
	P_COMM = 48,
	TD_PLIST = 8,
	TD_TID = 32,
	TD_ONCPU = 36,
	TD_NAME = 40,
	TD_PCB = 64,
	PCB_LEN = 320
};

/* Where the kernel's variables are, from its base on. */
enum {
	KERNEL_ALLPROC = 0x0,
	KERNEL_ZOMBPROC = 0x8,
	KERNEL_DUMPTID = 0x10,
	KERNEL_MAXID = 0x14,
	KERNEL_STOPPED = 0x20,
	KERNEL_DUMPPCB = 0x400,
	KERNEL_STOPPCBS = 0x1000
};

struct kernel {
	kvm_t *k_kd;
	struct kdebug *k_kdb; /* NULL until kernel_open() */
	kvaddr_t k_base;      /* of its variables */
	kvaddr_t k_proc_link; /* where the next process is linked */
	kvaddr_t k_td_link;   /* where the next thread is */
	kvaddr_t k_td;	      /* the newest thread */
};

/* A kernel with CPUs 0 to 3, all stopped, and no process. */
void kernel_init(struct kernel *k, enum dump_arch arch);
void kernel_init_big_endian(struct kernel *k, enum dump_arch arch);
void kernel_fini(struct kernel *k);

/* Look at it.  What is put into it later may not be seen. */
struct kdebug *kernel_open(struct kernel *k);

/* Append a process at va, and a thread at va to the newest process. */
void kernel_proc(struct kernel *k, kvaddr_t va, int pid, const char *comm);
void kernel_thread(struct kernel *k, kvaddr_t va, int tid, const char *name);

/* The CPU of the newest thread, and the address of its pcb. */
void kernel_oncpu(struct kernel *k, int cpu);
void kernel_pcb(struct kernel *k, kvaddr_t pcb_va);

/* What amd64's pcb at va has of pc and sp. */
void kernel_put_pcb(struct kernel *k, kvaddr_t va, uint64_t pc, uint64_t sp);

/* The value of a register in regs by its name; fails the test if not valid. */
uint64_t reg_named(struct kdebug *kdb, const struct kdebug_regs *regs,
    const char *name);

/* How many registers are valid. */
unsigned int nvalid(const struct kdebug_regs *regs);

/* Fails the test unless both are the same text, or both NULL. */
void check_text(const char *got, const char *want);

/* Is there a note that contains text? */
bool has_note(const struct kdebug *kdb, const char *text);

#endif
