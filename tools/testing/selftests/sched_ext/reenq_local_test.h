/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __REENQ_LOCAL_TEST_H__
#define __REENQ_LOCAL_TEST_H__

#define NR_TASKS	3
#define NR_REPEATS	5

/* Where the local DSQ is asked to be re-enqueued. */
enum reenq_where {
	REENQ_SYSCALL,		/* no rq is locked */
	REENQ_TICK,		/* the rq of the CPU is */
	REENQ_RELEASE,		/* in ops.cpu_release() */
	REENQ_RELEASE_V1,	/* ... by the old form */
	REENQ_RELEASE_HEADER,	/* ... by what the header makes of it */
	REENQ_REPEAT,		/* again NR_REPEATS times while it is done */
	REENQ_FOREVER,		/* again and again: refused */
	REENQ_TICK_V1,		/* refused */
};

#endif
