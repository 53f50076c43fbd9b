// SPDX-License-Identifier: GPL-2.0
/*
 * Programs with resilient locks load without CAP_PERFMON, too. The verifier then follows
 * what CPUs may do speculatively as well, if the kernel has mitigations for that.
 */
#include <linux/capability.h>
#include <sys/syscall.h>
#include "test_steps.h"
#include "res_lock_verify.bpf.skel.h"

static const char * const progs[] = { "ok_tc", "ok_tc_calls_on_error" };

static bool drop_perfmon(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = {};
	int i;

	caps[CAP_TO_INDEX(CAP_BPF)].effective |= CAP_TO_MASK(CAP_BPF);
	caps[CAP_TO_INDEX(CAP_NET_ADMIN)].effective |= CAP_TO_MASK(CAP_NET_ADMIN);
	for (i = 0; i < 2; i++)
		caps[i].permitted = caps[i].effective;
	return !syscall(SYS_capset, &header, caps);
}

static enum scx_test_status load(const char *name)
{
	struct res_lock_verify *skel = res_lock_verify__open();
	struct bpf_program *prog;

	SCX_FAIL_IF(!skel, "Failed to open");
	prog = bpf_object__find_program_by_name(skel->obj, name);
	SCX_FAIL_IF(!prog, "no program %s", name);
	bpf_program__set_autoload(prog, true);
	bpf_map__set_autocreate(skel->maps.twice, false);
	bpf_map__set_autocreate(skel->maps.both, false);
	SCX_FAIL_IF(res_lock_verify__load(skel), "%s: refused", name);
	res_lock_verify__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	int i, status;
	pid_t pid;

	fflush(stdout);
	pid = fork_child();
	SCX_GE(pid, 0);
	if (!pid) {
		if (!drop_perfmon())
			_exit(2);
		for (i = 0; i < 2; i++)
			if (load(progs[i]) != SCX_TEST_PASS)
				_exit(1);
		_exit(0);
	}
	SCX_EQ(waitpid(pid, &status, 0), pid);
	SCX_EQ(status, 0);
	return SCX_TEST_PASS;
}

struct scx_test res_lock_caps = {
	.name = "res_lock_caps",
	.description = "Verify that resilient locks can be used without CAP_PERFMON",
	.run = run,
};
REGISTER_SCX_TEST(&res_lock_caps)
