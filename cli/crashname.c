/*
 * Names as savecore(8) gives them: see crashname.h.
 */
#include "cli/crashname.h"

#include <inttypes.h>
#include <stdio.h>

const char *
crashname_put(struct crashname name, uint32_t number, char buf[CRASHNAME_LEN])
{
	(void)snprintf(buf, CRASHNAME_LEN, "%s.%" PRIu32 "%s", name.cn_stem,
	    number, name.cn_suffix);
	return (buf);
}

/* An encrypted dump's suffix has to wait until it is decrypted. */
struct crashname
crashname_of_core(const struct kerneldump_hdr *kh)
{
	static const char *const suffixes[] = { "", ".gz", ".zst" };

	if (kerneldump_is_text(kh))
		return ((struct crashname){ "textdump.tar", "" });
	if (kh->kh_key_len != 0)
		return ((struct crashname){ "vmcore_encrypted", "" });
	return ((struct crashname){ "vmcore",
	    kh->kh_compression <= KERNELDUMP_COMP_ZSTD ?
		suffixes[kh->kh_compression] :
		"" });
}
