/*
 * Start-up in order: every SYSINIT of the image, by subsystem and then order,
 * and the tunables of the command line, which are there before the first.
 */
#ifndef KERNEL_SYS_KERNEL_H
#define KERNEL_SYS_KERNEL_H

#include "kernel/sys/param.h"

/*
 * Linker sets: pointers that the linker collects from all files into one
 * array, section set_NAME.
 */
#define DATA_SET(set, sym)                                                     \
	static const void *const __set_##set##_sym_##sym __section(            \
	    "set_" #set) __used = &(sym)
#define SET_DECLARE(set, type)                                                 \
	extern type *const __start_set_##set[];                                \
	extern type *const __stop_set_##set[]
#define SET_FOREACH(pvar, set)                                                 \
	for ((pvar) = __start_set_##set; (pvar) < __stop_set_##set; (pvar)++)

enum sysinit_sub_id {
	SI_SUB_TUNABLES,
	SI_SUB_CPU, /* how many there can be */
	SI_SUB_VM,  /* memory, UMA, malloc */
	SI_SUB_CLOCKS,
	SI_SUB_KTHREAD, /* threads can be made and can sleep */
	SI_SUB_SMP,	/* the other CPUs run */
	SI_SUB_DRIVERS,
	SI_SUB_DUMP, /* dump devices are chosen */
	SI_SUB_LAST  /* shell and scripts */
};

enum sysinit_elem_order {
	SI_ORDER_FIRST,
	SI_ORDER_SECOND,
	SI_ORDER_MIDDLE = 100,
	SI_ORDER_ANY = 1000
};

struct sysinit {
	enum sysinit_sub_id subsystem;
	int order;
	void (*func)(const void *);
	const void *udata;
};

#define SYSINIT(uniq, sub, ord, fn, arg)                                       \
	static const struct sysinit uniq##_sys_init = {                        \
		.subsystem = (sub),                                            \
		.order = (ord),                                                \
		.func = (fn),                                                  \
		.udata = (arg),                                                \
	};                                                                     \
	DATA_SET(sysinit_set, uniq##_sys_init)

/* A name=value of the command line, or NULL.  It lives for ever. */
const char *kern_getenv(const char *name);

/* The same as a number, suffixes k m g t included.  false: none such. */
bool getenv_quad(const char *name, uint64_t *out);
bool getenv_int(const char *name, int *out);

void mi_startup(void) __dead2;

#endif
