#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ipcx-bench: that it measures what it says and tells all it measured. How fast anything
# is, is no test.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

readonly BENCH=$TREE/build/user/ipcx-bench

# Rows of every kind of work, quickly done.
readonly SOME=(pipe-64k-1cpu-64k pipe-4k-2cpu round-trip-1cpu queue-trip-2cpu queue-batch-1cpu queue-depth-10
	queue-type-1000 make-close sem-alone map-touch)

# bench ARGUMENT...
bench() {
	run "$BENCH" "$@"
}

# The lines of the table, without what is above and below.
table() {
	sed '1,/^row /d; /^$/,$d' out
}

# json_file EXPRESSION: of what --json results wrote.
json_file() {
	cp results out
	json "$1"
}

# line ROW PEER: the line of the table.
line() {
	table | grep "^$1 .*$2"
}

test_help() {
	bench --help
	works
	prints "usage: ipcx-bench" --json --pairs --quick --list
}

test_the_list_has_every_row() {
	local name names

	bench --list
	works
	mapfile -t names < <(sed 1d out | awk '{ print $1 }')
	is "$(printf '%s\n' "${names[@]}" | sort -u | wc -l)" "${#names[@]}" "the number of names"
	for name in pipe-{64,512,4k,64k,1m}-{1,2}cpu-{64k,1m} open-100000 queue-{trip,batch}-{1,2}cpu \
		queue-type{,s}-100000; do
		expect grep -q "^$name .*[<>]= [0-9]" out
	done
}

test_wrong_arguments() {
	local words

	for words in nothing "pipe-64k-1cpu-64k nothing" "pipe-64k-" --colour --pairs "--pairs 0" "--pairs 100" \
		"--pairs 9x" "--pairs -1" "--time 0" "--time 1.5" --json; do
		# shellcheck disable=SC2086 # several arguments
		bench $words
		is_usage_error ipcx-bench
	done
}

test_the_table_and_json_have_all() {
	local row

	bench --quick --pairs 2 --json results "${SOME[@]}"
	works
	prints "$(uname -r)" " of 11 goals"
	table >lines
	for row in "${SOME[@]}"; do
		expect grep -q "^$row" lines
	done
	awk '{ print $1 }' lines >names
	json_file "[c['row'] for c in d['comparisons']] == open(folder + '/names').read().split()"
	json "d['kernel'] == '$(uname -r)' and d['virtualization'] == '$IPCMOD_VM_ACCEL'"
	json "d['pairs'] == 2 and d['cpus'] == $(nproc) and d['version'] != ''"
	json "d['module_srcversion'] == '$(cat /sys/module/ipcmod/srcversion)'"
	json 'all(len(c["samples"]) == 2 for c in d["comparisons"])'
	json 'all(s["amount"] > 0 and s["peer_seconds"] > 0 and s.get("ours_seconds", 1) > 0
		and s["amount"] * c["bytes"] >= 4 * c["capacity_bytes"] for c in d["comparisons"] for s in c["samples"])'
	json '{c["peer"] for c in d["comparisons"]} >= {"pipe(2)", "FIFO", "Unix stream", "Unix seqpacket",
		"eventfd", "POSIX mq", "SysV msg", "SysV sem", "POSIX sem", "memfd"}'
	json '[c["row"] for c in d["comparisons"] if "ours" not in c] == ["map-touch"]'
	json '{c["row"]: c["messages_waiting"] for c in d["comparisons"] if c["messages_waiting"]} ==
		{"queue-depth-10": 10, "queue-type-1000": 1000}'
}

# Recomputed here: throughput is better if more, a cost if less.
test_ratios_and_verdicts_follow_from_the_samples() {
	bench --quick --pairs 4 --json results pipe-64k-1cpu-64k make-close
	works
	json_file 'all(abs(sorted(q)[0] / c["ratio"]["lowest"] - 1) < 1e-5
		and abs(sorted(q)[3] / c["ratio"]["highest"] - 1) < 1e-5
		and abs(sum(sorted(q)[1:3]) / 2 / c["ratio"]["median"] - 1) < 1e-5
		for c in d["comparisons"] for r in [[s["ours_seconds"] / s["peer_seconds"] for s in c["samples"]]]
		for q in [[1 / x for x in r] if c["unit"] == "MB/s" else r])'
	json 'all(abs(sum(sorted(r)[1:3]) / 2 / c[who + "_result"]["median"] - 1) < 1e-5
		for c in d["comparisons"] for who in ["ours", "peer"]
		for t in [[s[who + "_seconds"] / s["amount"] for s in c["samples"]]]
		for r in [[c["bytes"] / x / 1e6 if c["unit"] == "MB/s" else x * 1e6 for x in t]])'
	json '[c["goal"]["holds"] for c in d["comparisons"] if c["goal"]] ==
		[c["ratio"]["median"] >= c["goal"]["ratio"] for c in d["comparisons"] if c["goal"]]'
	json 'len([c for c in d["comparisons"] if c["goal"]]) == 1 and len(d["comparisons"]) == 7'
}

# What takes minutes is left out where less is done; its caller returns.
takes_long() {
	[ "${IPCMOD_SCALE:-100}" -lt 100 ] || return 1
	skip "make check-long has the time for it"
}

test_many_objects() {
	local before

	! takes_long || return 0
	before=$(tail -n +1 "$PARAMETERS"/*)
	bench --quick --pairs 1 --json results open
	works
	is "$(line open-100000 among | wc -l)" 1 "the number of lines"
	is "$(tail -n +1 "$PARAMETERS"/*)" "$before" "the module's parameters"
}

# Two herds and a queue that is full of others: what takes long to make.
test_many_who_wait() {
	! takes_long || return 0
	bench --quick --pairs 1 --json results queue-wake queue-types
	works
	is "$(line queue-wake-1000 asleep | wc -l)" 1 "the number of lines"
	json_file '[c["messages_waiting"] for c in d["comparisons"]] == [100000, 0, 0]'
}

# A library that is loaded first gets at what is written to files of one kind.
meddler() {
	[ ! -e "$work/meddler.so" ] || return 0
	cat >meddler.c <<-'END'
		#include <dlfcn.h>
		#include <stdlib.h>
		#include <string.h>
		#include <stdio.h>
		#include <unistd.h>

		static int concerns(int fd)
		{
			char link[64], target[64] = "";

			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			return readlink(link, target, sizeof(target) - 1) > 0 &&
			       !strncmp(target, getenv("MEDDLE_WITH"), strlen(getenv("MEDDLE_WITH")));
		}

		ssize_t write(int fd, const void *data, size_t size)
		{
			ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
			const char *how = getenv("MEDDLE_HOW");
			static char copy[1 << 20];
			static int calls;

			if (!concerns(fd))
				return real(fd, data, size);
			calls++;
			if (!strcmp(how, "delay"))
				usleep(500000);
			if (!strcmp(how, "lose") && calls == 1)
				return size;
			memcpy(copy, data, size);
			if (!strcmp(how, "alter") && calls == 1)
				copy[0]++;
			return real(fd, copy, size);
		}
	END
	run cc -D_GNU_SOURCE -Wall -Werror -O2 -shared -fPIC -o "$work/meddler.so" meddler.c -ldl
	works
}

# with_meddler HOW FILES ROW OPTION...
with_meddler() {
	local how=$1 files=$2
	shift 2

	meddler
	run env LD_PRELOAD="$work/meddler.so" MEDDLE_HOW="$how" MEDDLE_WITH="$files" "$BENCH" --quick --pairs 1 "$@"
}

# fails_as WORDS...: says why, and has no figure.
fails_as() {
	exits 1
	says "$@"
	is "$(table)" "" "what is in the table"
}

test_lost_bytes_are_noticed() {
	with_meddler lose ipcx: pipe-64k-1cpu-64k
	fails_as "ipcx pipe" arrived
	with_meddler lose pipe: pipe-64k-2cpu-64k
	fails_as "pipe(2)" arrived
}

test_altered_bytes_are_noticed() {
	with_meddler alter ipcx: pipe-1m-1cpu-64k
	fails_as "ipcx pipe" "not what was sent"
	with_meddler alter ipcx: queue-depth-0
	fails_as "ipcx queue" "in place of"
	with_meddler alter ipcx: round-trip-1cpu
	fails_as "ipcx pipe" "not what"
}

# Half a second for each write of a MiB: there is no machine on which that goes unseen.
test_who_is_slowed_down_loses() {
	with_meddler delay pipe: pipe-1m-1cpu-64k --json results
	works
	expect test "$(line pipe-1m-1cpu-64k 'pipe(2)' | grep -c ' holds')" -eq 1
	json_file 'd["comparisons"][0]["goal"]["holds"] and not d["comparisons"][0]["goal"]["sure"]'
	json 'd["comparisons"][0]["peer_result"]["median"] < 2.2'
	with_meddler delay ipcx: pipe-1m-1cpu-64k --json results
	works
	expect test "$(line pipe-1m-1cpu-64k 'pipe(2)' | grep -c ' misses by ')" -eq 1
	json_file 'not d["comparisons"][0]["goal"]["holds"] and d["comparisons"][0]["goal"]["missed_by"] > 0'
	json 'd["comparisons"][0]["ours_result"]["median"] < 2.2'
}

test_results_that_cannot_be_written() {
	bench --quick --pairs 1 --json nowhere/results sem-alone
	exits 1
	says nowhere/results "No such file"
	prints_nothing
	bench --quick --pairs 1 --json /dev/full sem-alone
	exits 1
	says /dev/full "No space"
}

test_root_only() {
	run "${AS_NOBODY[@]}" "$BENCH" --quick sem-alone
	exits 1
	prints_nothing
	says root
}

what_is_there() {
	ipcs
	ls -A /tmp /dev/mqueue /dev/shm
	ipcx ls
}

as_before() {
	[ "$(what_is_there)" = "$before" ]
}

# Killed in the midst of each kind of work.
test_nothing_is_left_behind() {
	local row before

	before=$(what_is_there)
	for row in round-trip-1cpu open-close queue-depth-10 queue-wake; do
		start "$BENCH" --time 60000 "$row"
		wait_for grep -q "^row" "$started.out"
		kill -KILL "$started"
		finish "$started"
		exits 137
	done
	# The processes that it had started are killed in their turn.
	wait_for as_before
	is "$(what_is_there)" "$before" "what is there"
}

run_tests "$@"
