/*
 * A "kernel" whose debug information has structures of all kinds.  It is never
 * run.
 */
struct late;

typedef const char *name_t;

struct thread {
	struct thread *td_next;
	int td_tid;
	union {
		long td_long;
		struct {
			short td_first;
			short td_second;
		};
	};
	struct {
		unsigned int code;
		long args[8];
	} td_sa;
	name_t td_wmesg;
	enum { TDS_INACTIVE, TDS_RUNNING } td_state;
	volatile char td_name[20];
	unsigned int td_bit:3;
	struct late *td_late;
	int td_table[2][3];
	int td_open[];
};

extern struct thread thread0;
struct thread thread0 = { .td_tid = 100000 };

void _start(void);

void
_start(void)
{
}

/* Declared first and defined here: what counts is the definition. */
struct late {
	int la_pad[3];
	int la_last;
};

extern struct late late0;
struct late late0;
