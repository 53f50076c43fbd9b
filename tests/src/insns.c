// SPDX-License-Identifier: GPL-2.0
/*
 * insns [PREFIX]: of each BPF program that is loaded and whose name begins so, how many
 * instructions the verifier went through, how often it ran and for how long (while
 * kernel.bpf_stats_enabled is set). By the system call itself, as bpftool doesn't show
 * the first.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : "";
	union bpf_attr next = {};

	while (!bpf(BPF_PROG_GET_NEXT_ID, &next)) {
		struct bpf_prog_info info = {};
		union bpf_attr attr = { .prog_id = next.next_id };
		int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);

		next.start_id = next.next_id;
		if (fd < 0)
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (unsigned long)&info;
		if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr)) {
			perror("insns");
			return 1;
		}
		close(fd);
		if (!strncmp(info.name, prefix, strlen(prefix)))
			printf("%s %u %llu %llu\n", info.name, info.verified_insns,
			       info.run_cnt, info.run_time_ns);
	}
	return 0;
}
