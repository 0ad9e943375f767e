#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The programs of user/examples do what they say.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

nothing=$(ipcx ls)

# example NAME ARGUMENT...: it has its time, and leaves nothing.
example() {
	local name=$1
	shift

	run timeout --kill-after=5 "$PATIENCE" "$TREE/build/user/examples/$name" "$@"
	exits 0
	wait_for nothing_is_left
}

nothing_is_left() {
	[ "$(ipcx ls)" = "$nothing" ]
}

# numbers PATTERN: what its group is, line by line, of the lines that match.
numbers() {
	sed -nE "s/^.*$1.*\$/\\1/p" out
}

test_every_item_is_consumed_once() {
	example producer-consumer 300
	complains_not
	prints "300 items, sum 45150"
	is "$(grep -c '^consumer [0-9]*: [0-9]* items$' out)" 3 "the number of consumers"
}

test_bounded_buffer() {
	example bounded-buffer 300
	complains_not
	prints "300 items, sum 45150"
}

test_connections_of_killed_clients() {
	example connection-pool 100 10
	complains_not
	prints " 0 given up, 10 clients killed, 3 of 3 connections free"
	expect test "$(numbers '^([0-9]+) requests')" -gt 50
}

test_select_loop() {
	example select-loop 300
	prints "300 numbers in order, sum 45150"
	is "$(sed -nE 's/^relay: ([0-9]+) relayed.*/\1/p' err)" 300 "the numbers that were relayed"
}

test_jobs() {
	example jobs 30 0
	complains_not
	prints "0 workers killed, 0 jobs sent again"
	is "$(numbers '^job ([0-9]+),' | sort -n | tr '\n' ' ')" "$(seq -s ' ' 30) " "the jobs with a result"
	# Three workers may overtake each other, but not by ten jobs.
	is "$(numbers 'priority ([0-9])' | sed -n '1p; $p' | tr '\n' ' ')" "1 3 " "the first and the last priority"
}

test_jobs_of_killed_workers() {
	local count=$((60 + 40 * ${IPCMOD_SCALE:-100} / 100))

	example jobs "$count" $((count / 2))
	complains_not
	is "$(numbers '^job ([0-9]+),' | sort -n | tr '\n' ' ')" "$(seq -s ' ' "$count") " "the jobs with a result"
	expect test "$(numbers '^([0-9]+) workers killed')" -gt 0
	expect grep -qE '[1-9][0-9]* jobs sent again' out
}

test_every_line_is_collected() {
	local writer

	example logcollect 3 40
	is "$(wc -l <out)" 120 "the number of lines"
	says "120 lines in"
	for writer in 0 1 2; do
		is "$(numbers "uid 6000$((writer + 1)): writer $writer, line ([0-9]+) of 40" | tr '\n' ' ')" \
			"$(seq -s ' ' 40) " "the lines of writer $writer"
		is "$(numbers "pid ([0-9]+) .*writer $writer," | sort -u | wc -l)" 1 "the pids of writer $writer"
	done
	is "$(numbers "pid ([0-9]+) " | sort -u | wc -l)" 3 "the pids"
	is "$(grep -vcE "^$(date -u +%Y)-[-0-9]+T[:.0-9]+Z pid" out)" 0 "the lines without a time"
}

run_tests "$@"
