/*
 * From a page's index to its block on swap.
 *
 * Each object has a tree of swblks; one is for 32 pages in a row.  It takes 136
 * bytes and a share of a tree node: 4.5 bytes a page where pages are together.
 * They are bulk, in dumps.
 *
 * Memory for them comes without sleeping, and from the reserve, because a page
 * that is written out is what gives memory back.  No lock but UMA's is taken.
 *
 * Lock: vm_mtx.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/uma.h"

#define META_PAGES 32

struct swblk {
	uint32_t sb_index; /* of its first page, in units of META_PAGES */
	uint32_t sb_used;  /* a bit each: there is a block */
	swblk_t sb_blocks[META_PAGES];
};

struct vm_object_list swap_objects = TAILQ_HEAD_INITIALIZER(swap_objects);

static uma_zone_t swblk_zone;
static uma_zone_t swtrie_zone;

void
swap_meta_init(void)
{
	TAILQ_INIT(&swap_objects);
	swblk_zone = uma_zcreate("swblk", sizeof(struct swblk), NULL, NULL,
	    NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM | UMA_ZONE_BULK);
	swtrie_zone = uma_zcreate("swpctrie", sizeof(struct pctrie_node), NULL,
	    NULL, NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM | UMA_ZONE_BULK);
}

static struct pctrie_node *
alloc_node(void)
{
	return (uma_zalloc(swtrie_zone, M_NOWAIT | M_USE_RESERVE));
}

static void
free_node(struct pctrie_node *node)
{
	uma_zfree(swtrie_zone, node);
}

static struct pctrie *
tree_of(vm_object_t object)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	return (&object->un_pager.swp.swp_blks);
}

static struct swblk *
of_key(uint32_t *key)
{
	return (key == NULL ? NULL :
			      __containerof(key, struct swblk, sb_index));
}

static struct swblk *
lookup(vm_object_t object, vm_pindex_t pindex)
{
	if (object->type != OBJT_SWAP || pindex > UINT32_MAX)
		return (NULL);
	return (of_key(pctrie_lookup(tree_of(object),
	    (uint32_t)pindex / META_PAGES)));
}

static bool
has(const struct swblk *sb, vm_pindex_t pindex)
{
	return (sb != NULL && (sb->sb_used >> pindex % META_PAGES & 1) != 0);
}

/* The object has one block more, or one fewer. */
static void
count(vm_object_t object, int more)
{
	vm_pindex_t *npages = &object->un_pager.swp.swp_npages;
	bool had = *npages > 0;

	*npages += (vm_pindex_t)more;
	if (!had && *npages > 0)
		TAILQ_INSERT_TAIL(&swap_objects, object, pager_object_list);
	else if (had && *npages == 0)
		TAILQ_REMOVE(&swap_objects, object, pager_object_list);
}

/* The swblk for a page, if need be a new one. */
static struct swblk *
provide(vm_object_t object, vm_pindex_t pindex)
{
	struct swblk *sb = lookup(object, pindex);

	if (sb != NULL)
		return (sb);
	sb = uma_zalloc(swblk_zone, M_NOWAIT | M_USE_RESERVE);
	if (sb == NULL)
		return (NULL);
	sb->sb_index = (uint32_t)pindex / META_PAGES;
	sb->sb_used = 0;
	if (pctrie_insert(tree_of(object), &sb->sb_index, alloc_node) != 0) {
		uma_zfree(swblk_zone, sb);
		return (NULL);
	}
	return (sb);
}

swblk_t
swap_meta_lookup(vm_object_t object, vm_pindex_t pindex)
{
	struct swblk *sb = lookup(object, pindex);

	return (has(sb, pindex) ? sb->sb_blocks[pindex % META_PAGES] :
				  SWAPBLK_NONE);
}

bool
swap_meta_set(vm_object_t object, vm_pindex_t pindex, swblk_t blk, swblk_t *old)
{
	struct swblk *sb = provide(object, pindex);

	if (sb == NULL)
		return (false);
	*old = SWAPBLK_NONE;
	if (has(sb, pindex))
		*old = sb->sb_blocks[pindex % META_PAGES];
	else
		count(object, 1);
	sb->sb_used |= 1u << pindex % META_PAGES;
	sb->sb_blocks[pindex % META_PAGES] = blk;
	return (true);
}

swblk_t
swap_meta_take(vm_object_t object, vm_pindex_t pindex)
{
	struct swblk *sb = lookup(object, pindex);
	swblk_t blk;

	if (!has(sb, pindex))
		return (SWAPBLK_NONE);
	blk = sb->sb_blocks[pindex % META_PAGES];
	sb->sb_used &= ~(1u << pindex % META_PAGES);
	if (sb->sb_used == 0) {
		(void)pctrie_remove(tree_of(object), sb->sb_index, free_node);
		uma_zfree(swblk_zone, sb);
	}
	count(object, -1);
	return (blk);
}

bool
swap_pager_find_least(vm_object_t object, vm_pindex_t *pindex)
{
	uint32_t first, bits;
	struct swblk *sb;

	if (object->type != OBJT_SWAP)
		return (false);
	for (;; *pindex = ((vm_pindex_t)sb->sb_index + 1) * META_PAGES) {
		if (*pindex > UINT32_MAX)
			return (false);
		first = (uint32_t)*pindex / META_PAGES;
		sb = of_key(pctrie_lookup_ge(tree_of(object), first));
		if (sb == NULL)
			return (false);
		bits = sb->sb_used;
		if (sb->sb_index == first)
			bits &= UINT32_MAX << *pindex % META_PAGES;
		if (bits != 0)
			break;
	}
	*pindex = (vm_pindex_t)sb->sb_index * META_PAGES +
	    (vm_pindex_t)__builtin_ctz(bits);
	return (true);
}
