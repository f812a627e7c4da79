/*
 * The handler runs between any two instructions of the program, so it reads
 * only a fixed table of atomics and makes only system calls.
 */
#include "libkvm/mapping.h"

#include <sys/mman.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#ifndef MAP_ANON
#define MAP_ANON MAP_ANONYMOUS
#endif

/* The number of cores mapped at once; further ones are read with pread(2). */
#define NMAPPINGS 64

static struct mapping mappings[NMAPPINGS];
static struct sigaction previous; /* set once, before the handler can run */
static uintptr_t page_mask;

static struct mapping *
find(const uint8_t *addr)
{
	for (size_t i = 0; i < NMAPPINGS; i++) {
		const uint8_t *base = atomic_load(&mappings[i].mp_base);

		if (base != NULL && addr >= base &&
		    (size_t)(addr - base) < atomic_load(&mappings[i].mp_len))
			return (&mappings[i]);
	}
	return (NULL);
}

/* Zeros from the page of addr on.  The rest of the file is gone as well. */
static bool
patch(struct mapping *mp, uint8_t *addr)
{
	uint8_t *base = atomic_load(&mp->mp_base);
	size_t off = (size_t)(addr - base) & ~(size_t)page_mask;
	size_t len = atomic_load(&mp->mp_len) - off;

	atomic_store(&mp->mp_torn, true);
	return (mmap(base + off, len, PROT_READ,
		    MAP_FIXED | MAP_PRIVATE | MAP_ANON, -1, 0) != MAP_FAILED);
}

/* The fault is not in a mapping of ours: act as the previous handler would. */
static void
pass_on(int sig, siginfo_t *info, void *context)
{
	if ((previous.sa_flags & SA_SIGINFO) != 0) {
		previous.sa_sigaction(sig, info, context);
	} else if (previous.sa_handler != SIG_DFL &&
	    previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
	} else {
		struct sigaction dfl;

		memset(&dfl, 0, sizeof(dfl));
		dfl.sa_handler = SIG_DFL;
		(void)sigaction(sig, &dfl, NULL);
		(void)raise(sig);
	}
}

static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct mapping *mp = find(info->si_addr);

	if (mp == NULL || !patch(mp, info->si_addr))
		pass_on(sig, info, context);
}

static void
install(void)
{
	struct sigaction action;

	page_mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_sigbus;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, NULL, &previous);
	(void)sigaction(SIGBUS, &action, NULL);
}

static struct mapping *
take_slot(void)
{
	for (size_t i = 0; i < NMAPPINGS; i++)
		if (!atomic_exchange(&mappings[i].mp_used, true))
			return (&mappings[i]);
	return (NULL);
}

struct mapping *
mapping_create(int fd, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mapping *mp;
	void *base;

	(void)pthread_once(&once, install);
	if ((mp = take_slot()) == NULL)
		return (NULL);
	base = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED) {
		atomic_store(&mp->mp_used, false);
		return (NULL);
	}
	atomic_store(&mp->mp_torn, false);
	atomic_store(&mp->mp_len, len);
	atomic_store(&mp->mp_base, base);
	return (mp);
}

void
mapping_destroy(struct mapping *mp)
{
	uint8_t *base;

	if (mp == NULL)
		return;
	base = atomic_exchange(&mp->mp_base, NULL);
	(void)munmap(base, atomic_load(&mp->mp_len));
	atomic_store(&mp->mp_used, false);
}
