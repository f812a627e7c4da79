/*
 * Owners of pages: their names, and where a dump has them.
 */
#include "format/owner.h"

#include <string.h>

static const char magic[16] = "vmcore owners";

static const struct {
	const char *name;
	const char *phrase;
} texts[OWNER_COUNT] = {
	[OWNER_UNKNOWN] = { "unknown", NULL },
	[OWNER_FREE] = { "free", "a free page" },
	[OWNER_USER] = { "user", "a page of user memory" },
	[OWNER_FILE] = { "file cache", "a page of a file" },
	[OWNER_OBJECT] = { "object", "a page of a VM object" },
	[OWNER_IMAGE] = { "kernel image", "a page of the kernel's image" },
	[OWNER_BOOT] = { "boot", "a page taken at boot" },
	[OWNER_HEAP] = { "kernel heap", "a page of the kernel's allocators" },
	[OWNER_STACK] = { "kernel stack", "a page of a kernel stack" },
	[OWNER_TABLE] = { "page table", "a page table of the kernel" },
	[OWNER_USER_TABLE] = { "user page table", "a page table of a program" },
	[OWNER_PV] = { "reverse map", "a page of reverse maps" },
	[OWNER_VM] = { "VM", "a page that describes user memory" },
	[OWNER_ARRAY] = { "page array", "a page of the page array" },
	[OWNER_NEVER] = { "never dumped",
	    "a page that the kernel keeps out of dumps" },
};

bool
owners_decode(const uint8_t *p, enum byte_order order, struct owners_hdr *out)
{
	if (memcmp(p, magic, sizeof(magic)) != 0)
		return (false);
	out->oh_off = dec64(order, p + 16);
	out->oh_len = dec64(order, p + 24);
	return (true);
}

void
owners_encode(const struct owners_hdr *hdr, enum byte_order order, uint8_t *p)
{
	memcpy(p, magic, sizeof(magic));
	enc64(order, p + 16, hdr->oh_off);
	enc64(order, p + 24, hdr->oh_len);
}

const char *
owner_name(enum page_owner owner)
{
	return (texts[(unsigned int)owner < OWNER_COUNT ? owner : OWNER_UNKNOWN]
		    .name);
}

const char *
owner_phrase(enum page_owner owner)
{
	return (texts[(unsigned int)owner < OWNER_COUNT ? owner : OWNER_UNKNOWN]
		    .phrase);
}
