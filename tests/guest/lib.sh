# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For the scenarios beside it: TAP, and what they ask of the kernel again and again.

# The load of most scenarios. It runs in the background, where nobody would see it fail.
hackbench -g 1 -f 1 -l 1 >/tmp/hackbench.out 2>&1 ||
	{ echo "Bail out! $(tr "\n" " " </tmp/hackbench.out)"; exit 1; }

# plan N: how many results there will be.
plan() {
	test_nr=0
	echo "1..$1"
}

# check NAME COMMAND...: one result. The command's output shows when it fails.
check() {
	test_nr=$((test_nr + 1))
	check_name=$1
	shift
	if "$@" >/tmp/check.out 2>&1; then
		echo "ok $test_nr $check_name"
	else
		echo "not ok $test_nr $check_name"
		tail -n 40 /tmp/check.out | sed 's/^/# /'
	fi
}

# random BELOW: a number from 0.
random() { awk -v seed="$(od -An -N4 -tu4 /dev/urandom)" -v below="$1" 'BEGIN { srand(seed); print int(rand() * below) }'; }

state() { cat /sys/kernel/sched_ext/state; }
state_is() { [ "$(state)" = "$1" ] || { echo "state is $(state), not $1"; return 1; }; }

# state_becomes STATE [SECONDS]
state_becomes() {
	i=$((${2:-20} * 10))
	while [ "$i" -gt 0 ]; do
		[ "$(state)" != "$1" ] || return 0
		usleep 100000
		i=$((i - 1))
	done
	state_is "$1"
}

# seconds: since the boot.
seconds() { cut -d. -f1 /proc/uptime; }

# Nothing of a scheduler is left: not attached, and no map, program or link after a while, $gone
# seconds. They go when each task that the kernel preempted has run until it slept (RCU Tasks): under
# load that takes 20 s on the debug kernel, and has taken more than a minute with another VM beside.
nothing_left() {
	state_becomes disabled || return
	gone=0 from=$(seconds)
	while [ $gone -lt 300 ]; do
		left=$(bpfobjects) || return
		gone=$(($(seconds) - from))
		[ "$left" ] || return 0
		usleep 200000
	done
	echo "left: $left"
	return 1
}

# gets_enabled: so does the scheduler that was started, unless it ends. On the debug kernel that
# takes minutes; yet some that end by themselves are enabled for a second or two only.
gets_enabled() {
	i=1300
	while [ $i -gt 0 ]; do
		read -r now </sys/kernel/sched_ext/state
		[ "$now" != enabled ] || return 0
		now=X
		[ ! -e "/proc/$scheduler/stat" ] || read -r _ _ now _ <"/proc/$scheduler/stat"
		case $now in Z | X) break ;; esac
		usleep 200000
		i=$((i - 1))
	done
	cat /tmp/scheduler.out
	state_is enabled
}

# attach COMMAND...: start a scheduler in the background, wait until it runs.
attach() {
	"$@" >/tmp/scheduler.out 2>&1 &
	scheduler=$!
	gets_enabled
}

# start COMMAND...: the same of scx_qmap, and wait until it shows statistics. Its arena, a map
# of type 33, is there then: so nothing_left() would see it.
start() {
	attach "$@" || return
	i=200
	until grep -q '^arena ' /tmp/scheduler.out; do
		i=$((i - 1))
		[ $i -gt 0 ] || { echo "no statistics"; return 1; }
		usleep 100000
	done
	bpfobjects | grep -q '^map [0-9]* 33 ' || { echo "no arena"; return 1; }
}

# stop: end it as a user would, and expect it to say so.
stop() {
	kill -INT "$scheduler" 2>/dev/null
	wait "$scheduler" || { echo "exit status $?"; return 1; }
	said '^EXIT: unregistered from user space' && nothing_left
}

# said REGEX: the scheduler's output has such a line.
said() { grep -E "$1" /tmp/scheduler.out || { tail -n 12 /tmp/scheduler.out; return 1; }; }
# stat NAME: the latest value of NAME=value in scx_qmap's statistics.
stat() { grep -o "\b$1=[0-9]*" /tmp/scheduler.out | tail -n 1 | cut -d= -f2; }
# accounted: what scx_qmap, now ended, had queued was dispatched or taken back, and no context is left.
accounted() { said '^total  : enq=[0-9]+ = dsp=[0-9]+ \+ deq=[0-9]+ \+ queued=0, slab used=0$'; }
# logged REGEX: the kernel log has such a line.
logged() { dmesg | grep -E "$1" || { dmesg | tail -n 12; return 1; }; }

# niced N COMMAND...: what nice(1) does, which this busybox hasn't.
# shellcheck disable=SC2016
nicely='renice -n "$0" -p $$ >/dev/null; exec "$@"'
niced() { sh -c "$nicely" "$@"; }
# tasks_named NAME: how many processes there are of that name.
tasks_named() { grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | wc -l; }
# tasks_become NAME N: so many, or more, within a minute. What was forked has that name once it has run.
tasks_become() {
	from=$(seconds)
	until [ "$(tasks_named "$1")" -ge "$2" ]; do
		[ $(($(seconds) - from)) -lt 60 ] || { echo "$(tasks_named "$1") tasks are called $1, not $2"; return 1; }
		usleep 200000
	done
}

# load [NICE GROUPS PAIRS FORKERS]: tasks that pass messages, sleep, wake, fork and exit, until
# load_ends. Nice, so that under emulation the shell that drives the test gets its turn in time.
# Not by niced(), as $! would be a shell that waits for it.
load() {
	sh -c "$nicely" "${1:-5}" hackbench -g "${2:-4}" -f "${3:-5}" -l 1000000000 >/dev/null 2>&1 &
	load_a=$!
	sh -c "$nicely" "${1:-5}" forks 100000000 "${4:-2}" >/dev/null 2>&1 &
	load_b=$!
	i=1000
	until load_runs; do
		i=$((i - 1))
		[ $i -gt 0 ] || { echo "the load doesn't start"; return 1; }
		usleep 100000
	done
}
# is PID NAME: that process has this name.
is() { read -r comm <"/proc/$1/comm" && [ "$comm" = "$2" ]; } 2>/dev/null
load_runs() { is "$load_a" hackbench && is "$load_b" forks; }
# light_load: a few such tasks, for what is done again and again.
light_load() { load 10 1 2 1; }
# load_ends: fails if it had ended by itself, or never began: then it has another name than killall
# knows. Children of hackbench outlive it: they end, too.
load_ends() {
	load_runs
	ran=$?
	kill -9 "$load_a" "$load_b"
	killall -9 hackbench forks
	wait "$load_a" "$load_b"
	[ $ran -eq 0 ] || { echo "the load had ended, or never began"; return 1; }
}
# load_for SECONDS
load_for() {
	load
	sleep "$1"
	load_ends
}
