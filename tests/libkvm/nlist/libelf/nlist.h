/* The struct nlist of libelf, as on Linux. */
#ifndef TESTS_NLIST_H
#define TESTS_NLIST_H

struct nlist {
	char *n_name;
	long n_value;
	short n_scnum;
	unsigned short n_type;
	char n_sclass;
	char n_numaux;
};

#endif
