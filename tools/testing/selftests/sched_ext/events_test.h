/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __EVENTS_TEST_H__
#define __EVENTS_TEST_H__

/* Events that the scheduler counts too, each in its own way. */
#define EVENTS(X)								\
	X(SELECT_CPU_FALLBACK)							\
	X(DISPATCH_LOCAL_DSQ_OFFLINE)						\
	X(DISPATCH_KEEP_LAST)							\
	X(ENQ_SKIP_EXITING)							\
	X(REFILL_SLICE_DFL)							\
	X(BYPASS_DURATION)							\
	X(BYPASS_DISPATCH)							\
	X(BYPASS_ACTIVATE)

/* A copy at fixed places, for user space. */
enum events_idx {
#define X(name) IDX_##name,
	EVENTS(X)
#undef X
	NR_EVENTS,
};

/* What "wakee" and "busy" tasks meet with. */
enum events_mode {
	MODE_QUIET,
	MODE_FALLBACK,		/* select a CPU where the wakee can't run */
	MODE_OFFLINE,		/* put the wakee on the local DSQ of a CPU that is offline */
};

#endif
