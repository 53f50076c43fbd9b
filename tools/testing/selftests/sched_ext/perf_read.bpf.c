// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that reads a performance counter of its CPU whenever a task begins to run.
 */
#include <scx/common.bpf.h>
#include "perf_read_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(int));
	__uint(max_entries, PERF_READ_CPUS + 1);
} counters SEC(".maps");

struct perf_read_cpu cpus[PERF_READ_CPUS];

void BPF_STRUCT_OPS(perf_read_running, struct task_struct *p)
{
	s32 cpu = bpf_get_smp_processor_id();
	struct bpf_perf_event_value value;
	struct perf_read_cpu *c;
	long err;

	if (cpu < 0 || cpu >= PERF_READ_CPUS)
		return;
	c = &cpus[cpu];

	err = bpf_perf_event_read_value(&counters, BPF_F_CURRENT_CPU, &value, sizeof(value));
	if (err) {
		c->err = err;
	} else {
		if (value.counter < c->counter)
			c->nr_back++;
		c->counter = value.counter;
		c->enabled = value.enabled;
		c->nr_read++;
	}

	c->no_event = bpf_perf_event_read_value(&counters, PERF_READ_CPUS, &value, sizeof(value));
	c->other_cpu = bpf_perf_event_read_value(&counters, !cpu, &value, sizeof(value));
	c->wrong_size = bpf_perf_event_read_value(&counters, BPF_F_CURRENT_CPU, &value,
						  sizeof(value) - 8);
}

void BPF_STRUCT_OPS(perf_read_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops perf_read_ops = {
	.running	= (void *)perf_read_running,
	.exit		= (void *)perf_read_exit,
	.name		= "perf_read",
};
