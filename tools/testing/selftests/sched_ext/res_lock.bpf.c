// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of all kinds that take resilient locks, some in ways that can't go well.
 */
#include <scx/common.bpf.h>
#include <scx/arena_slab.bpf.h>
#include "res_lock_test.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

private(A) struct bpf_res_spin_lock lock_a;
private(B) struct bpf_res_spin_lock lock_b;

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} arena SEC(".maps");

/* guarded by lock_a: what is lost here was written by two at a time */
u64 __arena_global guarded;

struct res_lock_counts counts[NR_RES_LOCK_CONTEXTS];
u64 taken_on[RES_LOCK_CPUS];

/* a timer on each CPU */
struct timed {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RES_LOCK_CPUS);
	__type(key, u32);
	__type(value, struct timed);
} timers SEC(".maps");

struct value {
	struct bpf_res_spin_lock	lock;
	u32				n;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RES_LOCK_VALUES);
	__type(key, u32);
	__type(value, struct value);
} preallocated SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RES_LOCK_VALUES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct value);
} allocated SEC(".maps");

bool stop;
/* whether programs that hold the lock can be interrupted */
bool interruptible;
bool hold;
u32 keep_rounds;
u64 took_ns;
u32 arrived;
u32 released;
u64 eject_after;
u64 enqueued;
int met_a, met_b;
u64 pair_deadlocks, pair_timeouts, pairs_taken;
u32 nr_stuck;

#define ITERATIONS	(8 * 1024 * 1024)

static __always_inline void result(enum res_lock_context from, int ret)
{
	struct res_lock_counts *c = &counts[from];
	u32 cpu = bpf_get_smp_processor_id();

	if (ret == -EDEADLK) {
		__sync_fetch_and_add(&c->deadlocks, 1);
	} else if (ret) {
		__sync_fetch_and_add(&c->timeouts, 1);
	} else {
		__sync_fetch_and_add(&c->taken, 1);
		if (cpu < RES_LOCK_CPUS)
			__sync_fetch_and_add(&taken_on[cpu], 1);
	}
}

static __always_inline void count(enum res_lock_context from)
{
	int ret = bpf_res_spin_lock(&lock_a);

	if (!ret) {
		ARENA_STORE(guarded, guarded + 1);
		bpf_res_spin_unlock(&lock_a);
	}
	result(from, ret);
}

static __always_inline void count_irq(enum res_lock_context from)
{
	unsigned long flags;
	int ret = bpf_res_spin_lock_irqsave(&lock_a, &flags);

	if (!ret) {
		ARENA_STORE(guarded, guarded + 1);
		bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	}
	result(from, ret);
}

SEC("syscall")
int contend(void *ctx)
{
	u32 i;

	bpf_for(i, 0, 100) {
		if (READ_ONCE(interruptible))
			count(FROM_SYSCALL);
		count_irq(FROM_SYSCALL);
	}
	return 0;
}

static int timer_fires(void *map, u32 *key, struct timed *t)
{
	if (READ_ONCE(interruptible))
		count(FROM_TIMER);
	else
		count_irq(FROM_TIMER);
	if (!READ_ONCE(stop))
		bpf_timer_start(&t->timer, 50000, BPF_F_TIMER_CPU_PIN);
	return 0;
}

SEC("syscall")
int start_timer(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct timed *t = bpf_map_lookup_elem(&timers, &cpu);

	if (!t)
		return 1;
	bpf_timer_init(&t->timer, &timers, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&t->timer, timer_fires);
	return bpf_timer_start(&t->timer, 50000, BPF_F_TIMER_CPU_PIN);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(traced, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	count(FROM_TRACING);
	return 0;
}

void BPF_STRUCT_OPS(res_lock_enqueue, struct task_struct *p, u64 enq_flags)
{
	count(FROM_STRUCT_OPS);
	if (eject_after && __sync_fetch_and_add(&enqueued, 1) == eject_after)
		scx_bpf_error("ejected on purpose");
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(res_lock_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(res_lock_ops,
	       .enqueue		= (void *)res_lock_enqueue,
	       .exit		= (void *)res_lock_exit,
	       .name		= "res_lock");

/* Take a lock, and again: what does the second say? */
SEC("syscall")
int take_twice(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int ret;

	if (bpf_res_spin_lock(&lock_a))
		return 1;
	ret = bpf_res_spin_lock(&lock_a);
	if (!ret)
		bpf_res_spin_unlock(&lock_a);
	bpf_res_spin_unlock(&lock_a);
	took_ns = bpf_ktime_get_ns() - start;
	return ret;
}

SEC("syscall")
int take_once(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int ret = bpf_res_spin_lock(&lock_a);

	if (!ret)
		bpf_res_spin_unlock(&lock_a);
	took_ns = bpf_ktime_get_ns() - start;
	return ret;
}

/* Wait, within reason, until both have their lock. */
static __always_inline bool meet(void)
{
	u32 i;

	__sync_fetch_and_add(&arrived, 1);
	bpf_for(i, 0, ITERATIONS)
		if (READ_ONCE(arrived) >= 2)
			return true;
	return false;
}

#define CROSS(name, own, other, met)						\
SEC("syscall")									\
int name(void *ctx)								\
{										\
	int ret = bpf_res_spin_lock(&own);					\
										\
	if (ret)								\
		return ret;							\
	if (meet()) {								\
		met = 1;							\
		ret = bpf_res_spin_lock(&other);				\
		if (!ret)							\
			bpf_res_spin_unlock(&other);				\
	}									\
	bpf_res_spin_unlock(&own);						\
	return ret;								\
}

CROSS(cross_a, lock_a, lock_b, met_a)
CROSS(cross_b, lock_b, lock_a, met_b)

/*
 * Keep the lock while told to, but not for ever: what wants all CPUs to stop waits for
 * this one.
 */
SEC("syscall")
int keep(void *ctx)
{
	u32 rounds = keep_rounds, i, k;

	if (bpf_res_spin_lock(&lock_a))
		return 1;
	WRITE_ONCE(arrived, 1);
	bpf_for(i, 0, rounds)
		bpf_for(k, 0, 10000)
			if (!READ_ONCE(hold))
				goto out;
out:
	WRITE_ONCE(released, 1);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

/* Any two values, in any order, while user space replaces them. */
static __always_inline void pair(void *one, void *two)
{
	u32 a = bpf_get_prandom_u32() % RES_LOCK_VALUES;
	u32 b = bpf_get_prandom_u32() % RES_LOCK_VALUES;
	struct value *v = bpf_map_lookup_elem(one, &a);
	struct value *w = bpf_map_lookup_elem(two, &b);
	int ret;

	if (!v || !w)
		return;
	ret = bpf_res_spin_lock(&v->lock);
	if (!ret) {
		ret = bpf_res_spin_lock(&w->lock);
		if (!ret) {
			v->n = w->n + 1;
			bpf_res_spin_unlock(&w->lock);
		}
		bpf_res_spin_unlock(&v->lock);
	}
	if (!ret)
		__sync_fetch_and_add(&pairs_taken, 1);
	else if (ret == -EDEADLK)
		__sync_fetch_and_add(&pair_deadlocks, 1);
	else
		__sync_fetch_and_add(&pair_timeouts, 1);
}

SEC("syscall")
int take_pairs(void *ctx)
{
	u32 i;

	bpf_for(i, 0, 100) {
		pair(&preallocated, &allocated);
		pair(&allocated, &preallocated);
		pair(&preallocated, &preallocated);
	}
	return 0;
}

static __always_inline void can_be_taken(void *map)
{
	struct value *v;
	u32 i, key;

	bpf_for(i, 0, RES_LOCK_VALUES) {
		key = i;
		v = bpf_map_lookup_elem(map, &key);
		if (!v || bpf_res_spin_lock(&v->lock)) {
			nr_stuck++;
			continue;
		}
		bpf_res_spin_unlock(&v->lock);
	}
}

/* Is any lock held that nobody has? */
SEC("syscall")
int take_each(void *ctx)
{
	nr_stuck = 0;
	can_be_taken(&preallocated);
	can_be_taken(&allocated);
	return 0;
}
