/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __CGROUP_BANDWIDTH_TEST_H__
#define __CGROUP_BANDWIDTH_TEST_H__

struct bandwidth {
	unsigned long long	period_us;
	unsigned long long	quota_us;
	unsigned long long	burst_us;
};

#endif
