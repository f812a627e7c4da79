/*
 * info.N: see dumpinfo.h.  Labels, their order and their blanks are
 * savecore(8)'s, which scripts read; what savecore does not have comes last.
 * Bytes that a terminal might obey are escaped, and newlines that would make
 * text of the dump look like a line of ours.
 */
#include "cli/dumpinfo.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "kdebug/escape.h"

#define TEXT_MAX_LEN 1100 /* a device and its partition */

const char *
dumpinfo_compression(uint8_t compression)
{
	static const char *const by_number[] = { "none", "gzip", "zstd" };

	return (compression <= KERNELDUMP_COMP_ZSTD ? by_number[compression] :
						      "???");
}

/* Text on one line: a newline in it is escaped. */
static void
print_text(FILE *out, const char *label, const char *text)
{
	char clean[TEXT_MAX_LEN * ESCAPE_MAX + 1];

	(void)escape_text(clean, sizeof(clean), text, strlen(text), "");
	fprintf(out, "%s: %s\n", label, clean);
}

/*
 * Can the rest of a version stand on a line of its own?  A kernel's second line
 * is "    root@host:/usr/obj/..."; ours have a label and ": ".
 */
static bool
is_continuation(const char *line)
{
	size_t len = strcspn(line, "\n");

	if (strncmp(line, "    ", 4) != 0)
		return (false);
	for (size_t i = 0; i < len; i++)
		if (line[i] == ':' &&
		    (line[i + 1] == ' ' || line[i + 1] == '\t' || i + 1 == len))
			return (false);
	return (true);
}

/* A version of several lines, as the kernel has it. */
static void
print_version(FILE *out, const char *label, const char *text)
{
	char line[TEXT_MAX_LEN], clean[TEXT_MAX_LEN * ESCAPE_MAX + 1];
	size_t len = 0;

	fprintf(out, "%s: ", label);
	for (const char *p = text; *p != '\0'; p++) {
		bool ends =
		    *p == '\n' && (p[1] == '\0' || is_continuation(p + 1));

		if (!ends && len < sizeof(line))
			line[len++] = *p;
		if (!ends && p[1] != '\0')
			continue;
		(void)escape_text(clean, sizeof(clean), line, len, "\t");
		fprintf(out, "%s\n", clean);
		len = 0;
	}
	if (*text == '\0')
		fputc('\n', out);
}

static void
print_time(FILE *out, uint64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (when < 0 || localtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		fprintf(out, "  Dumptime: %" PRIu64 "\n", seconds);
	else
		fprintf(out, "  Dumptime: %s\n", text);
}

static void
print_bad(FILE *out, const struct badplaces *bad)
{
	unsigned int n = badplaces_listed(bad);

	for (unsigned int i = 0; i < n; i++)
		fprintf(out,
		    "  Unreadable: %" PRIu64 " bytes at %" PRIu64
		    " of the dump\n",
		    bad->bps_list[i].bpl_len, bad->bps_list[i].bpl_off);
	if (bad->bps_n > n)
		fprintf(out, "  Unreadable: %" PRIu64 " bytes in all\n",
		    bad->bps_total);
}

/* The fields of the header that are printed before the time, and after it. */
static void
print_what(FILE *out, const struct kerneldump_hdr *kh)
{
	print_text(out, "  Architecture", kh->kh_architecture);
	fprintf(out, "  Architecture Version: %" PRIu32 "\n",
	    kh->kh_arch_version);
	fprintf(out, "  Dump Length: %" PRIu64 "\n", kh->kh_dump_len);
	fprintf(out, "  Blocksize: %" PRIu32 "\n", kh->kh_block_len);
	fprintf(out, "  Compression: %s\n",
	    dumpinfo_compression(kh->kh_compression));
}

static void
print_whose(FILE *out, const struct kerneldump_hdr *kh)
{
	print_text(out, "  Hostname", kh->kh_hostname);
	print_text(out, "  Magic", kh->kh_magic);
	print_version(out, "  Version String", kh->kh_version_string);
	print_text(out, "  Panic String", kh->kh_panic_string);
	fprintf(out, "  Dump Parity: %" PRIu32 "\n", kh->kh_parity);
}

void
dumpinfo_print(FILE *out, const struct dumpinfo *di)
{
	const struct kerneldump_hdr *kh = &di->di_dump->dmp_hdr;
	bool good = di->di_dump->dmp_status == DUMPDEV_GOOD &&
	    (di->di_bad == NULL || di->di_bad->bps_n == 0);

	print_text(out, "Dump header from device", di->di_device);
	print_what(out, kh);
	print_time(out, kh->kh_dump_time);
	print_whose(out, kh);
	if (di->di_number != NULL)
		fprintf(out, "  Bounds: %" PRIu32 "\n", *di->di_number);
	fprintf(out, "  Dump Status: %s\n", good ? "good" : "bad");
	if (di->di_bad != NULL)
		print_bad(out, di->di_bad);
	if (kh->kh_key_len != 0)
		fputs("  Encrypted: yes\n", out);
	if (di->di_sha256 != NULL)
		fprintf(out, "  SHA-256: %s\n", di->di_sha256);
}
