/*
 * The kernel's image: where the link script puts its sections.
 */
#ifndef KERNEL_SYS_IMAGE_H
#define KERNEL_SYS_IMAGE_H

extern char _text[], etext[], _erodata[], _data[], _ebss[], _ksyms[], _end[];

#endif
