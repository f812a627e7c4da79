/*
 * What the compiler is told.
 */
#ifndef KERNEL_SYS_CDEFS_H
#define KERNEL_SYS_CDEFS_H

#define static_assert _Static_assert

#define __predict_true(exp)  __builtin_expect((exp), 1)
#define __predict_false(exp) __builtin_expect((exp), 0)

#define __aligned(n)	       __attribute__((__aligned__(n)))
#define __dead2		       __attribute__((__noreturn__))
#define __noinline	       __attribute__((__noinline__))
#define __packed	       __attribute__((__packed__))
#define __printflike(fmt, arg) __attribute__((__format__(__printf__, fmt, arg)))
#define __section(name)	       __attribute__((__section__(name)))
#define __unused	       __attribute__((__unused__))
#define __used		       __attribute__((__used__))

#endif
