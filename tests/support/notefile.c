#include "tests/support/notefile.h"

#include "format/bytes.h"
#include "tests/support/hex.h"

/* Facts: System V ABI, "Program Header". */
#define PT_LOAD	  1
#define PT_NOTE	  4
#define PHDR_OFF  64
#define PHDR_LEN  56
#define NOTES_OFF 256

static void
put_segment(uint8_t *p, uint32_t type, uint64_t off, uint64_t va, uint64_t len)
{
	le32enc(p, type);
	le64enc(p + 8, off);
	le64enc(p + 16, va);
	le64enc(p + 32, len);
	le64enc(p + 40, len);
}

void
notefile_write(const char *notes, uint64_t load_va, uint64_t load_len,
    uint8_t bytes[NOTEFILE_LEN])
{
	hex_decode("7f 'ELF' 020101 @16 0200 3e00 01000000 @32 4000 "
		   "@52 4000 3800 0200 4000",
	    bytes, NOTEFILE_LEN);
	put_segment(bytes + PHDR_OFF, PT_LOAD, 0, load_va, load_len);
	put_segment(bytes + PHDR_OFF + PHDR_LEN, PT_NOTE, NOTES_OFF, NOTE_VA,
	    NOTEFILE_NOTES_LEN);
	hex_decode(notes, bytes + NOTES_OFF, NOTEFILE_NOTES_LEN);
}
