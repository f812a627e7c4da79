/*
 * The constants that the kernel exports for debuggers: see layout.h.
 *
 * A constant that cannot be right is treated as missing, with a note.
 */
#include "kdebug/layout.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kdebug/kdebug_int.h"

/* Larger than any structure that a constant measures. */
#define CONST_MAX 65536

static const char *const names[LO_COUNT] = {
	[LO_P_PID] = "proc_off_p_pid",
	[LO_P_COMM] = "proc_off_p_comm",
	[LO_P_LIST] = "proc_off_p_list",
	[LO_P_THREADS] = "proc_off_p_threads",
	[LO_TD_TID] = "thread_off_td_tid",
	[LO_TD_NAME] = "thread_off_td_name",
	[LO_TD_ONCPU] = "thread_off_td_oncpu",
	[LO_TD_PCB] = "thread_off_td_pcb",
	[LO_TD_PLIST] = "thread_off_td_plist",
	[LO_KLD_ADDRESS] = "kld_off_address",
	[LO_KLD_FILENAME] = "kld_off_filename",
	[LO_KLD_PATHNAME] = "kld_off_pathname",
	[LO_KLD_NEXT] = "kld_off_next",
	[LO_PCB_LEN] = "pcb_size",
};

const char *
layout_name(enum layout_const which)
{
	return (names[which]);
}

bool
layout_symbol(struct kdebug *kdb, const char *name, kvaddr_t *out)
{
	struct kvm_symbol sym;

	if (!kvm_symbol_find(kdb->kdb_kd, name, &sym))
		return (false);
	*out = sym.ksy_va;
	return (true);
}

/* Constants that cannot be used, with the reason for the first. */
struct unusable {
	size_t bad_count;
	char bad_why[128];
};

static uint32_t
read_const(struct kdebug *kdb, const char *symbol, struct unusable *bad)
{
	uint32_t value;
	kvaddr_t va;
	char why[64];

	if (!layout_symbol(kdb, symbol, &va))
		return (LAYOUT_NONE);
	if (!mem_const_u32(kdb, va, &value))
		snprintf(why, sizeof(why),
		    "neither in the kernel file nor in the dump");
	else if (value >= CONST_MAX)
		snprintf(why, sizeof(why), "%#x is too large", value);
	else
		return (value);
	if (bad->bad_count++ == 0)
		snprintf(bad->bad_why, sizeof(bad->bad_why), "%s: %s", symbol,
		    why);
	return (LAYOUT_NONE);
}

/* One note is enough: with another kernel's file all of them are wrong. */
static void
note_unusable(struct kdebug *kdb, const struct unusable *bad)
{
	if (bad->bad_count == 1)
		kdb_note(kdb, "%s", bad->bad_why);
	else if (bad->bad_count > 1)
		kdb_note(kdb,
		    "%s, and %zu more of its constants cannot be used: is %s the dumped kernel?",
		    bad->bad_why, bad->bad_count - 1,
		    kdb->kdb_core->kc_exec_path);
}

/*
 * struct linker_file as it has been declared since FreeBSD 7, for kernels that
 * do not export its offsets.  Before these fields: ops, refs and userrefs,
 * flags, link (two pointers).
 */
static void
default_kld_offsets(struct kernel_layout *lo, unsigned int ptr_len)
{
	static const struct {
		enum layout_const which;
		uint32_t lp64, ilp32;
	} defaults[] = {
		{ LO_KLD_NEXT, 24, 16 },
		{ LO_KLD_FILENAME, 40, 24 },
		{ LO_KLD_PATHNAME, 48, 28 },
		{ LO_KLD_ADDRESS, 64, 36 },
	};

	for (size_t i = 0; i < NITEMS(defaults); i++) {
		uint32_t *value = &lo->kl_const[defaults[i].which];

		if (*value == LAYOUT_NONE)
			*value =
			    ptr_len == 8 ? defaults[i].lp64 : defaults[i].ilp32;
	}
}

void
layout_load(struct kdebug *kdb)
{
	struct kernel_layout *lo = &kdb->kdb_layout;
	struct unusable bad = { 0 };
	kvaddr_t va;

	for (size_t i = 0; i < LO_COUNT; i++)
		lo->kl_const[i] = read_const(kdb, names[i], &bad);
	note_unusable(kdb, &bad);
	default_kld_offsets(lo, kdb->kdb_core->kc_ptr_len);
	if (!layout_symbol(kdb, "osreldate", &va) ||
	    !mem_const_u32(kdb, va, &lo->kl_osreldate))
		lo->kl_osreldate = 0;
}

/* Zeros in the dump are what somebody has left out. */
static bool
differs(struct kdebug *kdb, const char *symbol)
{
	static const uint8_t zeros[4];
	uint8_t file[4], dump[4];
	kvaddr_t va;

	return (layout_symbol(kdb, symbol, &va) &&
	    kvm_read_exec(kdb->kdb_kd, va, file, 4) == 4 &&
	    mem_read(kdb, va, dump, 4) && memcmp(dump, zeros, 4) != 0 &&
	    memcmp(dump, file, 4) != 0);
}

const char *
layout_mismatch(struct kdebug *kdb)
{
	for (size_t i = 0; i < LO_COUNT; i++)
		if (differs(kdb, names[i]))
			return (names[i]);
	return (NULL);
}
