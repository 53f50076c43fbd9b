/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __CID_CMASK_TEST_H__
#define __CID_CMASK_TEST_H__

/* where the largest range ends, with some room */
#define CMASK_TEST_CIDS		8448
#define CMASK_TEST_WORDS	(2 + 130)
#define NR_CMASKS		4

/* what went wrong first */
enum cmask_wrong {
	CMASK_FINE,
	CMASK_SETUP,
	CMASK_AND,
	CMASK_OR,
	CMASK_COPY,
	CMASK_ANDNOT,
	CMASK_ZERO,
	CMASK_REFRAME,
	CMASK_TEST_AND,
	CMASK_EQUAL,
	CMASK_SUBSET,
	CMASK_INTERSECTS,
	CMASK_WEIGHT,
	CMASK_FOR_EACH,
	CMASK_NEXT,
	CMASK_NEXT_AND,
	CMASK_NEXT_AND2,
	CMASK_NEXT_WRAP,
	CMASK_NEXT_AND_WRAP,
	CMASK_NEXT_AND2_WRAP,
	CMASK_FROM_CPUMASK,
};

struct cmask_test {
	/* header and bits of each */
	unsigned long long	mask[NR_CMASKS][CMASK_TEST_WORDS];
	/* the same sets, a byte a cid */
	unsigned char		model[NR_CMASKS][CMASK_TEST_CIDS];
};

/* rounded up for the largest page size */
#define CMASK_TEST_PAGES	64

#endif /* __CID_CMASK_TEST_H__ */
