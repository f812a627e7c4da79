/*
 * info.N: see dumpinfo.h.  Labels, their order and their blanks are
 * savecore(8)'s, which scripts read.  Bytes that a terminal might obey are
 * escaped.
 */
#include "cli/dumpinfo.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/text.h"
#include "kdebug/escape.h"

#define TEXT_MAX_LEN 256

static const char *
compression_name(uint8_t compression)
{
	static const char *const by_number[] = { "none", "gzip", "zstd" };

	return (compression <= KERNELDUMP_COMP_ZSTD ? by_number[compression] :
						      "???");
}

/* Text of a header; keep: control characters that may stay. */
static void
print_text(FILE *out, const char *label, const char *text, const char *keep)
{
	char clean[TEXT_MAX_LEN * ESCAPE_MAX + 1];
	size_t len;

	(void)escape_text(clean, sizeof(clean), text, strlen(text), keep);
	len = strlen(clean);
	/* The version text of a kernel ends with a newline. */
	fprintf(out, "  %s: %s%s", label, clean,
	    *keep != '\0' && len > 0 && clean[len - 1] == '\n' ? "" : "\n");
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

void
dumpinfo_print(FILE *out, const struct dumpdev_dump *dump, const char *device,
    uint32_t number)
{
	const struct kerneldump_hdr *kh = &dump->dmp_hdr;

	fputs("Dump header from device: ", out);
	text_put(out, device);
	putc('\n', out);
	print_text(out, "Architecture", kh->kh_architecture, "");
	fprintf(out, "  Architecture Version: %" PRIu32 "\n",
	    kh->kh_arch_version);
	fprintf(out, "  Dump Length: %" PRIu64 "\n", kh->kh_dump_len);
	fprintf(out, "  Blocksize: %" PRIu32 "\n", kh->kh_block_len);
	fprintf(out, "  Compression: %s\n",
	    compression_name(kh->kh_compression));
	print_time(out, kh->kh_dump_time);
	print_text(out, "Hostname", kh->kh_hostname, "");
	print_text(out, "Magic", kh->kh_magic, "");
	print_text(out, "Version String", kh->kh_version_string, "\n\t");
	print_text(out, "Panic String", kh->kh_panic_string, "");
	fprintf(out, "  Dump Parity: %" PRIu32 "\n", kh->kh_parity);
	fprintf(out, "  Bounds: %" PRIu32 "\n", number);
	fprintf(out, "  Dump Status: %s\n",
	    dump->dmp_status == DUMPDEV_GOOD ? "good" : "bad");
}
