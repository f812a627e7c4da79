/*
 * A kernel's ELF file that has nothing but notes: amd64, one segment that is
 * loaded, and one of notes.
 */
#ifndef TESTS_SUPPORT_NOTEFILE_H
#define TESTS_SUPPORT_NOTEFILE_H

#include <stdint.h>

#define NOTEFILE_LEN	   512
#define NOTEFILE_NOTES_LEN 128

/* Where the notes are loaded. */
#define NOTE_VA UINT64_C(0xffffffff80200400)

/* Notes, as text for hex_decode(): names, types, and what they hold. */
#define NOTE_ID	   "04000000 04000000 03000000 'GNU' 00 a1b2c3d4 "
#define NOTE_NEWER "04000000 04000000 03000000 'GNU' 00 01020304 "
#define NOTE_OTHER "04000000 02000000 01000000 'FBS' 00 0100 0000 "

/* The file's bytes; what is loaded are load_len bytes from load_va on. */
void notefile_write(const char *notes, uint64_t load_va, uint64_t load_len,
    uint8_t bytes[NOTEFILE_LEN]);

#endif
