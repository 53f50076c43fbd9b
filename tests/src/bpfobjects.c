// SPDX-License-Identifier: GPL-2.0
/*
 * bpfobjects: the BPF maps, programs and links that the kernel has, one a line: kind, id,
 * type by its number in linux/bpf.h, and name. What bpftool shows, but at once: bpftool
 * loads programs of its own for it, which takes seconds, and many on the debug kernel.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct kind {
	const char *name;
	int next, open;
} kinds[] = {
	{ "map", BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID },
	{ "prog", BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID },
	{ "link", BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID },
};

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int show(const struct kind *kind, unsigned int id)
{
	union bpf_attr attr = { .map_id = id };
	struct bpf_map_info map = {};
	struct bpf_prog_info prog = {};
	struct bpf_link_info link = {};
	int fd, failed;

	fd = bpf(kind->open, &attr);
	if (fd < 0)
		return errno != ENOENT;	/* it went meanwhile */

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd;
	switch (*kind->name) {
	case 'm':
		attr.info.info = (uintptr_t)&map;
		attr.info.info_len = sizeof(map);
		break;
	case 'p':
		attr.info.info = (uintptr_t)&prog;
		attr.info.info_len = sizeof(prog);
		break;
	default:
		attr.info.info = (uintptr_t)&link;
		attr.info.info_len = sizeof(link);
	}
	failed = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	close(fd);
	if (!failed)
		printf("%s %u %u %s%s\n", kind->name, id, map.type | prog.type | link.type, map.name, prog.name);
	return failed;
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		union bpf_attr attr = {};

		while (!bpf(kinds[i].next, &attr)) {
			unsigned int id = attr.next_id;

			if (show(&kinds[i], id)) {
				perror("bpfobjects");
				return 1;
			}
			memset(&attr, 0, sizeof(attr));
			attr.start_id = id;
		}
		if (errno != ENOENT) {
			perror("bpfobjects");
			return 1;
		}
	}
	return 0;
}
