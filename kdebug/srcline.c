/*
 * Source lines.  libdw finds the compilation unit of an address by
 * .debug_aranges, which clang leaves out, and FreeBSD's kernels come from
 * clang; so a table of the units' own ranges is made, once for each file.
 */
#include <stdlib.h>

#include "format/search.h"
#include "kdebug/dwfile.h"
#include "libkvm/array.h"

static bool
add_range(struct dwfile_cus *cus, Dwarf_Addr start, Dwarf_Addr end,
    const Dwarf_Die *cu)
{
	struct dwfile_cu *list;

	if (cus->dc_count == DWFILE_RANGES_MAX)
		return (false);
	list = array_reserve(cus->dc_list, cus->dc_count + 1, &cus->dc_room,
	    sizeof(*list));
	if (list == NULL)
		return (false);
	cus->dc_list = list;
	cus->dc_list[cus->dc_count++] = (struct dwfile_cu){
		.dc_start = start,
		.dc_end = end,
		.dc_die = *cu,
	};
	return (true);
}

static int
compare(const void *a, const void *b)
{
	const struct dwfile_cu *x = a, *y = b;

	return (x->dc_start < y->dc_start ? -1 : x->dc_start > y->dc_start);
}

/* Add the ranges of a unit.  false: there is no room for more. */
static bool
add_cu(struct dwfile *dw, Dwarf_Die *cu)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t off = 0;

	while ((off = dwarf_ranges(cu, off, &base, &start, &end)) > 0) {
		if (!add_range(&dw->dwf_cus, start + dw->dwf_bias,
			end + dw->dwf_bias, cu))
			return (false);
	}
	return (true);
}

/* List the ranges of all units, or as many as there is room for. */
static void
list_cus(struct dwfile *dw)
{
	struct dwfile_cus *cus = &dw->dwf_cus;
	Dwarf_Die *cu = NULL;
	Dwarf_Addr unused;

	cus->dc_done = true;
	if (dwfile_elsewhere(dw))
		return;
	do
		cu = dwfl_module_nextcu(dw->dwf_mod, cu, &unused);
	while (cu != NULL && add_cu(dw, cu));
	if (cus->dc_count > 0)
		qsort(cus->dc_list, cus->dc_count, sizeof(*cus->dc_list),
		    compare);
}

static uint64_t
cu_start(const void *list, size_t i)
{
	return (((const struct dwfile_cu *)list)[i].dc_start);
}

/* The unit that va lies in; NULL: none. */
static struct dwfile_cu *
find_cu(struct dwfile *dw, Dwarf_Addr va)
{
	struct dwfile_cus *cus = &dw->dwf_cus;
	size_t n;

	if (!cus->dc_done)
		list_cus(dw);
	n = search_upto(cus->dc_list, cus->dc_count, cu_start, va);
	if (n == 0 || va >= cus->dc_list[n - 1].dc_end)
		return (NULL);
	return (&cus->dc_list[n - 1]);
}

bool
dwfile_line(struct dwfile *dw, kvaddr_t va, const char **file, int *line)
{
	struct dwfile_cu *cu = find_cu(dw, va);
	Dwarf_Line *where;

	if (cu == NULL)
		return (false);
	where = dwarf_getsrc_die(&cu->dc_die, va - dw->dwf_bias);
	/* Code that comes from no line has the number 0. */
	if (where == NULL || dwarf_lineno(where, line) != 0 || *line == 0)
		return (false);
	*file = dwarf_linesrc(where, NULL, NULL);
	return (*file != NULL);
}
