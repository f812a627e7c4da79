/* The struct nlist of macOS: a union that may hold an offset. */
#ifndef TESTS_NLIST_H
#define TESTS_NLIST_H

struct nlist {
	union {
		char *n_name;
		unsigned int n_strx;
	} n_un;
	unsigned char n_type;
	unsigned char n_sect;
	short n_desc;
	unsigned long n_value;
};

#define NLIST_NAME n_un.n_name

#endif
