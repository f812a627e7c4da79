/*
 * The kernel's structures, looked up in a helper process: see members.h.
 */
#include "libkvm/members.h"

#include <stdio.h>
#include <string.h>

#include "libkvm/helper.h"
#include "libkvm/types.h"

/* What a helper is to find. */
struct wanted {
	struct exec *mw_exec;
	struct kvm_member *mw_list;
	size_t mw_n;
};

/* What is sent after the members. */
struct outcome {
	size_t oc_nfound;
	bool oc_elsewhere;	/* types_elsewhere()'s answer */
	char oc_unreadable[32]; /* if none: types_unreadable()'s name, or "" */
};

/* In the helper. */
static void
look(const struct wanted *mw, struct outcome *oc)
{
	struct types *ty = types_open(mw->mw_exec);
	const char *name;

	if (ty == NULL)
		return;
	oc->oc_elsewhere = types_elsewhere(ty);
	oc->oc_nfound = types_find(ty, mw->mw_list, mw->mw_n);
	if (oc->oc_nfound == 0 && (name = types_unreadable(ty)) != NULL)
		(void)snprintf(oc->oc_unreadable, sizeof(oc->oc_unreadable),
		    "%s", name);
	types_close(ty);
}

static void
serve(int sock, void *arg)
{
	const struct wanted *mw = arg;
	struct outcome oc = { .oc_nfound = 0 };

	helper_allow(exec_fd(mw->mw_exec), exec_packed_len(mw->mw_exec));
	look(mw, &oc);
	helper_check();
	(void)helper_write(sock, mw->mw_list, mw->mw_n * sizeof(*mw->mw_list));
	(void)helper_write(sock, &oc, sizeof(oc));
}

/* Take over where the members are.  false: the helper does not answer. */
static bool
receive(const struct helper *hp, const struct wanted *mw, struct outcome *oc)
{
	for (size_t i = 0; i < mw->mw_n; i++) {
		struct kvm_member mb;

		if (!helper_read(hp->hlp_sock, &mb, sizeof(mb)))
			return (false);
		mw->mw_list[i].kmb_off = mb.kmb_off;
		mw->mw_list[i].kmb_len = mb.kmb_len;
	}
	return (helper_read(hp->hlp_sock, oc, sizeof(*oc)));
}

/* Say in why what is not read, up to what is in no section's name. */
static void
tell_unread(const struct outcome *oc, char *why, size_t len)
{
	size_t n = strspn(oc->oc_unreadable, "abcdefghijklmnopqrstuvwxyz_.");

	if (oc->oc_elsewhere)
		(void)snprintf(why, len,
		    "a file of dwz (.gnu_debugaltlink), which is not read");
	else if (n > 0)
		(void)snprintf(why, len, "%.*s, which cannot be unpacked",
		    (int)n, oc->oc_unreadable);
}

size_t
members_find(struct exec *ex, struct kvm_member *list, size_t n, char *why,
    size_t len)
{
	struct wanted mw = { .mw_exec = ex, .mw_list = list, .mw_n = n };
	struct helper hp;
	struct outcome oc;

	if (!helper_start(&hp, exec_helpcost(ex), serve, &mw, exec_fd(ex))) {
		(void)snprintf(why, len, "a process that cannot be made");
		return (0);
	}
	if (!receive(&hp, &mw, &oc)) {
		helper_bury(&hp, why, len);
		return (0);
	}
	helper_end(&hp);
	oc.oc_unreadable[sizeof(oc.oc_unreadable) - 1] = '\0';
	tell_unread(&oc, why, len);
	return (oc.oc_nfound);
}
