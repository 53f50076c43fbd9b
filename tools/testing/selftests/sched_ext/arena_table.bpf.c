// SPDX-License-Identifier: GPL-2.0
/*
 * The table of arena_table.bpf.h, beside a model that knows no hashes: an array that tells
 * of each key whether it is there.
 */
#include <scx/common.bpf.h>
#include <scx/arena_table.bpf.h>
#include <scx/res_lock.bpf.h>
#include "arena_table_test.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_TEST_PAGES);
} arena SEC(".maps");

struct table_test __arena_global tt;

private(TABLE) struct bpf_res_spin_lock table_lock;

/* tasks that there may be, and slots for them */
u32 nr_tasks, nr_slots;
u32 nr_steps;

u64 seed;
u32 nr_added;
u64 nr_checks;
u64 nr_missed;
u32 wrong;

static __always_inline u32 random(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

static __always_inline void expect(bool right, enum table_wrong what)
{
	__sync_fetch_and_add(&nr_checks, 1);
	if (!right && !wrong)
		wrong = what;
}

/* Like addresses of tasks: far from each other, with zeroes at the end. */
static __always_inline u64 key_of(u32 k)
{
	return (u64)(k + 1) * 9600 << 32 | (k + 1) * 64;
}

static __always_inline struct scx_table_node __arena *entry(u32 k)
{
	return (struct scx_table_node __arena *)&tt.entries[k];
}

static __always_inline int add(u32 k)
{
	return scx_table_add(&tt.table, key_of(k), entry(k));
}

static __always_inline bool dels(u32 k)
{
	return scx_table_del(&tt.table, key_of(k)) == entry(k);
}

/* These aren't static, so that the verifier goes through their loops once. */
__noinline int add_one(u32 k)
{
	ARENA_ASSOCIATE(arena);
	return add(k);
}

/* Is the entry of @k found, or if it isn't to be there, none? */
__noinline int find_right(u32 k, u32 there)
{
	ARENA_ASSOCIATE(arena);
	return scx_table_find(&tt.table, key_of(k)) == (there ? entry(k) : NULL);
}

__noinline int del_right(u32 k, u32 there)
{
	ARENA_ASSOCIATE(arena);
	return scx_table_del(&tt.table, key_of(k)) == (there ? entry(k) : NULL);
}

SEC("syscall")
int setup(void *ctx)
{
	u32 i;

	bpf_for(i, 0, TABLE_TEST_SLOTS)
		ARENA_STORE(tt.slots[i], NULL);
	bpf_for(i, 0, TABLE_TEST_KEYS)
		ARENA_STORE(tt.model[i], false);
	nr_added = 0;
	scx_table_init(&tt.table, (void __arena *)tt.slots, nr_slots);
	return 0;
}

static __always_inline void expect_model(u32 k)
{
	expect(find_right(k, tt.model[k]), TABLE_FIND);
}

SEC("syscall")
int steps(void *ctx)
{
	u32 k, i;

	bpf_for(i, 0, nr_steps) {
		k = random() % TABLE_TEST_KEYS;
		if (tt.model[k] || nr_added == nr_tasks) {
			expect(del_right(k, tt.model[k]), TABLE_DEL);
			nr_added -= tt.model[k];
			tt.model[k] = false;
		} else {
			expect(!add_one(k), TABLE_ADD);
			nr_added++;
			tt.model[k] = true;
		}
		expect_model(k);
		expect_model(random() % TABLE_TEST_KEYS);
	}
	return 0;
}

SEC("syscall")
int empty(void *ctx)
{
	u32 k;

	bpf_for(k, 0, TABLE_TEST_KEYS) {
		expect_model(k);
		expect(del_right(k, tt.model[k]), TABLE_DEL);
		tt.model[k] = false;
	}
	return 0;
}

/* More than there are slots for: the last ones are refused, and searches end. */
SEC("syscall")
int fill(void *ctx)
{
	u32 k;

	bpf_for(k, 0, TABLE_TEST_KEYS)
		expect(add_one(k) == (k < nr_slots ? 0 : -ENOSPC), TABLE_FULL);
	bpf_for(k, 0, TABLE_TEST_KEYS)
		expect(find_right(k, k < nr_slots), TABLE_FULL);
	/* in an order of its own */
	bpf_for(k, 0, TABLE_TEST_KEYS) {
		u32 other = (k * 37 + 5) % TABLE_TEST_KEYS;

		expect(del_right(other, other < nr_slots), TABLE_FULL);
	}
	return 0;
}

/* The same number for a task wherever it comes from, and another for each task. */
SEC("syscall")
int keys(void *ctx)
{
	struct task_struct *current = bpf_get_current_task_btf(), *p;
	u64 mine = scx_table_key(current), again = 0, other = 0;

	p = bpf_task_from_pid(current->pid);
	if (p) {
		again = scx_table_key(p);
		bpf_task_release(p);
	}
	p = bpf_task_from_pid(1);
	if (p) {
		other = scx_table_key(p);
		bpf_task_release(p);
	}
	expect(mine == again, TABLE_KEY);
	expect(mine != other, TABLE_KEY);
	return 0;
}

SEC("syscall")
int stay(void *ctx)
{
	u32 k;

	bpf_for(k, 0, TABLE_TEST_STAY)
		expect(!add_one(k), TABLE_ADD);
	return 0;
}

/* Each CPU its own keys. Those that stay it takes out and puts back at once. */
SEC("syscall")
int churn(void *ctx)
{
	u32 first = TABLE_TEST_STAY + bpf_get_smp_processor_id() * TABLE_TEST_A_CPU, i, k;
	bool done;

	if (first + TABLE_TEST_A_CPU > TABLE_TEST_KEYS)
		return 1;
	bpf_for(i, 0, nr_steps) {
		k = first + i % TABLE_TEST_A_CPU;
		if (bpf_res_spin_lock(&table_lock))
			return 2;
		done = i / TABLE_TEST_A_CPU % 2 == 0 ? !add(k) : dels(k);
		k = i % TABLE_TEST_STAY;
		done = done && dels(k) && !add(k);
		bpf_res_spin_unlock(&table_lock);
		expect(done, TABLE_DEL);
	}
	return 0;
}

/* Meanwhile, what is found is right, and what isn't found is, under the lock. */
SEC("syscall")
int watch(void *ctx)
{
	struct scx_table_node __arena *found;
	u32 i, k;

	bpf_for(i, 0, nr_steps) {
		k = i % TABLE_TEST_STAY;
		found = scx_table_find(&tt.table, key_of(k));
		if (!found) {
			if (bpf_res_spin_lock(&table_lock))
				return 2;
			found = scx_table_find(&tt.table, key_of(k));
			bpf_res_spin_unlock(&table_lock);
			__sync_fetch_and_add(&nr_missed, 1);
		}
		expect(found == entry(k), TABLE_MISSED);
	}
	return 0;
}
