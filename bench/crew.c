/* See crew.h.  The caller of crew_time() is no member: it only waits. */
#include <stdlib.h>

#include "bench/crew.h"
#include "bench/figures.h"
#include "tests/vm/sim.h"

struct member {
	unsigned int mb_cpu;
	pthread_barrier_t *mb_start;
	crew_work *mb_work;
	const void *mb_arg;
};

static void *
run_member(void *arg)
{
	const struct member *mb = arg;

	sim_pin(mb->mb_cpu);
	mb->mb_work(mb->mb_start, mb->mb_arg);
	return (NULL);
}

double
crew_time(unsigned int nthreads, crew_work *work, const void *arg)
{
	struct member members[CREW_MAX];
	pthread_t threads[CREW_MAX];
	pthread_barrier_t start;
	double began;

	pthread_barrier_init(&start, NULL, nthreads + 1);
	for (unsigned int i = 0; i < nthreads; i++) {
		members[i] = (struct member){ i, &start, work, arg };
		if (pthread_create(&threads[i], NULL, run_member,
			&members[i]) != 0)
			abort();
	}
	pthread_barrier_wait(&start);
	began = figures_cpu_now();
	for (unsigned int i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	return (figures_cpu_now() - began);
}
