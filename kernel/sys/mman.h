/*
 * Memory as programs ask for it: mmap(2) and its like; FreeBSD's numbers.
 */
#ifndef KERNEL_SYS_MMAN_H
#define KERNEL_SYS_MMAN_H

#define PROT_NONE  0x0
#define PROT_READ  0x1
#define PROT_WRITE 0x2
#define PROT_EXEC  0x4

#define MAP_SHARED  0x0001
#define MAP_PRIVATE 0x0002
#define MAP_FIXED   0x0010
#define MAP_STACK   0x0400
#define MAP_NOSYNC  0x0800
#define MAP_ANON    0x1000
#define MAP_GUARD   0x2000
#define MAP_EXCL    0x4000 /* with FIXED: fail if something is there */
#define MAP_NOCORE  0x20000

/* For msync(2). */
#define MS_SYNC	      0x0 /* return when it is written */
#define MS_ASYNC      0x1
#define MS_INVALIDATE 0x2

/* For mlockall(2). */
#define MCL_CURRENT 0x1 /* what is mapped */
#define MCL_FUTURE  0x2 /* what will be */

#define MADV_NORMAL	0
#define MADV_RANDOM	1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED	3
#define MADV_DONTNEED	4
#define MADV_FREE	5
#define MADV_NOSYNC	6
#define MADV_AUTOSYNC	7
#define MADV_NOCORE	8
#define MADV_CORE	9

/* What mincore(2) says of a page. */
#define MINCORE_INCORE	   0x1
#define MINCORE_REFERENCED 0x2
#define MINCORE_MODIFIED   0x4

#endif
