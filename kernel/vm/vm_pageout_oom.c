/*
 * Out of memory: the process that has most of it is killed, the first of equals.
 *
 * What has processes says which there are and how one is killed, by
 * vm_pageout_set_oom().  Until then nothing is killed.  In both cases the daemon
 * makes as many passes again before it comes back here, so the memory of the first
 * is free before a second is killed for it.
 *
 * Lock: none.  The page daemon calls without locks, and the source is set once.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_pageout.h"

struct oom_choice {
	void *och_victim;
	vm_pindex_t och_npages;
};

/* Set once, before there are processes; NULL: there are none yet. */
static const struct vm_oom_source *oom_source;

void
vm_pageout_set_oom(const struct vm_oom_source *source)
{
	oom_source = source;
}

static void
oom_visit(void *victim, vm_pindex_t npages, void *arg)
{
	struct oom_choice *choice = arg;

	if (npages > choice->och_npages)
		*choice = (struct oom_choice){ victim, npages };
}

void
vm_pageout_oom(void)
{
	struct oom_choice choice = { NULL, 0 };

	if (oom_source == NULL)
		return;
	oom_source->oom_foreach(oom_visit, &choice);
	if (choice.och_victim == NULL) {
		printf("vm_pageout: out of memory: there is nothing to kill\n");
		return;
	}
	printf("vm_pageout: out of memory: killed what had %ju pages\n",
	    (uintmax_t)choice.och_npages);
	vm_cnt.v_oomkills++;
	oom_source->oom_kill(choice.och_victim);
}
