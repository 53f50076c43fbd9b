/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __SELECT_CPU_AND_TEST_H__
#define __SELECT_CPU_AND_TEST_H__

/* Where and how scx_bpf_select_cpu_and() is called. */
enum and_where {
	AND_NOWHERE,
	AND_SELECT_CPU,
	AND_ENQUEUE,
	AND_RUNNING,		/* refused */
	AND_BAD_PREV,		/* refused */
};

enum and_form {
	AND_V1,			/* five arguments */
	AND_STRUCT,
	AND_HEADER,
	NR_AND_FORMS,
};

#endif
