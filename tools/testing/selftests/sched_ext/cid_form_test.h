/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cid_form.bpf.c tells the test, in its arena.
 */
#ifndef __CID_FORM_TEST_H__
#define __CID_FORM_TEST_H__

#define CID_TEST_PAGES		64
#define CID_TEST_MAX_CIDS	512

struct cid_test_topo {
	int	cpu;
	int	core_cid, core_idx, llc_cid, llc_idx, node_cid, node_idx;
};

struct cid_test {
	/* CPUs go on and off, so that tasks may be where nobody sent them */
	int hotplug;

	/* what has happened */
	unsigned long long nr_enabled, nr_masks, nr_selected, nr_local_on, nr_ran_there;
	unsigned long long nr_online_calls, nr_offline_calls;

	/* what must not happen */
	unsigned long long nr_bad_masks;	/* bits other than those of the task's CPUs */
	unsigned long long nr_bad_headers;
	unsigned long long nr_bad_order;	/* of calls */
	unsigned long long nr_bad_cids;		/* in arguments of calls */
	unsigned long long nr_bad_moves;	/* not to the cid that was chosen */
	unsigned long long nr_bad_online;	/* in the cmask of online cids */
	unsigned long long nr_bad_answers;	/* of kfuncs */

	unsigned int	nr_cids, nr_online;
	struct cid_test_topo topo[CID_TEST_MAX_CIDS];
};

#endif
