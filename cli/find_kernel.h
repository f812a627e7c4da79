/*
 * The kernel that a dump was taken from, where its users put it.
 */
#ifndef CLI_FIND_KERNEL_H
#define CLI_FIND_KERNEL_H

/*
 * The first of these files beside core that can be read: kernel.N, if core is
 * called NAME.N, and kernel; each of them also compressed.  Then the same beside
 * the file that core is a link to; last, on FreeBSD, the booted kernel.
 * The caller frees the path.  NULL: none is there.
 */
char *find_kernel(const char *core);

#endif
