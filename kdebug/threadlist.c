/*
 * How a thread gets into the list: its registers out of a pcb, and the name that
 * it is shown by.
 */
#include <stdio.h>
#include <string.h>

#include "kdebug/kdebug_int.h"
#include "libkvm/array.h"

enum pcb_state
threadlist_regs(struct kdebug *kdb, struct kdebug_thread *t, kvaddr_t va)
{
	const struct arch *arch = kdb->kdb_arch;
	struct kdebug_regs regs;

	if (arch == NULL || va == 0 ||
	    !regs_read(kdb, va, arch->ar_pcb(&kdb->kdb_layout), &regs))
		return (PCB_MISSING);
	if (regs.rs_value[arch->ar_pc] == 0 && regs.rs_value[arch->ar_sp] == 0)
		return (PCB_EMPTY);
	t->kt_regs = regs;
	return (PCB_READ);
}

/* Without a panic it was running, as in a dump of a live system. */
enum kdebug_state
threadlist_dumper_state(const struct kdebug *kdb)
{
	return (kdb->kdb_panic.kx_why == KDEBUG_WHY_NONE ? KDEBUG_RUNNING :
							   KDEBUG_CRASHED);
}

/* Where the thread was, to follow its name. */
static void
format_place(const struct kdebug_thread *t, char *text, size_t len)
{
	text[0] = '\0';
	if (t->kt_state == KDEBUG_CRASHED)
		snprintf(text, len, " (crashed)");
	else if (t->kt_dumped)
		snprintf(text, len, " (dumping)");
	else if (t->kt_state == KDEBUG_RUNNING)
		snprintf(text, len, " (on CPU %d%s)", t->kt_cpu,
		    t->kt_unstopped ? ", not stopped" : "");
}

/* "(pid 28) pagedaemon/laundry: dom0 (on CPU 4)" */
static const char *
display_name(struct kdebug *kdb, const struct kdebug_thread *t)
{
	bool named =
	    t->kt_name[0] != '\0' && strcmp(t->kt_name, t->kt_comm) != 0;
	char text[512], place[40];
	const char *name;

	format_place(t, place, sizeof(place));
	snprintf(text, sizeof(text), "(pid %d) %s%s%s%s", t->kt_pid, t->kt_comm,
	    named ? "/" : "", named ? t->kt_name : "", place);
	name = arena_text(&kdb->kdb_arena, text, strlen(text));
	return (name != NULL ? name : "");
}

bool
threadlist_add(struct kdebug *kdb, struct kdebug_thread *t)
{
	struct threads *ts = &kdb->kdb_threads;
	struct kdebug_thread *list = array_reserve(ts->ts_list,
	    ts->ts_count + 1, &ts->ts_room, sizeof(*list));

	if (list == NULL) {
		kdb_note(kdb, "thread list: out of memory");
		return (false);
	}
	ts->ts_list = list;
	t->kt_index = ts->ts_count;
	t->kt_display_name = display_name(kdb, t);
	ts->ts_list[ts->ts_count++] = *t;
	return (true);
}
