/*
 * Prints how many pages a dump left out: see leftout.h.
 */
#include "cli/leftout.h"

#include "cli/number.h"

void
leftout_print(FILE *out, const uint64_t npages[OWNER_COUNT], uint32_t page_size)
{
	char human[NUMBER_HUMAN_LEN];
	const char *comma = "";

	for (int owner = 0; owner < OWNER_COUNT; owner++) {
		if (npages[owner] == 0)
			continue;
		fprintf(out, "%s%s %s", comma,
		    number_human(npages[owner] * page_size, human),
		    owner_name((enum page_owner)owner));
		comma = ", ";
	}
	fputs(*comma == '\0' ? "nothing\n" : "\n", out);
}

json_t *
leftout_json(const uint64_t npages[OWNER_COUNT], uint32_t page_size)
{
	json_t *array = json_array();
	int error = 0;

	for (int owner = 0; owner < OWNER_COUNT && error == 0; owner++) {
		if (npages[owner] == 0)
			continue;
		error = json_array_append_new(array,
		    json_pack("{s:s, s:I, s:I}", "owner",
			owner_name((enum page_owner)owner), "pages",
			(json_int_t)npages[owner], "bytes",
			(json_int_t)(npages[owner] * page_size)));
	}
	if (error == 0)
		return (array);
	json_decref(array);
	return (NULL);
}
