/*
 * Memory in the shapes that a person asks for:
 *
 *	x ADDRESS [BYTES]	bytes in hexadecimal
 *	x/[COUNT][SIZE][FORM] ADDRESS
 *		SIZE	b h w g: 1, 2, 4, 8 bytes (l is w, as in FreeBSD's)
 *		FORM	x d u: a number; c: a character; s: a string;
 *			a: an address and its symbol
 */
#include "kernel/ddb/ddb.h"
#include "kernel/sys/command.h"
#include "kernel/sys/systm.h"

#define BYTES_DEFAULT 64
#define LINE_BYTES    16
#define COUNT_MAX     65536
#define STRING_MAX    1024

struct shape {
	uint64_t count;
	unsigned int size; /* bytes of each */
	char form;
};

static bool
get_bytes(void *buf, vm_offset_t va, size_t len)
{
	if (safe_copy(buf, (const void *)va, len))
		return (true);
	printf("%#jx: not mapped\n", (uintmax_t)va);
	return (false);
}

static void
hex_dump(vm_offset_t va, uint64_t len)
{
	uint8_t bytes[LINE_BYTES];

	for (; len > 0; va += LINE_BYTES) {
		size_t n = len < LINE_BYTES ? len : LINE_BYTES;

		if (!get_bytes(bytes, va, n))
			return;
		printf("%#jx:", (uintmax_t)va);
		for (size_t i = 0; i < n; i++)
			printf("%s%02x", i % 8 == 0 ? "  " : " ", bytes[i]);
		printf("\n");
		len -= n;
	}
}

static void
put_char(uint8_t c)
{
	if (c >= ' ' && c < 0x7f)
		printf("%c", c);
	else
		printf("\\x%02x", c);
}

/* Returns the address after the NUL, or of the first unreadable byte. */
static vm_offset_t
show_string(vm_offset_t va)
{
	char c;

	printf("%#jx:  \"", (uintmax_t)va);
	for (int i = 0; i < STRING_MAX; i++) {
		if (!safe_copy(&c, (const void *)va, 1)) {
			printf("\" not mapped\n");
			return (va);
		}
		va++;
		if (c == '\0')
			break;
		put_char((uint8_t)c);
	}
	printf("\"\n");
	return (va);
}

static int64_t
sign_extend(uint64_t v, unsigned int size)
{
	unsigned int unused = 64 - 8 * size;

	return ((int64_t)(v << unused) >> unused);
}

static void
show_value(const struct shape *sh, uint64_t v)
{
	switch (sh->form) {
	case 'd':
		printf("  %jd", (intmax_t)sign_extend(v, sh->size));
		break;
	case 'u':
		printf("  %ju", (uintmax_t)v);
		break;
	case 'c':
		printf("  ");
		put_char((uint8_t)v);
		break;
	case 'a':
		printf("  %#jx ", (uintmax_t)v);
		db_printsym(v);
		break;
	default:
		printf("  0x%0*jx", (int)(2 * sh->size), (uintmax_t)v);
		break;
	}
}

static void
show_values(vm_offset_t va, const struct shape *sh)
{
	unsigned int per_line = sh->form == 'a' ? 1 : LINE_BYTES / sh->size;

	for (uint64_t i = 0; i < sh->count; i++, va += sh->size) {
		uint64_t v = 0;

		if (i % per_line == 0 && i > 0)
			printf("\n");
		if (!safe_copy(&v, (const void *)va, sh->size)) {
			printf("%s%#jx: not mapped\n",
			    i % per_line == 0 ? "" : "\n", (uintmax_t)va);
			return;
		}
		if (i % per_line == 0)
			printf("%#jx:", (uintmax_t)va);
		show_value(sh, v);
	}
	printf("\n");
}

/* Apply a letter of the shape.  false: it is not one. */
static bool
take_letter(struct shape *sh, char c)
{
	static const struct {
		char letter;
		unsigned int size; /* 0: a form */
	} letters[] = { { 'b', 1 }, { 'h', 2 }, { 'w', 4 }, { 'l', 4 },
		{ 'g', 8 }, { 'x', 0 }, { 'd', 0 }, { 'u', 0 }, { 'c', 0 },
		{ 's', 0 }, { 'a', 0 } };

	for (size_t i = 0; i < nitems(letters); i++) {
		if (letters[i].letter != c)
			continue;
		if (letters[i].size != 0)
			sh->size = letters[i].size;
		else
			sh->form = c;
		if (c == 'c')
			sh->size = 1;
		if (c == 'a')
			sh->size = sizeof(vm_offset_t);
		return (true);
	}
	return (false);
}

/* What follows the slash: digits, then letters.  Not strtouq(): 4g is four. */
static bool
parse_shape(const char *s, struct shape *sh, const char **rest)
{
	uint64_t count = 0;

	*sh = (struct shape){ .count = 1, .size = 4, .form = 'x' };
	for (; *s >= '0' && *s <= '9' && count <= COUNT_MAX; s++)
		sh->count = count = count * 10 + (uint64_t)(*s - '0');
	if (sh->count == 0 || sh->count > COUNT_MAX)
		return (false);
	for (; *s != ' ' && *s != '\0'; s++) {
		if (!take_letter(sh, *s))
			return (false);
	}
	*rest = *s == ' ' ? s + 1 : s;
	return (true);
}

static bool
examine_shape(const char *args)
{
	struct shape sh;
	uint64_t va;

	if (!parse_shape(args, &sh, &args) ||
	    !db_expression(args, &va, &args) || *args != '\0')
		return (false);
	if (sh.form != 's') {
		show_values(va, &sh);
		return (true);
	}
	for (uint64_t i = 0; i < sh.count; i++)
		va = show_string(va);
	return (true);
}

static bool
examine_bytes(const char *args)
{
	uint64_t va, len = BYTES_DEFAULT;

	if (!db_expression(args, &va, &args) ||
	    (*args != '\0' && !db_expression(args, &len, &args)) ||
	    *args != '\0')
		return (false);
	hex_dump(va, len);
	return (true);
}

static void
db_examine(const char *args)
{
	bool ok = *args == '/' ? examine_shape(args + 1) : examine_bytes(args);

	if (!ok)
		printf("x ADDRESS [BYTES] | x/[COUNT][bhwg][xducsa] ADDRESS\n");
}
COMMAND(x, "x", CMD_DDB, db_examine,
    "ADDR [BYTES], or x/[COUNT][bhwg][xducsa] ADDR: memory");
