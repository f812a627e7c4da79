/*
 * What a dump costs compared with a plain write: "bench [ROUNDS]" in the shell.
 *
 * Each round dumps to vtbd0 and then writes the same bytes to the same place
 * again, in order and a megabyte at a time, with the same driver.  Both run as
 * in a dying kernel: other CPUs stopped, interrupts off.
 */
#include "kernel/lab/bench.h"

#include "kernel/dev/disk.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/reboot.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

#define CHUNK_LEN  ((uint64_t)1 << 20)
#define CHUNKS_MAX 1024

/* Memory for the bytes of a dump, which is not dumped itself. */
static vm_paddr_t chunks[CHUNKS_MAX];
static unsigned int nchunks;

static bool
have_chunks(uint64_t len)
{
	static const struct vm_phys_where anywhere = {
		.high = UINT64_MAX,
		.alignment = PAGE_SIZE,
	};

	while (nchunks * CHUNK_LEN < len && nchunks < CHUNKS_MAX) {
		vm_page_t m = vm_page_alloc_contig(VM_ALLOC_NORMAL |
			VM_ALLOC_USER | VM_ALLOC_WIRED,
		    atop(CHUNK_LEN), &anywhere);

		if (m == NULL)
			break;
		chunks[nchunks++] = VM_PAGE_TO_PHYS(m);
	}
	return (nchunks * CHUNK_LEN >= len);
}

/* len bytes at off of the disk from or to the chunks.  0 or an errno. */
static int
transfer(struct disk *dk, enum bio_cmd cmd, uint64_t off, uint64_t len)
{
	unsigned int nbusy = 0, tag = 0;
	int error = 0;

	for (unsigned int i = 0; error == 0 && len > 0; i++) {
		uint64_t n = len < CHUNK_LEN ? len : CHUNK_LEN;
		struct disk_seg seg = { chunks[i], (uint32_t)n };

		if (nbusy < DISK_DEPTH)
			tag = nbusy++;
		else if ((error = disk_wait(dk, &tag)) != 0)
			break;
		error = disk_submit(dk, tag, cmd, &seg, 1, off);
		off += n;
		len -= n;
	}
	while (error == 0 && nbusy-- > 0)
		error = disk_wait(dk, &tag);
	if (error == 0 && cmd == BIO_WRITE)
		error = disk_rw(dk, BIO_FLUSH, NULL, 0, 0);
	return (error);
}

static uint64_t
dump_len(void)
{
	char text[32] = "";
	const char *end;

	(void)kernel_sysctlbyname("debug.minidump_size", text, sizeof(text),
	    NULL);
	return (strtouq(text, &end));
}

struct round {
	uint64_t len;	/* of the dump, bytes */
	uint64_t dump;	/* how long it took, in the CPU's cycles */
	uint64_t plain; /* and the plain write */
};

/*
 * Reads the bytes once only: a read before each write would leave them in the
 * host's caches.
 */
static int
bench_round(struct disk *dk, struct round *r)
{
	static uint64_t len_read;
	uint64_t off = dk->bd_media_len - dk->bd_sector_len - r->len;
	uint64_t start = rdtsc();
	int error = doadump(false);

	r->dump = rdtsc() - start;
	if (error == 0 && r->len != len_read)
		error = transfer(dk, BIO_READ, off, r->len);
	len_read = r->len;
	start = rdtsc();
	if (error == 0)
		error = transfer(dk, BIO_WRITE, off, r->len);
	r->plain = rdtsc() - start;
	return (error);
}

static int
bench_stopped(struct disk *dk, struct round *r)
{
	register_t flags;
	int error;

	r->len = dump_len();
	if (!have_chunks(r->len))
		return (ENOMEM);
	flags = intr_disable();
	(void)stop_cpus_hard();
	error = bench_round(dk, r);
	restart_cpus();
	intr_restore(flags);
	return (error);
}

uint64_t
cycles_per_ms(void)
{
	uint64_t start = rdtsc();

	DELAY(50000);
	return ((rdtsc() - start) / 50);
}

static void
sh_bench(const char *args)
{
	const char *end;
	uint64_t rounds = strtouq(args, &end), rate = cycles_per_ms();
	struct disk *dk = disk_first();
	int error = dk == NULL ? ENXIO : 0;

	for (uint64_t i = 0; i < rounds && error == 0; i++) {
		struct round r;

		error = bench_stopped(dk, &r);
		if (error == 0)
			printf("bench: %ju bytes, dump %ju us, plain %ju us\n",
			    (uintmax_t)r.len, (uintmax_t)(r.dump * 1000 / rate),
			    (uintmax_t)(r.plain * 1000 / rate));
	}
	if (error != 0)
		printf("bench: error %d\n", error);
}
COMMAND(bench, "bench", CMD_SHELL, sh_bench,
    "ROUNDS: time dumps to vtbd0, and plain writes of the same bytes");
