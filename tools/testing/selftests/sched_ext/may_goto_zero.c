// SPDX-License-Identifier: GPL-2.0
/*
 * A may_goto that goes to the next instruction either way does nothing. clang leaves some
 * where it has found out that a loop isn't one. With privileges the kernel takes them out,
 * without it runs them like any other; tried with the JIT and the interpreter, where the
 * kernel has both.
 */
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include "test_steps.h"

#define JIT_PATH	"/proc/sys/net/core/bpf_jit_enable"
#define UNPRIV_PATH	"/proc/sys/kernel/unprivileged_bpf_disabled"

#define RAW(_code, _dst, _src, _off, _imm)						\
	((struct bpf_insn) { .code = (_code), .dst_reg = (_dst), .src_reg = (_src),	\
			     .off = (_off), .imm = (_imm) })
#define MOV(dst, imm)		RAW(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define ADD(dst, imm)		RAW(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define JNE(dst, imm, off)	RAW(BPF_JMP | BPF_JNE | BPF_K, dst, 0, off, imm)
#define JEQ(dst, imm, off)	RAW(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, off, imm)
#define JA(off)			RAW(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define EXIT			RAW(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define JCOND			(BPF_JMP | 0xe0)
#define MAY_GOTO(off)		RAW(JCOND, 0, 0, off, 0)
/* the packet's length, which the verifier doesn't know */
#define LEN(dst)		RAW(BPF_LDX | BPF_MEM | BPF_W, dst, 1, 0, 0)

#define MAX_LOOPS		(8 * 1024 * 1024)
#define PACKET			64
/* what the program sees of it: all but the Ethernet header */
#define SEEN			(PACKET - 14)

static const struct may_goto_case {
	const char	*name;
	const char	*said;		/* NULL: accepted */
	int		ret;
	u32		left;		/* instructions that the kernel leaves; 0: don't count */
	bool		privileged;	/* as it has a loop */
	struct bpf_insn	insns[12];	/* the rest is zero */
} cases[] = {
	{ "first", NULL, 8, 3, false,
	  { MAY_GOTO(0), MOV(0, 7), ADD(0, 1), EXIT } },
	{ "in the middle", NULL, 8, 3, false,
	  { MOV(0, 7), MAY_GOTO(0), ADD(0, 1), EXIT } },
	{ "last", NULL, 7, 2, false,
	  { MOV(0, 7), MAY_GOTO(0), EXIT } },
	{ "many in a row", NULL, 9, 3, false,
	  { MOV(0, 7), MAY_GOTO(0), MAY_GOTO(0), MAY_GOTO(0), ADD(0, 2), MAY_GOTO(0), EXIT } },
	{ "jumped to", NULL, 6, 6, false,
	  { LEN(2), MOV(0, 5), JEQ(2, SEEN, 1), MOV(0, 1), MAY_GOTO(0), ADD(0, 1), EXIT } },
	{ "jumped over", NULL, 6, 6, false,
	  { LEN(2), MOV(0, 5), JEQ(2, SEEN, 2), MAY_GOTO(0), MOV(0, 1), ADD(0, 1), EXIT } },
	{ "dead", NULL, 7, 2, false,
	  { MOV(0, 7), JEQ(0, 7, 1), MAY_GOTO(0), MAY_GOTO(0), EXIT } },
	{ "beside one that jumps", NULL, 3, 0, false,
	  { MOV(0, 1), MAY_GOTO(0), MAY_GOTO(1), ADD(0, 1), MAY_GOTO(0), ADD(0, 1), EXIT } },
	{ "in a loop that ends", NULL, 10, 6, true,
	  { MOV(0, 0), MOV(1, 10), MAY_GOTO(0), ADD(0, 1), ADD(1, -1), JNE(1, 0, -4), EXIT } },
	{ "before the one that ends a loop", NULL, MAX_LOOPS, 0, true,
	  { MOV(0, 0), MAY_GOTO(0), MAY_GOTO(2), ADD(0, 1), JA(-4), EXIT } },
	{ "behind the one that ends a loop", NULL, MAX_LOOPS, 0, true,
	  { MOV(0, 0), MAY_GOTO(3), MAY_GOTO(0), ADD(0, 1), JA(-4), EXIT } },
	/* no loop ends by it */
	{ "endless", "infinite loop detected", 0, 0, true,
	  { LEN(2), MOV(0, 0), JEQ(2, SEEN, 2), MAY_GOTO(0), JA(-2), EXIT } },
	{ "with an operand", "invalid may_goto off 0 imm 1", 0, 0, false,
	  { MOV(0, 0), RAW(JCOND, 0, 0, 0, 1), EXIT } },
	{ "with a register", "invalid may_goto off 0 imm 0", 0, 0, false,
	  { MOV(0, 0), RAW(JCOND, 1, 0, 0, 0), EXIT } },
	{ "of an unknown kind", "invalid may_goto off 0 imm 0", 0, 0, false,
	  { MOV(0, 0), RAW(JCOND, 0, 1, 0, 0), EXIT } },
	{ "behind the exit", "last insn is not an exit or jmp", 0, 0, false,
	  { MOV(0, 0), EXIT, ADD(0, 1), MAY_GOTO(0), ADD(0, 1) } },
	{}
};

static u32 instructions(int fd)
{
	struct bpf_prog_info info = {};
	u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(fd, &info, &len) ? 0 :
	       info.xlated_prog_len / sizeof(struct bpf_insn);
}

static enum scx_test_status try_one(const struct may_goto_case *c, bool privileged)
{
	static char log[65536];
	char packet[PACKET] = {};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .log_buf = log, .log_size = sizeof(log),
		    .log_level = 1);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	size_t nr = 0;
	int fd;

	while (c->insns[nr].code)
		nr++;

	log[0] = '\0';
	fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", c->insns, nr, &load);
	if (c->said) {
		SCX_FAIL_IF(fd >= 0, "%s: accepted instead of '%s'", c->name, c->said);
		SCX_FAIL_IF(!strstr(log, c->said), "%s: '%s' is not in '%s'", c->name, c->said,
			    log);
		return SCX_TEST_PASS;
	}
	SCX_FAIL_IF(fd < 0, "%s: refused (%d): '%s'", c->name, errno, log);
	SCX_FAIL_IF(bpf_prog_test_run_opts(fd, &opts), "%s: can't be run (%d)", c->name, errno);
	SCX_FAIL_IF((int)opts.retval != c->ret, "%s: returned %u instead of %d", c->name,
		    opts.retval, c->ret);
	if (privileged && c->left)
		SCX_FAIL_IF(instructions(fd) != c->left, "%s: %u instructions left instead of %u",
			    c->name, instructions(fd), c->left);
	close(fd);
	return SCX_TEST_PASS;
}

static enum scx_test_status try_all(bool privileged)
{
	int i;

	for (i = 0; cases[i].name; i++)
		if (privileged || !cases[i].privileged)
			TRY(try_one(&cases[i], privileged));
	return SCX_TEST_PASS;
}

static bool drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = {};

	return !syscall(SYS_capset, &header, none);
}

static enum scx_test_status try_without_privileges(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork_child();
	SCX_GE(pid, 0);
	if (!pid)
		_exit(!drop_privileges() ? 2 : try_all(false) != SCX_TEST_PASS);
	SCX_EQ(waitpid(pid, &status, 0), pid);
	SCX_EQ(status, 0);
	return SCX_TEST_PASS;
}

/* A sysctl with one digit. */
static int get(const char *path)
{
	char digit;
	int fd = open(path, O_RDONLY), ret = -1;

	if (fd >= 0 && read(fd, &digit, 1) == 1)
		ret = digit - '0';
	close(fd);
	return ret;
}

static bool set(const char *path, int value)
{
	char digit = value + '0';
	int fd = open(path, O_WRONLY);
	bool ret = fd >= 0 && write(fd, &digit, 1) == 1;

	close(fd);
	return ret;
}

static enum scx_test_status run(void *ctx)
{
	int jit = get(JIT_PATH), unpriv = get(UNPRIV_PATH), mode, tried = 0;
	enum scx_test_status status = SCX_TEST_PASS;
	bool allowed;

	SCX_GE(jit, 0);
	/* from 1 there is no way back until the next boot */
	allowed = unpriv == 0 || (unpriv == 2 && set(UNPRIV_PATH, 0));
	for (mode = 0; mode <= 1 && status == SCX_TEST_PASS; mode++) {
		/* a kernel with the JIT always on has no interpreter */
		if (!set(JIT_PATH, mode))
			continue;
		tried++;
		status = try_all(true);
		if (status == SCX_TEST_PASS && allowed)
			status = try_without_privileges();
		printf("%s: with privileges%s\n", mode ? "JIT" : "interpreter",
		       allowed ? " and without" : "");
	}
	set(JIT_PATH, jit);
	if (allowed)
		set(UNPRIV_PATH, unpriv);
	SCX_GT(tried, 0);
	return status;
}

struct scx_test may_goto_zero = {
	.name = "may_goto_zero",
	.description = "Verify that a may_goto with offset 0 is accepted, and does nothing",
	.run = run,
};
REGISTER_SCX_TEST(&may_goto_zero)
