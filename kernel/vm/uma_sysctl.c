/*
 * Zones as sysctls: vm.uma.ZONE.NAME, with FreeBSD's names, and vm.zone_stats.ZONE.
 *
 * FreeBSD makes a node for each zone.  Here a zone is found by its name when it is
 * asked for, so that nothing is kept of zones that come and go but a number in each
 * of those that share a name.
 *
 * Locks: the list lock -> a zone's.
 */
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_int.h"

/*
 * Names.
 */

#define CTLNAME_MAX 48

/* "UMA Kegs" is UMA_Kegs, and the second zone of a name has _1 at its end. */
static void
zone_ctlname(const struct uma_zone *zone, char name[CTLNAME_MAX])
{
	if (zone->uz_namecnt == 0)
		snprintf(name, CTLNAME_MAX, "%.40s", zone->uz_name);
	else
		snprintf(name, CTLNAME_MAX, "%.40s_%u", zone->uz_name,
		    zone->uz_namecnt);
	for (char *c = name; *c != '\0'; c++) {
		if (strchr("./\\ -", *c) != NULL)
			*c = '_';
	}
}

/*
 * The zone that name begins with, up to a dot or the end of name, where *rest is
 * then; or NULL.  With the list lock.
 */
static struct uma_zone *
find_zone(const char *name, const char **rest)
{
	char ctlname[CTLNAME_MAX];

	UMA_ZONE_FOREACH(zone) {
		size_t len;

		zone_ctlname(zone, ctlname);
		len = strlen(ctlname);
		*rest = &name[len];
		if (strncmp(name, ctlname, len) == 0 &&
		    (name[len] == '.' || name[len] == '\0'))
			return (zone);
	}
	return (NULL);
}

void
zone_set_namecnt(struct uma_zone *zone)
{
	char ctlname[CTLNAME_MAX];
	const char *rest;

	for (zone->uz_namecnt = 0;; zone->uz_namecnt++) {
		zone_ctlname(zone, ctlname);
		if (find_zone(ctlname, &rest) == NULL)
			return;
	}
}

/*
 * Values.
 */

static void
print_zone_flags(const struct uma_zone *zone, char *text, size_t room)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ UMA_ZONE_ZINIT, "ZINIT" },
		{ UMA_ZONE_OFFPAGE, "OFFPAGE" },
		{ UMA_ZONE_MALLOC, "MALLOC" },
		{ UMA_ZONE_NOFREE, "NOFREE" },
		{ UMA_ZONE_VM, "VM" },
		{ UMA_ZONE_SECONDARY, "SECONDARY" },
		{ UMA_ZONE_MAXBUCKET, "MAXBUCKET" },
		{ UMA_ZONE_NODUMP, "NODUMP" },
		{ UMA_ZONE_PCPU, "PCPU" },
		{ UMA_ZONE_BULK, "BULK" },
		{ UMA_ZFLAG_CTOR, "CTOR" },
		{ UMA_ZFLAG_DTOR, "DTOR" },
		{ UMA_ZFLAG_GUARD, "GUARD" },
		{ UMA_ZFLAG_LIMIT, "LIMIT" },
		{ UMA_ZFLAG_INTERNAL, "INTERNAL" },
		{ UMA_ZFLAG_OWNERS, "OWNERS" },
		{ UMA_ZFLAG_DEBUG, "DEBUG" },
		{ UMA_ZFLAG_TRASH, "TRASH" },
	};
	uint32_t flags = zone->uz_flags |
	    (zone->uz_keg != NULL ? zone->uz_keg->uk_flags : 0);
	const char *before = "<";

	snprintf(text, room, "%#x", flags);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(text);

		if ((flags & names[i].flag) == 0)
			continue;
		snprintf(&text[len], room - len, "%s%s", before, names[i].name);
		before = ",";
	}
	if (flags != 0)
		strlcpy(&text[strlen(text)], ">", room - strlen(text));
}

static void
print_keg_name(const struct uma_zone *zone, char *text, size_t room)
{
	strlcpy(text,
	    zone->uz_keg != NULL ? zone->uz_keg->uk_name : "cache zone", room);
}

/* Of the pages of a slab, what items have, in percent. */
static void
print_keg_efficiency(const struct uma_zone *zone, char *text, size_t room)
{
	const struct uma_keg *keg = zone->uz_keg;

	snprintf(text, room, "%ju",
	    (uintmax_t)keg->uk_ipers * keg->uk_rsize * 100 /
		ptoa(keg->uk_ppera));
}

enum where { IN_ZONE, IN_KEG, IN_STAT };

struct zone_var {
	const char *zv_name; /* below the zone */
	enum where zv_where;
	uint16_t zv_off; /* of a number of zv_len bytes */
	uint16_t zv_len;
	/* What is no number. */
	void (*zv_print)(const struct uma_zone *zone, char *text, size_t room);
};

#define NUMBER(name, where, type, field)                                       \
	{                                                                      \
		name, where, offsetof(struct type, field),                     \
		    sizeof(((struct type *)NULL)->field), NULL                 \
	}
#define ZONE_VAR(name, field) NUMBER(name, IN_ZONE, uma_zone, field)
#define KEG_VAR(name, field)  NUMBER(name, IN_KEG, uma_keg, field)
#define STAT_VAR(name, field) NUMBER(name, IN_STAT, uma_stat, field)
#define TEXT_VAR(name, where, print)                                           \
	{                                                                      \
		name, where, 0, 0, print                                       \
	}

/* Memory is one domain. */
static const struct zone_var zone_vars[] = {
	ZONE_VAR("size", uz_size),
	TEXT_VAR("flags", IN_ZONE, print_zone_flags),
	ZONE_VAR("bucket_size", uz_count),
	ZONE_VAR("bucket_size_max", uz_bucket_max),
	TEXT_VAR("keg.name", IN_ZONE, print_keg_name),
	KEG_VAR("keg.rsize", uk_rsize),
	KEG_VAR("keg.ppera", uk_ppera),
	KEG_VAR("keg.ipers", uk_ipers),
	KEG_VAR("keg.reserve", uk_reserve),
	TEXT_VAR("keg.efficiency", IN_KEG, print_keg_efficiency),
	KEG_VAR("keg.domain.0.pages", uk_pages),
	KEG_VAR("keg.domain.0.free_items", uk_freeitems),
	ZONE_VAR("limit.items", uz_items),
	ZONE_VAR("limit.max_items", uz_max_items),
	ZONE_VAR("limit.sleepers", uz_sleepers),
	ZONE_VAR("limit.sleeps", uz_sleeps),
	ZONE_VAR("domain.0.nitems", uz_nitems),
	ZONE_VAR("domain.0.imin", uz_imin),
	STAT_VAR("stats.current", ust_used),
	STAT_VAR("stats.allocs", ust_requests),
	STAT_VAR("stats.frees", ust_frees),
	STAT_VAR("stats.fails", ust_fails),
};

#define NVARS (sizeof(zone_vars) / sizeof(zone_vars[0]))

static uint64_t
number_at(const void *base, const struct zone_var *var)
{
	const void *p = (const uint8_t *)base + var->zv_off;

	switch (var->zv_len) {
	case sizeof(uint16_t):
		return (*(const uint16_t *)p);
	case sizeof(uint32_t):
		return (*(const uint32_t *)p);
	default:
		return (*(const uint64_t *)p);
	}
}

static uint64_t
zone_number(struct uma_zone *zone, const struct zone_var *var)
{
	struct uma_stat stat;
	uint64_t v;

	if (var->zv_where == IN_STAT) {
		uma_zone_get_stat(zone, &stat);
		return (number_at(&stat, var));
	}
	mtx_lock_spin(zone->uz_lockptr);
	v = number_at(var->zv_where == IN_KEG ? (void *)zone->uz_keg : zone,
	    var);
	mtx_unlock_spin(zone->uz_lockptr);
	return (v);
}

/* A cache zone has no keg. */
static bool
zone_has_var(const struct uma_zone *zone, const struct zone_var *var)
{
	return (var->zv_where != IN_KEG || zone->uz_keg != NULL);
}

static int
read_zone_var(struct uma_zone *zone, const char *name, struct sysctl_req *req)
{
	for (size_t i = 0; i < NVARS; i++) {
		const struct zone_var *var = &zone_vars[i];

		if (strcmp(name, var->zv_name) != 0 || !zone_has_var(zone, var))
			continue;
		if (var->zv_print != NULL)
			var->zv_print(zone, req->old, req->oldroom);
		else
			snprintf(req->old, req->oldroom, "%ju",
			    (uintmax_t)zone_number(zone, var));
		return (0);
	}
	return (ENOENT);
}

/*
 * vm.uma, vm.zone_stats and vm.zone_count.
 */

static bool
uma_var_name(size_t idx, char *name, size_t room)
{
	char ctlname[CTLNAME_MAX];
	bool found = false;

	uma_list_lock();
	UMA_ZONE_FOREACH(zone) {
		for (size_t i = 0; i < NVARS && !found; i++) {
			if (!zone_has_var(zone, &zone_vars[i]) || idx-- > 0)
				continue;
			zone_ctlname(zone, ctlname);
			snprintf(name, room, "%s.%s", ctlname,
			    zone_vars[i].zv_name);
			found = true;
		}
		if (found)
			break;
	}
	uma_list_unlock();
	return (found);
}

static int
uma_var_read(const char *name, struct sysctl_req *req)
{
	struct uma_zone *zone;
	const char *rest;
	int error = ENOENT;

	uma_list_lock();
	zone = find_zone(name, &rest);
	if (zone != NULL && *rest == '.')
		error = read_zone_var(zone, &rest[1], req);
	uma_list_unlock();
	return (error);
}

static const struct sysctl_live uma_vars = { uma_var_name, uma_var_read };
SYSCTL_LIVE_NODE(_vm, OID_AUTO, uma, &uma_vars, "UMA's zones");

static bool
zone_stats_name(size_t idx, char *name, size_t room)
{
	char ctlname[CTLNAME_MAX];
	struct uma_zone *zone;

	uma_list_lock();
	zone = uma_zone_first();
	while (zone != NULL && idx-- > 0)
		zone = uma_zone_next(zone);
	if (zone != NULL) {
		zone_ctlname(zone, ctlname);
		strlcpy(name, ctlname, room);
	}
	uma_list_unlock();
	return (zone != NULL);
}

static int
zone_stats_read(const char *name, struct sysctl_req *req)
{
	struct uma_stat stat;
	struct uma_zone *zone;
	const char *rest;
	bool found;

	uma_list_lock();
	zone = find_zone(name, &rest);
	found = zone != NULL && *rest == '\0';
	if (found)
		uma_zone_get_stat(zone, &stat);
	uma_list_unlock();
	if (!found)
		return (ENOENT);
	snprintf(req->old, req->oldroom,
	    "size %u limit %ju used %ju free %ju requests %ju fails %ju "
	    "sleeps %ju",
	    stat.ust_size, (uintmax_t)stat.ust_limit, (uintmax_t)stat.ust_used,
	    (uintmax_t)stat.ust_free, (uintmax_t)stat.ust_requests,
	    (uintmax_t)stat.ust_fails, (uintmax_t)stat.ust_sleeps);
	return (0);
}

static const struct sysctl_live zone_stats = { zone_stats_name,
	zone_stats_read };
SYSCTL_LIVE_NODE(_vm, OID_AUTO, zone_stats, &zone_stats, "A line a zone");

static int
sysctl_zone_count(SYSCTL_HANDLER_ARGS)
{
	int n = 0;

	(void)arg1, (void)arg2;
	uma_list_lock();
	UMA_ZONE_FOREACH(zone)
		n++;
	uma_list_unlock();
	return (sysctl_handle_int(oidp, NULL, n, req));
}
SYSCTL_PROC(_vm, OID_AUTO, zone_count, CTLTYPE_INT | CTLFLAG_RD, NULL, 0,
    sysctl_zone_count, "I", "How many zones there are");
