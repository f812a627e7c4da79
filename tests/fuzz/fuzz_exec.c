/* A kernel file of any bytes: its symbols, constants and structures. */
#include "libkvm/exec.h"

#include <stdlib.h>
#include <string.h>

#include "libkvm/members.h"
#include "tests/fuzz/memfile.h"

#define NITEMS(table) (sizeof(table) / sizeof((table)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A symbol is found again by its name, and by its address. */
static void
check_symbol(struct exec *ex, const char *name)
{
	struct kvm_symbol sym, again, at;

	if (!exec_symbol_find(ex, name, &sym))
		return;
	if (strcmp(sym.ksy_name, name) != 0 ||
	    !exec_symbol_find(ex, sym.ksy_name, &again) ||
	    again.ksy_va != sym.ksy_va)
		abort();
	if (exec_symbol_at(ex, sym.ksy_va, &at) && at.ksy_va > sym.ksy_va)
		abort();
}

/* What is found of a structure is within bounds. */
static void
check_members(struct exec *ex)
{
	static const char *const names[] = { "td_next", "td_tid", "td_second",
		"td_sa.code", "td_sa.args", "td_late", "td_table", "td_open",
		"td_bit", "td_none", "td_state.TDS_RUNNING", "td_state.none",
		"td_tid.x", "td_typedef", "td_array" };
	struct kvm_member list[NITEMS(names) + 2] = {
		{ .kmb_type = "late", .kmb_name = "la_last" },
		{ .kmb_type = "late" },
	};
	char why[256];

	for (size_t i = 0; i < NITEMS(names); i++)
		list[i + 2] = (struct kvm_member){ .kmb_type = "thread",
			.kmb_name = names[i] };
	if (members_find(ex, list, NITEMS(list), why, sizeof(why)) >
	    NITEMS(list))
		abort();
	for (size_t i = 0; i < NITEMS(list); i++)
		if (list[i].kmb_off > KVM_MEMBER_MAX ||
		    list[i].kmb_len > KVM_MEMBER_MAX)
			abort();
}

static void
check(struct exec *ex)
{
	static const char *const names[] = { "kernbase", "mp_ncpus", "a", "" };
	struct kvm_symbol sym;
	uint8_t buf[300];

	if (exec_arch(ex) >= ARCH_COUNT || exec_path(ex)[0] == '\0')
		abort();
	if (!exec_load_symbols(ex) && exec_error(ex)[0] == '\0')
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_symbol(ex, names[i]);
	for (unsigned int i = 0; i < 64; i++) {
		kvaddr_t va = UINT64_MAX << i;

		if (exec_symbol_at(ex, va, &sym)) {
			if (sym.ksy_va > va)
				abort();
			check_symbol(ex, sym.ksy_name);
		}
		(void)exec_read(ex, va, buf, sizeof(buf));
	}
	check_members(ex);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memfile file;
	static bool created;
	char why[256] = "";
	struct exec *ex;

	if (!created)
		memfile_create(&file);
	created = true;
	memfile_set(&file, data, size);
	ex = exec_open(file.path, why, sizeof(why));
	if (ex == NULL && why[0] == '\0')
		abort();
	if (ex != NULL)
		check(ex);
	exec_close(ex);
	return (0);
}
