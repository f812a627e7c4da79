/* The struct nlist of FreeBSD. */
#ifndef TESTS_NLIST_H
#define TESTS_NLIST_H

struct nlist {
	const char *n_name;
	unsigned char n_type;
	char n_other;
	short n_desc;
	unsigned long n_value;
};

#endif
