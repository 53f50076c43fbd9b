/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What perf_read.bpf.c tells of each CPU.
 */
#ifndef __PERF_READ_TEST_H__
#define __PERF_READ_TEST_H__

#define PERF_READ_CPUS	64

struct perf_read_cpu {
	unsigned long long	counter;
	unsigned long long	enabled;
	unsigned long long	nr_read;
	unsigned long long	nr_back;	/* the counter went back so often */
	long			err;		/* of reading it */
	long			no_event;	/* ... one that isn't there */
	long			other_cpu;	/* ... that of another CPU */
	long			wrong_size;	/* ... it into a buffer of the wrong size */
};

#endif
