#include "tests/support/child.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIME_LIMIT 10 /* seconds; what takes longer hangs */

int
run_child(void (*func)(const void *arg), const void *arg)
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	if ((pid = fork()) < 0) {
		perror("fork");
		abort();
	}
	if (pid == 0) {
		/* cmocka: say what failed and abort, do not run what is next. */
		(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
		(void)alarm(TIME_LIMIT);
		func(arg);
		(void)fflush(NULL);
		_exit(CHILD_OK);
	}
	if (waitpid(pid, &status, 0) != pid) {
		perror("waitpid");
		abort();
	}
	return (WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
}
