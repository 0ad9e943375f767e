#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ipcx sem and ipcx wait: what they do to semaphores, what they print, and that a command
# that runs with a semaphore is as if it ran alone.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

# sem NAME OPTION...: a new one.
sem() {
	ipcx sem create "$@" || fail "no set $1"
}

# value NAME [INDEX]
value() {
	ipcx sem get "$1" --index "${2:-0}" --json >values
	sed -nE 's/.*"value": ([0-9]+).*/\1/p' values
}

# waits NAME N: until so many wait for it to rise.
waits() {
	local i

	for ((i = 0; i < 300; i++)); do
		ipcx sem get "$1" --index 0 --json | grep -q "\"waiting_down\": $2" && return
		sleep 0.1
	done
	fail "nobody waits for $1"
}

has_taken() {
	[ "$(value "$1")" = 0 ]
}

test_create_and_show() {
	umask 022
	sem plain
	run ipcx show plain -j
	works
	json 'd["type"] == "sem" and d["mode"] == "0600" and d["sems"] == 1 and d["owned"] is False'
	json 'd["sem_max"] == 2147483647'
	run ipcx sem create other --count 3 --value 2 --max 5 --json
	works
	json 'd["sems"] == 3 and d["sem_max"] == 5'
	run ipcx show other
	works
	prints "Semaphores"
	sem locks --count 2 --owned
	run ipcx show locks
	prints "owned"
	run ipcx ls
	prints "plain" "other" "locks"
}

test_create_refuses() {
	run ipcx sem create x --value 6 --max 5
	exits 2
	says "--value is more than --max"
	run ipcx sem create x --owned --value 1
	exits 2
	run ipcx sem create x --count 0
	exits 2
	says "'0' is no number of semaphores"
	run ipcx sem create x --count 32001
	exits 2
	run ipcx sem create x --value 2147483648
	exits 2
	run ipcx sem create x --max 0
	exits 2
	sem x
	run ipcx sem create x
	exits 1
}

test_up_down_get_set() {
	sem s --count 3 --value 2 --max 9
	run ipcx sem up s
	works
	is "$(value s)" 3 "the value"
	run ipcx sem up s 4 --index 1
	works
	run ipcx sem down s 2 -I 2
	works
	run ipcx sem get s
	works
	is "$(awk '{ print $1, $2 }' out | tr '\n' ';')" "INDEX VALUE;0 3;1 6;2 0;" "what get prints"
	run ipcx sem get s --json
	json 'len(d) == 3 and d[1]["index"] == 1 and d[1]["value"] == 6 and d[1]["waiting_down"] == 0'
	run ipcx sem set s 7
	works
	run ipcx sem set s 1 2 --index 1
	works
	run ipcx sem get s
	is "$(awk 'NR > 1 { print $2 }' out | tr '\n' ' ')" "7 1 2 " "the values"
	run ipcx sem set s 4 --all
	works
	run ipcx sem get '#'"$(ipcx show s --json | sed -nE 's/.*"id": ([0-9]+).*/\1/p')"
	is "$(awk 'NR > 1 { print $2 }' out | tr '\n' ' ')" "4 4 4 " "the values"
}

test_what_cannot_be() {
	sem s --count 2 --max 5
	run ipcx sem up s 6
	exits 1
	says "more than its maximum"
	run ipcx sem set s 6
	exits 1
	says "more than its maximum"
	run ipcx sem down s --index 2 --timeout 0
	exits 1
	says "it has 2"
	run ipcx sem down s --timeout 0
	exits 1
	says "too low now"
	run ipcx sem down s --timeout 0.1
	exits 1
	says "too low for 0.1 seconds"
	run ipcx sem down missing
	exits 1
	says "missing"
	ipcx queue create q
	run ipcx sem up q
	exits 1
	says "queue"
	run ipcx sem up s 0
	exits 2
	run ipcx sem set s
	exits 2
	says "VALUE is missing"
	sem locks --owned
	run ipcx sem down locks
	exits 1
	says "owned" "ipcx sem run"
	run ipcx sem set locks 0
	exits 1
	says "owned"
}

test_down_waits() {
	sem s
	start ipcx sem down s 2
	waits s 1
	ipcx sem up s
	waits s 1
	ipcx sem up s
	finish "$started"
	works
	is "$(value s)" 0 "the value"
}

test_run_passes_all_on() {
	sem s --value 1
	run ipcx sem run s -- sh -c 'exit 7' sh -x
	exits 7
	run ipcx sem run s -- printf '%s;' one -x
	works
	is "$out" "one;-x;" "its output"
	is "$(value s)" 1 "the value"
	run ipcx sem run s -- sh -c 'kill -TERM $$'
	exits 143
	is "$(value s)" 1 "the value"
	run ipcx sem run s --timeout 5 -- ipcx sem get s --json
	works
	json 'd[0]["value"] == 0'
	run ipcx sem run s -- no-such-command
	exits 127
	says "no-such-command"
	run ipcx sem run s -- /etc/passwd
	exits 126
	run ipcx sem run s
	exits 2
	says "the command is missing"
	is "$(value s)" 1 "the value"
}

test_run_is_killed() {
	local runs

	sem s --value 1
	start ipcx sem run s -- sleep 100
	runs=$started
	wait_for has_taken s
	start ipcx sem down s
	waits s 1
	run ipcx sem run s --timeout 0 -- true
	exits 1
	kill -KILL "$runs"
	finish "$runs"
	exits 137
	finish "$started"
	works
	is "$(value s)" 0 "the value"
}

test_run_with_owned() {
	sem lock --owned
	start ipcx sem run lock -- sleep 100
	wait_for has_taken lock
	run ipcx sem get lock --json
	json "d[0]['holder_pid'] == $started"
	run ipcx sem run lock --timeout 0 -- true
	exits 1
	kill -KILL "$started"
	finish "$started"
	run ipcx sem run lock -- echo mine
	exits 0
	is "$out" mine "its output"
	says "who held it before has died"
	run ipcx sem get lock
	prints "HOLDER"
}

test_wait_for_any() {
	sem s --count 2
	ipcx queue create q:with:colons
	ipcx pipe create p
	run ipcx wait s:down p:writable q:with:colons:readable
	works
	is "$out" p:writable "what was met"
	run ipcx wait --timeout 0 s:down q:with:colons:readable
	exits 1
	says "nothing of this is so now"
	run ipcx wait --timeout 0.1 s:down=2@1
	exits 1
	says "nothing of this was so for 0.1 seconds"
	ipcx queue send q:with:colons hello
	run ipcx wait s:down q:with:colons:readable
	works
	is "$out" q:with:colons:readable "what was met"
	ipcx sem up s 3 --index 1
	run ipcx wait s:down s:down=2@1
	works
	is "$out" s:down=2@1 "what was met"
	is "$(value s 1)" 1 "the value"
}

test_wait_for_all() {
	sem s
	sem t
	start ipcx wait --all s:down t:down
	ipcx sem up s
	run ipcx wait --all --timeout 0 s:down t:down
	exits 1
	says "not all is so now"
	is "$(value s)" 1 "the value"
	ipcx sem up t
	finish "$started"
	works
	prints_nothing
	is "$(value s) $(value t)" "0 0" "the values"
}

test_wait_refuses() {
	sem s --max 3
	run ipcx wait s
	exits 2
	says "has no condition" "s:readable"
	run ipcx wait s:up
	exits 2
	says "'up' is no condition"
	run ipcx wait s:down=0
	exits 2
	run ipcx wait s:down=x
	exits 2
	run ipcx wait
	exits 2
	run ipcx wait s:down@1
	exits 1
	says "there is no such semaphore"
	run ipcx wait s:down=4
	exits 1
	says "maximum"
	run ipcx wait missing:readable
	exits 1
	says "missing"
	ipcx queue create q
	run ipcx wait q:down
	exits 1
	says "queue"
}

test_removed_while_waiting() {
	sem s
	start ipcx wait s:down
	waits s 1
	ipcx rm s --force
	finish "$started"
	exits 1
	says "removed"
}

run_tests "$@"
