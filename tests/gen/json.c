/*
 * What a debugger must see in the dump, as JSON.
 */
#include <errno.h>
#include <jansson.h>

#include "tests/gen/gen.h"

/* 0x and as many digits as the register has. */
static json_t *
json_hex(uint64_t value, unsigned len)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*jx", (int)(2 * len),
	    (uintmax_t)value);
	return (json_string(text));
}

static json_t *
json_registers(const struct gen_thread *td)
{
	json_t *regs = json_object();

	for (unsigned i = 0; i < td->nregs; i++)
		json_object_set_new(regs, td->regs[i].name,
		    json_hex(td->regs[i].value, td->regs[i].len));
	return (regs);
}

static json_t *
json_frames(const struct gen *g, const struct gen_thread *td)
{
	json_t *frames = json_array();

	for (unsigned i = 0; i < td->nframes; i++) {
		const struct gen_frame *frame = &td->frames[i];

		json_array_append_new(frames,
		    json_pack("{s:o,s:s,s:I}", "pc",
			json_hex(frame->pc, g->g_lay.gl_ptr_len), "symbol",
			frame->symbol, "offset", (json_int_t)frame->offset));
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
	};
	json_t *json;

	json = json_pack("{s:i,s:i,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "pid",
	    td->pid, "tid", td->tid, "comm", td->comm, "name", td->name,
	    "display_name", td->display_name, "state", states[td->state],
	    "registers", json_registers(td), "backtrace_pcs",
	    json_backtrace(g, td), "frames", json_frames(g, td));
	json_object_set_new(json, "cpu",
	    td->cpu >= 0 ? json_integer(td->cpu) : json_null());
	if (td->user_pc != 0)
		json_object_set_new(json, "user_pc",
		    json_hex(td->user_pc, g->g_lay.gl_ptr_len));
	return (json);
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

		json_array_append_new(modules,
		    json_pack("{s:s,s:s,s:o,s:I}", "name", mod->name, "path",
			mod->path, "address",
			json_hex(mod->address, g->g_lay.gl_ptr_len), "size",
			(json_int_t)mod->size));
	}
	return (modules);
}

static json_t *
json_facts(const struct gen *g)
{
	struct gen_facts f;

	gen_facts(g, &f);
	return (json_pack("{s:s,s:s,s:i,s:i,s:I,s:I,s:o,s:o,s:o,s:o,s:I,s:I}",
	    "format", g->g_spec.gs_format == GEN_FULL ? "elf" : "minidump",
	    "arch", g->g_arch->ga_name, "version", (int)f.version, "page_size",
	    (int)f.page_size, "dumped_pages", (json_int_t)f.npages,
	    "file_bytes", (json_int_t)f.file_len, "kernbase",
	    json_hex(f.kernbase, 8), "dmapbase", json_hex(f.dmapbase, 8),
	    "dmapend", json_hex(f.dmapend, 8), "kernel_pa",
	    json_hex(f.kernel_pa, 8), "bitmap_bytes", (json_int_t)f.bitmap_len,
	    "pmap_bytes", (json_int_t)f.pmap_len));
}

int
gen_write_json(const struct gen *g, const char *path)
{
	json_t *json;
	int error;

	json = json_pack("{s:o,s:i,s:i,s:s,s:s,s:s%,s:o,s:o}", "dump",
	    json_facts(g), "hz", g->g_abi.hz, "threads_total",
	    (int)g->g_nthreads, "panic", g->g_panicstr, "version", g->g_version,
	    "msgbuf", g->g_text, g->g_text_len, "modules", json_modules(g),
	    "threads", json_threads(g));
	if (json == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	error = json_dump_file(json, path, JSON_INDENT(1));
	json_decref(json);
	return (error);
}
