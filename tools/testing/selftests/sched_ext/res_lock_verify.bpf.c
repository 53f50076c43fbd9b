// SPDX-License-Identifier: GPL-2.0
/*
 * Small programs that the verifier should accept (ok_) or refuse (no_) for what they do
 * with resilient locks. What it should say is in res_lock_verify.c.
 */
#include <scx/common.bpf.h>
#include <scx/arena_slab.bpf.h>

char _license[] SEC("license") = "GPL";

private(A) struct bpf_res_spin_lock lock_a;
private(B) struct bpf_res_spin_lock lock_b;
private(S) struct bpf_spin_lock plain_lock;

struct value {
	struct bpf_res_spin_lock	lock;
	u32				n;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct value);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct value);
} array SEC(".maps");

struct twice {
	struct bpf_res_spin_lock	lock;
	struct bpf_res_spin_lock	another;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct twice);
} twice SEC(".maps");

struct both {
	struct bpf_res_spin_lock	lock;
	struct bpf_spin_lock		another;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct both);
} both SEC(".maps");

struct timed {
	struct bpf_res_spin_lock	lock;
	struct bpf_timer		timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timed);
} timed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} progs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} arena SEC(".maps");

/* not known to the verifier */
u32 unknown;
u64 counter;

#define PROG(name)	SEC("?syscall") int name(void *ctx)

PROG(ok_lock)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	counter++;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(ok_irq)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	counter++;
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

/* two at once, and one way out for all errors */
PROG(ok_two)
{
	unsigned long flags;
	int ret;

	ret = bpf_res_spin_lock(&lock_a);
	if (ret)
		return ret;
	ret = bpf_res_spin_lock_irqsave(&lock_b, &flags);
	if (!ret) {
		counter++;
		bpf_res_spin_unlock_irqrestore(&lock_b, &flags);
	}
	bpf_res_spin_unlock(&lock_a);
	return ret;
}

PROG(ok_loops)
{
	u32 i, k;

	bpf_for(i, 0, 100) {
		if (bpf_res_spin_lock(&lock_a))
			continue;
		bpf_for(k, 0, 100)
			counter += k;
		bpf_res_spin_unlock(&lock_a);
	}
	return 0;
}

static __noinline int take(void)
{
	return bpf_res_spin_lock(&lock_a);
}

static __noinline void release(void)
{
	bpf_res_spin_unlock(&lock_a);
}

PROG(ok_functions)
{
	if (take())
		return 1;
	release();
	return 0;
}

static __noinline int take_irq(unsigned long *flags)
{
	return bpf_res_spin_lock_irqsave(&lock_a, flags);
}

PROG(ok_flags_of_caller)
{
	unsigned long flags;

	if (take_irq(&flags))
		return 1;
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

PROG(ok_value)
{
	u32 key = unknown;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v || bpf_res_spin_lock(&v->lock))
		return 1;
	v->n++;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

/* two values that may be the same one: -EDEADLK then */
PROG(ok_two_values)
{
	u32 key = unknown, other = unknown / 2;
	struct value *v = bpf_map_lookup_elem(&array, &key);
	struct value *w = bpf_map_lookup_elem(&array, &other);

	if (!v || !w || bpf_res_spin_lock(&v->lock))
		return 1;
	if (!bpf_res_spin_lock(&w->lock)) {
		w->n = v->n;
		bpf_res_spin_unlock(&w->lock);
	}
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

static long count_value(struct bpf_map *map, u32 *key, struct value *v, void *ctx)
{
	if (bpf_res_spin_lock(&v->lock))
		return 0;
	v->n++;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

PROG(ok_for_each)
{
	return bpf_for_each_map_elem(&values, count_value, NULL, 0);
}

static int timer_fires(void *map, u32 *key, struct timed *t)
{
	if (bpf_res_spin_lock(&t->lock))
		return 0;
	counter++;
	bpf_res_spin_unlock(&t->lock);
	return 0;
}

PROG(ok_timer)
{
	u32 key = 0;
	struct timed *t = bpf_map_lookup_elem(&timed, &key);

	if (!t)
		return 1;
	bpf_timer_init(&t->timer, &timed, 1);
	return bpf_timer_set_callback(&t->timer, timer_fires);
}

/* other kinds of programs than most here */
SEC("?tp_btf/sched_switch")
int BPF_PROG(ok_tracing, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return ok_lock(NULL);
}

SEC("?kprobe/do_nothing")
int ok_kprobe(void *ctx)
{
	return ok_irq(NULL);
}

SEC("?perf_event")
int ok_perf_event(void *ctx)
{
	return ok_irq(NULL);
}

SEC("?socket")
int ok_socket(void *ctx)
{
	return ok_lock(NULL);
}

SEC("?tc")
int ok_tc(void *ctx)
{
	return ok_two(NULL);
}

/* what can't be called with a lock held, where there is none */
SEC("?tc")
int ok_tc_calls_on_error(void *ctx)
{
	unsigned long flags;

	if (bpf_res_spin_lock(&lock_a)) {
		counter = bpf_ktime_get_ns();
		return 1;
	}
	if (bpf_res_spin_lock_irqsave(&lock_b, &flags)) {
		bpf_res_spin_unlock(&lock_a);
		counter = bpf_ktime_get_ns();
		return 1;
	}
	counter++;
	bpf_res_spin_unlock_irqrestore(&lock_b, &flags);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

/* loads, but has to be kept from maps with locks when it is attached */
SEC("?iter/bpf_map_elem")
int writes_values(struct bpf_iter__bpf_map_elem *ctx)
{
	struct value *v = ctx->value;

	if (v)
		v->lock.val = 0;
	return 0;
}

PROG(no_result_ignored)
{
	bpf_res_spin_lock(&lock_a);
	counter++;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_result_misread)
{
	if (bpf_res_spin_lock(&lock_a))
		bpf_res_spin_unlock(&lock_a);
	return 0;
}

/* takes what is an error for what is none */
PROG(no_result_positive)
{
	if (bpf_res_spin_lock(&lock_a) > 0)
		return 1;
	counter++;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_double_acquire)
{
	bpf_res_spin_lock(&lock_a);
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_release)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	if (unknown == 7)
		return 2;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_release_in_loop)
{
	u32 i;

	bpf_for(i, 0, 100)
		if (bpf_res_spin_lock(&lock_a))
			return 1;
	return 0;
}

PROG(no_acquire)
{
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_acquire_on_one_path)
{
	u32 take = unknown;

	if (take == 7 && bpf_res_spin_lock(&lock_a))
		return 1;
	counter++;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

/* the path with the lock is explored first, and must not stand for the other */
PROG(no_merged_paths)
{
	int ret = 1;

	if (unknown == 7)
		ret = bpf_res_spin_lock(&lock_a);
	asm volatile ("" : "+r"(ret));
	if (unknown == 8)
		counter++;
	if (!ret || unknown == 9)
		bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_order)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	if (bpf_res_spin_lock(&lock_b)) {
		bpf_res_spin_unlock(&lock_a);
		return 1;
	}
	bpf_res_spin_unlock(&lock_a);
	bpf_res_spin_unlock(&lock_b);
	return 0;
}

PROG(no_other_value)
{
	u32 key = unknown;
	struct value *v = bpf_map_lookup_elem(&values, &key);
	struct value *w = bpf_map_lookup_elem(&values, &key);

	if (!v || !w || bpf_res_spin_lock(&v->lock))
		return 1;
	bpf_res_spin_unlock(&w->lock);
	return 0;
}

struct outer_value {
	struct value *v;
};

static long other_callback_value(struct bpf_map *map, u32 *key, struct value *w,
				 struct outer_value *outer)
{
	if (bpf_res_spin_lock(&w->lock))
		return 0;
	bpf_res_spin_unlock(&outer->v->lock);
	return 0;
}

static long outer_callback(struct bpf_map *map, u32 *key, struct value *v, void *ctx)
{
	struct outer_value outer = { .v = v };

	bpf_for_each_map_elem(&values, other_callback_value, &outer, 0);
	return 0;
}

PROG(no_other_callback_value)
{
	return bpf_for_each_map_elem(&values, outer_callback, NULL, 0);
}

static long keeps_lock(struct bpf_map *map, u32 *key, struct value *v, void *ctx)
{
	return bpf_res_spin_lock(&v->lock) ? 1 : 0;
}

PROG(no_release_in_callback)
{
	return bpf_for_each_map_elem(&values, keeps_lock, NULL, 0);
}

static __always_inline struct value *value_at(u32 key)
{
	return bpf_map_lookup_elem(&array, &key);
}

PROG(no_nine)
{
	struct value *a = value_at(0), *b = value_at(1), *c = value_at(2);
	struct value *d = value_at(3), *e = value_at(4), *f = value_at(5);
	struct value *g = value_at(6), *h = value_at(7), *i = value_at(8);

	if (!a || !b || !c || !d || !e || !f || !g || !h || !i)
		return 1;
	return bpf_res_spin_lock(&a->lock) || bpf_res_spin_lock(&b->lock) ||
	       bpf_res_spin_lock(&c->lock) || bpf_res_spin_lock(&d->lock) ||
	       bpf_res_spin_lock(&e->lock) || bpf_res_spin_lock(&f->lock) ||
	       bpf_res_spin_lock(&g->lock) || bpf_res_spin_lock(&h->lock) ||
	       bpf_res_spin_lock(&i->lock);
}

PROG(no_sleep)
{
	char c = 0;

	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_copy_from_user(&c, 1, NULL);
	bpf_res_spin_unlock(&lock_a);
	return c;
}

PROG(no_sleeping_kfunc)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 0);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_helper)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	counter = bpf_ktime_get_ns();
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_rcu)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_rcu_read_lock();
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

__noinline int global_function(void)
{
	return counter++;
}

PROG(no_global_function)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	global_function();
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

SEC("?tc")
int no_tail_call(struct __sk_buff *ctx)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_tail_call(ctx, &progs, 0);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_spin_lock_inside)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_spin_lock(&plain_lock);
	bpf_spin_unlock(&plain_lock);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_inside_spin_lock)
{
	bpf_spin_lock(&plain_lock);
	if (!bpf_res_spin_lock(&lock_a))
		bpf_res_spin_unlock(&lock_a);
	bpf_spin_unlock(&plain_lock);
	return 0;
}

PROG(no_stack_lock)
{
	struct bpf_res_spin_lock lock = {};

	if (bpf_res_spin_lock(&lock))
		return 1;
	bpf_res_spin_unlock(&lock);
	return 0;
}

PROG(no_arena_lock)
{
	struct bpf_res_spin_lock __arena *lock =
		bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 0);

	if (!lock || bpf_res_spin_lock((struct bpf_res_spin_lock *)lock))
		return 1;
	return 0;
}

PROG(no_maybe_null)
{
	u32 key = unknown;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (bpf_res_spin_lock(&v->lock))
		return 1;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

PROG(no_wrong_offset)
{
	u32 key = unknown;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v || bpf_res_spin_lock((struct bpf_res_spin_lock *)&v->n))
		return 1;
	bpf_res_spin_unlock((struct bpf_res_spin_lock *)&v->n);
	return 0;
}

PROG(no_variable_offset)
{
	u32 key = unknown, off = unknown & 4;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v)
		return 1;
	v = (void *)v + off;
	if (bpf_res_spin_lock(&v->lock))
		return 1;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

PROG(no_direct_access)
{
	u32 key = unknown;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!v)
		return 1;
	WRITE_ONCE(v->lock.val, 0);
	return 0;
}

PROG(no_twice)
{
	u32 key = 0;
	struct twice *v = bpf_map_lookup_elem(&twice, &key);

	if (!v || bpf_res_spin_lock(&v->lock))
		return 1;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

PROG(no_both)
{
	u32 key = 0;
	struct both *v = bpf_map_lookup_elem(&both, &key);

	if (!v || bpf_res_spin_lock(&v->lock))
		return 1;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

PROG(no_flags_for_plain)
{
	unsigned long flags = 0;

	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

PROG(no_plain_for_flags)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

PROG(no_flags_mixed_up)
{
	unsigned long flags_a, flags_b;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags_a))
		return 1;
	if (bpf_res_spin_lock_irqsave(&lock_b, &flags_b)) {
		bpf_res_spin_unlock_irqrestore(&lock_a, &flags_a);
		return 1;
	}
	bpf_res_spin_unlock_irqrestore(&lock_b, &flags_a);
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags_b);
	return 0;
}

PROG(no_flags_used_twice)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	if (!bpf_res_spin_lock_irqsave(&lock_b, &flags))
		bpf_res_spin_unlock_irqrestore(&lock_b, &flags);
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

PROG(no_flags_overwritten)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	WRITE_ONCE(flags, 0);
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

PROG(no_flags_partly_overwritten)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	WRITE_ONCE(*((u8 *)&flags + 1), 0);
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

/* which are whose depends on the path, and the paths meet before the release */
PROG(no_flags_by_path)
{
	unsigned long flags[2], *p = unknown == 7 ? &flags[0] : &flags[1];

	asm volatile ("" : "+r"(p));
	if (bpf_res_spin_lock_irqsave(&lock_a, p))
		return 1;
	if (unknown == 8)
		counter++;
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags[0]);
	return 0;
}

PROG(no_flags_elsewhere)
{
	if (bpf_res_spin_lock_irqsave(&lock_a, (unsigned long *)&counter))
		return 1;
	bpf_res_spin_unlock_irqrestore(&lock_a, (unsigned long *)&counter);
	return 0;
}

/* right above the slot that has them */
PROG(no_flags_at_fp)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	asm volatile ("r1 = %[lock] ll;"
	"r2 = r10;"
	"call %[unlock];"
	:: [lock]"i"(&lock_a), [unlock]"i"(bpf_res_spin_unlock_irqrestore)
	: "r0", "r1", "r2", "r3", "r4", "r5", "memory");
	return flags;
}

static __noinline int take_with_own_flags(void)
{
	unsigned long flags;

	return bpf_res_spin_lock_irqsave(&lock_a, &flags);
}

PROG(no_flags_of_callee)
{
	unsigned long flags;

	if (take_with_own_flags())
		return 1;
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}
