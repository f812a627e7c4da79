/*
 * Registers pages that a dump takes although no page table leads to them, and
 * pages that it never takes.  The dumper keeps that set and declares the calls;
 * this is how vm/ and the machine reach them.
 */
#ifndef KERNEL_SYS_DUMPSET_H
#define KERNEL_SYS_DUMPSET_H

#include "dumper/dump_page.h"

#endif
