// SPDX-License-Identifier: GPL-2.0
/*
 * A scheduler that has ended by itself is unregistered when another one is there already.
 * That one stays.
 */
#include "test_steps.h"
#include "old_link.bpf.skel.h"

static struct old_link *skel;

static enum scx_test_status begin(struct bpf_map *map, struct bpf_link **link)
{
	skel->data->uei.kind = EXIT_KIND(SCX_EXIT_NONE);
	*link = bpf_map__attach_struct_ops(map);
	SCX_FAIL_IF(!*link, "Failed to attach %s", bpf_map__name(map));
	SCX_ASSERT(scx_state_is("enabled"));
	return SCX_TEST_PASS;
}

/* @old ends by an error, and what registered it goes when @next is there. Ends that, too. */
static enum scx_test_status replace(struct bpf_map *old, struct bpf_map *next)
{
	struct bpf_link *old_link, *next_link;

	TRY(begin(old, &old_link));
	skel->bss->told_to_fail = true;
	SCX_ASSERT(BECOMES(skel->data->uei.kind == EXIT_KIND(SCX_EXIT_ERROR_BPF)));
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	skel->bss->told_to_fail = false;

	TRY(begin(next, &next_link));
	SCX_EQ(bpf_link__destroy(old_link), 0);
	SCX_FAIL_IF(!scx_state_is("enabled"), "%s went with %s", bpf_map__name(next),
		    bpf_map__name(old));
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_NONE));

	SCX_EQ(bpf_link__destroy(next_link), 0);
	SCX_EQ(skel->data->uei.kind, EXIT_KIND(SCX_EXIT_UNREG));
	SCX_ASSERT(BECOMES(scx_state_is("disabled")));
	return SCX_TEST_PASS;
}

static enum scx_test_status run(void *ctx)
{
	skel = old_link__open_and_load();
	SCX_FAIL_IF(!skel, "Failed to load");
	TRY(replace(skel->maps.linked, skel->maps.linked_too));
	TRY(replace(skel->maps.linked, skel->maps.linked));
	TRY(replace(skel->maps.linked, skel->maps.plain));
	return replace(skel->maps.plain_too, skel->maps.linked);
}

static void cleanup(void *ctx)
{
	old_link__destroy(skel);
}

struct scx_test old_link = {
	.name = "old_link",
	.description = "Unregister a scheduler that has ended when another one is there",
	.run = run,
	.cleanup = cleanup,
};
REGISTER_SCX_TEST(&old_link)
