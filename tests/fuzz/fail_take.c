#include "tests/fuzz/fail.h"

struct fail_plan
fail_take(const uint8_t **data, size_t *size)
{
	static const char letters[FAIL_NKINDS] = {
		[FAIL_MEMORY] = 'M',
		[FAIL_FILES] = 'F',
		[FAIL_PLACES] = 'P',
	};
	struct fail_plan plan = { FAIL_MEMORY, 0 };

	for (int i = 0; *size >= 2 && i < FAIL_NKINDS; i++) {
		if ((*data)[0] != letters[i])
			continue;
		plan = (struct fail_plan){ (enum fail_kind)i, (*data)[1] };
		*data += 2;
		*size -= 2;
		break;
	}
	return (plan);
}
