/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cid_hostile.bpf.c and its test tell each other, in the arena.
 */
#ifndef __CID_HOSTILE_TEST_H__
#define __CID_HOSTILE_TEST_H__

#define CID_HOSTILE_PAGES	64

struct cid_hostile_test {
	/* attack, or look whether masks are right */
	int		attack;
	unsigned int	pattern;

	/* arena addresses of the last cmask, of that of online cids, and of this */
	unsigned long long cmask, online, here;

	unsigned long long nr_attacks;		/* on memory of the kernel, by callbacks */
	unsigned long long nr_frees;		/* of it */
	unsigned long long nr_offline;		/* of cids, each with an attack */
	unsigned long long nr_masks, nr_bad_masks;	/* while not attacking */
};

#endif
