/*
 * Which system call a thread is in.
 *
 * Its number is in td_sa.code, if the kernel has debug information to find
 * that, and otherwise in the register of the trap frame where the program put
 * it.  On x86 the same register gets the call's result before the thread is
 * back in user mode, so it is used only while the thread is not on its way
 * back.
 *
 * The meaning of a number depends on the program's ABI.  p_sysent, which
 * follows p_comm in struct proc, points to the kernel's description of that
 * ABI, and FreeBSD's own ones are recognized by their symbols.
 * sys/kern/syscalls.c, and similar files for other ABIs, have the names.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"

/* sizeof(p_comm), and how many words after it p_sysent may be away. */
#define COMM_LEN     20
#define SYSENT_WORDS 4

#define NAME_LEN 64

/* Their first argument is the number: syscall(2). */
enum { SYS_SYSCALL = 0, SYS___SYSCALL = 198 };

/* The ABIs of FreeBSD's programs. */
static const struct abi {
	const char *sa_sysent;	   /* symbol of its struct sysentvec */
	unsigned int sa_ptr_len;   /* of the kernels that have it so */
	const char *sa_name;	   /* sv_name in there */
	const char *sa_call_names; /* symbol of an array of strings */
} abis[] = {
	{ "elf64_freebsd_sysvec", 8, "FreeBSD ELF64", "syscallnames" },
	{ "elf64_freebsd_sysvec_la48", 8, "FreeBSD ELF64", "syscallnames" },
	{ "elf64_freebsd_sysvec_la57", 8, "FreeBSD ELF64", "syscallnames" },
	{ "elf32_freebsd_sysvec", 8, "FreeBSD ELF32",
	    "freebsd32_syscallnames" },
	{ "ia32_freebsd_sysvec", 8, "FreeBSD ELF32", "freebsd32_syscallnames" },
	{ "elf32_freebsd_sysvec", 4, "FreeBSD ELF32", "syscallnames" },
};

/* The ABI that sysent_va describes; NULL: none that we know. */
static const struct abi *
abi_of(struct kdebug *kdb, kvaddr_t sysent_va)
{
	kvaddr_t va;

	for (size_t i = 0; i < NITEMS(abis); i++) {
		if (abis[i].sa_ptr_len == kdb->kdb_core->kc_ptr_len &&
		    layout_symbol(kdb, abis[i].sa_sysent, &va) &&
		    va == sysent_va)
			return (&abis[i]);
	}
	return (NULL);
}

static const struct abi *
find_abi(struct kdebug *kdb, kvaddr_t proc_va)
{
	uint32_t comm_off = kdb->kdb_layout.kl_const[LO_P_COMM];
	unsigned int ptr_len = kdb->kdb_core->kc_ptr_len;
	const struct abi *abi = NULL;
	kvaddr_t va, sysent_va;

	if (proc_va == 0 || comm_off == LAYOUT_NONE)
		return (NULL);
	va = (proc_va + comm_off + COMM_LEN + ptr_len - 1) / ptr_len * ptr_len;
	for (size_t i = 0; abi == NULL && i < SYSENT_WORDS; i++) {
		if (!mem_word(kdb, va + i * ptr_len, &sysent_va))
			break;
		abi = abi_of(kdb, sysent_va);
	}
	return (abi);
}

/* The offset of the number in struct thread; LAYOUT_NONE: not known. */
static uint32_t
code_offset(struct kdebug *kdb)
{
	struct kvm_member code = { .kmb_type = "thread",
		.kmb_name = "td_sa.code" };

	if (!kdb->kdb_td_code_sought) {
		kdb->kdb_td_code_sought = true;
		kdb->kdb_td_code_off = LAYOUT_NONE;
		if (kvm_members_find(kdb->kdb_kd, &code, 1) == 1 &&
		    code.kmb_len == 4)
			kdb->kdb_td_code_off = code.kmb_off;
	}
	return (kdb->kdb_td_code_off);
}

/* The number that the program passed; false: no register has it. */
static bool
asked_number(const struct arch *arch, const struct kdebug_regs *regs,
    uint64_t *number)
{
	if (!regs_has(regs, arch->ar_syscall))
		return (false);
	*number = regs->rs_value[arch->ar_syscall];
	if (*number != SYS_SYSCALL && *number != SYS___SYSCALL)
		return (true);
	if (!regs_has(regs, arch->ar_syscall_arg))
		return (false);
	*number = regs->rs_value[arch->ar_syscall_arg];
	return (true);
}

static const char *
call_name(struct kdebug *kdb, const struct abi *abi, uint64_t number)
{
	unsigned int ptr_len = kdb->kdb_core->kc_ptr_len;
	struct kvm_symbol names;
	char name[NAME_LEN];
	kvaddr_t name_va;
	size_t len;

	if (!kvm_symbol_find(kdb->kdb_kd, abi->sa_call_names, &names) ||
	    number >= names.ksy_len / ptr_len ||
	    !mem_word(kdb, names.ksy_va + number * ptr_len, &name_va))
		return (NULL);
	len = mem_string(kdb, name_va, name, sizeof(name));
	return (len > 0 ? arena_text(&kdb->kdb_arena, name, len) : NULL);
}

void
syscall_find(struct kdebug *kdb, const struct kdebug_thread *td,
    enum syscall_way way, struct kdebug_user *user)
{
	const struct arch *arch = kdb->kdb_arch;
	uint32_t off = code_offset(kdb), code;
	const struct abi *abi = find_abi(kdb, td->kt_proc);
	uint64_t number;

	if (td->kt_td != 0 && off != LAYOUT_NONE &&
	    mem_u32(kdb, td->kt_td + off, &code))
		number = code;
	else if ((way == SYSCALL_BACK && arch->ar_syscall_is_result) ||
	    !asked_number(arch, &user->ku_regs, &number) || number > INT32_MAX)
		return;
	user->ku_syscall = (int64_t)number;
	if (abi == NULL)
		return;
	user->ku_abi = abi->sa_name;
	user->ku_syscall_name = call_name(kdb, abi, number);
}
