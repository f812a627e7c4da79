/*
 * What the dumper has to know about the machine's memory.
 */
#ifndef KERNEL_SYS_DUMP_MACHINE_H
#define KERNEL_SYS_DUMP_MACHINE_H

struct dump_machine;

/*
 * Fill in how memory is read and mapped: dm_page, dm_describes, the root of the
 * page tables, the kernel map, the direct map and the devices.  The other fields
 * are left alone.  Takes no lock: a dying kernel calls it.
 */
void cpu_describe_memory(struct dump_machine *dm);

#endif
