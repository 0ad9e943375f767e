#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ipcx queue: that messages arrive as they were sent, what is there when something comes in
# between, and what ls and show tell of queues.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

# queue NAME OPTION...: a new one.
queue() {
	ipcx queue create "$@" || fail "no queue $1"
}

# json_lines EXPRESSION...: true of d, the list of all objects that were printed.
json_lines() {
	local lines expression IFS=,

	mapfile -t lines <out
	printf '[%s]\n' "${lines[*]}" >out
	for expression; do
		json "$expression"
	done
}

# holds NAME TEXT...: exactly these messages, in this order.
holds() {
	local name=$1
	shift

	ipcx queue peek "$name" --null >held
	printf '%s\0' "$@" >wanted
	[ $# -gt 0 ] || : >wanted
	expect cmp wanted held
}

# The guide's example, line by line.
test_the_guide() {
	local line ran=0

	sed -n '/^Queues$/,/^Selecting$/s/^    //p' "$TREE/Documentation/guide.rst" >example
	: >got
	while IFS= read -r line <&3; do
		case $line in
		'$ '*)
			run bash -c "${line#\$ }"
			works
			cat out >>got
			ran=$((ran + 1))
			;;
		esac
	done 3<example
	is "$ran" 4 "the number of commands"
	is "$(<got)" "$(grep -v '^\$' example)" "what they print"
}

# create, ls and show.

test_create() {
	umask 022
	queue plain
	run ipcx show plain -j
	works
	json 'd["name"] == "plain" and d["type"] == "queue" and d["mode"] == "0600"'
	json 'd["lifetime"] == "persistent" and d["linked"] is True'
	json 'd["max_msgs"] == 1024 and d["capacity_bytes"] == d["max_msg_bytes"] == 262144'
	json 'd["msgs"] == d["used_bytes"] == 0 and d["charged_bytes"] > 262144'
	run ipcx queue create other --max-msgs 3 --max-bytes 1M --max-msg-bytes 10K --mode 666 --json
	works
	json 'd["max_msgs"] == 3 and d["capacity_bytes"] == 1 << 20 and d["max_msg_bytes"] == 10240'
	json 'd["name"] == "other" and d["mode"] == "0666" and d["msgs"] == 0'
	run ipcx queue create other
	fails "queue 'other'" taken
}

test_a_queue_that_is_held() {
	start ipcx queue create one --lifetime transient
	wait_for exists one || return
	run ipcx show one -j
	json 'd["type"] == "queue" and d["lifetime"] == "transient" and d["opens"] == 1'
	run ipcx queue recv --id "$(field one id)" --timeout 0
	fails "queue #" "not persistent" name
	kill -TERM "$started"
	finish "$started"
	exits 0
	says "the queue is transient"
	expect absent one
}

test_ls_and_show_tell_of_messages() {
	local header row

	ipcx pipe create pipe
	queue full --max-msgs 2 --mode 606
	queue closed --mode 602
	ipcx queue send full abc ''
	run ipcx ls
	works
	read -ra header < <(grep OWNER out)
	is "${header[*]}" "ID TYPE OWNER MODE LIFETIME USED CAPACITY MSGS RD WR NAME" "the header"
	read -ra row < <(grep full out)
	is "${row[*]:1}" "queue root 0606 persistent 3 256K 2 0 0 full" "the row of a queue"
	read -ra row < <(grep pipe out)
	is "${row[*]:1}" "pipe root 0600 persistent 0 64K - 0 0 pipe" "the row of a pipe"
	run ipcx ls queue -j
	works
	json '[o["name"] for o in d] == ["full", "closed"] and d[0]["msgs"] == 2 and d[0]["max_msgs"] == 2'
	run ipcx show full
	works
	prints "Messages" "at most" "each at most"
	# What others may not read they are not told, and it is no failure.
	run "${AS_NOBODY[@]}" ipcx ls -j
	works
	json '[(o["name"], o.get("msgs")) for o in d] == [("full", 2), ("closed", None)]'
}

# send.

test_each_argument_is_a_message() {
	queue one --mode 606
	run ipcx queue send one 'two words' '' --type 9223372036854775807 third
	works
	prints_nothing
	"${AS_NOBODY[@]}" ipcx queue send one -- --nobody
	start ipcx queue send one last --type=7
	finish "$started"
	works
	run ipcx queue peek one -j
	works
	json_lines '[m["text"] for m in d] == ["two words", "", "third", "--nobody", "last"]' \
		'[m["type"] for m in d] == [(1 << 63) - 1] * 3 + [1, 7]' \
		'[m["len"] for m in d] == [9, 0, 5, 8, 4]' \
		'[(m["uid"], m["gid"]) for m in d] == [(0, 0)] * 3 + [(65534, 65534), (0, 0)]' \
		"d[4]['pid'] == $started and d[0]['pid'] == d[1]['pid'] > 0" \
		'all(0 < m["age_ns"] < 600e9 and m["sent_ns"] > 1e18 for m in d)' \
		'all(a["sent_ns"] <= b["sent_ns"] for a, b in zip(d, d[1:]))'
}

test_input_is_messages() {
	queue one
	printf 'one\n\ntwo words\nlast' >input
	run_with input ipcx queue send one
	works
	holds one one '' "two words" last
	ipcx queue purge one >/dev/null
	printf 'a\nb\0\0c' >input
	run_with input ipcx queue send one -0
	works
	run_with input ipcx queue send one --whole
	works
	run ipcx queue peek one -j
	json_lines '[m.get("text") for m in d] == ["a\nb", "", "c", None]' \
		'base64.b64decode(d[3]["base64"]) == b"a\nb\0\0c" and d[3]["len"] == 6'
	ipcx queue purge one >/dev/null
	# Nothing is no message, but it is the whole of nothing.
	run ipcx queue send one
	works
	holds one
	run ipcx queue send one --whole
	works
	holds one ''
}

# Not when there is no more to come; and what is no line yet is not sent.
test_a_line_is_sent_when_it_is_there() {
	queue one
	mkfifo source
	exec 11<>source
	start_with source '' ipcx queue send one
	echo first >&11
	wait_for field_is one msgs 1
	printf 'second\nthi' >&11
	wait_for field_is one msgs 2
	kill -TERM "$started"
	finish "$started"
	exits 143
	holds one first second
}

# Larger than batches, buffers and the queue.
test_many_messages() {
	queue one --max-msgs 100
	seq -f '%.0f and more' 1 5000 >sent
	start_with /dev/null received ipcx queue recv one --count 5000
	run_with sent ipcx queue send one
	works
	finish "$started"
	works
	expect cmp sent received
	expect field_is one msgs 0
}

test_a_full_queue() {
	queue one --max-msgs 2
	run ipcx queue send one --timeout 0 a b c d
	fails "queue 'one'" "no space" "2 messages were sent"
	printf 'c\nd\n' >input
	run_with input ipcx queue send one --timeout 0.1
	fails "queue 'one'" "0.1 seconds" "0 messages were sent"
	start ipcx queue send one c
	wait_for field_is one waiting_writers 1
	kill -INT "$started"
	finish "$started"
	exits 130
	holds one a b
	start ipcx queue send one c
	wait_for field_is one waiting_writers 1
	run ipcx queue resize one --max-msgs 3
	works
	finish "$started"
	works
	holds one a b c
	start ipcx queue send one d
	wait_for field_is one waiting_writers 1
	ipcx rm --force one
	finish "$started"
	fails "queue 'one'" removed
}

test_a_message_that_is_too_long() {
	local advice

	queue one --max-bytes 64 --max-msg-bytes 8
	run ipcx queue send one short 123456789 short
	fails "queue 'one'" "message 2 has 9 bytes" "8 at most" "1 message was sent"
	printf 'a\nb\n%070d\nc\n' 0 >input
	run_with input ipcx queue send one
	fails "message 3 has 70 bytes" "2 messages were sent"
	holds one short a b
	# The advice can be pasted.
	advice=${err#*change that: }
	run bash -c "${advice%%$'\n'*}"
	works
	expect field_is one max_msg_bytes 70
	expect field_is one capacity_bytes 70
	head -c 17000000 /dev/zero >input
	run_with input ipcx queue send one --whole
	fails "message 1" 16777216 "no queue"
	holds one short a b
}

# recv.

test_selecting() {
	local type

	queue one
	for type in 3 1 2 1 9; do
		ipcx queue send one --type $type "type $type"
	done
	run ipcx queue peek one --range 1:2
	is "$out" $'type 1\ntype 1\ntype 2' "what a range is"
	run ipcx queue peek one --except 1
	is "$out" $'type 3\ntype 2\ntype 9' "what is excepted from"
	run ipcx queue recv one --type 2
	works
	is "$out" "type 2" "one of a type"
	run ipcx queue recv one --range 1:3 -n 3
	works
	is "$out" $'type 1\ntype 1\ntype 3' "messages of a range"
	run ipcx queue recv one --except 9 --timeout 0
	fails "queue 'one'" "no such message"
	run ipcx queue recv one
	works
	is "$out" "type 9" "any message"
	run ipcx queue recv one --timeout 0.1
	fails "queue 'one'" "no message" "0.1 seconds"
	is_printable err
}

# Those that are there are printed; the others are what it fails for.
test_fewer_than_were_asked_for() {
	queue one
	ipcx queue send one a b
	run ipcx queue recv one -n 3 --timeout 0
	exits 1
	is "$out" $'a\nb' "what was received"
	says "no message" "2 of 3"
	ipcx queue send one c d
	run ipcx queue recv one --follow --timeout 0
	works
	is "$out" $'c\nd' "what was received"
}

# What was sent before is printed while it waits; a signal takes nothing.
test_following() {
	queue one
	ipcx queue send one early
	start_with /dev/null received ipcx queue recv one --follow --except 5
	wait_for grep -qx early received
	ipcx queue send one later
	wait_for grep -qx later received
	wait_for sleeping "$started"
	kill -INT "$started"
	finish "$started"
	exits 130
	complains_not
	ipcx queue send one "after it"
	is "$(<received)" $'early\nlater' "what was received"
	holds one "after it"
}

test_waiting_for_a_message() {
	queue one
	ipcx queue send one other
	start ipcx queue recv one --type 5
	wait_for field_is one readers 1
	wait_for sleeping "$started"
	ipcx queue send one --type 5 wanted
	finish "$started"
	works
	is "$out" wanted "what was received"
	start ipcx queue recv one --type 5
	wait_for field_is one readers 1
	ipcx rm --force one
	finish "$started"
	fails "queue 'one'" removed
}

# Longer than what any command has room for at first; every byte.
test_a_long_message() {
	queue one --max-bytes 1M
	head -c 400000 /dev/urandom >sent
	run_with sent ipcx queue send one --whole
	works
	ipcx queue send one short
	run ipcx queue peek one --whole
	works
	expect cmp sent out
	run ipcx queue peek one -j
	json_lines 'len(d) == 2 and d[1]["text"] == "short"' \
		'base64.b64decode(d[0]["base64"]) == open(folder + "/sent", "rb").read()'
	run ipcx queue recv one --whole
	works
	expect cmp sent out
	holds one short
}

test_what_is_text_in_json() {
	local bad

	queue one
	ipcx queue send one $'tab\tand\nnewline' $'\xc3\xbcber "quoted" \\'
	run ipcx queue recv one -n 2 -j
	works
	is_printable out
	json_lines '[m["text"] for m in d] == ["tab\tand\nnewline", "\u00fcber \"quoted\" \\"]'
	for bad in $'\e[31m' $'\xff' $'\x7f' $'\xc2\x9b' $'\xed\xa0\x80' $'cut \xc3'; do
		ipcx queue send one "$bad"
	done
	run ipcx queue recv one -n 6 -j
	works
	is_printable out
	json_lines 'all("text" not in m for m in d)' \
		'[base64.b64decode(m["base64"]) for m in d] ==
			[b"\x1b[31m", b"\xff", b"\x7f", b"\xc2\x9b", b"\xed\xa0\x80", b"cut \xc3"]'
}

# Output.

# A message that nobody could get stays; one that was taken is missed.
test_output_that_fails() {
	queue one
	ipcx queue send one first second
	# shellcheck disable=SC2016 # for the inner shell
	run timeout "$PATIENCE" bash -c '{ ipcx queue recv one --follow --type 9; echo $? >status; } |
		true; cat status'
	exits 0
	[ "$out" -eq 141 ] || [ "$out" -eq 1 ] || fail_run "the status"
	run bash -c 'exec ipcx queue recv one >&-'
	fails "standard output"
	holds one first second
	run bash -c 'exec ipcx queue recv one -n 2 >/dev/full'
	fails "standard output" "No space" "type 1" "5 bytes" lost
	holds one second
	run bash -c 'exec ipcx queue peek one >/dev/full'
	fails "standard output" "No space"
	[[ $err != *lost* ]] || fail_run "what was peeked at is lost"
	holds one second
}

test_output_that_nobody_takes() {
	queue one
	mkfifo stuck
	exec 11<>stuck
	head -c 200000 /dev/zero >input
	run_with input ipcx queue send one --whole
	works
	ipcx queue send one second
	start_with /dev/null stuck ipcx queue recv one --follow
	wait_for field_is one msgs 1
	wait_for sleeping "$started"
	kill -TERM "$started"
	finish "$started"
	exits 143
	says lost "200000 bytes"
	holds one second
}

# peek, purge and resize.

test_peek() {
	queue one --max-msgs 3000
	run ipcx queue peek one
	works
	prints_nothing
	seq 2500 >input
	run_with input ipcx queue send one
	run ipcx queue peek one
	works
	expect cmp input out
	run ipcx queue peek one --skip 2498 --count 5
	works
	is "$out" $'2499\n2500' "the last ones"
	run ipcx queue peek one --count 2 --whole
	is_usage_error whole
	expect field_is one msgs 2500
}

test_purge() {
	queue one
	ipcx queue send one a b c
	ipcx queue send one --type 2 d e
	run ipcx queue purge one --type 2 -j
	works
	json 'd == {"purged": 2}'
	holds one a b c
	run ipcx queue purge one
	works
	prints Purged 3
	holds one
}

test_resize() {
	local id

	queue one
	id=$(field one id)
	run ipcx queue resize one --max-msgs 5 --max-bytes 4K --json
	works
	json 'd["max_msgs"] == 5 and d["capacity_bytes"] == d["max_msg_bytes"] == 4096'
	run ipcx queue resize "#$id" --max-msg-bytes 1K
	works
	prints_nothing
	ipcx queue send one a b c
	run ipcx queue resize --id "$id" --max-msgs 2
	fails "queue #$id" "3 messages" "3 bytes" purge
	run ipcx queue resize one --max-bytes 2
	fails "queue 'one'" "3 messages" "3 bytes" purge
	run ipcx queue resize one --max-msg-bytes 8K
	fails "queue 'one'" --max-msg-bytes --max-bytes
	run ipcx show one -j
	json 'd["max_msgs"] == 5 and d["capacity_bytes"] == 4096 and d["max_msg_bytes"] == 1024'
	run ipcx queue resize one --max-bytes 2T
	fails "queue 'one'" --max-msgs 1048576 1G 16M
	run ipcx queue create bad --max-msg-bytes 17M --max-bytes 32M
	fails "queue 'bad'" --max-msg-bytes 16M
	expect absent bad
}

# Messages.

test_a_missing_queue_names_the_create_command() {
	local verb

	for verb in send recv peek purge; do
		run ipcx queue $verb nope
		fails "queue 'nope' does not exist" "ipcx queue create nope"
	done
	run ipcx queue resize nope --max-msgs 5
	fails "queue 'nope' does not exist" "ipcx queue create nope"
	run ipcx queue send '#2147483647' a
	fails 2147483647 "does not exist"
}

test_another_type_is_named() {
	local words

	ipcx pipe create pipe
	queue queue
	for words in "send pipe a" "recv pipe" "purge pipe" "resize pipe --max-msgs 5"; do
		# shellcheck disable=SC2086 # several words
		run ipcx queue $words
		fails "queue 'pipe'" "it is a pipe" "ipcx show pipe"
	done
	for words in "write queue" "read queue" "resize queue 4K"; do
		# shellcheck disable=SC2086 # several words
		run ipcx pipe $words
		fails "pipe 'queue'" "it is a queue" "ipcx show queue"
	done
	expect field_is queue capacity_bytes 262144
}

test_no_permission() {
	local words

	queue mine
	queue ours --mode 606
	for words in "send mine a" "recv mine" "peek mine" "purge mine" "resize mine --max-msgs 5" \
		"resize ours --max-msgs 5"; do
		# shellcheck disable=SC2086 # several words
		run "${AS_NOBODY[@]}" ipcx queue $words
		fails "queue '" permission owner
	done
	expect field_is ours max_msgs 1024
}

test_a_full_account() {
	local was

	was=$(<"$PARAMETERS/user_bytes_max")
	echo 300000 >"$PARAMETERS/user_bytes_max"
	run ipcx queue create one
	echo "$was" >"$PARAMETERS/user_bytes_max"
	fails "queue 'one'" account "293K bytes" "ipcx rm"
	expect absent one
}

test_wrong_command_lines() {
	local words

	queue one
	for words in "send" "recv one two" "recv one --type 0" "recv one --type 9223372036854775808" \
		"recv one --type a" "recv one --type 1 --except 2" "recv one --range 5" "recv one --range 2:1" \
		"recv one --range 0:1" "recv one -n 0" "recv one -n 1 --follow" "recv one --whole --follow" \
		"recv one --null --json" "recv one --timeout 1s" "recv one --timeout -1" "peek one --skip x" \
		"send one --null a" "send one --null --whole" "send one --type" "resize one" "resize one 5" \
		"create" "create bad --max-msgs 1K" "create bad --max-bytes 0" "purge one two" "recv --id x"; do
		# shellcheck disable=SC2086 # several words
		run ipcx queue $words
		is_usage_error "usage: ipcx queue ${words%% *}"
	done
	run ipcx queue
	exits 2
	says "queue create" "queue send" "queue recv" "queue peek" "queue purge" "queue resize"
	run ipcx recv
	exits 2
	says "queue recv"
	expect absent bad
}

run_tests "$@"
