/*
 * Test cases that need a process of their own: a SIGBUS handler is installed
 * once in a process, and cmocka sets its own in each test.
 */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

/* The result of run_child() if func returns and no assertion failed. */
#define CHILD_OK 0

/*
 * Run func(arg) in a child, for ten seconds at most, and return how it ended:
 * its exit status, or minus the signal that killed it.  An assertion that fails
 * is -SIGABRT.
 */
int run_child(void (*func)(const void *arg), const void *arg);

#endif
