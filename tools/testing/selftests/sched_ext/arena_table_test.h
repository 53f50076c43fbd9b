/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ARENA_TABLE_TEST_H__
#define __ARENA_TABLE_TEST_H__

#include <scx/arena_table.h>

#define TABLE_TEST_TASKS	64
#define TABLE_TEST_SLOTS	SCX_TABLE_NR_SLOTS(TABLE_TEST_TASKS)
#define TABLE_TEST_KEYS		128

/* Those that stay while others come and go, and those that each CPU adds and removes */
#define TABLE_TEST_STAY		16
#define TABLE_TEST_A_CPU	4

/* rounded up for the largest page size */
#define TABLE_TEST_PAGES	4

/* what went wrong first */
enum table_wrong {
	TABLE_FINE,
	TABLE_ADD,
	TABLE_DEL,
	TABLE_FIND,
	TABLE_FULL,
	TABLE_KEY,
	TABLE_MISSED,
};

struct table_test {
	struct scx_table	table;
	struct scx_table_node __arena *slots[TABLE_TEST_SLOTS];
	/* what the model says: whether each key's is in the table */
	unsigned char		model[TABLE_TEST_KEYS];
	struct scx_table_node	entries[TABLE_TEST_KEYS];
};

#endif /* __ARENA_TABLE_TEST_H__ */
