/*
 * The dump as the remote server sees it: joins kdebug's threads and registers
 * and libkvm's memory to what gdb and lldb expect.
 */
#ifndef CLI_SERVE_TARGET_H
#define CLI_SERVE_TARGET_H

#include "cli/open.h"
#include "rsp/rsp.h"

struct serve_target {
	struct rsp_target svt_rsp;
	kvm_t *svt_kd;
	const struct dump *svt_dump;		 /* the caller's */
	const struct kdebug_thread *svt_threads; /* kdebug's, in its order */
	size_t svt_nthreads;
	struct rsp_thread *svt_shown; /* the same with ids; ours */
	char *svt_reason;	      /* ours, or NULL */
	char *svt_said;		      /* by the last command; ours, or NULL */

	/* Where kdebug has the description's registers; KDEBUG_MAXREGS: not */
	size_t svt_reg_idx[RSP_MAXREGS];
};

/*
 * Look at the threads of dump, which must outlive target.  0, or -1 with errno
 * ENOMEM.  A dump without threads gets one, without registers, since clients
 * need one to read memory at all.
 */
int serve_target_init(struct serve_target *target, const struct dump *dump);
void serve_target_fini(struct serve_target *target);

#endif
