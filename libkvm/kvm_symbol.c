/*
 * Symbols as they stand in the kernel's ELF file, or as the caller's resolver
 * gives them.  kvm_nlist.c adds the variables that have copies.
 */
#include "libkvm/kvm_int.h"

bool
kvm_find_exact(kvm_t *kd, const char *name, struct kvm_symbol *sym)
{
	if (kd->kd_resolver == NULL)
		return (exec_symbol_find(kd->kd_exec, name, sym));
	*sym = (struct kvm_symbol){ .ksy_name = name };
	return (kd->kd_resolver(name, &sym->ksy_va) == 0);
}

static bool
lookup_exact(kvm_t *kd, const char *name, kvaddr_t *va)
{
	struct kvm_symbol sym;

	if (!kvm_find_exact(kd, name, &sym))
		return (false);
	*va = sym.ksy_va;
	return (true);
}

bool
kvm_lookup(kvm_t *kd, const char *name, kvaddr_t *va)
{
	return (lookup_exact(kd, name, va) ||
	    (name[0] == '_' && lookup_exact(kd, name + 1, va)));
}

int
kvm_load_symbols(kvm_t *kd)
{
	if (exec_check_symbols(kd->kd_exec))
		return (0);
	return (kvm_fail(kd, "%s: symbols: %s", exec_path(kd->kd_exec),
	    exec_error(kd->kd_exec)));
}

bool
kvm_has_symbols(kvm_t *kd)
{
	return (exec_load_symbols(kd->kd_exec));
}

bool
kvm_symbol_find(kvm_t *kd, const char *name, struct kvm_symbol *out)
{
	return (exec_symbol_find(kd->kd_exec, name, out));
}

bool
kvm_symbol_at(kvm_t *kd, kvaddr_t va, struct kvm_symbol *out)
{
	return (exec_symbol_at(kd->kd_exec, va, out));
}
