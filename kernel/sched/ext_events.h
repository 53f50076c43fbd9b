/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sched_ext: Counters of what the kernel did on its own. See ext_events.c.
 */
#ifndef _KERNEL_SCHED_EXT_EVENTS_H
#define _KERNEL_SCHED_EXT_EVENTS_H

#include <linux/percpu.h>
#include <linux/types.h>

/**
 * struct scx_event_stats - How often what happened since the scheduler was enabled
 * @SCX_EV_SELECT_CPU_FALLBACK: a task couldn't run on the CPU that was selected for
 *	it, and went to another
 * @SCX_EV_DISPATCH_LOCAL_DSQ_OFFLINE: a task went to the global DSQ, as the CPU whose
 *	local DSQ it was meant for is offline
 * @SCX_EV_DISPATCH_KEEP_LAST: a task went on after its slice, as there was no other
 *	and %SCX_OPS_ENQ_LAST isn't set
 * @SCX_EV_ENQ_SKIP_EXITING: an exiting task went to the local DSQ without ops.enqueue(),
 *	as %SCX_OPS_ENQ_EXITING isn't set
 * @SCX_EV_ENQ_SKIP_MIGRATION_DISABLED: a task with migration disabled went to the local
 *	DSQ without ops.enqueue(), as %SCX_OPS_ENQ_MIGRATION_DISABLED isn't set
 * @SCX_EV_REENQ_REPEAT: a task of a local DSQ was re-enqueued because re-enqueueing it
 *	or others asked for it
 * @SCX_EV_REFILL_SLICE_DFL: a task got a slice of %SCX_SLICE_DFL from the kernel
 * @SCX_EV_BYPASS_DURATION: nsecs for which the scheduler was bypassed, up to the last
 *	end of that
 * @SCX_EV_BYPASS_DISPATCH: a task was queued without the scheduler, which was bypassed
 * @SCX_EV_BYPASS_ACTIVATE: the scheduler began to be bypassed
 *
 * Names and order are those of later kernels, of which 6.12 can't have all.
 */
struct scx_event_stats {
	s64 SCX_EV_SELECT_CPU_FALLBACK;
	s64 SCX_EV_DISPATCH_LOCAL_DSQ_OFFLINE;
	s64 SCX_EV_DISPATCH_KEEP_LAST;
	s64 SCX_EV_ENQ_SKIP_EXITING;
	s64 SCX_EV_ENQ_SKIP_MIGRATION_DISABLED;
	s64 SCX_EV_REENQ_REPEAT;
	s64 SCX_EV_REFILL_SLICE_DFL;
	s64 SCX_EV_BYPASS_DURATION;
	s64 SCX_EV_BYPASS_DISPATCH;
	s64 SCX_EV_BYPASS_ACTIVATE;
};

#define SCX_NR_EVENTS		(sizeof(struct scx_event_stats) / sizeof(s64))

extern const char *const scx_event_names[SCX_NR_EVENTS];

DECLARE_PER_CPU(struct scx_event_stats, scx_event_stats_cpu);

/* Count an event, or @n of them. The caller stays on its CPU. */
#define scx_event(name)		__this_cpu_inc(scx_event_stats_cpu.name)
#define scx_event_add(name, n)	__this_cpu_add(scx_event_stats_cpu.name, (n))

/* The counter of scx_event_names[@nr]. */
static inline s64 scx_event_nth(const struct scx_event_stats *stats, int nr)
{
	return READ_ONCE(((const s64 *)stats)[nr]);
}

void scx_events_reset(void);
void scx_events_read(struct scx_event_stats *sum);

#endif /* _KERNEL_SCHED_EXT_EVENTS_H */
