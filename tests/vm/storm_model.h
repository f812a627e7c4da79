/*
 * What the processes of storm_vm should see: for each page of a process a slot, by
 * plain arrays.  The model knows nothing of objects, shadows and page tables.
 */
#ifndef TESTS_VM_STORM_MODEL_H
#define TESTS_VM_STORM_MODEL_H

#include <stdbool.h>

#include "kernel/vm/vm_map.h"

/* Pages of a process: where anything is mapped, and where stacks are. */
#define NLOW   64
#define NSTACK 80
#define NPAGES (NLOW + NSTACK)
#define GROW   32 /* what a stack grows at least */

/* What some see at a place: bytes of their own, or else those of a file. */
struct content {
	unsigned int refs;
	bool own;
	bool freed;		    /* it may be zeros at any time: MADV_FREE */
	const struct content *file; /* NULL: zeros */
	unsigned char bytes[4096];
};

/* A page of a process. */
struct slot {
	struct content *content; /* NULL: nothing is mapped, or a guard */
	bool guard;
	bool gap; /* a guard that a stack may eat */
	bool private;
	bool shared; /* ever with another process, not by a copy */
	bool wired;
	vm_prot_t prot;
	vm_inherit_t inherit;
};

struct range {
	unsigned int first, end;
};

/* The caller has the first reference.  The file's content, or NULL, stays. */
struct content *content_new(const struct content *file);

/* One reference less; may be NULL. */
void content_free(struct content *c);

const unsigned char *content_bytes(const struct content *c);

/* From now on it has bytes of its own, which are at first those that it had. */
void content_own(struct content *c);

/* What was seen of it: what it is, or zeros if nothing wanted it any more. */
bool content_is(struct content *c, const unsigned char *bytes);

void slot_clear(struct slot *s);

/* What an access to a page of a process is to say, KERN_*; a stack may grow. */
int expected_error(struct slot *slots, unsigned int page, vm_prot_t access);

/* Of a file, if that is not NULL, whose page is at the same place in all processes. */
void note_mapped(struct slot *slots, struct range r,
    const struct vm_map_what *what, struct content *const *file);

/* Nothing is mapped where stacks are. */
bool room_for_stack(const struct slot *slots);

/* So many pages of it are mapped. */
void note_stack(struct slot *slots, unsigned int mapped,
    const struct vm_map_what *what);

/*
 * May advice lose the bytes?  Not those of files, or that others see.  A copy of a
 * file that was made because it was wired has no file behind it any more.
 */
bool may_free(const struct slot *s);

/* A child of its own address space begins with this slot, which was clear. */
void fork_slot(struct slot *child, struct slot *parent);

#endif
