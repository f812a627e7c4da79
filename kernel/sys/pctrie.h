/*
 * A tree of things by a number of 32 bits, which each of them has in itself.
 *
 *	struct foo {
 *		uint32_t foo_index;
 *		...
 *	};
 *	error = pctrie_insert(&tree, &foo->foo_index, foo_node_alloc);
 *
 * The tree stores pointers to the numbers, and what it returns is such a
 * pointer: __containerof() leads to the thing.  A number does not change while
 * it is in a tree.
 *
 * An insertion takes one node at most, a removal gives back one at most, and a
 * lookup takes no more than PCTRIE_LEVELS steps.  The callers lock.
 *
 * kernel/kern/subr_pctrie.c
 */
#ifndef KERNEL_SYS_PCTRIE_H
#define KERNEL_SYS_PCTRIE_H

#include "kernel/sys/param.h"

#define PCTRIE_WIDTH  4 /* bits of the number that a node looks at */
#define PCTRIE_COUNT  (1 << PCTRIE_WIDTH)
#define PCTRIE_LEVELS (32 / PCTRIE_WIDTH)

struct pctrie_node {
	uint32_t pn_owner;  /* the least number that may be below it */
	uint8_t pn_shift;   /* where in the number its bits are */
	uint16_t pn_popmap; /* which children there are */
	uintptr_t pn_child[PCTRIE_COUNT]; /* see subr_pctrie.c */
};

/* All zeros: empty. */
struct pctrie {
	uintptr_t pt_root;
};

/* Memory for a node, in any state; NULL: there is none now.  Does not sleep. */
typedef struct pctrie_node *(*pctrie_alloc_t)(void);
typedef void (*pctrie_free_t)(struct pctrie_node *node);

static inline bool
pctrie_is_empty(const struct pctrie *tree)
{
	return (tree->pt_root == 0);
}

/*
 * Put in key, whose number is not in the tree.  0, or ENOMEM if a node is needed
 * and alloc() has none; then nothing has changed.
 */
int pctrie_insert(struct pctrie *tree, uint32_t *key, pctrie_alloc_t alloc);

/* Those with the number index, the least from index on, the greatest up to it. */
uint32_t *pctrie_lookup(const struct pctrie *tree, uint32_t index);
uint32_t *pctrie_lookup_ge(const struct pctrie *tree, uint32_t index);
uint32_t *pctrie_lookup_le(const struct pctrie *tree, uint32_t index);

/* Take out the one with the number index, and return it; NULL: there is none. */
uint32_t *pctrie_remove(struct pctrie *tree, uint32_t index,
    pctrie_free_t free_node);

/* Put key in the place of the one that has its number, which is returned. */
uint32_t *pctrie_replace(struct pctrie *tree, uint32_t *key);

#endif
