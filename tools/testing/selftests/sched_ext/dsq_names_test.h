/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DSQ_NAMES_TEST_H__
#define __DSQ_NAMES_TEST_H__

/* Which names of operations on DSQs are used. */
enum dsq_form {
	FORM_OLD,		/* those of 6.12 */
	FORM_V1,		/* those of 6.13 */
	FORM_V2,		/* those of 7.3 */
	FORM_HEADER,		/* those that the header gives to any of the above */
	NR_FORMS,
};

/* What is done with the tasks under test. */
enum dsq_way {
	WAY_INSERT_VTIME,	/* inserted in order of vtime, which is reversed */
	WAY_MOVE,		/* inserted, then moved in iteration, with a slice of their own */
	WAY_MOVE_VTIME,		/* the same, and in reverse */
	WAY_HEAD,		/* moved to the head of the local DSQ */
	WAY_PREEMPT,		/* the same by another flag, a high bit, from another CPU */

	/* the rest are errors */
	WAY_BAD_FLAGS,
	WAY_BAD_MOVE_FLAGS,
	WAY_TWICE,
	WAY_INSERT_IN_RUNNING,
	WAY_TO_LOCAL_IN_ENQUEUE,
	WAY_NO_DSQ,
};

#define NR_TASKS	4
/* longer than a task may take to sleep again: it is enqueued once */
#define SLICE_OF(i)	(10000000000LLU + (i))

#endif
