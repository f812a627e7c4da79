#include "tests/kdebug/threeprocs.h"

void
three_procs(struct kernel *k)
{
	kernel_init(k, ARCH_AMD64);
	fake_u32(k->k_kd, k->k_base + KERNEL_DUMPTID, 100100);
	fake_word(k->k_kd, k->k_base + KERNEL_STOPPED, 0xb); /* not 2 */
	kernel_put_pcb(k, k->k_base + KERNEL_DUMPPCB, 0xffffffff80000100,
	    0x100);
	kernel_put_pcb(k, k->k_base + KERNEL_STOPPCBS + PCB_LEN,
	    0xffffffff80000200, 0x200);

	kernel_proc(k, PROC(0), 800, "sysctl");
	kernel_thread(k, TD(0), 100100, "sysctl");
	kernel_oncpu(k, 2);
	kernel_proc(k, PROC(1), 28, "pagedaemon");
	kernel_thread(k, TD(1), 100101, "dom0");
	kernel_oncpu(k, 1);
	kernel_thread(k, TD(2), 100102, "laundry: dom0");
	kernel_pcb(k, PCB(2));
	kernel_put_pcb(k, PCB(2), 0xffffffff80000300, 0x300);
	kernel_proc(k, PROC(2), 11, "idle");
	kernel_thread(k, TD(3), 100103, "idle: cpu2");
	kernel_oncpu(k, 2);
	kernel_pcb(k, PCB(3));
	kernel_put_pcb(k, PCB(3), 0xffffffff80000400, 0x400);
}
