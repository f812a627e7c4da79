/*
 * The sysctl tree.
 */
#include "kernel/sys/sysctl.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/version.h"

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

/* debug.minidump, of the nodes from the top.  Returns its length. */
static size_t
full_name(const struct sysctl_oid *oid, char name[SYSCTL_NAME_MAX])
{
	size_t len = 0;

	if (oid->oid_parent != NULL) {
		len = full_name(oid->oid_parent, name);
		name[len++] = '.';
	}
	len += strlcpy(&name[len], oid->oid_name, SYSCTL_NAME_MAX - len);
	KASSERT(len < SYSCTL_NAME_MAX - 1,
	    ("%s: %s is too long", __func__, name));
	return (len);
}

static const struct sysctl_oid *
find_oid(const char *name)
{
	const struct sysctl_oid *const *oid;
	char full[SYSCTL_NAME_MAX];

	SET_FOREACH(oid, sysctl_set) {
		(void)full_name(*oid, full);
		if (strcmp(full, name) == 0)
			return (*oid);
	}
	return (NULL);
}

/* The live node that name is below, and what is left of it; or NULL. */
static const struct sysctl_live *
find_live(const char *name, const char **rest)
{
	const struct sysctl_oid *const *oid;
	char full[SYSCTL_NAME_MAX];

	SET_FOREACH(oid, sysctl_set) {
		size_t len;

		if ((*oid)->oid_live == NULL)
			continue;
		len = full_name(*oid, full);
		if (strncmp(name, full, len) == 0 && name[len] == '.') {
			*rest = &name[len + 1];
			return ((*oid)->oid_live);
		}
	}
	return (NULL);
}

static bool
starts_with(const char *s, const char *prefix)
{
	return (strncmp(s, prefix, strlen(prefix)) == 0);
}

/* What is below a live node of that full name. */
static void
live_foreach(const struct sysctl_live *live, char full[SYSCTL_NAME_MAX],
    const char *prefix, void (*fn)(const char *name))
{
	size_t len = strlen(full);

	full[len++] = '.';
	for (size_t idx = 0;
	     live->live_name(idx, &full[len], SYSCTL_NAME_MAX - len); idx++) {
		if (starts_with(full, prefix))
			fn(full);
	}
}

void
sysctl_foreach(const char *prefix, void (*fn)(const char *name))
{
	const struct sysctl_oid *const *oid;
	char full[SYSCTL_NAME_MAX];

	SET_FOREACH(oid, sysctl_set) {
		(void)full_name(*oid, full);
		if ((*oid)->oid_live != NULL && starts_with(prefix, full))
			live_foreach((*oid)->oid_live, full, prefix, fn);
		else if (((*oid)->oid_kind & CTLTYPE) != CTLTYPE_NODE &&
		    starts_with(full, prefix))
			fn(full);
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

static int
sysctl_live_byname(const char *name, struct sysctl_req *req)
{
	const char *rest;
	const struct sysctl_live *live = find_live(name, &rest);
	int error = live == NULL ? ENOENT : live->live_read(rest, req);

	return (error == 0 && req->newtext != NULL ? EPERM : error);
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

	if (oid == NULL)
		return (sysctl_live_byname(name, &req));
	if (oid->oid_handler == NULL)
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
	char full[SYSCTL_NAME_MAX], old[SYSCTL_NAME_MAX];

	(void)arg;
	SET_FOREACH(oid, sysctl_set) {
		struct sysctl_req req = { .old = old, .oldroom = sizeof(old) };

		if (((*oid)->oid_kind & CTLFLAG_TUN) == 0)
			continue;
		(void)full_name(*oid, full);
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
