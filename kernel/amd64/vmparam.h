/*
 * The layout of the kernel's addresses.
 *
 *	0x0000800000000000  VM_MAXUSER_ADDRESS: the end of the user half
 *	0xfffff80000000000  direct map of physical memory, 512 GB at most
 *	0xffffffff80000000  KERNBASE, VM_MIN_KERNEL_ADDRESS: the first 2 MB are
 *	                    not mapped, so that the image lies at KERNBASE +
 *	                    its physical address
 *	0xffffffff80200000  the kernel's image
 *	0xffffffff81e00000  DEVMAP: device registers
 *	0xffffffff82000000  VM_MIN_KVA: the kernel map, kmem
 *	0xffffffffffc00000  VM_MAX_KVA
 *
 * The top 2 GB is what a minidump's page-table section describes; version 1
 * costs 4 KB for each 2 MB of it, up to kernel_vm_end.
 *
 * Plain numbers: assembly files and the link script use them, too.
 */
#ifndef KERNEL_AMD64_VMPARAM_H
#define KERNEL_AMD64_VMPARAM_H

#define VM_MAXUSER_ADDRESS 0x0000800000000000
#define KERNBASE	 0xffffffff80000000
#define KERNLOAD	 0x200000
#define DMAP_MIN_ADDRESS 0xfffff80000000000
#define DMAP_MAX_ADDRESS 0xfffff88000000000
#define DEVMAP_MIN	 0xffffffff81e00000
#define DEVMAP_MAX	 0xffffffff82000000
#define VM_MIN_KVA	 0xffffffff82000000
#define VM_MAX_KVA	 0xffffffffffc00000

#endif
