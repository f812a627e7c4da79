/*
 * What a debugger must see in the dump, as JSON.
 */
#include <errno.h>
#include <jansson.h>

#include "tests/gen/gen.h"

static void
set_string(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_string(value));
}

static void
set_number(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* 0x and as many digits as len bytes have. */
static json_t *
json_hex(uint64_t value, unsigned len)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*jx", (int)(2 * len),
	    (uintmax_t)value);
	return (json_string(text));
}

static void
set_address(const struct gen *g, json_t *object, const char *key,
    uint64_t value)
{
	json_object_set_new(object, key, json_hex(value, g->g_lay.gl_ptr_len));
}

/* The registers that must be shown, or those that may be. */
static json_t *
json_registers(const struct gen_thread *td, bool optional)
{
	json_t *regs = json_object();

	for (unsigned i = 0; i < td->nregs; i++)
		if (td->regs[i].optional == optional)
			json_object_set_new(regs, td->regs[i].name,
			    json_hex(td->regs[i].value, td->regs[i].len));
	return (regs);
}

static json_t *
json_frames(const struct gen *g, const struct gen_thread *td)
{
	json_t *frames = json_array();

	for (unsigned i = 0; i < td->nframes; i++) {
		json_t *frame = json_object();

		set_address(g, frame, "pc", td->frames[i].pc);
		set_string(frame, "symbol", td->frames[i].symbol);
		set_number(frame, "offset", td->frames[i].offset);
		json_array_append_new(frames, frame);
	}
	return (frames);
}

static json_t *
json_backtrace(const struct gen *g, const struct gen_thread *td)
{
	json_t *pcs = json_array();

	for (unsigned i = 0; i < td->nframes; i++)
		json_array_append_new(pcs,
		    json_hex(td->frames[i].pc, g->g_lay.gl_ptr_len));
	return (pcs);
}

static json_t *
json_thread(const struct gen *g, const struct gen_thread *td)
{
	static const char *const states[] = {
		[GEN_CRASHED] = "crashed",
		[GEN_RUNNING] = "running",
		[GEN_STOPPED] = "stopped",
		[GEN_UNSTOPPED] = "running",
		[GEN_DUMPING] = "running",
	};
	json_t *thread = json_object();

	set_number(thread, "pid", (uint64_t)td->pid);
	set_number(thread, "tid", (uint64_t)td->tid);
	set_string(thread, "comm", td->comm);
	set_string(thread, "name", td->name);
	set_string(thread, "display_name", td->display_name);
	set_string(thread, "state", states[td->state]);
	json_object_set_new(thread, "stopped",
	    json_boolean(td->state != GEN_UNSTOPPED));
	json_object_set_new(thread, "cpu",
	    td->cpu >= 0 ? json_integer(td->cpu) : json_null());
	json_object_set_new(thread, "registers", json_registers(td, false));
	json_object_set_new(thread, "optional_registers",
	    json_registers(td, true));
	json_object_set_new(thread, "backtrace_pcs", json_backtrace(g, td));
	json_object_set_new(thread, "frames", json_frames(g, td));
	if (td->user_pc != 0) {
		set_address(g, thread, "user_pc", td->user_pc);
		set_address(g, thread, "user_sp", td->user_sp);
		set_number(thread, "syscall", (uint64_t)td->syscall);
		set_string(thread, "syscall_name", td->syscall_name);
	}
	return (thread);
}

/* An object with the thread's index as key, as in the real dumps' file. */
static json_t *
json_threads(const struct gen *g)
{
	json_t *threads = json_object();
	char index[16];

	for (unsigned i = 0; i < g->g_nthreads; i++) {
		snprintf(index, sizeof(index), "%u", i);
		json_object_set_new(threads, index,
		    json_thread(g, &g->g_threads[i]));
	}
	return (threads);
}

static json_t *
json_modules(const struct gen *g)
{
	json_t *modules = json_array();

	for (unsigned i = 0; i < g->g_nmods; i++) {
		const struct gen_module *mod = &g->g_mods[i];
		json_t *module = json_object();

		set_string(module, "name", mod->name);
		set_string(module, "path", mod->path);
		set_number(module, "id", (uint64_t)mod->id);
		set_number(module, "refs", (uint64_t)mod->refs);
		set_address(g, module, "address", mod->address);
		set_number(module, "size", mod->size);
		json_array_append_new(modules, module);
	}
	return (modules);
}

static json_t *
json_values(const uint32_t *values, unsigned n)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(array, json_integer(values[i]));
	return (array);
}

/* What only the header of a minidump tells. */
static void
set_minidump(const struct gen *g, json_t *info, const struct gen_facts *f)
{
	set_number(info, "version", f->version);
	set_number(info, "msgbuf_bytes", f->msgbuf_len);
	set_number(info, "bitmap_bytes", f->bitmap_len);
	set_number(info, "pmap_bytes", f->pmap_len);
	set_address(g, info, "kernbase", f->kernbase);
	if (f->dmapend != 0) {
		set_address(g, info, "dmapbase", f->dmapbase);
		set_address(g, info, "dmapend", f->dmapend);
	}
}

/* The file, in the words of "vmcore info --json". */
static json_t *
json_info(const struct gen *g)
{
	bool minidump = g->g_spec.gs_format == GEN_MINIDUMP;
	json_t *info = json_object();
	struct gen_facts f;

	gen_facts(g, &f);
	set_string(info, "format", minidump ? "minidump" : "elf");
	set_string(info, "arch", g->g_arch->ga_name);
	set_number(info, "page_size", f.page_size);
	set_number(info, "dumped_pages", f.npages);
	set_number(info, "dumped_bytes", f.npages * f.page_size);
	set_number(info, "file_bytes", f.file_len);
	json_object_set_new(info, "panic",
	    g->g_panicstr[0] != '\0' ? json_string(g->g_panicstr) :
				       json_null());
	if (minidump)
		set_minidump(g, info, &f);
	return (info);
}

int
gen_write_json(const struct gen *g, const char *path)
{
	json_t *all = json_object();
	int error;

	json_object_set_new(all, "info", json_info(g));
	set_number(all, "hz", (uint64_t)g->g_abi.hz);
	set_string(all, "byte_order",
	    g->g_lay.gl_big_endian ? "big" : "little");
	set_string(all, "version", g->g_version);
	set_address(g, all, "kernel_pa", g->g_lay.gl_image_pa);
	json_object_set_new(all, "msgbuf",
	    json_stringn(g->g_text, g->g_text_len));
	json_object_set_new(all, "modules", json_modules(g));
	json_object_set_new(all, "dpcpu",
	    json_values(g->g_dpcpu, g->g_spec.gs_ncpus));
	json_object_set_new(all, "vnet", json_values(g->g_vnet, GEN_NVNETS));
	set_number(all, "threads_total", g->g_nthreads);
	json_object_set_new(all, "threads", json_threads(g));
	error = json_dump_file(all, path, JSON_INDENT(1));
	json_decref(all);
	return (error);
}
