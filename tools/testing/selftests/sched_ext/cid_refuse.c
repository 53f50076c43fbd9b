// SPDX-License-Identifier: GPL-2.0
/*
 * What a scheduler of the cid form may not do is refused, with a reason, and leaves
 * nothing behind.
 */
#include "test_steps.h"
#include "cid_refuse_test.h"
#include "cid_refuse.bpf.skel.h"
#include "cid_no_arena.bpf.skel.h"
#include "cid_two_arenas.bpf.skel.h"

static int kmsg = -1;

/* The kernel has said this since the last call. */
static bool kernel_said(const char *what)
{
	char line[2048];
	bool said = false;
	ssize_t len;

	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[len > 0 ? len : 0] = '\0';
		said |= !!strstr(line, what);
	}
	return said;
}

static enum scx_test_status no_attach(struct bpf_map *ops, const char *msg)
{
	struct bpf_link *link;

	kernel_said("");
	link = bpf_map__attach_struct_ops(ops);
	SCX_FAIL_IF(link, "attached");
	SCX_EQ(errno, EINVAL);
	SCX_ASSERT(kernel_said(msg));
	SCX_ASSERT(scx_state_is("disabled"));
	return SCX_TEST_PASS;
}

static enum scx_test_status no_arena(void)
{
	struct cid_no_arena *skel = SCX_OPS_CID_OPEN(cid_no_arena_ops, cid_no_arena);

	SCX_FAIL_IF(cid_no_arena__load(skel), "Failed to load");
	TRY(no_attach(skel->maps.cid_no_arena_ops,
		      "sched_ext: cid-form scheduler must use a BPF arena map"));
	cid_no_arena__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status two_arenas(bool sleepable)
{
	struct cid_two_arenas *skel = SCX_OPS_CID_OPEN(two_members_ops, cid_two_arenas);
	struct bpf_map *map = skel->maps.other_arena;
	u32 one, other;

	SCX_EQ(bpf_map__set_type(map, BPF_MAP_TYPE_ARENA), 0);
	SCX_EQ(bpf_map__set_key_size(map, 0), 0);
	SCX_EQ(bpf_map__set_value_size(map, 0), 0);
	SCX_EQ(bpf_map__set_map_flags(map, BPF_F_MMAPABLE), 0);
	bpf_map__set_autocreate(sleepable ? skel->maps.two_members_ops : skel->maps.sleepable_ops,
				false);
	SCX_FAIL_IF(cid_two_arenas__load(skel), "Failed to load");
	TRY(no_attach(sleepable ? skel->maps.sleepable_ops : skel->maps.two_members_ops,
		      "sched_ext: cid-form scheduler uses multiple arena maps"));
	one = map_id(skel->maps.one_arena);
	other = map_id(skel->maps.other_arena);
	cid_two_arenas__destroy(skel);
	SCX_FAIL_IF(!one || !map_is_gone(one), "an arena stays");
	SCX_FAIL_IF(!other || !map_is_gone(other), "an arena stays");
	return SCX_TEST_PASS;
}

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static enum scx_test_status no_load(enum cid_wrong wrong, const char *want)
{
	struct cid_refuse *skel = SCX_OPS_CID_OPEN(cid_refuse_ops, cid_refuse);
	struct bpf_program *prog =
		wrong == WRONG_scx_bpf_select_cpu_dfl ? skel->progs.cid_refuse_select_cid :
		wrong == WRONG_sleepable_curr ? skel->progs.cid_refuse_init :
						skel->progs.cid_refuse_running;
	static char log[65536];
	libbpf_print_fn_t print;
	int err;

	skel->rodata->wrong = wrong;
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 1);
	print = libbpf_set_print(silent);
	err = cid_refuse__load(skel);
	libbpf_set_print(print);
	SCX_FAIL_IF(!err, "accepted instead of '%s'", want);
	SCX_FAIL_IF(!strstr(log, want), "'%s' is not in '%s'", want, log);
	cid_refuse__destroy(skel);
	return SCX_TEST_PASS;
}

static enum scx_test_status ejected(enum cid_wrong wrong, int bad_cid, u64 kind, const char *fmt)
{
	struct cid_refuse *skel = SCX_OPS_CID_OPEN(cid_refuse_ops, cid_refuse);
	struct bpf_link *link;
	char want[256];
	u32 id;

	skel->rodata->wrong = wrong;
	skel->rodata->bad_cid = bad_cid;
	UEI_SET_SIZE(skel, cid_refuse_ops, uei);
	SCX_FAIL_IF(cid_refuse__load(skel), "Failed to load");
	link = bpf_map__attach_struct_ops(skel->maps.cid_refuse_ops);
	SCX_FAIL_IF(!link, "Failed to attach scheduler");
	if (kind == EXIT_KIND(SCX_EXIT_NONE))
		SCX_ASSERT(scx_state_is("enabled"));
	else
		SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	bpf_link__destroy(link);
	SCX_ASSERT(scx_state_is("disabled"));

	if (kind != EXIT_KIND(SCX_EXIT_NONE)) {
		SCX_EQ(skel->data->uei.kind, kind);
		snprintf(want, sizeof(want), fmt, bad_cid);
		SCX_FAIL_IF(strcmp(skel->data->uei.msg, want), "exit message '%s' instead of '%s'",
			    skel->data->uei.msg, want);
	}
	id = map_id(skel->maps.cid_arena);
	cid_refuse__destroy(skel);
	SCX_FAIL_IF(!id || !map_is_gone(id), "its arena stays");
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	const u64 error = EXIT_KIND(SCX_EXIT_ERROR);
	int nr = sysconf(_SC_NPROCESSORS_CONF);
	char no_room[128];

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	SCX_GE(kmsg, 0);
	lseek(kmsg, 0, SEEK_END);

	TRY(no_arena());
	TRY(two_arenas(false));
	TRY(two_arenas(true));

	/* without another CPU, ops.select_cid() isn't called */
	TRY(ejected(NOTHING_WRONG, 0, EXIT_KIND(SCX_EXIT_NONE), NULL));
#define X(kfunc, instead)							\
	TRY(no_load(WRONG_##kfunc, #kfunc "() is not for cid-form schedulers, use " instead));
	CID_CPU_KFUNCS(X)
#undef X
	TRY(no_load(WRONG_sleepable_curr,
		    "kernel function scx_bpf_cid_curr must be called in an RCU critical section"));
#define X(where, msg)								\
	if (nr > 1 || WRONG_##where != WRONG_select_cid)			\
		TRY(ejected(WRONG_##where, -1, error, msg));
	CID_BAD_CIDS(X)
#undef X
#define X(where, msg)								\
	if (nr > 1 || WRONG_##where != WRONG_select_cid)			\
		TRY(ejected(WRONG_##where, WRONG_##where == WRONG_cpu_to_cid ?	\
			    1 << 20 : nr, error, msg));
	CID_BAD_CIDS(X)
#undef X
	TRY(ejected(WRONG_init_cids, 0, error, "ops.init_cids() failed (-19)"));

	snprintf(no_room, sizeof(no_room), "no memory in the arena for the cmasks of %d cids", nr);
	TRY(ejected(WRONG_arena_full, 0, error, no_room));
	return SCX_TEST_PASS;
}

static void cleanup(void *ctx)
{
	close(kmsg);
}

struct scx_test cid_refuse = {
	.name		= "cid_refuse",
	.description	= "What is wrong in a cid-form scheduler is refused with a reason",
	.run		= run,
	.cleanup	= cleanup,
};
REGISTER_SCX_TEST(&cid_refuse)
