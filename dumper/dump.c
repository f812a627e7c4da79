/*
 * One dump: who may run, which sink, how small.
 *
 * A work area has one owner at a time.  A dump takes it from an estimate, which
 * ran on a CPU that is now stopped.  That CPU may continue after the debugger,
 * and then sees that the owner's number has changed.  A dump never takes it
 * from a dump: one that finds another there is a panic inside of that dump.
 */
#include "dumper/dumper_int.h"

static_assert(sizeof(struct work) <= sizeof(struct dump_work),
    "DUMP_WORK_LEN is too small");

#define OWNER_NONE    0
#define OWNER_DUMPING 1 /* in the lowest bit; the others are a number */

#define MAX_PHYS_BITS 52

static struct work *
as_work(const struct dump_work *work)
{
	return ((struct work *)(uintptr_t)work);
}

/* ---- The owner ---- */

static uint64_t
new_ticket(struct work *work)
{
	return (2 * __atomic_add_fetch(&work->wk_ticket, 1, __ATOMIC_SEQ_CST));
}

static bool
own_for_dump(struct work *work, uint64_t *ticket)
{
	uint64_t owner = __atomic_load_n(&work->wk_owner, __ATOMIC_SEQ_CST);

	*ticket = new_ticket(work) | OWNER_DUMPING;
	do {
		if ((owner & OWNER_DUMPING) != 0)
			return (false);
	} while (!__atomic_compare_exchange_n(&work->wk_owner, &owner, *ticket,
	    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return (true);
}

static bool
own_for_estimate(struct work *work, uint64_t *ticket)
{
	uint64_t owner = OWNER_NONE;

	*ticket = new_ticket(work);
	return (__atomic_compare_exchange_n(&work->wk_owner, &owner, *ticket,
	    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

/* false: it was taken away. */
static bool
disown(struct work *work, uint64_t ticket)
{
	return (__atomic_compare_exchange_n(&work->wk_owner, &ticket,
	    OWNER_NONE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

void
dump_abandon(struct dump_work *work)
{
	__atomic_store_n(&as_work(work)->wk_owner, OWNER_NONE,
	    __ATOMIC_SEQ_CST);
	__atomic_store_n(&as_work(work)->wk_phase, DUMP_PHASE_IDLE,
	    __ATOMIC_SEQ_CST);
}

/* ---- What the kernel hears ---- */

enum dump_phase
dump_phase(const struct dump_work *work)
{
	return ((enum dump_phase)__atomic_load_n(&as_work(work)->wk_phase,
	    __ATOMIC_SEQ_CST));
}

const char *
dump_bad_name(enum dump_bad kind)
{
	static const char *const names[DUMP_NBAD] = {
		[DUMP_BAD_RESERVED] = "reserved bits in a page-table entry",
		[DUMP_BAD_TABLE] = "page table outside of memory",
		[DUMP_BAD_SELF] = "page table that contains itself",
		[DUMP_BAD_PAGE] = "mapped page outside of memory",
		[DUMP_BAD_UNREADABLE] = "page that cannot be read",
		[DUMP_BAD_NEVER] = "page table in a page that is never dumped",
	};

	return ((unsigned int)kind < DUMP_NBAD ? names[kind] : "unknown");
}

const char *
dump_phase_name(enum dump_phase phase)
{
	static const char *const names[] = {
		[DUMP_PHASE_IDLE] = "idle",
		[DUMP_PHASE_WALK] = "choosing pages",
		[DUMP_PHASE_PLAN] = "adding up sizes",
		[DUMP_PHASE_CLEAR] = "erasing the old dump",
		[DUMP_PHASE_DATA] = "writing pages",
		[DUMP_PHASE_HEADERS] = "writing headers",
	};

	return ((unsigned int)phase <= DUMP_PHASE_HEADERS ? names[phase] :
							    "unknown");
}

/* ---- The size ---- */

static void
set_format(struct attempt *at, enum dump_format format)
{
	static const struct dump_layout *const layouts[] = {
		[DUMP_FORMAT_MINIDUMP1] = &layout_minidump1,
		[DUMP_FORMAT_MINIDUMP3] = &layout_minidump3,
		[DUMP_FORMAT_FULL] = &layout_full,
	};

	at->at_format = format;
	at->at_layout = layouts[format];
}

/* The next smaller dump; false: there is none. */
static bool
shrink(struct attempt *at)
{
	if ((at->at_flags & DUMP_FLAG_EXACT) != 0)
		return (false);
	if (at->at_format == DUMP_FORMAT_FULL)
		set_format(at, DUMP_FORMAT_MINIDUMP1);
	else if ((at->at_flags & DUMP_FLAG_ALLUSER) != 0)
		at->at_flags &= ~(unsigned int)DUMP_FLAG_ALLUSER;
	else if ((at->at_flags & DUMP_FLAG_ALLBULK) != 0)
		at->at_flags &= ~(unsigned int)DUMP_FLAG_ALLBULK;
	else if (owners_len(at) != 0)
		at->at_flags |= DUMP_FLAG_NOOWNERS;
	else if ((at->at_flags & DUMP_FLAG_NOBULK) == 0)
		at->at_flags |= DUMP_FLAG_NOBULK;
	else
		return (false);
	return (true);
}

static int
size_up(struct attempt *at)
{
	struct dump_result *res = at->at_res;
	int error = plan_select(at);

	if (error == 0)
		error = sections_size(at);
	if (error != 0)
		return (error);
	res->res_format = at->at_format;
	res->res_flags = at->at_flags;
	res->res_need = at->at_extent;
	if (at->at_sink != NULL)
		res->res_need = device_need(at->at_sink, at->at_extent);
	return (0);
}

/* Choose pages, as many as the sink has room for. */
static int
plan(struct attempt *at)
{
	int error = plan_base(at);

	while (error == 0 && (error = size_up(at)) == 0) {
		if (at->at_sink == NULL ||
		    device_fits(at->at_sink, at->at_extent))
			return (0);
		if (!shrink(at))
			return (DUMP_E2BIG);
	}
	return (error);
}

/* ---- The machine ---- */

/* NULL: its page tables cannot be walked. */
static const struct mmu *
find_mmu(enum dump_arch arch)
{
	static const struct mmu *const mmus[ARCH_COUNT] = {
		[ARCH_AMD64] = &mmu_amd64,
	};

	return ((unsigned int)arch < ARCH_COUNT ? mmus[arch] : NULL);
}

/* ---- One sink ---- */

static struct attempt
begin(const struct dump_request *req, const struct dump_sink *sink,
    struct dump_result *res)
{
	const struct dump_machine *machine = req->dr_machine;
	struct dump_pages *dp = machine->dm_pages;
	struct attempt at = { .at_req = req,
		.at_machine = machine,
		.at_mmu = find_mmu(machine->dm_arch),
		.at_sink = sink,
		.at_pages = dp,
		.at_work = as_work(req->dr_work),
		.at_res = res,
		.at_flags = req->dr_flags,
		.at_phys_bits = machine->dm_phys_bits };

	if (at.at_phys_bits == 0 || at.at_phys_bits > MAX_PHYS_BITS)
		at.at_phys_bits = MAX_PHYS_BITS;
	set_format(&at, req->dr_format);
	memset(res, 0, sizeof(*res));
	res->res_sink = sink != NULL ? (size_t)(sink - req->dr_sinks) : 0;
	return (at);
}

static int
write_to(struct attempt *at)
{
	const struct dump_sink *sink = at->at_sink;
	const struct dump_hooks *hooks = at->at_req->dr_hooks;
	int error;

	if (sink->ds_open != NULL && (error = sink->ds_open(sink->ds_arg)) != 0)
		return (error);
	if (hooks != NULL && hooks->dh_planned != NULL)
		hooks->dh_planned(hooks->dh_arg, sink, at->at_res);
	error = device_write(at);
	if (sink->ds_close != NULL)
		sink->ds_close(sink->ds_arg, error);
	return (error);
}

static int
try_sink(const struct dump_request *req, const struct dump_sink *sink,
    struct dump_result *res)
{
	const struct dump_hooks *hooks = req->dr_hooks;
	struct attempt at = begin(req, sink, res);
	int error = DUMP_EINVAL;

	at.at_writing = true;
	if (device_valid(sink)) {
		error = plan(&at);
		if (error == 0)
			error = write_to(&at);
	}
	res->res_error = error;
	if (error != 0 && hooks != NULL && hooks->dh_failed != NULL)
		hooks->dh_failed(hooks->dh_arg, sink, res);
	return (error);
}

/* ---- Entry points ---- */

static bool
machine_valid(const struct dump_machine *machine)
{
	const uint64_t part_mask = (UINT64_C(1) << 21) - 1;
	uint64_t last;

	return (machine != NULL && find_mmu(machine->dm_arch) != NULL &&
	    machine->dm_pages != NULL &&
	    machine->dm_pages->dp_set.set_nsegs > 0 &&
	    machine->dm_page != NULL &&
	    (machine->dm_kva_start & part_mask) == 0 &&
	    machine->dm_dmap_start <= machine->dm_dmap_end &&
	    (machine->dm_kva_len == 0 ||
		!__builtin_add_overflow(machine->dm_kva_start,
		    machine->dm_kva_len - 1, &last)));
}

static bool
request_valid(const struct dump_request *req)
{
	return (req->dr_work != NULL && machine_valid(req->dr_machine) &&
	    (unsigned int)req->dr_format <= DUMP_FORMAT_FULL &&
	    (req->dr_sinks != NULL || req->dr_nsinks == 0));
}

int
dump_write(const struct dump_request *req, struct dump_result *res)
{
	uint64_t ticket;
	int error = DUMP_ENXIO;
	struct work *work;

	if (!request_valid(req))
		return (DUMP_EINVAL);
	work = as_work(req->dr_work);
	if (!own_for_dump(work, &ticket))
		return (DUMP_EBUSY);
	memset(res, 0, sizeof(*res));
	for (size_t i = 0; i < req->dr_nsinks; i++) {
		error = try_sink(req, &req->dr_sinks[i], res);
		if (error == 0 || error == DUMP_ECANCELED)
			break;
	}
	res->res_error = error;
	__atomic_store_n(&work->wk_phase, DUMP_PHASE_IDLE, __ATOMIC_SEQ_CST);
	(void)disown(work, ticket);
	return (error);
}

static int
estimate_for(const struct dump_request *req, const struct dump_sink *sink,
    struct dump_result *res)
{
	struct attempt at = begin(req, sink, res);

	if (sink != NULL && !device_valid(sink))
		return (DUMP_EINVAL);
	return (plan(&at));
}

int
dump_estimate(const struct dump_request *req, struct dump_result *res)
{
	uint64_t ticket;
	struct work *work;
	int error;

	if (!request_valid(req))
		return (DUMP_EINVAL);
	work = as_work(req->dr_work);
	if (!own_for_estimate(work, &ticket))
		return (DUMP_EBUSY);
	if (req->dr_nsinks == 0)
		error = estimate_for(req, NULL, res);
	else
		error = DUMP_ENXIO;
	for (size_t i = 0; i < req->dr_nsinks && error != 0; i++)
		error = estimate_for(req, &req->dr_sinks[i], res);
	res->res_error = error;
	return (disown(work, ticket) ? error : DUMP_EAGAIN);
}
