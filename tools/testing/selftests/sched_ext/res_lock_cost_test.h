/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __RES_LOCK_COST_TEST_H__
#define __RES_LOCK_COST_TEST_H__

#define LOCK_COST_ROUNDS	1000

#endif /* __RES_LOCK_COST_TEST_H__ */
