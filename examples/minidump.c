/*
 * How to put crash dumps into a kernel: a whole machine in one file.
 *
 *	minidump FILE
 *
 * The machine has 4 MB of memory and a kernel of one page, at KERNBASE.  It
 * crashes at once, and FILE is its dump: "vmcore info FILE" describes it.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dumper/dumper.h"

#define KERNBASE   UINT64_C(0xffffffff80000000)
#define DMAP_START UINT64_C(0xfffff80000000000)
#define MEMORY_LEN (4 * 1024 * 1024)

/* A kernel has all this in static memory, or takes it early at boot. */
static _Alignas(DUMP_PAGE_SIZE) unsigned char memory[MEMORY_LEN];
static const struct dump_range ranges[] = { { 0, MEMORY_LEN } };
static const char msgbuf[] = "Hello from the message buffer\npanic: example\n";
static struct dump_pages pages;
static struct dump_work work;

/* 1. Memory: a kernel returns an address in its direct map. */
static const void *
look_at_page(void *arg, uint64_t pa)
{
	(void)arg;
	return (memory + pa);
}

/* 2. The sink: a kernel has a disk driver that polls. */
static int
write_file(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	int fd = *(const int *)arg;

	(void)tag;
	for (unsigned int i = 0; i < niov; off += iov[i++].iv_len)
		if (pwrite(fd, iov[i].iv_base, iov[i].iv_len, (off_t)off) !=
		    (ssize_t)iov[i].iv_len)
			return (DUMP_EIO);
	return (0);
}

/* Stands for a kernel's boot: page tables at 0x1000, and the page they map. */
static void
boot(void)
{
	static const struct {
		uint64_t table, index, entry;
	} entries[] = {
		{ 0x1000, 511, 0x2003 }, /* root */
		{ 0x2000, 510, 0x3003 }, { 0x3000, 0, 0x4003 },
		{ 0x4000, 0, 0x5003 }, /* the page at KERNBASE */
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		memcpy(memory + entries[i].table + 8 * entries[i].index,
		    &entries[i].entry, 8);
	strcpy((char *)memory + 0x5000, "kernel data");
}

/* 3. The page set: allocators say which pages of the direct map they use. */
static void
allocate(void)
{
	size_t len = dump_pages_len(ranges, 1);

	if (dump_pages_init(&pages, ranges, 1, malloc(len), len) != 0)
		errx(1, "no memory for the page set");
	dump_pages_install(&pages);
	dump_add_page(0x7000);
	strcpy((char *)memory + 0x7000, "data in the direct map");
}

/* 4. The dump. */
static int
crash(int fd)
{
	const struct dump_machine machine = { .dm_arch = ARCH_AMD64,
		.dm_pages = &pages,
		.dm_page = look_at_page,
		.dm_root_pa = 0x1000,
		.dm_kva_start = KERNBASE,
		.dm_kva_len = UINT64_C(1) << 30,
		.dm_dmap_start = DMAP_START,
		.dm_dmap_end = DMAP_START + MEMORY_LEN,
		.dm_msgbuf = msgbuf,
		.dm_msgbuf_len = sizeof(msgbuf),
		.dm_panic = "example" };
	const struct dump_sink sink = { .ds_name = "file",
		.ds_arg = &fd,
		.ds_media = DUMP_MEDIA_FILE,
		.ds_block_len = 512,
		.ds_submit = write_file };
	const struct dump_request req = { .dr_machine = &machine,
		.dr_format = DUMP_FORMAT_MINIDUMP3,
		.dr_sinks = &sink,
		.dr_nsinks = 1,
		.dr_work = &work };
	struct dump_result res;

	return (dump_write(&req, &res));
}

int
main(int argc, char *argv[])
{
	int fd;
	int error;

	if (argc != 2)
		errx(1, "usage: minidump FILE");
	if ((fd = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY, 0666)) < 0)
		err(1, "%s", argv[1]);
	boot();
	allocate();
	if ((error = crash(fd)) != 0)
		errx(1, "%s: dump failed: error %d", argv[1], error);
	if (close(fd) != 0)
		err(1, "%s", argv[1]);
	return (0);
}
