// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD=attachtime.so COMMAND...: adds a line "ATTACH DETACH" to /tmp/attachtime, how long
 * the kernel took to attach a scheduler by libbpf and to end it when its link was closed, in ns
 * of the clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

static int link = -1;
static long long attach;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* libbpf has no other way into the kernel than this for what it asks of BPF. */
long syscall(long number, ...)
{
	long (*next)(long number, ...) = dlsym(RTLD_NEXT, "syscall");
	long long start;
	long arg[6], ret;
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	start = now();
	ret = next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	if (number == SYS_bpf && arg[0] == BPF_LINK_CREATE && ret >= 0) {
		attach = now() - start;
		link = ret;
	}
	return ret;
}

int close(int fd)
{
	int (*next)(int fd) = dlsym(RTLD_NEXT, "close");
	long long start = now();
	int ret = next(fd);

	if (fd == link) {
		FILE *f = fopen("/tmp/attachtime", "a");

		if (f) {
			fprintf(f, "%lld %lld\n", attach, now() - start);
			fclose(f);
		}
		link = -1;
	}
	return ret;
}
