/*
 * What the processes of storm_vm should see.
 */
#include "tests/vm/storm_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char zeros[4096];

struct content *
content_new(const struct content *file)
{
	struct content *c = calloc(1, sizeof(*c));

	assert(c != NULL);
	c->refs = 1;
	c->file = file;
	return (c);
}

void
content_free(struct content *c)
{
	if (c != NULL && --c->refs == 0)
		free(c);
}

const unsigned char *
content_bytes(const struct content *c)
{
	return (c->own ? c->bytes : c->file != NULL ? c->file->bytes : zeros);
}

void
content_own(struct content *c)
{
	if (!c->own)
		memcpy(c->bytes, content_bytes(c), sizeof(c->bytes));
	c->own = true;
}

bool
content_is(struct content *c, const unsigned char *bytes)
{
	if (memcmp(bytes, content_bytes(c), sizeof(c->bytes)) == 0)
		return (true);
	if (!c->freed || memcmp(bytes, zeros, sizeof(zeros)) != 0)
		return (false);
	c->own = c->freed = false;
	c->file = NULL;
	return (true);
}

void
slot_clear(struct slot *s)
{
	content_free(s->content);
	*s = (struct slot){ 0 };
}

static bool
same_gap(const struct slot *a, const struct slot *b)
{
	return (a->gap && b->gap && a->inherit == b->inherit);
}

/* An access to the guard of a stack moves its edge, if there is a stack. */
static void
note_growth(struct slot *slots, unsigned int page)
{
	unsigned int first = page, end = page, edge;
	const struct slot *stack;

	while (first > 0 && same_gap(&slots[first - 1], &slots[page]))
		first--;
	while (end < NPAGES && same_gap(&slots[end], &slots[page]))
		end++;
	stack = &slots[end];
	if (end == NPAGES || stack->content == NULL || page == first)
		return;
	edge = page;
	if (end - edge < GROW)
		edge = end - first > GROW + 1 ? end - GROW : first + 1;
	for (unsigned int i = edge; i < end; i++) {
		slots[i] = (struct slot){
			.content = content_new(NULL),
			.private = true,
			.prot = stack->prot,
			.inherit = VM_INHERIT_COPY,
		};
	}
}

int
expected_error(struct slot *slots, unsigned int page, vm_prot_t access)
{
	const struct slot *s = &slots[page];

	if (s->gap)
		note_growth(slots, page);
	if (s->content == NULL && !s->guard)
		return (KERN_INVALID_ADDRESS);
	if (s->content == NULL || (access & ~s->prot) != 0)
		return (KERN_PROTECTION_FAILURE);
	return (KERN_SUCCESS);
}

void
note_mapped(struct slot *slots, struct range r, const struct vm_map_what *what,
    struct content *const *file)
{
	bool private = (what->cow & MAP_INHERIT_SHARE) == 0;

	for (unsigned int i = r.first; i < r.end; i++) {
		struct slot *s = &slots[i];
		struct content *c = file == NULL ? NULL : file[i];

		slot_clear(s);
		s->private = private;
		s->shared = !private;
		s->prot = what->prot;
		s->inherit = private ? VM_INHERIT_COPY : VM_INHERIT_SHARE;
		if ((what->cow & MAP_CREATE_GUARD) != 0)
			s->guard = true;
		else if (private || c == NULL)
			s->content = content_new(c);
		else {
			s->content = c;
			c->refs++;
		}
	}
}

bool
room_for_stack(const struct slot *slots)
{
	for (unsigned int i = NLOW; i < NPAGES; i++) {
		if (slots[i].content != NULL || slots[i].guard)
			return (false);
	}
	return (true);
}

void
note_stack(struct slot *slots, unsigned int mapped,
    const struct vm_map_what *what)
{
	for (unsigned int i = NLOW; i < NPAGES; i++) {
		slots[i].guard = slots[i].gap = i < NPAGES - mapped;
		slots[i].private = true;
		slots[i].inherit = VM_INHERIT_COPY;
	}
	note_mapped(slots, (struct range){ NPAGES - mapped, NPAGES }, what,
	    NULL);
}

bool
may_free(const struct slot *s)
{
	const struct content *c = s->content;

	return (c != NULL && c->refs == 1 && (c->own || c->file == NULL) &&
	    !s->wired);
}

void
fork_slot(struct slot *child, struct slot *parent)
{
	if ((parent->content == NULL && !parent->guard) ||
	    parent->inherit == VM_INHERIT_NONE)
		return;
	*child = *parent;
	child->wired = false;
	if (parent->content == NULL)
		return;
	if (parent->inherit == VM_INHERIT_SHARE) {
		parent->shared = child->shared = true;
		parent->content->refs++;
	} else if (parent->inherit == VM_INHERIT_ZERO) {
		child->content = content_new(NULL);
		child->private = true;
		child->shared = false;
	} else {
		child->content = content_new(NULL);
		*child->content = *parent->content;
		child->content->refs = 1;
	}
}
