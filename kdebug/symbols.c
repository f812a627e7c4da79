/*
 * From an address to the function, the source line and the module it lies in.
 */
#include "kdebug/debugfile.h"
#include "kdebug/kdebug_int.h"
#include "kdebug/modfile.h"

/*
 * The largest reach of a symbol without a size, as in assembly.  Without a
 * limit the last one of a kernel would cover all addresses after it.
 */
#define UNSIZED_MAX 65536

/* Is sym a function, and is va in it? */
static bool
in_func(const struct kvm_symbol *sym, kvaddr_t va)
{
	return (sym->ksy_code &&
	    (sym->ksy_len != 0 || va - sym->ksy_va < UNSIZED_MAX));
}

static bool
module_func(struct modmap *mm, kvaddr_t va, struct func *out)
{
	struct kvm_symbol sym;

	if (mm->mm_file == NULL || !modfile_symbol_at(mm->mm_file, va, &sym) ||
	    !in_func(&sym, va))
		return (false);
	*out = (struct func){
		.fn_name = sym.ksy_name,
		.fn_va = sym.ksy_va,
		.fn_module = mm,
	};
	return (true);
}

bool
func_at(struct kdebug *kdb, kvaddr_t va, struct func *out)
{
	const struct arch *arch = kdb->kdb_arch;
	struct modmap *mm;
	struct kvm_symbol sym;
	kvaddr_t link_va = va;
	bool known;

	if (arch != NULL && arch->ar_link_va != NULL)
		link_va = arch->ar_link_va(kdb, va);
	known =
	    kvm_symbol_at(kdb->kdb_kd, link_va, &sym) && in_func(&sym, link_va);
	if (!known || sym.ksy_len == 0) {
		mm = modules_find(kdb, va);
		if (mm != NULL)
			return (module_func(mm, va, out));
	}
	if (!known)
		return (false);
	*out = (struct func){
		.fn_name = sym.ksy_name,
		.fn_va = sym.ksy_va + (va - link_va),
	};
	return (true);
}

static struct debugfile *
kernel_debugfile(struct kdebug *kdb)
{
	const char *path = kdb->kdb_core->kc_exec_path;

	if (!kdb->kdb_debugfile_sought && path != NULL)
		kdb->kdb_debugfile = debugfile_open_kernel(kdb, path);
	kdb->kdb_debugfile_sought = true;
	return (kdb->kdb_debugfile);
}

struct debugfile *
debugfile_at(struct kdebug *kdb, kvaddr_t va)
{
	struct modmap *mm = modules_find(kdb, va);

	return (mm != NULL ? mm->mm_debug : kernel_debugfile(kdb));
}

void
symbolize(struct kdebug *kdb, kvaddr_t va, struct kdebug_frame *frame)
{
	struct debugfile *df = debugfile_at(kdb, va);
	struct modmap *mm = modules_find(kdb, va);
	const char *file;
	struct func fn;

	if (mm != NULL)
		frame->kf_module = kdb->kdb_modules.ms_list[mm->mm_idx].km_name;
	if (func_at(kdb, va, &fn)) {
		frame->kf_symbol = arena_borrow(&kdb->kdb_arena, fn.fn_name);
		frame->kf_offset = frame->kf_pc - fn.fn_va;
		if (fn.fn_module == NULL)
			frame->kf_module = NULL;
	}
	if (df != NULL && debugfile_line(df, va, &file, &frame->kf_line))
		frame->kf_file = arena_borrow(&kdb->kdb_arena, file);
}
