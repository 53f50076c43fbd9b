/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __CPU_CURR_TEST_H__
#define __CPU_CURR_TEST_H__

/* What cpu_curr.bpf.c does wrong, one at a time. */
enum cpu_curr_wrong {
	CPU_CURR_FINE,
	CPU_CURR_UNCHECKED,	/* looks into what may be NULL */
	CPU_CURR_NO_RCU,
	CPU_CURR_NEGATIVE,
	CPU_CURR_TOO_BIG,
};

#endif
