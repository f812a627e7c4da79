/* A struct nlist whose value has 32 bits, as macOS once had. */
#ifndef TESTS_NLIST_H
#define TESTS_NLIST_H

struct nlist {
	union {
		char *n_name;
		long n_strx;
	} n_un;
	unsigned char n_type;
	unsigned char n_sect;
	short n_desc;
	unsigned int n_value;
};

#define NLIST_NAME n_un.n_name

#endif
