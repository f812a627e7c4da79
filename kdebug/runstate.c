/*
 * What a thread that is on no CPU was doing: whether it could run, and what it
 * waited for.
 *
 * The kernel exports no constants for this, so it is known of kernels that have
 * debug information.  That also has the numbers of the states, which are not
 * the same in our kernel and in FreeBSD's.  Facts: sys/sys/proc.h.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"
#include "libkvm/run_states.h"

/* As much of a wait channel's or lock's name as is shown. */
#define WMESG_LEN 32

static const char *const members[][2] = {
	[RUN_STATE] = { "thread", "td_state" },
	[RUN_INHIBITORS] = { "thread", "td_inhibitors" },
	[RUN_WMESG] = { "thread", "td_wmesg" },
	[RUN_LOCKNAME] = { "thread", "td_lockname" },
	[RUN_INACTIVE] = { "thread", "td_state.TDS_INACTIVE" },
	[RUN_INHIBITED] = { "thread", "td_state.TDS_INHIBITED" },
	[RUN_CAN_RUN] = { "thread", "td_state.TDS_CAN_RUN" },
	[RUN_RUNQ] = { "thread", "td_state.TDS_RUNQ" },
	[RUN_RUNNING] = { "thread", "td_state.TDS_RUNNING" },
	[RUN_SLEEPING] = { "thread", "td_state.TDS_SLEEPING" },
	[RUN_DEAD] = { "thread", "td_state.TDS_DEAD" },
	[RUN_PROC] = { "proc", "p_state" },
	[RUN_ZOMBIE] = { "proc", "p_state.PRS_ZOMBIE" },
};

/* The meaning of a state; that of INHIBITED depends on the inhibitors. */
static const struct {
	enum run_member state;
	enum kdebug_run run;
} states[] = {
	{ RUN_INACTIVE, KDEBUG_RUN_INACTIVE },
	{ RUN_CAN_RUN, KDEBUG_RUN_RUNNABLE },
	{ RUN_RUNQ, KDEBUG_RUN_RUNNABLE },
	{ RUN_RUNNING, KDEBUG_RUN_RUNNING },
	{ RUN_SLEEPING, KDEBUG_RUN_SLEEPING },
	{ RUN_DEAD, KDEBUG_RUN_EXITED },
};

/* The first that is set is what ps(1) shows. */
static const struct {
	uint32_t bit;
	enum kdebug_run run;
} inhibitors[] = {
	{ INHIBITED_LOCK, KDEBUG_RUN_BLOCKED },
	{ INHIBITED_SLEEPING, KDEBUG_RUN_SLEEPING },
	{ INHIBITED_SUSPENDED, KDEBUG_RUN_SUSPENDED },
	{ INHIBITED_IWAIT, KDEBUG_RUN_IWAIT },
};

void
runstate_load(struct kdebug *kdb)
{
	struct kvm_member *list = kdb->kdb_run;
	const char *why;

	for (size_t i = 0; i < RUN_NMEMBERS; i++)
		list[i] = (struct kvm_member){
			.kmb_type = members[i][0],
			.kmb_name = members[i][1],
			.kmb_off = LAYOUT_NONE,
		};
	(void)kvm_members_find(kdb->kdb_kd, list, RUN_NMEMBERS);
	if ((why = kvm_members_why(kdb->kdb_kd)) != NULL)
		kdb_note(kdb,
		    "what threads wait for is not known: the kernel's debug information needs %s",
		    why);
}

/* The integer in a member of the structure at va.  false: it is not known. */
static bool
read_member(struct kdebug *kdb, kvaddr_t va, enum run_member which,
    uint32_t *out)
{
	const struct kvm_member *mb = &kdb->kdb_run[which];
	uint8_t bytes[4];

	if (mb->kmb_off == LAYOUT_NONE || mb->kmb_len == 0 || mb->kmb_len > 4 ||
	    !mem_read(kdb, va + mb->kmb_off, bytes, mb->kmb_len))
		return (false);
	if (mb->kmb_len == 4)
		*out = dec32(kdb->kdb_core->kc_order, bytes);
	else
		*out = mb->kmb_len == 2 ?
		    dec16(kdb->kdb_core->kc_order, bytes) :
		    bytes[0];
	return (true);
}

/* Is the value the one that the enumerator has in this kernel? */
static bool
is_state(const struct kdebug *kdb, enum run_member which, uint32_t value)
{
	const struct kvm_member *mb = &kdb->kdb_run[which];

	return (mb->kmb_off != LAYOUT_NONE && mb->kmb_off == value);
}

bool
runstate_exited(struct kdebug *kdb, kvaddr_t proc_va)
{
	uint32_t state;

	return (read_member(kdb, proc_va, RUN_PROC, &state) &&
	    is_state(kdb, RUN_ZOMBIE, state));
}

static enum kdebug_run
inhibited(struct kdebug *kdb, kvaddr_t td_va)
{
	uint32_t bits;

	if (!read_member(kdb, td_va, RUN_INHIBITORS, &bits))
		return (KDEBUG_RUN_UNKNOWN);
	for (size_t i = 0; i < NITEMS(inhibitors); i++) {
		if ((bits & inhibitors[i].bit) != 0)
			return (inhibitors[i].run);
	}
	return (KDEBUG_RUN_UNKNOWN);
}

enum kdebug_run
runstate_of(struct kdebug *kdb, kvaddr_t td_va)
{
	uint32_t state;

	if (!read_member(kdb, td_va, RUN_STATE, &state))
		return (KDEBUG_RUN_UNKNOWN);
	if (is_state(kdb, RUN_INHIBITED, state))
		return (inhibited(kdb, td_va));
	for (size_t i = 0; i < NITEMS(states); i++) {
		if (is_state(kdb, states[i].state, state))
			return (states[i].run);
	}
	return (KDEBUG_RUN_UNKNOWN);
}

/* The string that a member points to, after prefix; NULL: none. */
static const char *
read_pointed(struct kdebug *kdb, kvaddr_t td_va, enum run_member which,
    const char *prefix)
{
	const struct kvm_member *mb = &kdb->kdb_run[which];
	size_t n = strlen(prefix);
	char text[WMESG_LEN];
	kvaddr_t va;
	size_t len;

	if (mb->kmb_off == LAYOUT_NONE ||
	    !mem_word(kdb, td_va + mb->kmb_off, &va) || va == 0)
		return (NULL);
	memcpy(text, prefix, n);
	len = mem_string(kdb, va, text + n, sizeof(text) - n);
	return (len != 0 ? arena_text(&kdb->kdb_arena, text, n + len) : NULL);
}

const char *
runstate_wmesg(struct kdebug *kdb, kvaddr_t td_va, enum kdebug_run run)
{
	switch (run) {
	case KDEBUG_RUN_SLEEPING:
		return (read_pointed(kdb, td_va, RUN_WMESG, ""));
	case KDEBUG_RUN_BLOCKED:
		return (read_pointed(kdb, td_va, RUN_LOCKNAME, "*"));
	default:
		return (NULL);
	}
}

const char *
kdebug_run_name(enum kdebug_run run)
{
	static const char *const names[] = {
		[KDEBUG_RUN_UNKNOWN] = NULL,
		[KDEBUG_RUN_RUNNING] = "running",
		[KDEBUG_RUN_RUNNABLE] = "runnable",
		[KDEBUG_RUN_SLEEPING] = "sleeping",
		[KDEBUG_RUN_BLOCKED] = "blocked",
		[KDEBUG_RUN_SUSPENDED] = "suspended",
		[KDEBUG_RUN_IWAIT] = "waiting",
		[KDEBUG_RUN_INACTIVE] = "inactive",
		[KDEBUG_RUN_EXITED] = "exited",
	};

	return (names[run]);
}
