/*
 * A panic inside of a dump: debug.dump_panic_phase names the phase, as enum
 * dump_phase numbers them.
 */
#include "kernel/kern/kern_dump.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"

static int panic_phase = -1;

static void
second_panic(const void *arg)
{
	(void)arg;
	if ((int)dumpsys_phase() == panic_phase)
		panic("%s: %s", __func__, dump_phase_name(dumpsys_phase()));
}

static int
sysctl_panic_phase(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_handle_int(oidp, arg1, arg2, req);

	if (error == 0 && req->newtext != NULL)
		fail_set(FAIL_DUMP, second_panic);
	return (error);
}
SYSCTL_PROC(_debug, OID_AUTO, dump_panic_phase, CTLTYPE_INT | CTLFLAG_RWTUN,
    &panic_phase, 0, sysctl_panic_phase, "I",
    "Panic once more in this phase of a dump, for tests");
