/*
 * The common part of all layouts: a size that is a sum over the sections, and
 * one loop that writes them.
 */
#include "dumper/dumper_int.h"

/* Pages looked up at once: few, so that the device is not left idle. */
#define RUN_MAX 256

int
sections_size(struct attempt *at)
{
	const struct dump_layout *layout = at->at_layout;
	uint64_t sum = 0;

	memset(at->at_len, 0, sizeof(at->at_len));
	for (size_t i = 0; i < layout->ly_nsections; i++) {
		const struct section *sec = &layout->ly_sections[i];
		uint64_t len = sec->sec_len(at);

		at->at_len[sec->sec_kind] = len;
		if (__builtin_add_overflow(sum, len, &sum))
			return (DUMP_EINVAL);
	}
	at->at_res->res_bytes = at->at_extent = sum;
	return (layout->ly_size(at));
}

int
sections_write(struct attempt *at, struct stream *st, size_t first)
{
	const struct dump_layout *layout = at->at_layout;

	for (size_t i = first; i < layout->ly_nsections; i++) {
		const struct section *sec = &layout->ly_sections[i];
		int error = sec->sec_write(at, st);

		if (error != 0) {
			at->at_res->res_section =
			    layout->ly_names[sec->sec_kind];
			return (error);
		}
	}
	return (0);
}

uint64_t
section_page_len(const struct attempt *at)
{
	(void)at;
	return (DUMP_PAGE_SIZE);
}

/*
 * Look at the page at pa and at those after it, up to npages, that are also
 * adjacent where they are mapped.  NULL: it cannot be read.
 */
static const uint8_t *
look_at(const struct attempt *at, uint64_t pa, uint64_t npages, uint64_t *len)
{
	const struct dump_machine *machine = at->at_machine;
	const uint8_t *base = machine->dm_page(machine->dm_arg, pa);

	if (npages > RUN_MAX)
		npages = RUN_MAX;
	*len = DUMP_PAGE_SIZE;
	for (uint64_t i = 1; base != NULL && i < npages; i++) {
		if (machine->dm_page(machine->dm_arg, pa + *len) != base + *len)
			break;
		*len += DUMP_PAGE_SIZE;
	}
	return (base);
}

int
section_write_memory(struct attempt *at, struct stream *st, uint64_t pa,
    uint64_t npages)
{
	uint64_t end = pa + npages * DUMP_PAGE_SIZE;
	int error = 0;

	for (uint64_t len; pa < end && error == 0; pa += len) {
		const uint8_t *base =
		    look_at(at, pa, (end - pa) >> PAGE_SHIFT, &len);

		if (base != NULL) {
			error = stream_add(st, base, pa, len);
			continue;
		}
		attempt_record(at,
		    &(struct dump_anomaly){ .da_kind = DUMP_BAD_UNREADABLE,
			.da_pa = pa });
		error = stream_zero(st);
	}
	return (error);
}
