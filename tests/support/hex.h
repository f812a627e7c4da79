/*
 * Inputs of tests as text that a reader can check against a description of
 * the format:
 *
 *	"@0 'minidump FreeBSD/amd64' @24 03000000 b87f0100"
 *
 * is a text at offset 0, and two 32-bit integers in the bytes' own order from
 * offset 24 on.  What is not written is 0.
 */
#ifndef TESTS_SUPPORT_HEX_H
#define TESTS_SUPPORT_HEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Fill buf with 0 and the bytes of text.  A text that is malformed or does not
 * fit is a mistake in the test, and aborts it.
 */
void hex_decode(const char *text, uint8_t *buf, size_t len);

/* The same without the zeros: for changes to bytes that are there already. */
void hex_patch(const char *text, uint8_t *buf, size_t len);

#endif
