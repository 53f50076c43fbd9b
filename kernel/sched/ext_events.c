// SPDX-License-Identifier: GPL-2.0
/*
 * sched_ext: Counters of what the kernel did on its own.
 *
 * Where a scheduler asks for what can't be, or isn't asked at all, the kernel does
 * something reasonable and says nothing. That it did can be seen in these counters:
 * with scx_bpf_events(), in the file "events" in sysfs, and in debug dumps.
 *
 * Each CPU counts for itself, so that counting is one instruction. Sums are taken by
 * those who look, without a lock: a counter may lag, but doesn't go back.
 */
#include "ext_events.h"

DEFINE_PER_CPU(struct scx_event_stats, scx_event_stats_cpu);

#define SCX_EVENT_NAME(name)							\
	[offsetof(struct scx_event_stats, name) / sizeof(s64)] = #name

const char *const scx_event_names[SCX_NR_EVENTS] = {
	SCX_EVENT_NAME(SCX_EV_SELECT_CPU_FALLBACK),
	SCX_EVENT_NAME(SCX_EV_DISPATCH_LOCAL_DSQ_OFFLINE),
	SCX_EVENT_NAME(SCX_EV_DISPATCH_KEEP_LAST),
	SCX_EVENT_NAME(SCX_EV_ENQ_SKIP_EXITING),
	SCX_EVENT_NAME(SCX_EV_ENQ_SKIP_MIGRATION_DISABLED),
	SCX_EVENT_NAME(SCX_EV_REENQ_REPEAT),
	SCX_EVENT_NAME(SCX_EV_REFILL_SLICE_DFL),
	SCX_EVENT_NAME(SCX_EV_BYPASS_DURATION),
	SCX_EVENT_NAME(SCX_EV_BYPASS_DISPATCH),
	SCX_EVENT_NAME(SCX_EV_BYPASS_ACTIVATE),
};

/**
 * scx_events_reset - Start all counters anew
 *
 * Context: While a scheduler is about to be enabled, before anything counts.
 */
void scx_events_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&scx_event_stats_cpu, cpu), 0, sizeof(scx_event_stats_cpu));
}

/**
 * scx_events_read - Sum the counters of all CPUs up
 * @sum: where to
 *
 * Context: Any.
 */
void scx_events_read(struct scx_event_stats *sum)
{
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		for (i = 0; i < SCX_NR_EVENTS; i++)
			((s64 *)sum)[i] += scx_event_nth(per_cpu_ptr(&scx_event_stats_cpu, cpu), i);
}
