// SPDX-License-Identifier: GPL-2.0
/*
 * forks zombies COUNT: make COUNT children that exit at once, and don't wait for them
 * before being told to end.
 *
 * forks COUNT WORKERS: make COUNT children in all, as fast as WORKERS processes
 * can, each waiting for its child before the next. Fails if one fork does.
 *
 * forks ext|fifo PID: put a process under the policy SCHED_EXT or SCHED_FIFO.
 *
 * Children share the address space of their worker: this is about what the
 * scheduler sees of a fork, not about copying memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[16384] __attribute__((aligned(16)));

static int child(void *arg)
{
	return 0;
}

static int work(long count)
{
	while (count--) {
		int status;
		pid_t pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

		if (pid < 0) {
			fprintf(stderr, "forks: %s\n", strerror(errno));
			return 1;
		}
		if (waitpid(pid, &status, 0) != pid || status) {
			fprintf(stderr, "forks: child %d: status %#x\n", pid, status);
			return 1;
		}
	}
	return 0;
}

static int zombies(long count)
{
	siginfo_t info;

	while (count--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || waitid(P_PID, pid, &info, WEXITED | WNOWAIT)) {
			perror("forks: zombies");
			return 1;
		}
	}
	puts("forks: zombies made");
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "zombies"))
		return zombies(atol(argv[2]));
	if (argc == 3 && (!strcmp(argv[1], "ext") || !strcmp(argv[1], "fifo"))) {
		bool fifo = !strcmp(argv[1], "fifo");
		struct sched_param param = { .sched_priority = fifo };

		if (!sched_setscheduler(atoi(argv[2]), fifo ? SCHED_FIFO : 7 /* SCHED_EXT */, &param))
			return 0;
		perror("forks: sched_setscheduler");
		return 1;
	}

	long count = argc == 3 ? atol(argv[1]) : 0, workers = argc == 3 ? atol(argv[2]) : 0;
	int status, failed = 0;

	if (count < 1 || workers < 1 || count < workers) {
		fprintf(stderr, "usage: forks COUNT WORKERS | forks zombies COUNT | forks ext|fifo PID\n");
		return 2;
	}
	for (long i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("forks: fork");
			return 1;
		}
		if (!pid)
			_exit(work(count / workers + (i < count % workers)));
	}
	while (wait(&status) > 0)
		failed |= status;
	printf("forks: %ld children by %ld workers%s\n", count, workers, failed ? ", with failures" : "");
	return failed ? 1 : 0;
}
