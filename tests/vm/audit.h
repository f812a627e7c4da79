/* What is always true of pages, while no thread is about to change them. */
#ifndef TESTS_VM_AUDIT_H
#define TESTS_VM_AUDIT_H

/*
 * NULL, or what is wrong and with which page; until the next call.  Looks at all
 * pages.  Takes vm_mtx.
 */
const char *audit_pages(void);

#endif
