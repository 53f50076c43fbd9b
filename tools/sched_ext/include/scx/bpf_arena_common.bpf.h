/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arenas, as BPF programs see them
 *
 * A BPF arena is up to 4 GiB of memory that BPF programs and user space share.
 * One page of it has up to three addresses:
 *
 *  uaddr	where user space has it mapped. Pointers that live in the arena
 *		hold this form, so that both sides can follow them.
 *  kaddr	where the kernel has it mapped. The compiler translates to this
 *		form (addr_space_cast) right before a BPF program dereferences.
 *  pgoff	its offset from the start of the map, in pages.
 *
 * The kernel's JIT has to support arenas, and for atomic operations on them this
 * takes x86-64, or arm64 with LSE atomics, as of 6.12.
 *
 * The __arena annotation on a pointer's target tells the compiler to translate.
 * A dereference can't hurt: where no page is mapped, a load reads zero and a
 * store is lost.
 */
#ifndef __BPF_ARENA_COMMON_BPF_H
#define __BPF_ARENA_COMMON_BPF_H

#ifndef __BPF_FEATURE_ADDR_SPACE_CAST
#error "This BPF program uses an arena, which takes clang 19 or newer to build"
#endif

#define __arena		__attribute__((address_space(1)))

/* A global variable that lives in the object's arena map. */
#define __arena_global	__attribute__((address_space(1)))

/* Sources for compilers without address spaces call these. Ours casts by itself. */
#define cast_kern(ptr)	((void)(ptr))
#define cast_user(ptr)	((void)(ptr))

#ifndef NUMA_NO_NODE
#define NUMA_NO_NODE	(-1)
#endif

/* The page size of the kernel that runs the program, not of the one it was built for. */
#ifndef PAGE_SIZE
#define PAGE_SIZE	((__u32)bpf_core_enum_value(enum page_size_enum, __PAGE_SIZE))
#endif

#define arena_container_of(ptr, type, member)					\
	((type __arena *)((char __arena *)(ptr) - __builtin_offsetof(type, member)))

/*
 * Let the program know that it works on arena @map. The verifier sees it where a
 * program names the map or a global in it. A program that does neither, because
 * it has its pointers from elsewhere, is refused ("addr_space_cast insn can only
 * be used in a program that has an associated arena") without this.
 */
#define ARENA_ASSOCIATE(map)	({ asm volatile ("" :: "r"(&(map))); })

/*
 * Both sleep on 6.12. Pages come zeroed; NULL when the arena or memory is used
 * up. Freeing unmaps from user space too.
 */
void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt,
				    int node_id, __u64 flags) __ksym __weak;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym __weak;

/*
 * clang 19 forgets the translation when it turns stores into a memset() or
 * memcpy() of its own: of a whole struct that is assigned or cleared, and of as
 * little as two adjacent members that are set to zero. The verifier then says
 * "R# invalid mem access 'scalar'". The following keep the compiler from it and
 * cost nothing with compilers that know better.
 *
 * Use ARENA_STORE() to set members to zero, or to copy them, one after the
 * other; arena_zero() and arena_copy() for ranges; never `*a = *b` on structs.
 */
#define ARENA_STORE(lvalue, val)						\
	((void)(*(volatile typeof(lvalue) *)&(lvalue) = (val)))

/**
 * arena_zero - Clear a range in the arena
 * @dst: start of the range, 8-byte aligned
 * @size: bytes, a multiple of 8; best a constant
 */
static __always_inline void arena_zero(void __arena *dst, __u32 size)
{
	__u64 __arena *d = dst;
	__u32 i;

	bpf_for(i, 0, size / sizeof(*d))
		ARENA_STORE(d[i], 0);
}

/**
 * arena_copy - Copy a range within the arena
 * @dst: start of the target, 8-byte aligned
 * @src: start of the source, 8-byte aligned, not overlapping @dst
 * @size: bytes, a multiple of 8; best a constant
 */
static __always_inline void arena_copy(void __arena *dst, const void __arena *src, __u32 size)
{
	const __u64 __arena *s = src;
	__u64 __arena *d = dst;
	__u32 i;

	bpf_for(i, 0, size / sizeof(*d))
		ARENA_STORE(d[i], s[i]);
}

/*
 * Loops over what is in an arena have no bound that the verifier could see. can_loop is
 * true until the loop has gone round some millions of times, and cond_break leaves it
 * then: `while (node && can_loop)`.
 */
#define can_loop								\
({										\
	__label__ __over;							\
	bool __more = false;							\
	asm volatile goto("may_goto %l[__over]" :::: __over);			\
	__more = true;								\
__over:										\
	__more;									\
})
#define cond_break								\
({										\
	if (!can_loop)								\
		break;								\
})

#endif	/* __BPF_ARENA_COMMON_BPF_H */
