/*
 * Threads that overwrite a disk and check what they read back: "io" in the
 * shell.  Each has a part of the disk, and requests of up to eight pages that
 * lie anywhere in memory.
 */
#include "kernel/dev/disk.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

static MALLOC_DEFINE(M_IOCHECK, "iocheck", "of threads that check disks");

#define CHECK_PAGES 8

#define CHECK_KEY UINT64_C(0x5851f42d4c957f2d)

/* Tries of a request that fails; then it is lost. */
#define CHECK_TRIES 100

struct checker {
	struct disk *chk_disk;
	uint64_t chk_start; /* of its part of the disk, bytes */
	uint64_t chk_len;
	uint64_t chk_rounds; /* 0: for ever */
	uint32_t chk_seed;
	vm_paddr_t chk_pages[CHECK_PAGES];
};

/* What all of them found; atomic. */
static struct {
	uint64_t running, requests, errors, lost, wrong;
} checked;

static unsigned int fail_every; /* request; 0: none */

static void
count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static int
fail_some(const void *bp)
{
	static unsigned int ndone;

	(void)bp;
	return (__atomic_add_fetch(&ndone, 1, __ATOMIC_RELAXED) % fail_every ==
		    0 ?
		EIO :
		0);
}

static void
skip_spaces(const char **p)
{
	while (**p == ' ')
		(*p)++;
}

static uint32_t
next_random(struct checker *c)
{
	c->chk_seed = c->chk_seed * 1664525 + 1013904223;
	return (c->chk_seed >> 8);
}

static void
check_io(struct checker *c, enum bio_cmd cmd, uint64_t off, uint32_t len)
{
	struct bio bio = {
		.bio_disk = c->chk_disk,
		.bio_cmd = cmd,
		.bio_offset = off,
		.bio_bcount = len,
		.bio_ma = c->chk_pages,
	};

	for (int i = 0; i < CHECK_TRIES; i++) {
		int error = bio_start(&bio);

		count(&checked.requests);
		if (error == 0)
			error = bio_wait(&bio);
		if (error == 0)
			return;
		count(&checked.errors);
	}
	count(&checked.lost);
}

/* The words of a page that lies at off: written, or compared. */
static void
write_words(vm_paddr_t pa, uint64_t key)
{
	uint64_t *words = (uint64_t *)PHYS_TO_DMAP(pa);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		words[i] = (key + i) * CHECK_KEY;
}

static bool
has_words(vm_paddr_t pa, uint64_t key)
{
	const uint64_t *words = (const uint64_t *)PHYS_TO_DMAP(pa);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
		if (words[i] != (key + i) * CHECK_KEY)
			return (false);
	}
	return (true);
}

static void
check_round(struct checker *c, uint64_t round)
{
	uint32_t n = next_random(c) % CHECK_PAGES + 1;
	uint64_t places = atop(c->chk_len) - n + 1;
	uint64_t off = c->chk_start + ptoa(next_random(c) % places);
	uint64_t key = off + round;

	for (uint32_t i = 0; i < n; i++)
		write_words(c->chk_pages[i], key + ptoa(i));
	check_io(c, BIO_WRITE, off, (uint32_t)ptoa(n));
	if (next_random(c) % 8 == 0)
		check_io(c, BIO_FLUSH, 0, 0);
	for (uint32_t i = 0; i < n; i++)
		write_words(c->chk_pages[i], 0);
	check_io(c, BIO_READ, off, (uint32_t)ptoa(n));
	for (uint32_t i = 0; i < n; i++) {
		if (!has_words(c->chk_pages[i], key + ptoa(i)))
			count(&checked.wrong);
	}
}

static void
check_thread(void *arg)
{
	struct checker *c = arg;

	for (uint64_t i = 1; c->chk_rounds == 0 || i <= c->chk_rounds; i++)
		check_round(c, i);
	for (size_t i = 0; i < CHECK_PAGES; i++)
		vm_page_free(PHYS_TO_VM_PAGE(c->chk_pages[i]));
	free(c, M_IOCHECK);
	__atomic_sub_fetch(&checked.running, 1, __ATOMIC_RELEASE);
}

static void
check_start(struct disk *dk, uint64_t i, uint64_t n, uint64_t rounds)
{
	struct checker *c = malloc(sizeof(*c), M_IOCHECK, M_WAITOK | M_ZERO);

	c->chk_disk = dk;
	c->chk_len = trunc_page(dk->bd_media_len / n);
	c->chk_start = i * c->chk_len;
	c->chk_rounds = rounds;
	c->chk_seed = (uint32_t)i;
	for (size_t p = 0; p < CHECK_PAGES; p++)
		c->chk_pages[p] =
		    VM_PAGE_TO_PHYS(vm_page_alloc_noobj(VM_ALLOC_NORMAL |
			VM_ALLOC_USER | VM_ALLOC_WAITOK));
	count(&checked.running);
	kproc_kthread_add(check_thread, c, NULL, NULL, "io", "io %ju",
	    (uintmax_t)i);
}

/* A disk's name, which a space ends: the disk, and what follows. */
static struct disk *
cut_disk(const char **args)
{
	char name[8];
	size_t len = 0;

	while ((*args)[len] != ' ' && (*args)[len] != '\0')
		len++;
	strlcpy(name, *args, len < sizeof(name) ? len + 1 : sizeof(name));
	*args += len;
	skip_spaces(args);
	return (disk_find(name));
}

static void
sh_io(const char *args)
{
	struct disk *dk = cut_disk(&args);
	uint64_t n = strtouq(args, &args), rounds;

	skip_spaces(&args);
	rounds = strtouq(args, &args);
	skip_spaces(&args);
	fail_every = (unsigned int)strtouq(args, &args);
	if (dk == NULL || n == 0 || dk->bd_media_len / n < ptoa(CHECK_PAGES)) {
		printf("io: no such disk, or it is too small\n");
		return;
	}
	memset(&checked, 0, sizeof(checked));
	if (fail_every != 0)
		fail_set_error(FAIL_BIO, fail_some);
	for (uint64_t i = 0; i < n; i++)
		check_start(dk, i, n, rounds);
	if (rounds == 0)
		return;
	while (__atomic_load_n(&checked.running, __ATOMIC_ACQUIRE) > 0)
		pause("io", 1);
	fail_set_error(FAIL_BIO, NULL);
	printf("io: %ju requests, %ju errors, %ju lost, %ju wrong\n",
	    (uintmax_t)checked.requests, (uintmax_t)checked.errors,
	    (uintmax_t)checked.lost, (uintmax_t)checked.wrong);
}
COMMAND(io, "io", CMD_SHELL, sh_io,
    "DISK N ROUNDS [E]: N threads overwrite and check it, one of E fails");
