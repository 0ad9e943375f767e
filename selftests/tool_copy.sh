#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ipcx pipe write and ipcx pipe read: that all data arrives, and what remains when
# something comes in between; ipcx pipe resize while data is on its way.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

readonly BIG=5000000

# copied SIZE WRITER-FILE READER-FILE: through a pipe, with - and "" for the standard ones.
copied() {
	local size=$1 from=$2 to=$3 reader

	head -c "$size" /dev/urandom >sent
	rm -f received
	ipcx pipe create "pipe-$size-$from-$to"
	# shellcheck disable=SC2086 # "" is no argument
	case $to in
	file) start ipcx pipe read "pipe-$size-$from-$to" received ;;
	*) start_with /dev/null received ipcx pipe read "pipe-$size-$from-$to" $to ;;
	esac
	reader=$started
	# shellcheck disable=SC2086 # "" is no argument
	case $from in
	file) run ipcx pipe write "pipe-$size-$from-$to" sent ;;
	*) run_with sent ipcx pipe write "pipe-$size-$from-$to" $from ;;
	esac
	works
	prints_nothing
	finish "$reader"
	works
	prints_nothing
	expect cmp sent received
	expect field_is "pipe-$size-$from-$to" used_bytes 0
}

test_nothing_is_copied() {
	copied 0 file file
}

test_one_byte_is_copied() {
	copied 1 "" ""
}

test_much_is_copied_from_file_to_file() {
	copied $BIG file file
}

test_much_is_copied_from_input_to_output() {
	copied $BIG "" ""
}

test_a_dash_is_input_or_output() {
	copied 70000 - -
	expect test ! -e ./-
}

test_by_id() {
	local id

	ipcx pipe create one
	id=$(field one id)
	start ipcx pipe read --id "$id"
	echo data >sent
	run ipcx pipe write "#$id" sent
	works
	finish "$started"
	works
	is "$out" data "what was read"
}

test_a_pipe_serves_again() {
	local word

	ipcx pipe create one
	for word in first second; do
		start ipcx pipe read one
		echo "$word" >sent
		run ipcx pipe write one sent
		works
		finish "$started"
		works
		is "$out" "$word" "what was read"
	done
}

test_the_file_appears_when_complete() {
	umask 027
	mkdir to
	hold transient one
	start ipcx pipe read one to/file
	head -c 100000 /dev/zero >&10
	wait_for field_is one used_bytes 0
	expect test ! -e to/file
	exec 10>&-
	finish "$started"
	umask 022
	works
	is "$(stat -c '%s %a' to/file)" "100000 640" "the file's size and mode"
	is "$(ls -A to)" file "what is there"
}

test_a_file_that_is_replaced_stays_what_it_was() {
	echo old >file
	chown 65534:65534 file
	chmod 604 file
	ln -s file link
	ipcx pipe create one
	start ipcx pipe read one link
	echo data >sent
	run ipcx pipe write one sent
	works
	finish "$started"
	works
	expect test -L link
	expect cmp sent file
	is "$(stat -c '%u:%g %a' file)" "65534:65534 604" "the file's owner and mode"
}

# A FIFO, or a device, is no regular file: it is written, not replaced.
test_a_special_file_stays() {
	mkfifo fifo
	cat fifo >received &
	background+=($!)
	ipcx pipe create one
	start ipcx pipe read one fifo
	echo data >sent
	run ipcx pipe write one sent
	works
	finish "$started"
	works
	wait "${background[0]}"
	expect test -p fifo
	expect cmp sent received
}

# Interruption.

# interrupted SIGNAL FILE: in the middle of a read; it dies of it, and FILE's folder is as
# it was.
interrupted() {
	local before

	hold transient one
	before=$(tail -n +1 to/* 2>&1)
	start ipcx pipe read one "$2"
	timeout "$PATIENCE" head -c 100000 /dev/zero >&10
	wait_for field_is one used_bytes 0
	kill -"$1" "$started"
	finish "$started"
	exits $((128 + $(kill -l "$1")))
	is "$(tail -n +1 to/* 2>&1)" "$before" "what is there"
	is "$(find to -name '.*' ! -name .)" "" "what is hidden there"
}

test_an_interrupted_read_leaves_the_old_file() {
	mkdir to
	echo old >to/file
	interrupted INT to/file
}

test_a_terminated_read_leaves_the_old_file() {
	mkdir to
	echo old >to/file
	interrupted TERM to/file
}

test_a_read_that_is_hung_up_leaves_no_file() {
	mkdir to
	interrupted HUP to/file
}

test_a_killed_read_leaves_the_old_file() {
	echo old >file
	hold transient one
	start ipcx pipe read one file
	timeout "$PATIENCE" head -c 100000 /dev/zero >&10
	wait_for field_is one used_bytes 0
	kill -KILL "$started"
	finish "$started"
	exits 137
	is "$(<file)" old "the file"
}

test_waiting_for_a_writer_can_be_interrupted() {
	mkdir to
	ipcx pipe create one
	start ipcx pipe read one to/file
	wait_for field_is one readers 1
	kill -INT "$started"
	finish "$started"
	exits 130
	is "$(ls -A to)" "" "what is there"
	wait_for field_is one opens 0
}

test_waiting_for_a_reader_can_be_interrupted() {
	ipcx pipe create one
	start ipcx pipe write one /etc/passwd
	wait_for field_is one writers 1
	kill -TERM "$started"
	finish "$started"
	exits 143
	wait_for field_is one opens 0
	expect field_is one used_bytes 0
}

# While it waits for space.
test_a_write_can_be_interrupted() {
	hold transient one
	head -c "$BIG" /dev/zero >sent
	start ipcx pipe write one sent
	wait_for field_is one waiting_writers 1
	kill -INT "$started"
	finish "$started"
	exits 130
	wait_for field_is one writers 1
}

# A person may wonder; a script's log has no need of it.
test_waiting_is_told_on_a_terminal() {
	local words

	if ! command -v script >/dev/null; then
		skip "script, of Debian's bsdutils, is not installed"
		return
	fi
	ipcx pipe create one
	for words in "read one:write" "write one /etc/passwd:read"; do
		start script --quiet --command "ipcx pipe ${words%:*}" /dev/null
		wait_for grep -q "waiting until somebody opens the pipe to ${words#*:}" "$started.out"
		kill -KILL "$started"
		wait "$started" 2>/dev/null
		wait_for field_is one opens 0
	done
}

# The other side.

test_a_killed_reader_is_told() {
	local reader

	ipcx pipe create one
	mkfifo stuck
	exec 11<>stuck
	start_with /dev/null stuck ipcx pipe read one
	reader=$started
	head -c "$BIG" /dev/zero >sent
	start ipcx pipe write one sent
	wait_for field_is one waiting_writers 1
	kill -KILL "$reader"
	wait "$reader" 2>/dev/null
	finish "$started"
	fails reader
}

test_a_killed_writer_is_the_end() {
	local writer

	ipcx pipe create one
	mkfifo source
	exec 11<>source
	start_with source '' ipcx pipe write one
	writer=$started
	start ipcx pipe read one file
	echo "what came" >&11
	wait_for field_is one last_reader_pid "$started"
	kill -KILL "$writer"
	finish "$started"
	works
	is "$(<file)" "what came" "the file"
}

test_a_removed_pipe_ends_both() {
	local reader

	ipcx pipe create one
	mkfifo source
	exec 11<>source
	mkdir to
	start ipcx pipe read one to/file
	reader=$started
	start_with source '' ipcx pipe write one
	echo "what came" >&11
	wait_for field_is one last_reader_pid "$reader"
	ipcx rm --force one
	finish "$reader"
	fails "'one'" removed
	is "$(ls -A to)" "" "what is there"
	echo more >&11
	finish "$started"
	fails "'one'" removed
}

test_output_that_nobody_reads() {
	ipcx pipe create one
	head -c "$BIG" /dev/zero >sent
	start ipcx pipe write one sent
	# shellcheck disable=SC2016 # for the inner shell
	run timeout "$PATIENCE" bash -c 'ipcx pipe read one | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}'
	[ "$status" -eq 1 ] || exits 141
	finish "$started"
	fails reader
}

# Another capacity.

# Up always works; down does, unless it holds more just then.
test_resize_in_the_middle_of_a_copy() {
	local writer size

	ipcx pipe create one
	mkfifo source
	exec 11<>source
	start_with source '' ipcx pipe write one
	writer=$started
	start ipcx pipe read one received
	for size in 4K 1M 8K 256K 16K 64K 4K 2M; do
		head -c 300000 /dev/urandom | timeout "$PATIENCE" tee -a sent >&11
		run ipcx pipe resize one "$size"
		case $size in
		*M) works ;;
		*) [ "$status" -eq 0 ] || fails "'one'" hold ;;
		esac
	done
	exec 11>&-
	finish "$writer"
	works
	finish "$started"
	works
	expect cmp sent received
	expect field_is one capacity_bytes 2097152
}

test_a_resized_pipe_lets_a_sleeping_writer_go_on() {
	hold transient one --capacity 4K
	head -c 100000 /dev/urandom >sent
	start ipcx pipe write one sent
	wait_for field_is one waiting_writers 1
	run ipcx pipe resize one 100000
	works
	finish "$started"
	works
	head -c 100000 <&10 >received
	expect cmp sent received
}

test_a_resized_pipe_leaves_a_sleeping_reader_alone() {
	local reader

	hold transient one
	start ipcx pipe read one
	reader=$started
	wait_for field_is one waiting_readers 1
	run ipcx pipe resize one 4K
	works
	echo data >&10
	wait_for field_is one used_bytes 0
	kill -TERM "$holder"
	exec 10>&-
	finish "$reader"
	works
	is "$out" data "what was read"
}

# stick: somebody hangs in the middle of a copy, as $stuck; false if that cannot be.
stick() {
	start "$TREE/build/selftests/ipcmod/stuck_helper" "$(object_of "$holder")"
	stuck=$started
	wait_for test -s "$stuck.out"
	if grep -q "no userfaultfd" "$stuck.out"; then
		skip "the kernel has no userfaultfd"
		return 1
	fi
	expect grep -qx stuck "$stuck.out"
}

test_resize_waits_but_not_for_ever() {
	hold transient one
	stick || return
	run ipcx pipe resize one 4K
	fails "'one'" "does not get done" "try again"
	expect field_is one capacity_bytes 65536
	# Who hangs is a child of the process, and dies with it in its own time.
	kill -KILL "$stuck"
	wait "$stuck" 2>/dev/null
	wait_for field_is one writers 1
	run ipcx pipe resize one 4K
	works
	expect field_is one capacity_bytes 4096
}

test_waiting_to_resize_can_be_interrupted() {
	hold transient one
	stick || return
	start ipcx pipe resize one 4K
	wait_for field_is one waiting_writers 1
	kill -INT "$started"
	finish "$started"
	exits 130
	expect field_is one capacity_bytes 65536
}

# Files.

test_a_file_that_cannot_be_read() {
	ipcx pipe create one --mode 666
	run ipcx pipe write one nowhere
	fails "'nowhere'" "No such file"
	mkdir folder
	run ipcx pipe write one folder
	fails "'folder'" directory
	echo secret >secret
	chmod 600 secret
	run "${AS_NOBODY[@]}" ipcx pipe write one secret
	fails "'secret'" ermission
}

# What cannot be saved is not taken out.
test_a_file_that_cannot_be_written() {
	hold transient one --mode 666
	echo data >&10
	mkdir folder
	run ipcx pipe read one folder
	fails "'folder'" directory
	run ipcx pipe read one nowhere/file
	fails "nowhere" "No such file"
	run "${AS_NOBODY[@]}" ipcx pipe read one folder/file
	fails folder ermission
	is "$(ls -A folder)" "" "what is there"
	expect field_is one used_bytes 5
}

test_a_full_disk() {
	mkdir small
	mount -t tmpfs -o size=64k small small || fail "no small file system"
	echo old >small/file
	ipcx pipe create one
	head -c "$BIG" /dev/zero >sent
	start ipcx pipe write one sent
	run ipcx pipe read one small/file
	fails small/file "No space"
	is "$(<small/file)" old "the file"
	is "$(ls -A small)" file "what is there"
	umount small
	finish "$started"
	fails reader
}

test_a_full_device() {
	local words

	ipcx pipe create one
	echo data >sent
	for words in 'exec ipcx pipe read one /dev/full' 'exec ipcx pipe read one >/dev/full'; do
		start ipcx pipe write one sent
		run bash -c "$words"
		fails "No space"
		finish "$started"
	done
}

# Progress.

test_progress_is_on_standard_error() {
	local reader

	head -c 300000 /dev/urandom >sent
	ipcx pipe create one
	start_with /dev/null received ipcx pipe read one --progress
	reader=$started
	run ipcx pipe write one sent -p
	exits 0
	prints_nothing
	is_printable err
	says /s %
	finish "$reader"
	exits 0
	is_printable err
	says /s
	[[ $err != *%* ]] || fail_run "a share of what is not known"
	expect cmp sent received
}

lines_are() {
	[ "$(wc -l <"$2")" -ge "$1" ]
}

# fed PID LINES: writes until the process has told so many lines.
fed() {
	echo data >&11
	lines_are "$2" "$1.err"
}

test_progress_is_a_line_a_second() {
	local reader

	ipcx pipe create one
	mkfifo source
	exec 11<>source
	start_with /dev/null /dev/null ipcx pipe read one
	reader=$started
	start_with source '' ipcx pipe write one --progress
	wait_for fed "$started" 3
	exec 11>&-
	finish "$started"
	exits 0
	finish "$reader"
	exits 0
}

test_progress_is_one_line_on_a_terminal() {
	if ! command -v script >/dev/null; then
		skip "script, of Debian's bsdutils, is not installed"
		return
	fi
	ipcx pipe create one
	head -c 300000 /dev/urandom >sent
	start_with /dev/null /dev/null ipcx pipe read one
	run script --quiet --return --command "ipcx pipe write one sent --progress" /dev/null
	exits 0
	prints $'\r' /s
	is "$(wc -l <out)" 1 "the number of lines"
	finish "$started"
}

run_tests "$@"
