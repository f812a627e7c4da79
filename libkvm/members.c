/*
 * The kernel's structures, looked up in a helper process: see members.h.
 */
#include "libkvm/members.h"

#include <stdio.h>

#include "libkvm/helper.h"
#include "libkvm/types.h"

/* What a helper is to find. */
struct wanted {
	struct exec *mw_exec;
	struct kvm_member *mw_list;
	size_t mw_n;
};

/* In the helper: send the members, then how many of them were found. */
static void
serve(int sock, void *arg)
{
	const struct wanted *mw = arg;
	struct types *ty;
	size_t nfound = 0;

	helper_allow(exec_fd(mw->mw_exec));
	ty = types_open(mw->mw_exec);
	if (ty != NULL)
		nfound = types_find(ty, mw->mw_list, mw->mw_n);
	helper_check();
	(void)helper_write(sock, mw->mw_list, mw->mw_n * sizeof(*mw->mw_list));
	(void)helper_write(sock, &nfound, sizeof(nfound));
	types_close(ty);
}

/* Take over where the members are.  false: the helper does not answer. */
static bool
receive(const struct helper *hp, const struct wanted *mw, size_t *nfound)
{
	for (size_t i = 0; i < mw->mw_n; i++) {
		struct kvm_member mb;

		if (!helper_read(hp->hlp_sock, &mb, sizeof(mb)))
			return (false);
		mw->mw_list[i].kmb_off = mb.kmb_off;
		mw->mw_list[i].kmb_len = mb.kmb_len;
	}
	return (helper_read(hp->hlp_sock, nfound, sizeof(*nfound)));
}

size_t
members_find(struct exec *ex, struct kvm_member *list, size_t n, char *why,
    size_t len)
{
	struct wanted mw = { .mw_exec = ex, .mw_list = list, .mw_n = n };
	struct helper hp;
	size_t nfound;

	if (!helper_start(&hp, serve, &mw, exec_fd(ex))) {
		(void)snprintf(why, len, "a process that cannot be made");
		return (0);
	}
	if (!receive(&hp, &mw, &nfound)) {
		helper_bury(&hp, why, len);
		return (0);
	}
	helper_end(&hp);
	return (nfound);
}
