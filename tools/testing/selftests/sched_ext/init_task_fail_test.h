/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What init_task_fail.bpf.c and its test tell each other, in the arena.
 */
#ifndef __INIT_TASK_FAIL_TEST_H__
#define __INIT_TASK_FAIL_TEST_H__

#define INIT_TASK_FAIL_PAGES	64

struct init_task_fail_test {
	/* refuse the tasks that there are from this call of ops.init_task() on, if not 0 */
	unsigned int	refuse_from;
	/* ... and what this process forks */
	int		refuse_forks_of;
	/* hold up what this process forks, until released */
	int		hold_forks_of;
	int		held;
	int		release;

	/* hold up the exit of this task, if it dies while all leave the scheduler */
	int		hold_exit_of;
	int		all_leave;	/* ops.exit_task() is called for what hasn't died */
	int		exit_held;

	unsigned int	nr_calls;	/* of ops.init_task() for them */
	unsigned int	nr_accepted;	/* tasks, forks too */
	unsigned int	nr_exits;	/* of ops.exit_task() */
	unsigned int	nr_cancelled;	/* ... for forks that failed */
};

#endif
