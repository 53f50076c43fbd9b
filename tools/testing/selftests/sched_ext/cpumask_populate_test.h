/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __CPUMASK_POPULATE_TEST_H__
#define __CPUMASK_POPULATE_TEST_H__

#define NR_WORDS	128	/* of 64 CPUs, as many as there can be */

#endif
