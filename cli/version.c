/*
 * The version, and the tables of what can be opened: see version.h.
 */
#include "cli/version.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/json.h"
#include "libkvm/kvm_core.h"
#include "libkvm/unpack.h"

/* The JSON object's version: a new key needs no new one, a new meaning does. */
#define SCHEMA 1

static const char *
arch_name(size_t i)
{
	return (i < ARCH_COUNT ? dump_arch_name((enum dump_arch)i) : NULL);
}

static const struct list {
	const char *ls_name;
	const char *(*ls_item)(size_t i); /* NULL past the end */
} lists[] = {
	{ "formats", kvm_format_name },
	{ "architectures", arch_name },
	{ "compressors", unpack_name },
};

#define NLISTS (sizeof(lists) / sizeof(lists[0]))

static void
print_text(void)
{
	printf("vmcore %s\n", VMCORE_VERSION);
	for (size_t i = 0; i < NLISTS; i++) {
		const char *item;

		printf("%s:", lists[i].ls_name);
		for (size_t n = 0; (item = lists[i].ls_item(n)) != NULL; n++)
			printf(" %s", item);
		putchar('\n');
	}
}

static json_t *
list_json(const struct list *list)
{
	json_t *array = json_array();
	const char *item;

	for (size_t n = 0; (item = list->ls_item(n)) != NULL; n++)
		if (json_array_append_new(array, json_string(item)) != 0) {
			json_decref(array);
			return (NULL);
		}
	return (array);
}

static int
print_json(void)
{
	json_t *object = json_pack("{s:i, s:s}", "schema", SCHEMA, "version",
	    VMCORE_VERSION);

	for (size_t i = 0; i < NLISTS && object != NULL; i++)
		if (json_object_set_new(object, lists[i].ls_name,
			list_json(&lists[i])) != 0) {
			json_decref(object);
			object = NULL;
		}
	return (json_print(object));
}

int
version_print(int argc, char **argv)
{
	if (argc == 1) {
		print_text();
		return (EX_OK);
	}
	if (argc == 2 && strcmp(argv[1], "--json") == 0)
		return (print_json());
	warnx("%s: one argument too many: %s", argv[0], argv[argc - 1]);
	fprintf(stderr, "usage: vmcore --version [--json]\n");
	return (EX_USAGE);
}
