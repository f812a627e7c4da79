/*
 * Path-compressed tries: 16 children a node, by 4 bits of the number.
 *
 *	0x12345  0x12349  0x80000		root
 *						  | owner 0, shift 16
 *	A node stands where numbers differ:	  +-[1]- owner 0x12340, shift 0
 *	two nodes here, not five levels.	  |	   +-[5]- 0x12345
 *						  |	   +-[9]- 0x12349
 *						  +-[8]- 0x80000
 *
 * Invariants: a node has two children or more; what is below it has the bits of
 * its owner above its own; a child's shift is less than its parent's.  So n
 * numbers take fewer than n nodes, and dense ones n / 15: a node of 136 bytes is
 * 9 bytes for each.  Of the widths, 4 bits costs a lone pair of numbers least.
 *
 * A child is 0, a node, or a pointer to a number with bit 0 set.
 *
 * No lock here: the callers' lock covers the tree and its nodes.
 */
#include "kernel/sys/pctrie.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"

#define LEAF ((uintptr_t)1)

static bool
is_leaf(uintptr_t child)
{
	return ((child & LEAF) != 0);
}

static bool
is_node(uintptr_t child)
{
	return (child != 0 && !is_leaf(child));
}

static uint32_t *
to_key(uintptr_t child)
{
	return (is_leaf(child) ? (uint32_t *)(child & ~LEAF) : NULL);
}

static struct pctrie_node *
to_node(uintptr_t child)
{
	return ((struct pctrie_node *)child);
}

static bool
covers(const struct pctrie_node *node, uint32_t index)
{
	uint64_t differs = node->pn_owner ^ index;

	return (differs >> node->pn_shift >> PCTRIE_WIDTH == 0);
}

static unsigned int
digit(const struct pctrie_node *node, uint32_t index)
{
	return (index >> node->pn_shift & (PCTRIE_COUNT - 1));
}

/* The children after, and before, that of a digit. */
static unsigned int
later(const struct pctrie_node *node, unsigned int d)
{
	return (node->pn_popmap & ~((2u << d) - 1));
}

static unsigned int
earlier(const struct pctrie_node *node, unsigned int d)
{
	return (node->pn_popmap & ((1u << d) - 1));
}

static unsigned int
lowest(unsigned int popmap)
{
	return ((unsigned int)__builtin_ctz(popmap));
}

static unsigned int
highest(unsigned int popmap)
{
	return (31 - (unsigned int)__builtin_clz(popmap));
}

static void
set_child(struct pctrie_node *node, unsigned int d, uintptr_t child)
{
	node->pn_child[d] = child;
	node->pn_popmap |= (uint16_t)(1u << d);
}

/* Where index is linked to: the last link whose node may have it below. */
static uintptr_t *
find_link(struct pctrie *tree, uint32_t index, uintptr_t **parent)
{
	uintptr_t *link = &tree->pt_root;

	*parent = NULL;
	while (is_node(*link) && covers(to_node(*link), index)) {
		*parent = link;
		link = &to_node(*link)->pn_child[digit(to_node(*link), index)];
	}
	return (link);
}

/* A node for the highest digit in which two numbers differ. */
static void
init_node(struct pctrie_node *node, uint32_t index, uint32_t other)
{
	unsigned int shift = 31 - (unsigned int)__builtin_clz(index ^ other);

	shift -= shift % PCTRIE_WIDTH;
	*node = (struct pctrie_node){
		.pn_owner = (uint32_t)((uint64_t)index >> shift >> PCTRIE_WIDTH
			<< PCTRIE_WIDTH << shift),
		.pn_shift = (uint8_t)shift,
	};
}

int
pctrie_insert(struct pctrie *tree, uint32_t *key, pctrie_alloc_t alloc)
{
	uintptr_t leaf = (uintptr_t)key | LEAF;
	uintptr_t *parent, *link = find_link(tree, *key, &parent);
	struct pctrie_node *node;
	uint32_t other;

	if (*link == 0 && parent == NULL) {
		*link = leaf;
		return (0);
	}
	if (*link == 0) {
		node = to_node(*parent);
		set_child(node, digit(node, *key), leaf);
		return (0);
	}
	other = is_leaf(*link) ? *to_key(*link) : to_node(*link)->pn_owner;
	if (is_leaf(*link) && other == *key)
		panic("%s: %#x is in tree %p already", __func__, *key,
		    (void *)tree);
	node = alloc();
	if (node == NULL)
		return (ENOMEM);
	init_node(node, *key, other);
	set_child(node, digit(node, *key), leaf);
	set_child(node, digit(node, other), *link);
	*link = (uintptr_t)node;
	return (0);
}

uint32_t *
pctrie_lookup(const struct pctrie *tree, uint32_t index)
{
	uintptr_t at = tree->pt_root;
	uint32_t *key;

	while (is_node(at) && covers(to_node(at), index))
		at = to_node(at)->pn_child[digit(to_node(at), index)];
	key = to_key(at);
	return (key != NULL && *key == index ? key : NULL);
}

static uint32_t *
first_below(uintptr_t at)
{
	while (is_node(at))
		at = to_node(at)->pn_child[lowest(to_node(at)->pn_popmap)];
	return (to_key(at));
}

static uint32_t *
last_below(uintptr_t at)
{
	while (is_node(at))
		at = to_node(at)->pn_child[highest(to_node(at)->pn_popmap)];
	return (to_key(at));
}

/* On the way down, next is what follows all that is below the present node. */
uint32_t *
pctrie_lookup_ge(const struct pctrie *tree, uint32_t index)
{
	uintptr_t at = tree->pt_root, next = 0;

	while (is_node(at) && covers(to_node(at), index)) {
		const struct pctrie_node *node = to_node(at);
		unsigned int d = digit(node, index);

		if (later(node, d) != 0)
			next = node->pn_child[lowest(later(node, d))];
		at = node->pn_child[d];
	}
	if (is_node(at) ? to_node(at)->pn_owner > index :
			  at != 0 && *to_key(at) >= index)
		next = at;
	return (first_below(next));
}

uint32_t *
pctrie_lookup_le(const struct pctrie *tree, uint32_t index)
{
	uintptr_t at = tree->pt_root, prev = 0;

	while (is_node(at) && covers(to_node(at), index)) {
		const struct pctrie_node *node = to_node(at);
		unsigned int d = digit(node, index);

		if (earlier(node, d) != 0)
			prev = node->pn_child[highest(earlier(node, d))];
		at = node->pn_child[d];
	}
	if (is_node(at) ? to_node(at)->pn_owner < index :
			  at != 0 && *to_key(at) <= index)
		prev = at;
	return (last_below(prev));
}

/* A node with one child is not needed: the child takes its place. */
static void
remove_child(uintptr_t *link, uint32_t index, pctrie_free_t free_node)
{
	struct pctrie_node *node = to_node(*link);
	unsigned int d = digit(node, index);

	node->pn_child[d] = 0;
	node->pn_popmap &= (uint16_t) ~(1u << d);
	if ((node->pn_popmap & (node->pn_popmap - 1)) != 0)
		return;
	*link = node->pn_child[lowest(node->pn_popmap)];
	free_node(node);
}

uint32_t *
pctrie_remove(struct pctrie *tree, uint32_t index, pctrie_free_t free_node)
{
	uintptr_t *parent, *link = find_link(tree, index, &parent);
	uint32_t *key = to_key(*link);

	if (key == NULL || *key != index)
		return (NULL);
	if (parent == NULL)
		*link = 0;
	else
		remove_child(parent, index, free_node);
	return (key);
}

uint32_t *
pctrie_replace(struct pctrie *tree, uint32_t *key)
{
	uintptr_t *parent, *link = find_link(tree, *key, &parent);
	uint32_t *old = to_key(*link);

	if (old == NULL || *old != *key)
		panic("%s: %#x is not in tree %p", __func__, *key,
		    (void *)tree);
	*link = (uintptr_t)key | LEAF;
	return (old);
}
