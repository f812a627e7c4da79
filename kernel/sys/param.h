/*
 * The kernel's limits and its everyday macros.
 */
#ifndef KERNEL_SYS_PARAM_H
#define KERNEL_SYS_PARAM_H

#include "kernel/sys/types.h"
#include "kernel/vm/vm_param.h"

#define static_assert _Static_assert

/* What debuggers take for the release that the symbols' shapes follow. */
#define __FreeBSD_version 1300139

#define MAXCOMLEN 19

#define KSTACK_PAGES 4
#define KSTACK_SIZE  (KSTACK_PAGES * PAGE_SIZE)

#define nitems(x)	 (sizeof(x) / sizeof((x)[0]))
#define howmany(x, y)	 (((x) + ((y) - 1)) / (y))
#define rounddown2(x, y) ((x) & ~((y) - 1))
#define roundup2(x, y)	 (((x) + ((y) - 1)) & ~((y) - 1))

#define __aligned(n)	       __attribute__((__aligned__(n)))
#define __dead2		       __attribute__((__noreturn__))
#define __noinline	       __attribute__((__noinline__))
#define __packed	       __attribute__((__packed__))
#define __printflike(fmt, arg) __attribute__((__format__(__printf__, fmt, arg)))
#define __section(name)	       __attribute__((__section__(name)))
#define __unused	       __attribute__((__unused__))
#define __used		       __attribute__((__used__))

#define __containerof(p, type, member) \
	((type *)(void *)((char *)(p) - offsetof(type, member)))

#endif
