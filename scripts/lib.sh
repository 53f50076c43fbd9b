# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by the scripts beside it: where things are, how to speak, how to run a
# long step. Sourced, never run.

set -eu -o pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "${O:=$TOP/out}" 2>/dev/null || { echo "$(basename "$0"): can't create the build folder $O" >&2; exit 1; }
O=$(cd "$O" && pwd)
[ -w "$O" ] || { echo "$(basename "$0"): can't write to the build folder $O: choose another with O=path" >&2; exit 1; }
KSRC=${KSRC:-}
JOBS=${JOBS:-$(nproc)}
LOGS=$O/logs
TREE=${TREE:-$O/tree}		# the base with the series on top; where one works
SERIES=$TOP/patches/6.12

export TOP O KSRC JOBS LOGS TREE SERIES
export CCACHE_DIR=${CCACHE_DIR:-$O/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
mkdir -p "$LOGS"

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# usage HEAD-COMMENT: print the comment block at the top of the calling script.
usage() { sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# step NAME COMMAND...: run a long step. Says what runs and how long it took;
# output goes to a log whose tail is shown when the step fails. On a terminal
# the last line of the log shows meanwhile.
step() {
	local name=$1 start=$SECONDS log status=0 pid
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
		tail -n 25 "$log" | sed 's/^/    | /' >&2
		warn "    failed after $((SECONDS - start)) s (status $status); all of it: $log"
		return "$status"
	fi
	printf '    done in %d s\n' $((SECONDS - start))
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

# git in the kernel tree, blind to whatever the user's configuration says about
# diffs, hooks and signatures, so that the exported patches depend on the series alone.
kgit() {
	git -C "$TREE" -c core.hooksPath=/dev/null -c commit.gpgSign=false -c gc.auto=0 \
		-c core.compression=1 -c diff.algorithm=myers -c diff.noprefix=false \
		-c diff.mnemonicPrefix=false -c core.abbrev=12 -c core.autocrlf=false \
		-c core.quotePath=true -c advice.detachedHead=false "$@"
}

# The BPF compiler: CLANG= when given, else the newest clang from 19 up in PATH.
find_clang() {
	local v c
	if [ -n "${CLANG:-}" ]; then
		command -v "$CLANG" || die "CLANG=$CLANG is not a command"
		return
	fi
	for v in $(seq 40 -1 19); do
		command -v "clang-$v" && return
	done
	c=$(command -v clang) && [ "$("$c" -dumpversion | cut -d. -f1)" -ge 19 ] && echo "$c" && return
	return 1
}
