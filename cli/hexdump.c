/*
 * Bytes as hexdump -C prints them: see hexdump.h.
 */
#include "cli/hexdump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
hexdump_init(struct hexdump *hd, uint64_t addr, unsigned int ptr_len)
{
	*hd = (struct hexdump){ .hd_addr = addr,
		.hd_digits = (int)(2 * ptr_len) };
}

static void
print_line(const struct hexdump *hd)
{
	printf("%0*" PRIx64 " ", hd->hd_digits, hd->hd_addr);
	for (size_t i = 0; i < HEXDUMP_LINE; i++) {
		if (i % 8 == 0)
			putchar(' ');
		if (i < hd->hd_len)
			printf("%02x ", hd->hd_line[i]);
		else
			printf("   ");
	}
	printf(" |");
	for (size_t i = 0; i < hd->hd_len; i++) {
		uint8_t c = hd->hd_line[i];

		putchar(c >= 0x20 && c < 0x7f ? c : '.');
	}
	printf("|\n");
}

/* The line is complete, or the last one. */
static void
end_line(struct hexdump *hd)
{
	if (hd->hd_any && hd->hd_len == HEXDUMP_LINE &&
	    memcmp(hd->hd_line, hd->hd_last, HEXDUMP_LINE) == 0) {
		if (!hd->hd_starred)
			printf("*\n");
		hd->hd_starred = true;
	} else {
		print_line(hd);
		hd->hd_starred = false;
	}
	memcpy(hd->hd_last, hd->hd_line, HEXDUMP_LINE);
	hd->hd_any = true;
	hd->hd_addr += hd->hd_len;
	hd->hd_len = 0;
}

void
hexdump_add(struct hexdump *hd, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		hd->hd_line[hd->hd_len++] = bytes[i];
		if (hd->hd_len == HEXDUMP_LINE)
			end_line(hd);
	}
}

void
hexdump_fini(struct hexdump *hd)
{
	if (hd->hd_len > 0)
		end_line(hd);
	if (hd->hd_any)
		printf("%0*" PRIx64 "\n", hd->hd_digits, hd->hd_addr);
}
