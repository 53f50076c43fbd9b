// SPDX-License-Identifier: GPL-2.0
/*
 * sleepers COUNT: make COUNT tasks that sleep, say so, and end with them when standard
 * input does. The tasks share all memory: what is left is what the kernel keeps for each.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STACK	2048

static int child(void *arg)
{
	for (;;)
		pause();
	return 0;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 0;
	char *stacks, c;

	if (count <= 0)
		errx(1, "usage: sleepers COUNT");
	stacks = aligned_alloc(16, count * STACK);
	if (!stacks)
		err(1, "stacks");
	for (long i = 1; i <= count; i++)
		if (clone(child, stacks + i * STACK, CLONE_VM | CLONE_FS | CLONE_FILES, NULL) < 0)
			err(1, "clone");
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	kill(0, SIGKILL);
	return 1;
}
