/*
 * Bytes as hexdump -C prints them, with the addresses of the dumped kernel.
 */
#ifndef CLI_HEXDUMP_H
#define CLI_HEXDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEXDUMP_LINE 16

/* A dump in progress on the standard output. */
struct hexdump {
	int hd_digits;	  /* of an address */
	uint64_t hd_addr; /* of the line that is being filled */
	size_t hd_len;	  /* bytes in it */
	uint8_t hd_line[HEXDUMP_LINE];
	uint8_t hd_last[HEXDUMP_LINE]; /* the line before, if hd_any */
	bool hd_any;
	bool hd_starred; /* lines like hd_last are being left out */
};

/* Start at addr, an address of ptr_len bytes. */
void hexdump_init(struct hexdump *hd, uint64_t addr, unsigned int ptr_len);

/* The next len bytes.  Lines that repeat the one before become one "*". */
void hexdump_add(struct hexdump *hd, const uint8_t *bytes, size_t len);

/* Print what is left, and the address after the last byte. */
void hexdump_fini(struct hexdump *hd);

#endif
