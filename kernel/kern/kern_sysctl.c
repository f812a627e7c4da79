/*
 * The sysctl tree.
 */
#include "kernel/sys/sysctl.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/version.h"

#define NAME_MAX 64

SET_DECLARE(sysctl_set, const struct sysctl_oid);

/* The tops of the tree. */
#define SYSCTL_TOP(name, descr)                                                \
	const struct sysctl_oid sysctl__##name = {                             \
		.oid_name = #name,                                             \
		.oid_kind = CTLTYPE_NODE | CTLFLAG_RD,                         \
		.oid_descr = descr,                                            \
	}

SYSCTL_TOP(debug, "debugging");
SYSCTL_TOP(hw, "hardware");
SYSCTL_TOP(kern, "high kernel");
SYSCTL_TOP(machdep, "machine dependent");
SYSCTL_TOP(vm, "virtual memory");

SYSCTL_STRING(_kern, OID_AUTO, ostype, CTLFLAG_RD, (void *)(uintptr_t)ostype, 0,
    "operating system");
SYSCTL_STRING(_kern, OID_AUTO, osrelease, CTLFLAG_RD,
    (void *)(uintptr_t)osrelease, 0, "release");
SYSCTL_STRING(_kern, OID_AUTO, version, CTLFLAG_RD, (void *)(uintptr_t)version,
    0, "version text");
SYSCTL_STRING(_kern, OID_AUTO, hostname, CTLFLAG_RWTUN, hostname,
    sizeof(hostname), "host name");

/* debug.minidump, of the nodes from the top. */
static void
full_name(const struct sysctl_oid *oid, char name[NAME_MAX])
{
	char rest[NAME_MAX];

	strlcpy(name, oid->oid_name, NAME_MAX);
	while ((oid = oid->oid_parent) != NULL) {
		strlcpy(rest, name, sizeof(rest));
		snprintf(name, NAME_MAX, "%s.%s", oid->oid_name, rest);
	}
}

static const struct sysctl_oid *
find_oid(const char *name)
{
	const struct sysctl_oid *const *oid;
	char full[NAME_MAX];

	SET_FOREACH(oid, sysctl_set) {
		full_name(*oid, full);
		if (strcmp(full, name) == 0)
			return (*oid);
	}
	return (NULL);
}

void
sysctl_foreach(const char *prefix,
    void (*fn)(const char *name, const struct sysctl_oid *oid))
{
	const struct sysctl_oid *const *oid;
	char full[NAME_MAX];

	SET_FOREACH(oid, sysctl_set) {
		full_name(*oid, full);
		if (((*oid)->oid_kind & CTLTYPE) != CTLTYPE_NODE &&
		    strncmp(full, prefix, strlen(prefix)) == 0)
			fn(full, *oid);
	}
}

static int
new_number(const struct sysctl_req *req, uint64_t max, uint64_t *out)
{
	const char *end;
	uint64_t v = strtouq(req->newtext, &end);

	if (end == req->newtext || *end != '\0')
		return (EINVAL);
	if (v > max)
		return (ERANGE);
	*out = v;
	return (0);
}

int
sysctl_handle_int(SYSCTL_HANDLER_ARGS)
{
	int *var = arg1;
	uint64_t v;
	int error;

	(void)oidp;
	snprintf(req->old, req->oldroom, "%d", var != NULL ? *var : (int)arg2);
	if (req->newtext == NULL)
		return (0);
	error = new_number(req, INT32_MAX, &v);
	if (error == 0)
		*var = (int)v;
	return (error);
}

int
sysctl_handle_64(SYSCTL_HANDLER_ARGS)
{
	uint64_t *var = arg1;

	(void)oidp;
	(void)arg2;
	snprintf(req->old, req->oldroom, "%ju", (uintmax_t)*var);
	return (req->newtext == NULL ? 0 : new_number(req, UINT64_MAX, var));
}

int
sysctl_handle_string(SYSCTL_HANDLER_ARGS)
{
	(void)oidp;
	strlcpy(req->old, arg1, req->oldroom);
	if (req->newtext == NULL)
		return (0);
	if (strlen(req->newtext) >= (size_t)arg2)
		return (EINVAL);
	strlcpy(arg1, req->newtext, (size_t)arg2);
	return (0);
}

int
kernel_sysctlbyname(const char *name, char *old, size_t oldroom,
    const char *newtext)
{
	struct sysctl_req req = {
		.newtext = newtext,
		.old = old,
		.oldroom = oldroom,
	};
	const struct sysctl_oid *oid = find_oid(name);

	if (oid == NULL || oid->oid_handler == NULL)
		return (ENOENT);
	if (newtext != NULL && (oid->oid_kind & CTLFLAG_WR) == 0)
		return (EPERM);
	return (oid->oid_handler(oid, oid->oid_arg1, oid->oid_arg2, &req));
}

/* Set what the command line names. */
static void
sysctl_tunables(const void *arg)
{
	const struct sysctl_oid *const *oid;
	char full[NAME_MAX], old[NAME_MAX];

	(void)arg;
	SET_FOREACH(oid, sysctl_set) {
		struct sysctl_req req = { .old = old, .oldroom = sizeof(old) };

		if (((*oid)->oid_kind & CTLFLAG_TUN) == 0)
			continue;
		full_name(*oid, full);
		req.newtext = kern_getenv(full);
		if (req.newtext != NULL &&
		    (*oid)->oid_handler(*oid, (*oid)->oid_arg1,
			(*oid)->oid_arg2, &req) != 0)
			printf("%s: \"%s\" is not possible\n", full,
			    req.newtext);
	}
}
SYSINIT(sysctl_tunables, SI_SUB_TUNABLES, SI_ORDER_FIRST, sysctl_tunables,
    NULL);
