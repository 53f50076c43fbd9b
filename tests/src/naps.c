// SPDX-License-Identifier: GPL-2.0
/*
 * naps MICROSECONDS: sleep that long, again and again: a task that wakes, and makes no other do so.
 */
#include <err.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long us = argc > 1 ? atol(argv[1]) : 0;

	if (us <= 0)
		errx(1, "usage: naps MICROSECONDS");
	for (;;)
		usleep(us);
}
