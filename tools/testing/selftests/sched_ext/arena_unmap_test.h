/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ARENA_UNMAP_TEST_H__
#define __ARENA_UNMAP_TEST_H__

#define ARENA_UNMAP_PAGES	4

#endif
