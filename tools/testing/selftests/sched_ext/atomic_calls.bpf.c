// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that call functions with preemption disabled, which the verifier should accept
 * (ok_) or refuse (no_). What it should say is in atomic_calls.c.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;
void bpf_throw(u64 cookie) __ksym;
int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
int bpf_wq_set_callback_impl(struct bpf_wq *wq,
			     int (callback_fn)(void *map, int *key, void *value),
			     unsigned int flags, void *aux__ign) __ksym;
void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, u32 page_cnt, int node_id,
				    u64 flags) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
} arena SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} progs SEC(".maps");

struct timed {
	struct bpf_timer	timer;
	struct bpf_wq		wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct timed);
} timed SEC(".maps");

private(A) struct bpf_spin_lock lock;

/* not known to the verifier */
u32 unknown;
u64 counter;

#define PROG(type, name)	SEC("?" type) int name(void *ctx)
/* verified by itself, and not inlined */
#define GLOBAL			__attribute__((noinline)) int
#define STATIC			static __attribute__((noinline)) int

/* calls @call with preemption disabled */
#define ATOMIC(call) ({								\
	int __ret;								\
										\
	bpf_preempt_disable();							\
	__ret = call;								\
	bpf_preempt_enable();							\
	__ret;									\
})

GLOBAL g_plain(int n)
{
	counter += n;
	return n + unknown;
}

PROG("syscall", ok_plain)
{
	return ATOMIC(g_plain(7));
}

PROG("tc", ok_not_sleepable)
{
	return ATOMIC(g_plain(7));
}

STATIC s_calls_plain(int n)
{
	return g_plain(n) + unknown;
}

GLOBAL g_two_levels(int n)
{
	return s_calls_plain(n) + unknown;
}

PROG("syscall", ok_two_levels)
{
	return ATOMIC(g_two_levels(7));
}

GLOBAL g_own_preempt(int n)
{
	bpf_preempt_disable();
	counter += n;
	bpf_preempt_enable();
	return n + unknown;
}

PROG("syscall", ok_own_preempt)
{
	return ATOMIC(g_own_preempt(7));
}

GLOBAL g_locks(int n)
{
	bpf_spin_lock(&lock);
	counter += n;
	bpf_spin_unlock(&lock);
	return n + unknown;
}

PROG("syscall", ok_locks)
{
	return ATOMIC(g_locks(7));
}

GLOBAL g_sleeps(int n)
{
	u64 data = 0;

	bpf_copy_from_user(&data, sizeof(data), (void *)(u64)unknown);
	return n + unknown;
}

/* one that sleeps isn't called where it can't */
PROG("syscall", ok_sleeps_before)
{
	return g_sleeps(3) + ATOMIC(g_plain(4)) + g_sleeps(0);
}

static int add(u32 i, void *ctx)
{
	counter += i;
	return 0;
}

GLOBAL g_loops(int n)
{
	bpf_loop(4, add, NULL, 0);
	return n + unknown;
}

PROG("syscall", ok_loops)
{
	return ATOMIC(g_loops(7));
}

GLOBAL g_storage(int n)
{
	u64 *value;

	value = bpf_task_storage_get(&storage, bpf_get_current_task_btf(), 0,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	return value ? n + unknown : n;
}

/* doesn't allocate so that it may sleep, as the program isn't sleepable */
PROG("tp_btf/sched_switch", ok_storage)
{
	return ATOMIC(g_storage(0));
}

static int wq_sleeps(void *map, int *key, void *value)
{
	u64 data = 0;

	bpf_copy_from_user(&data, sizeof(data), (void *)(u64)unknown);
	return 0;
}

GLOBAL g_wq(int n)
{
	struct timed *elem;
	int key = 0;

	elem = bpf_map_lookup_elem(&timed, &key);
	if (!elem || bpf_wq_init(&elem->wq, &timed, 0))
		return n;
	return bpf_wq_set_callback_impl(&elem->wq, wq_sleeps, 0, NULL);
}

/* what sleeps runs later */
PROG("tp_btf/sched_switch", ok_wq)
{
	return ATOMIC(g_wq(0));
}

PROG("syscall", no_helper)
{
	return ATOMIC(g_sleeps(7));
}

GLOBAL g_sleeps_in_kfunc(int n)
{
	return bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 0) ? n + unknown : n;
}

PROG("syscall", no_kfunc)
{
	return ATOMIC(g_sleeps_in_kfunc(7));
}

GLOBAL g_calls_one_that_sleeps(int n)
{
	return g_sleeps(n) + unknown;
}

PROG("syscall", no_two_levels)
{
	return ATOMIC(g_calls_one_that_sleeps(7));
}

GLOBAL g_sleeps_later(int n);

/* one that is behind it in the object */
GLOBAL g_three_levels(int n)
{
	return unknown ? s_calls_plain(n) : g_sleeps_later(n);
}

PROG("syscall", no_three_levels)
{
	return ATOMIC(g_three_levels(7));
}

STATIC s_calls_one_that_sleeps(int n)
{
	return g_calls_one_that_sleeps(n) + unknown;
}

GLOBAL g_sleeps_later(int n)
{
	return s_calls_one_that_sleeps(n) + unknown;
}

/* the first call is fine */
PROG("syscall", no_second_call)
{
	return ATOMIC(g_plain(3) + g_sleeps(4));
}

/* ... and it is known by then that the function sleeps */
PROG("syscall", no_known_to_sleep)
{
	return g_calls_one_that_sleeps(3) + ATOMIC(g_calls_one_that_sleeps(4));
}

/* a static function is followed, into a global one as well */
STATIC s_disables(int n)
{
	return ATOMIC(g_sleeps(n));
}

PROG("syscall", no_in_static_function)
{
	return s_disables(7);
}

static int sleeps(u32 i, void *ctx)
{
	u64 data = 0;

	bpf_copy_from_user(&data, sizeof(data), (void *)(u64)unknown);
	return 0;
}

GLOBAL g_callback_sleeps(int n)
{
	bpf_loop(4, sleeps, NULL, 0);
	return n + unknown;
}

PROG("syscall", no_callback)
{
	return ATOMIC(g_callback_sleeps(7));
}

/* in a sleepable program, this allocates so that it may sleep */
PROG("syscall", no_storage)
{
	return ATOMIC(g_storage(7));
}

GLOBAL g_back_to_start(int n);

static int timer_goes_back(void *map, int *key, void *value)
{
	return ATOMIC(g_back_to_start(0));
}

/* by way of a timer, this function leads to itself: no order of looking at functions is right */
STATIC s_starts_timer(int n)
{
	struct timed *elem;
	int key = 0;
	u64 data = 0;

	if (unknown) {
		elem = bpf_map_lookup_elem(&timed, &key);
		if (elem)
			bpf_timer_set_callback(&elem->timer, timer_goes_back);
		return n;
	}
	bpf_copy_from_user(&data, sizeof(data), (void *)(u64)unknown);
	return n + unknown;
}

GLOBAL g_back_to_start(int n)
{
	return s_starts_timer(n) + unknown;
}

PROG("syscall", no_cycle)
{
	return s_starts_timer(7);
}

GLOBAL g_throws(int n)
{
	if (unknown)
		bpf_throw(0);
	return n + unknown;
}

PROG("syscall", no_throw)
{
	return ATOMIC(g_throws(0));
}

GLOBAL g_tail_call(struct __sk_buff *ctx)
{
	bpf_tail_call(ctx, &progs, 0);
	return unknown;
}

SEC("?tc") int no_tail_call(struct __sk_buff *ctx)
{
	return ATOMIC(g_tail_call(ctx));
}

PROG("syscall", no_direct_sleep)
{
	u64 data = 0;

	bpf_preempt_disable();
	bpf_copy_from_user(&data, sizeof(data), (void *)(u64)unknown);
	bpf_preempt_enable();
	return 0;
}

GLOBAL g_enables(int n)
{
	bpf_preempt_enable();
	return n + unknown;
}

PROG("syscall", no_enable_in_callee)
{
	return ATOMIC(g_enables(7));
}

PROG("syscall", no_lock_held)
{
	int ret;

	bpf_spin_lock(&lock);
	ret = g_plain(7);
	bpf_spin_unlock(&lock);
	return ret;
}

/* calls @call in an RCU critical section */
#define IN_RCU(call) ({								\
	int __ret;								\
										\
	bpf_rcu_read_lock();							\
	__ret = call;								\
	bpf_rcu_read_unlock();							\
	__ret;									\
})

PROG("syscall", ok_rcu)
{
	return IN_RCU(g_plain(7));
}

/* sleeps to allocate at most */
PROG("syscall", ok_rcu_storage)
{
	return IN_RCU(g_storage(7));
}

PROG("syscall", no_rcu_sleeps)
{
	return IN_RCU(g_sleeps(7));
}

PROG("syscall", no_rcu_kfunc)
{
	return IN_RCU(g_sleeps_in_kfunc(7));
}

GLOBAL g_curr(int n)
{
	struct task_struct *p = scx_bpf_cpu_curr(0);

	return p ? p->pid : n;
}

GLOBAL g_two_levels_curr(int n)
{
	return g_curr(n) + unknown;
}

PROG("tp_btf/sched_switch", ok_rcu_program)
{
	return ATOMIC(g_two_levels_curr(0));
}

/* The program is in an RCU critical section, what it calls back isn't. */
#define CALLS_BACK(name, call)							\
static int name##_callback(void *map, int *key, void *value)			\
{										\
	counter += call;							\
	return 0;								\
}										\
										\
PROG("tp_btf/sched_switch", name)						\
{										\
	struct timed *elem;							\
	int key = 0;								\
										\
	elem = bpf_map_lookup_elem(&timed, &key);				\
	if (!elem || bpf_wq_init(&elem->wq, &timed, 0))				\
		return 0;							\
	return bpf_wq_set_callback_impl(&elem->wq, name##_callback, 0, NULL);	\
}

CALLS_BACK(ok_rcu_in_callback, IN_RCU(g_two_levels_curr(0)))
CALLS_BACK(no_rcu_callback, g_two_levels_curr(0))

/* These replace g_plain() of ok_not_sleepable. */
SEC("?freplace/g_plain") int replace_plain(int n)
{
	return 2 * n + unknown;
}

SEC("?freplace/g_plain") int replace_sleeps(int n)
{
	return bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 0) ? n : 0;
}
