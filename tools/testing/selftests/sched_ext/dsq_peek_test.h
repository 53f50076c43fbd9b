/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DSQ_PEEK_TEST_H__
#define __DSQ_PEEK_TEST_H__

#define NR_TASKS	4

#define DSQ_FIFO	1
#define DSQ_VTIME	2
#define DSQ_NONE	3

/* What dsq_peek.bpf.c does wrong, one at a time. */
enum dsq_peek_wrong {
	PEEK_FINE,
	PEEK_UNCHECKED,		/* looks into what may be NULL */
	PEEK_NO_RCU,
	PEEK_NONE,		/* a DSQ that doesn't exist */
	PEEK_GLOBAL,
	PEEK_LOCAL,
};

#endif
