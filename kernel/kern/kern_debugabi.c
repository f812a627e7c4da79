/*
 * FreeBSD's symbols that debuggers look for by name, so that every tool that
 * knows its kernels knows ours.
 */
#include "kernel/machine/pcb.h"
#include "kernel/sys/image.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/smp.h"

#define OFFSET(sym, type, member)                                              \
	extern const int sym;                                                  \
	const int sym = offsetof(type, member)

OFFSET(proc_off_p_pid, struct proc, p_pid);
OFFSET(proc_off_p_comm, struct proc, p_comm);
OFFSET(proc_off_p_list, struct proc, p_list);
OFFSET(proc_off_p_threads, struct proc, p_threads);
OFFSET(thread_off_td_tid, struct thread, td_tid);
OFFSET(thread_off_td_name, struct thread, td_name);
OFFSET(thread_off_td_oncpu, struct thread, td_oncpu);
OFFSET(thread_off_td_pcb, struct thread, td_pcb);
OFFSET(thread_off_td_plist, struct thread, td_plist);

/* Debuggers tell a kernel from a program by this: see kernel.ld. */
static const char red_herring[] __used
    __attribute__((__section__(".interp"))) = "/red/herring";

extern const int pcb_size;
const int pcb_size = sizeof(struct pcb);

/*
 * The list of loaded files: the kernel, alone.  FreeBSD's shape, whose offsets
 * are exported like those above.
 */
struct linker_file {
	const void *ops;
	int refs;
	int userrefs;
	int flags;
	TAILQ_ENTRY(linker_file) link;
	const char *filename;
	const char *pathname;
	int id;
	void *address;
	size_t size;
};

OFFSET(kld_off_address, struct linker_file, address);
OFFSET(kld_off_filename, struct linker_file, filename);
OFFSET(kld_off_pathname, struct linker_file, pathname);
OFFSET(kld_off_next, struct linker_file, link);

extern TAILQ_HEAD(linker_files, linker_file) linker_files;
extern struct linker_file *linker_kernel_file;
extern char linker_path[];

static struct linker_file kernel_file = {
	.refs = 1,
	.link = { NULL, &linker_files.tqh_first },
	.filename = "kernel",
	.pathname = "/boot/kernel/kernel",
	.id = 1,
	.address = _text,
};
struct linker_files linker_files = { &kernel_file, &kernel_file.link.tqe_next };
struct linker_file *linker_kernel_file = &kernel_file;
char linker_path[] = "/boot/kernel";

/* The first address above user land's. */
extern const vm_offset_t vm_maxuser_address;
const vm_offset_t vm_maxuser_address = 0x0000800000000000;

/* Only the linker knows the size. */
static void
linker_init(const void *arg)
{
	(void)arg;
	kernel_file.size = (size_t)(_end - _text);
}
SYSINIT(linker, SI_SUB_TUNABLES, SI_ORDER_ANY, linker_init, NULL);
