/*
 * A thread of the dump as the commands print it: see thread.h.
 */
#include "cli/thread.h"

json_t *
registers_json(const struct kdebug *kdb, const struct kdebug_regs *regs)
{
	const struct kdebug_reg_desc *descs;
	size_t nregs = kdebug_reg_descs(kdb, &descs);
	json_t *object = json_object();

	for (size_t i = 0; i < nregs && object != NULL; i++) {
		json_t *value;

		if ((regs->rs_valid & UINT64_C(1) << i) == 0)
			continue;
		value = json_hex(regs->rs_value[i], descs[i].rd_len);
		if (json_object_set_new(object, descs[i].rd_name, value) != 0) {
			json_decref(object);
			return (NULL);
		}
	}
	return (object);
}

json_t *
thread_json(const struct kdebug *kdb, const struct kdebug_thread *td)
{
	json_t *cpu = td->kt_cpu < 0 ? json_null() : json_integer(td->kt_cpu);

	return (json_pack("{s:I, s:i, s:i, s:o, s:o, s:o, s:s, s:b, s:o, s:o,"
			  " s:o, s:o}",
	    "index", (json_int_t)td->kt_index, "pid", td->kt_pid, "tid",
	    td->kt_tid, "comm", json_text(td->kt_comm), "name",
	    json_text(td->kt_name), "display_name",
	    json_text(td->kt_display_name), "state",
	    kdebug_state_name(td->kt_state), "stopped", !td->kt_unstopped,
	    "run", json_text(kdebug_run_name(td->kt_run)), "wmesg",
	    json_text(td->kt_wmesg), "cpu", cpu, "registers",
	    registers_json(kdb, &td->kt_regs)));
}
