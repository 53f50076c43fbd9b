# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by the scripts beside it: where things are, how to speak, how to run a
# long step. Sourced, never run.

set -eu -o pipefail

# What the caller's surroundings must not change: where git works, what make
# passes on, what language messages are in that we look for.
unset CDPATH MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR
export LC_ALL=C.UTF-8

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "${O:=$TOP/out}" 2>/dev/null || { echo "$(basename "$0"): can't create the build folder $O" >&2; exit 1; }
O=$(cd "$O" && pwd)
[ -w "$O" ] || { echo "$(basename "$0"): can't write to the build folder $O: choose another with O=path" >&2; exit 1; }
case $O in *[[:space:]:]*) echo "$(basename "$0"): the kernel can't be built in '$O', for its blanks or colons: choose another folder with O=path" >&2; exit 1 ;; esac
KSRC=${KSRC:-}
JOBS=${JOBS:-$(nproc)}
LOGS=$O/logs
TREE=${TREE:-$O/tree}		# the base with the series on top; where one works
SERIES=$TOP/patches/6.12

export TOP O KSRC JOBS LOGS TREE SERIES
# What is in another build folder's cache serves here too: paths in this one count as relative.
export CCACHE_DIR=${CCACHE_DIR:-$O/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G} CCACHE_BASEDIR=$O CCACHE_NOHASHDIR=1
mkdir -p "$LOGS"

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# usage HEAD-COMMENT: print the comment block at the top of the calling script.
usage() { sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# step NAME COMMAND...: run a long step. Says what runs and how long it took;
# output goes to a log. On a terminal the last line of the log shows meanwhile.
# A step that fails ends the script: with the line that the command said it with,
# if it is one of ours, else with the end of the log. $hint says what to do.
# Not to be called where set -e has no effect (in a condition, or before ||).
step() {
	local name=$1 start=$SECONDS log status=0 pid last
	shift
	log=$LOGS/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9.\n' '-').log
	printf '==> %s\n' "$name"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	if [ -t 1 ]; then
		while kill -0 "$pid" 2>/dev/null; do
			printf '\r\033[K    %3ds  %.60s' $((SECONDS - start)) \
				"$(tail -n 1 "$log" 2>/dev/null | tr -d '\r\033' | tr '\t' ' ')"
			sleep 0.5
		done
		printf '\r\033[K'
	fi
	wait "$pid" || status=$?
	if [ "$status" -ne 0 ]; then
		last=$(tail -n 1 "$log")
		if [[ $last =~ ^(base|tree|build|setup|initramfs|other-suite|export|doc-scheduler):\  ]]; then
			warn "$last"
		else
			tail -n 25 "$log" | sed 's/^/    | /' >&2
			warn "$(basename "$0"): '$name' failed after $((SECONDS - start)) s${hint:+: $hint} (all of it: $log)"
		fi
		exit 1
	fi
	printf '    done in %d s\n' $((SECONDS - start))
}

# lock: one command at a time in a build folder.
lock() {
	[ -z "${LTS_LOCKED:-}" ] || return 0
	exec 9>"$O/.lock"
	flock -n 9 || die "another command is at work in $O: wait for it, or use another O=path"
	export LTS_LOCKED=1
}

# need_space KIB WHAT: stop unless the build folder's file system has that much.
need_space() {
	local have
	have=$(df -Pk "$O" | awk 'NR == 2 { print $4 }')
	[ "$have" -ge "$1" ] ||
		die "$2 needs $(($1 / 1048576)) GiB free in $O, there are $((have / 1048576)) GiB: make room, or choose another folder with O=path"
}

# as_root COMMAND...: run as root, with sudo where we aren't.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		sudo "$@"
	else
		return 126
	fi
}

# git, blind to whatever the user's configuration says about diffs, hooks and
# signatures, so that the exported patches depend on the series alone. Only the
# identity is taken from there.
ogit() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
	git -c user.name="$(git config user.name || echo series)" \
		-c user.email="$(git config user.email || echo series@localhost)" \
		-c core.hooksPath=/dev/null -c gc.auto=0 -c core.compression=1 -c core.abbrev=12 "$@"
}
# ... in the kernel tree.
kgit() { ogit -C "$TREE" "$@"; }

# The BPF compiler: CLANG= when given, else the newest clang from 19 up in PATH.
find_clang() {
	local v c
	if [ -n "${CLANG:-}" ]; then
		command -v "$CLANG"
		return
	fi
	for v in $(seq 40 -1 19); do
		command -v "clang-$v" && return
	done
	c=$(command -v clang) && [ "$("$c" -dumpversion | cut -d. -f1)" -ge 19 ] && echo "$c" && return
	return 1
}

# The llvm-strip that goes with it, or any.
find_strip() {
	local clang=$1
	command -v "${clang/clang/llvm-strip}" || command -v llvm-strip ||
		find /usr/bin -name 'llvm-strip-[0-9]*' | sort -V | tail -n 1 | grep .
}
