/*
 * Out of memory: the one that has most of it is killed, the first of equals.
 *
 * Who can be killed, and how, is for those to say who have processes.  The daemon
 * then waits for as many passes again, so that the memory of the first comes back
 * before a second is killed for it.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_pageout.h"

struct oom_choice {
	void *och_victim;
	vm_pindex_t och_npages;
};

/* Set once, before there is anybody. */
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
