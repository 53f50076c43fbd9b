/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps that tests have in common.
 */
#ifndef __TEST_STEPS_H__
#define __TEST_STEPS_H__

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <scx/common.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "scx_test.h"

#define TRY(call)							\
	do {								\
		enum scx_test_status __status = (call);			\
		if (__status != SCX_TEST_PASS)				\
			return __status;				\
	} while (0)

/* Whether @cond comes true within so many seconds. */
#define BECOMES_WITHIN(seconds, cond) ({					\
	bool __true;								\
	int __i;								\
	for (__i = 0; !(__true = (cond)) && __i < (seconds) * 100; __i++)	\
		usleep(10000);							\
	__true;									\
})

/* The same, with the time that a slow machine may need, such as one that is emulated. */
#define BECOMES(cond)	BECOMES_WITHIN(60, cond)

static inline bool scx_state_is(const char *want)
{
	char state[32] = "";
	int fd;

	fd = open("/sys/kernel/sched_ext/state", O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, state, sizeof(state) - 1) < 0)
		state[0] = '\0';
	close(fd);
	state[strcspn(state, "\n")] = '\0';
	return !strcmp(state, want);
}

/* fork(), and the child goes when its parent does, so that a failed test leaves none. */
static inline pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* The letter for the state of a task in its stat, behind its name. 0 if there is no such task. */
static inline char state_of(pid_t pid)
{
	char path[64], line[256] = "", *name_end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	close(fd);
	name_end = strrchr(line, ')');
	return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

/* Write to a file of sysfs or its like. Returns 0, or -errno. */
static inline int put_text(const char *file, const char *fmt, ...)
{
	char text[128];
	va_list args;
	int fd, len, ret = 0;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fd = open(file, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * The map with this id has been freed. Maps are, behind a grace period. A scheduler's, and
 * with it the arena of its programs, are behind one of RCU Tasks, which is long under load.
 */
static inline bool map_is_gone(u32 id)
{
	int fd;

	return BECOMES_WITHIN(300, (fd = bpf_map_get_fd_by_id(id)) == -ENOENT ||
				   (close(fd), false));
}

static inline u32 map_id(const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	u32 len = sizeof(info);

	return bpf_map_get_info_by_fd(bpf_map__fd(map), &info, &len) ? 0 : info.id;
}

#endif  // # __TEST_STEPS_H__
