/*
 * Error numbers: 4.4BSD's.
 */
#ifndef KERNEL_SYS_ERRNO_H
#define KERNEL_SYS_ERRNO_H

#define EPERM	    1
#define ENOENT	    2
#define EINTR	    4
#define EIO	    5
#define ENXIO	    6
#define E2BIG	    7
#define ENOMEM	    12
#define EACCES	    13
#define EFAULT	    14
#define EBUSY	    16
#define EEXIST	    17
#define ENODEV	    19
#define EINVAL	    22
#define EFBIG	    27
#define ENOSPC	    28
#define EROFS	    30
#define ERANGE	    34
#define EAGAIN	    35
#define EWOULDBLOCK EAGAIN
#define EOPNOTSUPP  45
#define ETIMEDOUT   60
#define ECANCELED   85

#endif
