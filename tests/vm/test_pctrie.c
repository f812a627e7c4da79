/* Tries: each edge of their shape, and a storm against a plain array. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/pctrie.h"

/* The host's own. */
#undef malloc
#undef free

#define NONE UINT64_MAX

static size_t nnodes;	  /* that trees have */
static bool out_of_nodes; /* from now on */

static struct pctrie_node *
alloc_node(void)
{
	struct pctrie_node *node = out_of_nodes ? NULL : malloc(sizeof(*node));

	if (node == NULL)
		return (NULL);
	memset(node, 0xa5, sizeof(*node));
	nnodes++;
	return (node);
}

static void
free_node(struct pctrie_node *node)
{
	nnodes--;
	free(node);
}

static uint64_t
number(const uint32_t *key)
{
	return (key == NULL ? NONE : *key);
}

/* ---- The shape ---- */

struct audit {
	size_t nodes;
	size_t keys;
	uint64_t last; /* NONE: no number yet */
};

static void
audit_key(const uint32_t *key, struct audit *audit)
{
	assert_true(audit->last == NONE || *key > audit->last);
	audit->last = *key;
	audit->keys++;
}

/* What is below a node with that shift, whose numbers begin with owner. */
static void
audit_below(uintptr_t at, unsigned int shift, uint32_t owner,
    struct audit *audit)
{
	const struct pctrie_node *node = (const struct pctrie_node *)at;
	uint32_t least =
	    (at & 1) != 0 ? *(const uint32_t *)(at - 1) : node->pn_owner;

	assert_int_equal((uint64_t)(least ^ owner) >> shift, 0);
	if ((at & 1) != 0) {
		audit_key((const uint32_t *)(at - 1), audit);
		return;
	}
	audit->nodes++;
	assert_true(node->pn_shift < shift);
	assert_true(__builtin_popcount(node->pn_popmap) >= 2);
	for (uint32_t d = 0; d < PCTRIE_COUNT; d++) {
		assert_int_equal(node->pn_child[d] != 0,
		    node->pn_popmap >> d & 1);
		if (node->pn_child[d] != 0)
			audit_below(node->pn_child[d], node->pn_shift,
			    node->pn_owner | d << node->pn_shift, audit);
	}
}

static void
audit_tree(const struct pctrie *tree, size_t nkeys)
{
	struct audit audit = { .last = NONE };

	if (!pctrie_is_empty(tree))
		audit_below(tree->pt_root, 32, 0, &audit);
	assert_int_equal(audit.keys, nkeys);
	assert_int_equal(audit.nodes, nnodes);
}

/* ---- Rows: numbers that are put in, and what lookups around them find ---- */

static const struct shape {
	const char *name;
	uint32_t keys[8];
	size_t nkeys;
	size_t nnodes;
} shapes[] = {
	{ "nothing", { 0 }, 0, 0 },
	{ "a number has no node", { 7 }, 1, 0 },
	{ "two that differ in the last digit", { 0x10, 0x1f }, 2, 1 },
	{ "two that differ in the first digit", { 0, 0xffffffff }, 2, 1 },
	{ "a node above a node", { 0x12345, 0x12349, 0x80000 }, 3, 2 },
	{ "a node below a node", { 0x80000, 0x12345, 0x12349 }, 3, 2 },
	{ "a node between two", { 0x11, 0x12, 0x1000, 0x100 }, 4, 3 },
	{ "all levels",
	    { 0, 1, 0x10, 0x100, 0x1000, 0x10000, 0x100000, 0x80000000 }, 8,
	    7 },
	{ "neighbours below different nodes", { 0xf, 0x10, 0xff, 0x100 }, 4,
	    2 },
};

static uint64_t
least_from(const struct shape *shape, uint64_t index)
{
	uint64_t found = NONE;

	for (size_t i = 0; i < shape->nkeys; i++) {
		if (shape->keys[i] >= index && shape->keys[i] < found)
			found = shape->keys[i];
	}
	return (found);
}

static uint64_t
greatest_to(const struct shape *shape, uint64_t index)
{
	uint64_t found = NONE;

	for (size_t i = 0; i < shape->nkeys; i++) {
		if (shape->keys[i] <= index &&
		    (found == NONE || shape->keys[i] > found))
			found = shape->keys[i];
	}
	return (found);
}

static void
check_lookups(const struct pctrie *tree, const struct shape *shape,
    uint32_t index)
{
	uint64_t ge = least_from(shape, index);

	assert_int_equal(number(pctrie_lookup_ge(tree, index)), ge);
	assert_int_equal(number(pctrie_lookup_le(tree, index)),
	    greatest_to(shape, index));
	assert_int_equal(number(pctrie_lookup(tree, index)),
	    ge == index ? index : NONE);
}

static void
test_shape(void **state)
{
	struct shape shape = *(const struct shape *)*state;
	struct pctrie tree = { 0 };

	for (size_t i = 0; i < shape.nkeys; i++)
		assert_int_equal(pctrie_insert(&tree, &shape.keys[i],
				     alloc_node),
		    0);
	assert_int_equal(nnodes, shape.nnodes);
	audit_tree(&tree, shape.nkeys);
	for (unsigned int bit = 0; bit < 32; bit++) {
		for (size_t i = 0; i < NROWS(shape.keys); i++) {
			uint32_t key = shape.keys[i];

			check_lookups(&tree, &shape, key ^ 1u << bit);
			check_lookups(&tree, &shape, key + (1u << bit));
			check_lookups(&tree, &shape, key - (1u << bit));
			check_lookups(&tree, &shape, key);
		}
	}
	while (shape.nkeys > 0) {
		uint32_t *key = &shape.keys[--shape.nkeys];

		assert_ptr_equal(pctrie_remove(&tree, *key, free_node), key);
		assert_null(pctrie_remove(&tree, *key, free_node));
		audit_tree(&tree, shape.nkeys);
	}
	assert_true(pctrie_is_empty(&tree));
}

/* ---- Without memory, and with numbers that are wrong ---- */

static void
test_no_node(void **state)
{
	struct pctrie tree = { 0 };
	uint32_t keys[] = { 0x10, 0x20, 0x11, 0x30 };

	(void)state;
	assert_int_equal(pctrie_insert(&tree, &keys[0], alloc_node), 0);
	assert_int_equal(pctrie_insert(&tree, &keys[1], alloc_node), 0);
	out_of_nodes = true;
	assert_int_equal(pctrie_insert(&tree, &keys[2], alloc_node), ENOMEM);
	audit_tree(&tree, 2);
	assert_int_equal(pctrie_insert(&tree, &keys[3], alloc_node), 0);
	out_of_nodes = false;
	audit_tree(&tree, 3);
	for (size_t i = 0; i < NROWS(keys); i++)
		(void)pctrie_remove(&tree, keys[i], free_node);
	audit_tree(&tree, 0);
}

static void
test_replace(void **state)
{
	struct pctrie tree = { 0 };
	uint32_t a = 5, b = 5, c = 6;

	(void)state;
	assert_int_equal(pctrie_insert(&tree, &a, alloc_node), 0);
	assert_int_equal(pctrie_insert(&tree, &c, alloc_node), 0);
	assert_ptr_equal(pctrie_replace(&tree, &b), &a);
	assert_ptr_equal(pctrie_lookup(&tree, 5), &b);
	assert_ptr_equal(pctrie_lookup(&tree, 6), &c);
	(void)pctrie_remove(&tree, 5, free_node);
	(void)pctrie_remove(&tree, 6, free_node);
	audit_tree(&tree, 0);
}

static void
insert_twice(void *arg)
{
	uint32_t again = 5;

	(void)pctrie_insert(arg, &again, alloc_node);
}

static void
replace_nothing(void *arg)
{
	uint32_t other = 6;

	(void)pctrie_replace(arg, &other);
}

static void
test_wrong(void **state)
{
	struct pctrie tree = { 0 };
	uint32_t key = 5;

	(void)state;
	assert_int_equal(pctrie_insert(&tree, &key, alloc_node), 0);
	assert_non_null(strstr(sim_expect_panic(insert_twice, &tree),
	    "pctrie_insert: 0x5 is in tree"));
	assert_non_null(strstr(sim_expect_panic(replace_nothing, &tree),
	    "pctrie_replace: 0x6 is not in tree"));
	assert_ptr_equal(pctrie_remove(&tree, 5, free_node), &key);
}

/* ---- A storm: dense, sparse, and around the edges of nodes ---- */

#define NKEYS 4096
#define STEPS 400000

static struct {
	uint32_t key;
	bool in;
} model[NKEYS]; /* in ascending order */

static const struct {
	const char *name;
	uint32_t stride;
	uint32_t seed;
} storms[] = {
	{ "storm: consecutive numbers", 1, 1 },
	{ "storm: every 16th number", 16, 2 },
	{ "storm: every 17th number", 17, 3 },
	{ "storm: all of the 32 bits", 0xfffff, 4 },
};

/* The numbers of the model around i. */
static uint64_t
model_next(size_t i)
{
	while (i < NKEYS && !model[i].in)
		i++;
	return (i < NKEYS ? model[i].key : NONE);
}

static uint64_t
model_prev(size_t i)
{
	while (i > 0 && !model[i].in)
		i--;
	return (model[i].in ? model[i].key : NONE);
}

/* One more number, or one fewer; how many more. */
static int
storm_step(struct pctrie *tree, size_t i)
{
	if (model[i].in) {
		assert_ptr_equal(pctrie_remove(tree, model[i].key, free_node),
		    &model[i].key);
		model[i].in = false;
		return (-1);
	}
	assert_null(pctrie_lookup(tree, model[i].key));
	if (pctrie_insert(tree, &model[i].key, alloc_node) != 0)
		return (0);
	model[i].in = true;
	return (1);
}

static void
storm(uint32_t seed)
{
	struct pctrie tree = { 0 };
	size_t nkeys = 0;

	for (unsigned int step = 0; step < STEPS; step++) {
		size_t i = sim_random(&seed) % NKEYS;

		/* It grows for a while, and shrinks for a while. */
		if (model[i].in == (step / (STEPS / 8) % 2 == 0) &&
		    sim_random(&seed) % 4 != 0)
			continue;
		out_of_nodes = sim_random(&seed) % 16 == 0;
		nkeys = (size_t)((int)nkeys + storm_step(&tree, i));
		i = sim_random(&seed) % NKEYS;
		assert_int_equal(number(pctrie_lookup_ge(&tree, model[i].key)),
		    model_next(i));
		assert_int_equal(number(pctrie_lookup_le(&tree, model[i].key)),
		    model_prev(i));
		if (step % 1000 == 0)
			audit_tree(&tree, nkeys);
	}
	for (size_t i = 0; i < NKEYS; i++) {
		if (model[i].in)
			(void)storm_step(&tree, i);
	}
	out_of_nodes = false;
	audit_tree(&tree, 0);
}

static void
test_storm(void **state)
{
	size_t row =
	    (size_t)((uintptr_t)*state - (uintptr_t)storms) / sizeof(storms[0]);

	for (uint32_t i = 0; i < NKEYS; i++)
		model[i].key = i * storms[row].stride + 3;
	storm(storms[row].seed);
}

int
main(void)
{
	struct CMUnitTest tests[32] = {
		cmocka_unit_test(test_no_node),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_wrong),
	};
	size_t ntests = 3;

	ADD_ROWS(tests, ntests, shapes, test_shape);
	ADD_ROWS(tests, ntests, storms, test_storm);
	return (RUN_TESTS(tests, ntests));
}
