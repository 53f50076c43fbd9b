// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD=failnth.so FAILNTH=WHO COMMAND...: while COMMAND attaches a scheduler by
 * libbpf, let one of the allocations fail that the kernel makes for it: the first, then the
 * second, and so on until none is left to fail. WHO is "caller", the task that attaches, or
 * "helper", the kernel thread that does most of it. The kernel counts by task, see fail-nth in
 * Documentation/fault-injection; what counts is set in debugfs.
 *
 * Programs are loaded once. Maps like their struct_ops map are filled, since what is in one
 * can't be taken out; then it is itself attached and detached again and again. Each time, that
 * is refused for want of memory, or it works. COMMAND goes on with the last link, of a
 * scheduler that has been ended before.
 *
 * Leaves a line for each allocation in /tmp/failnth, and where they lie in the kernel's log.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "failnth: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The fail-nth of the kernel thread that enables schedulers, or -1 while there is none. */
static int helper(void)
{
	char path[64], name[64];
	struct dirent *entry;
	int fd = -1;
	DIR *proc;
	FILE *f;

	proc = opendir("/proc");
	if (!proc)
		die("/proc");
	while (fd < 0 && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%.20s/comm", entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, "scx_ops_enable", 14)) {
			snprintf(path, sizeof(path), "/proc/%.20s/fail-nth", entry->d_name);
			fd = open(path, O_RDWR);
			if (fd < 0)
				die(path);
		}
		fclose(f);
	}
	closedir(proc);
	return fd;
}

static int is_struct_ops(int map)
{
	char path[64], line[128];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "map_type:", 9))
			found = atoi(line + 9) == BPF_MAP_TYPE_STRUCT_OPS;
	fclose(f);
	return found;
}

static FILE *out;
static int kmsg = -1;

static void wrong(unsigned int n, const char *what, const char *more)
{
	fprintf(out, "%u WRONG: %s%s\n", n, what, more);
	fclose(out);
	exit(1);
}

/* The first line of a file, "" if there is none. */
static const char *first_line(const char *path)
{
	static char line[256];
	FILE *f = fopen(path, "r");

	*line = 0;
	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = 0;
	if (f)
		fclose(f);
	return line;
}

static int state_is(const char *state)
{
	return !strcmp(first_line("/sys/kernel/sched_ext/state"), state);
}

static void *idle(void *arg)
{
	return arg;
}

/* It schedules: new threads and this one run under it. */
static void works(unsigned int n)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 5; i++) {
		usleep(1000);
		if (pthread_create(&thread, NULL, idle, NULL) || pthread_join(thread, NULL))
			wrong(n, "no thread", "");
	}
	if (!state_is("enabled"))
		wrong(n, "it ended: ", first_line("/sys/kernel/sched_ext/state"));
}

typedef long (*bpf_call)(long number, ...);

/* Make the call with the n-th allocation to fail. Returns how many weren't counted any more. */
static unsigned int failing(unsigned int n, int fd, bpf_call next, const long arg[3], long *ret)
{
	char text[32] = "";
	int error, len;

	len = snprintf(text, sizeof(text), "failnth: point %u\n", n);
	if (write(kmsg, text, len) != len)
		die("/dev/kmsg");
	memset(text, 0, sizeof(text));
	/* from here to the end of the call nothing else allocates in this task */
	if (dprintf(fd, "%u", n) < 0)
		die("fail-nth");
	*ret = next(SYS_bpf, arg[0], arg[1], arg[2]);
	error = errno;
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0 || pwrite(fd, "0", 1, 0) != 1)
		die("fail-nth");
	errno = error;
	return strtoul(text, NULL, 10);
}

/* What the struct_ops map was created with. */
static union bpf_attr created;
static size_t created_size;

static void fill(int fd, bpf_call next, const long arg[3])
{
	long create[3] = { BPF_MAP_CREATE, (long)&created, created_size };
	union bpf_attr attr = *(union bpf_attr *)arg[1];
	long call[3] = { arg[0], (long)&attr, arg[2] };
	unsigned int n, rest = 0;
	long ret;

	for (n = 1; !rest; n++) {
		attr.map_fd = next(SYS_bpf, create[0], create[1], create[2]);
		if ((int)attr.map_fd < 0)
			wrong(n, "no map: ", strerror(errno));
		rest = failing(n, fd, next, call, &ret);
		if (ret && (rest || errno != ENOMEM))
			wrong(n, "map: ", strerror(errno));
		if (rest)
			fprintf(out, "map: %u counted\n", n - rest);
		else
			fprintf(out, "%u map %s\n", n, ret ? "refused" : "filled");
		close(attr.map_fd);
	}
}

static long attach(int fd, bpf_call next, const long arg[3])
{
	unsigned int n, rest;
	const char *now;
	long ret;

	for (n = 1;; n++) {
		rest = failing(n, fd, next, arg, &ret);
		if (ret >= 0 && state_is("enabled")) {
			works(n);
			if (rest)
				break;
			fprintf(out, "%u link attached\n", n);
		} else {
			/* without an error, it is the scheduler's exit that tells */
			if (rest || (ret < 0 && errno != ENOMEM))
				wrong(n, "link: ", strerror(errno));
			fprintf(out, "%u link %s\n", n, ret < 0 ? "refused" : "ejected");
		}
		if (ret >= 0)
			close(ret);
		if (!state_is("disabled"))
			wrong(n, "state: ", first_line("/sys/kernel/sched_ext/state"));
	}
	now = first_line("/sys/kernel/sched_ext/root/arena");
	fprintf(out, "link: %u counted, %s\n", n - rest, now);
	return ret;
}

/* libbpf has no other way into the kernel than this for what it asks of BPF. */
long syscall(long number, ...)
{
	bpf_call next = dlsym(RTLD_NEXT, "syscall");
	int fd, by_helper, map, link;
	union bpf_attr *attr;
	const char *who;
	long arg[6], ret;
	va_list args;
	int i;

	va_start(args, number);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);

	attr = (union bpf_attr *)arg[1];
	if (number == SYS_bpf && arg[0] == BPF_MAP_CREATE && attr->map_type == BPF_MAP_TYPE_STRUCT_OPS) {
		created_size = (size_t)arg[2] < sizeof(created) ? (size_t)arg[2] : sizeof(created);
		memcpy(&created, attr, created_size);
	}
	/* the link's target lies where other links have a program */
	map = number == SYS_bpf && arg[0] == BPF_MAP_UPDATE_ELEM && is_struct_ops(attr->map_fd);
	link = number == SYS_bpf && arg[0] == BPF_LINK_CREATE && is_struct_ops(attr->link_create.prog_fd);
	who = getenv("FAILNTH") ?: "";
	by_helper = !strcmp(who, "helper");
	if ((!map && !link) || (map && by_helper))
		return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);

	if (!out)
		out = fopen("/tmp/failnth", "w");
	if (kmsg < 0)
		kmsg = open("/dev/kmsg", O_WRONLY);
	fd = by_helper ? helper() : open("/proc/thread-self/fail-nth", O_RDWR);
	if (!out || kmsg < 0 || fd < 0)
		die("can't start");
	if (map) {
		fill(fd, next, arg);
		ret = next(number, arg[0], arg[1], arg[2]);
	} else {
		ret = attach(fd, next, arg);
	}
	fflush(out);
	close(fd);
	return ret;
}
