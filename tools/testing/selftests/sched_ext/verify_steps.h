/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load one program of an object, and see what the verifier says.
 */
#ifndef __VERIFY_STEPS_H__
#define __VERIFY_STEPS_H__

#include "test_steps.h"

static char verifier_log[1 << 20];

static inline int say_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static inline const char *end_of_log(void)
{
	size_t len = strlen(verifier_log);

	return verifier_log + (len > 1500 ? len - 1500 : 0);
}

/* @err is of loading @name: it has to be 0, or, with @want, what the verifier said so. */
static inline enum scx_test_status verified_as(const char *name, int err, const char *want)
{
	if (want) {
		SCX_FAIL_IF(!err, "%s: accepted instead of '%s'", name, want);
		SCX_FAIL_IF(!strstr(verifier_log, want), "%s: '%s' is not in '%s'", name, want,
			    end_of_log());
	} else {
		SCX_FAIL_IF(err, "%s: refused (%d): '%s'", name, err, end_of_log());
	}
	return SCX_TEST_PASS;
}

/* An object with none of its programs but @name, for one that the verifier looks at. */
static inline struct bpf_object *open_program(const void *elf, size_t size, const char *name,
					      struct bpf_program **prog)
{
	struct bpf_object *obj = bpf_object__open_mem(elf, size, NULL);

	if (!obj)
		return NULL;
	*prog = bpf_object__find_program_by_name(obj, name);
	if (!*prog) {
		bpf_object__close(obj);
		return NULL;
	}
	bpf_program__set_autoload(*prog, true);
	bpf_program__set_log_buf(*prog, verifier_log, sizeof(verifier_log));
	bpf_program__set_log_level(*prog, 1);
	verifier_log[0] = '\0';
	return obj;
}

static inline int load_quietly(struct bpf_object *obj)
{
	libbpf_print_fn_t print = libbpf_set_print(say_nothing);
	int err = bpf_object__load(obj);

	libbpf_set_print(print);
	return err;
}

#endif /* __VERIFY_STEPS_H__ */
