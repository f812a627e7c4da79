/* A struct nlist for files only: there is no pointer to a name. */
#ifndef TESTS_NLIST_H
#define TESTS_NLIST_H

struct nlist {
	union {
		unsigned int n_strx;
	} n_un;
	unsigned char n_type;
	unsigned char n_sect;
	short n_desc;
	unsigned long n_value;
};

#define NLIST_NAMELESS

#endif
