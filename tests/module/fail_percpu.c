// SPDX-License-Identifier: GPL-2.0
/*
 * Lets allocations of per-CPU memory fail. Slab and pages have fault injection in the kernel,
 * the per-CPU allocator has none; but functions that a module declares safe for it can be made
 * to return an error, by fail_function in debugfs. Those failures are counted with the others
 * by /proc/PID/fail-nth.
 */
#include <linux/error-injection.h>
#include <linux/module.h>
#include <linux/percpu.h>

ALLOW_ERROR_INJECTION(pcpu_alloc_noprof, NULL);

MODULE_DESCRIPTION("per-CPU allocations that can be made to fail");
MODULE_LICENSE("GPL");
