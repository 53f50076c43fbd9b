/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arenas, as user space sees them
 *
 * To user space an arena is ordinary shared memory and a pointer that a BPF
 * program left in it is an ordinary pointer. The annotations of
 * bpf_arena_common.bpf.h vanish here, so that one header can describe a struct
 * in the arena to both sides.
 */
#ifndef __BPF_ARENA_COMMON_H
#define __BPF_ARENA_COMMON_H

#ifdef __bpf__
#error "BPF programs include bpf_arena_common.bpf.h"
#endif

#define __arena
#define __arena_global

#endif	/* __BPF_ARENA_COMMON_H */
