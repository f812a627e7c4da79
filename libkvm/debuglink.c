/*
 * The search for split-off debug information: see debuglink.h.
 *
 * A file is used only if it has the same build id or the checksum of the link.
 */
#include "libkvm/debuglink.h"

#include <sys/stat.h>

#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <libelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "libkvm/helper.h"
#include "libkvm/holes.h"
#include "libkvm/plainfile.h"

#define BUILD_ID_MAX 64 /* bytes; SHA-1 has 20 */

/* Is the file behind fd of the same build?  Unknown: *known is false. */
static bool
same_build(const struct debuglink *dl, int fd, bool *known)
{
	Elf *elf;
	const void *id;
	ssize_t len;
	bool same = false;

	*known = false;
	if (dl->dl_build_id == NULL || elf_version(EV_CURRENT) == EV_NONE)
		return (false);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	len = elf != NULL ? dwelf_elf_gnu_build_id(elf, &id) : 0;
	if (len > 0) {
		*known = true;
		same = (size_t)len == dl->dl_build_id_len &&
		    memcmp(id, dl->dl_build_id, (size_t)len) == 0;
	}
	elf_end(elf);
	return (same);
}

#define CRC_CHUNK_LEN 65536

/* The checksum of a whole file, as objcopy(1) puts it into .gnu_debuglink. */
static bool
file_crc(int fd, uint32_t *out)
{
	uint8_t *buf = malloc(CRC_CHUNK_LEN);
	uLong crc = crc32(0, NULL, 0);
	off_t off = 0;
	ssize_t n = -1;

	while (buf != NULL && (n = pread(fd, buf, CRC_CHUNK_LEN, off)) > 0) {
		crc = crc32(crc, buf, (uInt)n);
		off += n;
	}
	free(buf);
	*out = (uint32_t)crc;
	return (n == 0);
}

static bool
fits(const struct debuglink *dl, int fd)
{
	struct stat st;
	uint32_t crc;
	bool known, same;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    holes_is_hollow(fd, HOLES_LEN_MAX))
		return (false);
	same = same_build(dl, fd, &known);
	if (known)
		return (same);
	if (dl->dl_name == NULL)
		return (true);
	return (file_crc(fd, &crc) && crc == dl->dl_crc);
}

/* Try the path that is the four parts together. */
static int
try(const struct debuglink *dl, const char *root, const char *dir,
    const char *sub, const char *name, char **path)
{
	char buf[PATH_MAX];
	int n = snprintf(buf, sizeof(buf), "%s%s%s%s", root, dir, sub, name);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(buf) || strcmp(buf, dl->dl_path) == 0)
		return (-1);
	fd = plainfile_open(buf);
	if (fd < 0)
		return (-1);
	*path = fits(dl, fd) ? strdup(buf) : NULL;
	if (*path == NULL) {
		helper_check();
		close(fd);
		return (-1);
	}
	return (fd);
}

/* Look for the file by its build id in a debug directory. */
static int
try_build_id(const struct debuglink *dl, const char *debug_dir, char **path)
{
	char name[2 * BUILD_ID_MAX + 2] = "";
	char *end = name;

	if (dl->dl_build_id == NULL || dl->dl_build_id_len < 2 ||
	    dl->dl_build_id_len > BUILD_ID_MAX)
		return (-1);
	for (size_t i = 0; i < dl->dl_build_id_len; i++)
		end +=
		    sprintf(end, i == 0 ? "%02x/" : "%02x", dl->dl_build_id[i]);
	return (try(dl, debug_dir, "/.build-id/", name, ".debug", path));
}

/*
 * The debug directory of the system that dir belongs to: for ROOT/boot/kernel/
 * it is ROOT/usr/lib/debug, where the file is in boot/kernel/ or by its build
 * id.
 */
static int
try_system(const struct debuglink *dl, const char *dir, const char *name,
    char **path)
{
	const char *boot = strstr(dir, "/boot/");
	char root[PATH_MAX];
	int fd;

	if (dir[0] == '/') {
		fd = try(dl, "/usr/lib/debug", dir, "", name, path);
		if (fd >= 0)
			return (fd);
	}
	if (boot == NULL)
		return (-1);
	snprintf(root, sizeof(root), "%.*s/usr/lib/debug", (int)(boot - dir),
	    dir);
	fd = try(dl, root, boot, "", name, path);
	return (fd >= 0 ? fd : try_build_id(dl, root, path));
}

/*
 * Let libdw look for the file by its build id: in this system's debug directory
 * and, where DEBUGINFOD_URLS says so and libdebuginfod is there, on servers.
 */
static int
ask_libdw(const struct debuglink *dl, char **path)
{
	static char debug_dir[] = "/usr/lib/debug";
	static char *debug_dirs = debug_dir;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &debug_dirs,
	};
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *mod = NULL;
	int fd = -1;

	*path = NULL;
	if (dwfl != NULL)
		mod = dwfl_report_offline(dwfl, "", dl->dl_path, -1);
	errno = 0;
	if (mod != NULL)
		fd = dwfl_standard_find_debuginfo(mod, NULL, NULL, 0, NULL,
		    NULL, 0, path);
	if (fd >= 0 && *path == NULL)
		*path = strdup("debuginfod");
	if (fd >= 0 && (*path == NULL || !fits(dl, fd))) {
		close(fd);
		fd = -1;
	}
	if (fd < 0) {
		free(*path);
		*path = NULL;
	}
	dwfl_end(dwfl);
	return (fd);
}

int
debuglink_open(const struct debuglink *dl, char **path)
{
	static const char *const suffixes[] = { ".debug", ".symbols" };
	char *real = realpath(dl->dl_path, NULL);
	char name[PATH_MAX];
	const char *base;
	char *slash;
	int fd = -1;

	if (real == NULL)
		return (-1);
	slash = strrchr(real, '/');
	base = slash + 1;
	snprintf(name, sizeof(name), "%s.debug", base);
	for (size_t i = 0; fd < 0 && i < 2; i++)
		fd = try(dl, real, suffixes[i], "", "", path);
	if (dl->dl_name != NULL && strchr(dl->dl_name, '/') == NULL)
		snprintf(name, sizeof(name), "%s", dl->dl_name);
	slash[1] = '\0';
	if (fd < 0)
		fd = try(dl, "", real, "", name, path);
	if (fd < 0)
		fd = try(dl, "", real, ".debug/", name, path);
	if (fd < 0)
		fd = try_system(dl, real, name, path);
	if (fd < 0 && dl->dl_build_id != NULL)
		fd = ask_libdw(dl, path);
	free(real);
	if (fd >= 0)
		helper_allow(fd, 0);
	return (fd);
}
