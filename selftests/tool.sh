#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tool's words: help, command lines, messages, making pipes and changing their
# capacity. tool_show.sh has its tables and JSON, tool_copy.sh the commands that move
# data, tool_install.sh what `make install` gives.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

readonly COMMANDS=("pipe create" "pipe write" "pipe read" "pipe resize" "queue create" "queue send" "queue recv"
	"queue peek" "queue purge" "queue resize" ls show rm version)

# $'...' of: a space, newline, escape sequence, a byte that is no UTF-8, DEL, C1's CSI.
readonly ODD=$'o d\nd\e[31m\xff\x7f\xc2\x9b'

# Help and usage.

test_every_command_has_help() {
	local words

	for words in "${COMMANDS[@]}"; do
		# shellcheck disable=SC2086 # noun and verb
		run ipcx $words --help
		works
		prints "usage: ipcx $words"
		cp out "$work/help-${words/ /-}"
	done
	run ipcx --help
	works
	prints "usage: ipcx" "${COMMANDS[@]}"
	run ipcx pipe --help
	works
	prints "pipe create" "pipe write" "pipe read" "pipe resize"
	run ipcx ls -h
	works
	is "$out" "$(<"$work/help-ls")" "what -h prints"
}

# The manual's section about a command has each of its options, and the other way round.
test_help_and_manual_agree() {
	local words manual help

	for words in "${COMMANDS[@]}"; do
		[ -s "$work/help-${words/ /-}" ] || {
			# shellcheck disable=SC2086 # noun and verb
			ipcx $words --help >"$work/help-${words/ /-}"
		}
		help=$(options <"$work/help-${words/ /-}")
		manual=$(synopsis_options "$words")
		is "$help" "$manual" "the list of options of '$words --help', against the manual,"
	done
}

options() {
	grep -o -- '--[a-z][a-z-]*' | grep -v -- --help | sort -u | xargs
}

# Those that the manual tells in the section of a command. "Both have" is a section's end,
# and --json and --id are told for all.
synopsis_options() {
	local words=$1 page=$TREE/Documentation/man/ipcx.1

	{
		sed 's/\\-/-/g' "$page" | awk -v words="$words" '
			/^\.SS / { inside = index($0 " ", ".SS ipcx " words " ") ||
				/Which messages/ && words ~ /recv|peek|purge/ ||
				/How messages are printed/ && words ~ /recv|peek/ }
			/^\.SH / { inside = 0 }
			/^Both have:/ { both = 1; inside = words ~ /write|read/ }
			inside { print }'
		case $words in
		"pipe create" | "queue create") ;;
		"pipe "* | "queue "*) echo "--id" ;;
		show) echo "--id --json" ;;
		ls | version) echo "--json" ;;
		esac
	} | options
}

# What a number may end with is told wherever one is taken.
test_help_and_manual_tell_the_units() {
	local words

	for words in "pipe create" "pipe resize" "queue create" "queue resize"; do
		# shellcheck disable=SC2086 # noun and verb
		run ipcx $words --help
		prints "K, M or G"
	done
	expect grep -q "suffix K, M or G" "$TREE/Documentation/man/ipcx.1"
}

test_wrong_command_lines() {
	run ipcx
	is_usage_error "pipe create"
	run ipcx nonsense
	is_usage_error nonsense "pipe create"
	run ipcx pipe
	exits 2
	says "pipe create"
	run ipcx pipe nonsense
	exits 2
	prints_nothing
	says nonsense "pipe create" "pipe write" "pipe read" "pipe resize"
	run ipcx ls nonsense
	is_usage_error nonsense pipe queue region sem
	run ipcx ls --nonsense
	is_usage_error nonsense "ipcx ls"
	run ipcx ls pipe pipe
	is_usage_error
	run ipcx show
	is_usage_error NAME
	run ipcx show one two
	is_usage_error
	run ipcx show --id 12x
	is_usage_error 12x
	run ipcx version more
	is_usage_error
	run ipcx rm
	is_usage_error NAME
	run ipcx rm --all one
	is_usage_error
	run ipcx pipe write
	is_usage_error NAME
	run ipcx pipe read one two three
	is_usage_error
	run ipcx pipe read one --progress=yes
	is_usage_error progress
}

test_wrong_options_of_create() {
	local bad

	run ipcx pipe create
	is_usage_error NAME
	run ipcx pipe create one two
	is_usage_error
	for bad in '' K 4X 1.5M 0x1000 -4K 4KB; do
		run ipcx pipe create bad --capacity="$bad"
		is_usage_error "'$bad'"
	done
	for bad in '' 8 rw 1777 -1; do
		run ipcx pipe create bad --mode="$bad"
		is_usage_error "'$bad'"
	done
	for bad in '' eternal; do
		run ipcx pipe create bad --lifetime="$bad"
		is_usage_error "'$bad'" persistent transient owned
	done
	expect absent bad
}

test_wrong_command_lines_of_resize() {
	local bad

	ipcx pipe create one
	run ipcx pipe resize
	is_usage_error NAME
	run ipcx pipe resize one
	is_usage_error CAPACITY
	run ipcx pipe resize one 4K 8K
	is_usage_error CAPACITY
	run ipcx pipe resize --id "$(field one id)"
	is_usage_error CAPACITY
	run ipcx pipe resize --id "$(field one id)" one 4K
	is_usage_error CAPACITY
	run ipcx pipe resize --id 12x 4K
	is_usage_error 12x
	for bad in '' 0 K 4X 1.5M 0x1000 4KB one; do
		run ipcx pipe resize one "$bad"
		is_usage_error "'$bad'"
	done
	expect field_is one capacity_bytes 65536
}

# Capacities that are numbers, and no pipe can have: a failure that tells the range.
test_impossible_capacities() {
	local bad

	ipcx pipe create one
	for bad in 1 4095 16777217 1G; do
		run ipcx pipe resize one "$bad"
		fails "'one'" "cannot resize" 4K 16M
	done
	expect field_is one capacity_bytes 65536
	for bad in 0 4095 16777217 1G 99999999999999999999 17179869184G 18014398509481988K; do
		run ipcx pipe create bad --capacity "$bad"
		[ "$status" -eq 2 ] || exits 1
		prints_nothing
		says 4K
	done
	expect absent bad
}

# Messages.

test_a_missing_pipe_names_the_create_command() {
	run ipcx pipe write nope
	fails "'nope' does not exist" "ipcx pipe create nope"
	run ipcx pipe read nope
	fails "'nope' does not exist" "ipcx pipe create nope"
	run ipcx pipe resize nope 4K
	fails "'nope' does not exist" "ipcx pipe create nope"
	run ipcx pipe read '#2147483647'
	fails 2147483647 "does not exist"
	run ipcx pipe resize --id 2147483647 4K
	fails 2147483647 "does not exist"
}

# Whatever the name: pasted into a shell, the advice creates that very pipe.
test_the_advice_can_be_pasted() {
	local name

	for name in "a b; touch pasted" "it's" -dash "$ODD" 'a\b' $'\xc3\xbcber'; do
		run ipcx pipe read -- "$name"
		fails "ipcx pipe create"
		is_printable err
		run bash -c "${err##*with: }"
		exits 0
		expect exists "$name"
	done
	expect test ! -e pasted
}

test_a_missing_object() {
	run ipcx show nope
	fails "'nope'" "does not exist" "ipcx ls"
	run ipcx rm nope
	fails "'nope'" "does not exist" "ipcx ls"
	run ipcx show --id 2147483647
	fails 2147483647 "does not exist"
	run ipcx show nope -j
	fails "'nope'"
}

test_no_permission() {
	local words

	ipcx pipe create mine
	for words in "pipe read" "pipe write" show rm; do
		# shellcheck disable=SC2086 # noun and verb
		run "${AS_NOBODY[@]}" ipcx $words mine
		fails "'mine'" permission owner
	done
	run "${AS_NOBODY[@]}" ipcx rm --force mine
	fails "'mine'" permission
	expect exists mine

	# Who may read and write may not do all.
	ipcx pipe create ours --mode 666
	for words in "pipe resize ours 4K" "rm ours"; do
		# shellcheck disable=SC2086 # several words
		run "${AS_NOBODY[@]}" ipcx $words
		fails "'ours'" permission owner
	done
	expect field_is ours capacity_bytes 65536
}

test_a_name_that_is_taken() {
	ipcx pipe create one --capacity 8K
	run ipcx pipe create one --capacity 4K
	fails "'one'" taken "ipcx show one"
	expect field_is one capacity_bytes 8192
}

test_impossible_names() {
	local long

	long=$(printf %0512d 0)
	run ipcx pipe create a/b
	fails "'a/b'" "'/'"
	run ipcx pipe create "$long"
	fails 512 511
	run ipcx pipe create ''
	fails empty
	run ipcx show "$long"
	fails 511
	run ipcx pipe create "${long:1}"
	works
	expect exists "${long:1}"
}

test_a_full_account() {
	local was objects=$PARAMETERS/user_objects_max

	ipcx pipe create old
	was=$(<"$objects")
	echo 0 >"$objects"
	run ipcx pipe create one
	echo "$was" >"$objects"
	fails "'one'" account "0 objects" "ipcx rm"

	was=$(<"$PARAMETERS/user_bytes_max")
	echo 4096 >"$PARAMETERS/user_bytes_max"
	run ipcx pipe create one
	echo "$was" >"$PARAMETERS/user_bytes_max"
	fails "'one'" account "ipcx rm"
	expect absent one

	echo 100000 >"$PARAMETERS/user_bytes_max"
	run ipcx pipe resize old 256K
	echo "$was" >"$PARAMETERS/user_bytes_max"
	fails "'old'" account "98K bytes" "more than 256K" "ipcx rm"
	expect field_is old capacity_bytes 65536
}

# The device is what creating, reading and writing need; others may do without.
test_a_device_that_is_not_there() {
	local words

	for words in "pipe create one" "pipe read one" "pipe write one" "pipe resize one 4K"; do
		# shellcheck disable=SC2016 # for the inner shell
		run unshare --mount bash -c 'mount -t tmpfs dev /dev && exec ipcx $1' - "$words"
		fails /dev/ipcx "modprobe ipcmod"
	done
	run unshare --mount bash -c 'mount -t tmpfs dev /dev && exec ipcx version -j'
	works
	json 'd["module"] is None'
}

test_a_device_that_cannot_be_used() {
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount bash -c 'cp --archive /dev/ipcx . && chmod 600 ipcx &&
		mount --bind ipcx /dev/ipcx && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		ipcx pipe create one'
	fails /dev/ipcx "ermission"
	run unshare --mount bash -c 'mount --bind /dev/null /dev/ipcx && exec ipcx pipe create one'
	fails /dev/ipcx
}

# One that does not know the command, though it is ours.
test_a_module_that_is_too_old() {
	cat >older.c <<-'END'
		#include <errno.h>
		#include <linux/ipcx.h>
		#include <stdarg.h>
		#include <sys/syscall.h>
		#include <unistd.h>

		int ioctl(int fd, unsigned long request, ...)
		{
			void *argument;
			va_list list;

			va_start(list, request);
			argument = va_arg(list, void *);
			va_end(list);
			if (request != IPCX_IOC_RESIZE)
				return syscall(SYS_ioctl, fd, request, argument);
			errno = ENOTTY;
			return -1;
		}
	END
	run gcc -D_GNU_SOURCE -I"$TREE/kmod/uapi" -shared -fPIC -o older.so older.c
	works
	ipcx pipe create one
	run env LD_PRELOAD="$PWD/older.so" ipcx pipe resize one 4K
	fails "'one'" "too old" "ipcx version"
}

# Output that cannot be written is a failure, whatever the command.
test_output_that_cannot_be_written() {
	local words

	ipcx pipe create one
	for words in ls "ls -j" "show one" version --help "pipe create --help" "pipe resize one 4K -j"; do
		# shellcheck disable=SC2016,SC2086 # for the inner shell; several words
		run bash -c 'exec ipcx "$@" >/dev/full' - $words
		fails "standard output"
	done
	run bash -c 'exec ipcx ls >&-'
	fails "standard output"
}

# pipe create.

test_create_has_defaults() {
	umask 022
	run ipcx pipe create one
	works
	prints_nothing
	run ipcx show one -j
	works
	json 'd["name"] == "one" and d["type"] == "pipe" and d["mode"] == "0600"'
	json 'd["lifetime"] == "persistent" and d["linked"] is True and d["removed"] is False'
	json 'd["capacity_bytes"] == 65536 and d["used_bytes"] == 0'
	json 'd["uid"] == d["gid"] == d["creator_uid"] == d["creator_gid"] == 0'
	json 'd["opens"] == d["readers"] == d["writers"] == 0'
	json '0 < d["created_ns"] <= d["changed_ns"] and d["read_ns"] == d["write_ns"] == 0'
	json 'd["id"] > 0 and d["cookie"] > 0 and "name_base64" not in d'
}

test_create_prints_the_pipe_as_show_does() {
	run ipcx pipe create one --json
	works
	json 'd["name"] == "one" and d["mode"] == "0600"'
	cp out created
	run ipcx show one -j
	works
	is "$(grep -vE '"(opens|changed_ns)"' out)" "$(grep -vE '"(opens|changed_ns)"' created)" "show"
}

test_capacity() {
	local given

	for given in 4096:4096 4K:4096 5000:8192 64K:65536 1M:1048576 16M:16777216; do
		run ipcx pipe create "$given" --capacity "${given%:*}" -j
		works
		json "d['capacity_bytes'] == ${given#*:}"
	done
	# G is a suffix too: it needs a limit that lets it in.
	echo $((1 << 30)) >"$PARAMETERS/pipe_capacity_max"
	run ipcx pipe create giant -c 1G -j
	echo $((1 << 24)) >"$PARAMETERS/pipe_capacity_max"
	[[ $err == *memory* || $err == *account* ]] || json 'd["capacity_bytes"] == 1 << 30'
}

test_mode() {
	umask 077
	run ipcx pipe create everybody --mode 666 -j
	works
	json 'd["mode"] == "0666"'
	run ipcx pipe create nobody -m 0 -j
	works
	json 'd["mode"] == "0000"'
	run ipcx pipe create four --mode=0640 -j
	works
	json 'd["mode"] == "0640"'
	umask 0277
	run ipcx pipe create masked -j
	umask 022
	works
	json 'd["mode"] == "0400"'
}

test_persistent_is_the_default() {
	run ipcx pipe create --lifetime persistent one -j
	works
	json 'd["lifetime"] == "persistent"'
}

# lives LIFETIME SIGNAL: the command stays with its pipe until it gets the signal.
lives() {
	start ipcx pipe create "one-$1" -l "$1" -j
	wait_for field_is "one-$1" opens 1 || return
	run ipcx show "one-$1" -j
	json "d['lifetime'] == '$1'"
	is "$(field "one-$1" creator_pid)" "$started" "the creator"
	expect sleeping "$started"
	kill -"$2" "$started"
	finish "$started"
	exits 0
	json "d['name'] == 'one-$1' and d['lifetime'] == '$1'"
	expect absent "one-$1"
}

test_transient_lives_with_the_command() {
	lives transient TERM
}

test_owned_lives_with_the_command() {
	lives owned INT
}

test_a_hangup_ends_the_command() {
	lives owned HUP
}

test_owned_goes_however_the_command_dies() {
	start ipcx pipe create one -l owned
	wait_for exists one
	kill -KILL "$started"
	wait "$started" 2>/dev/null
	expect absent one
}

test_others_keep_a_transient_pipe() {
	hold transient one
	kill -TERM "$holder"
	finish "$holder"
	exits 0
	expect exists one
	echo data >&10
	expect field_is one used_bytes 5
	exec 10>&-
	expect absent one
}

# It has nothing to hold any more, and must not stay for ever.
test_a_removed_pipe_ends_the_command() {
	start ipcx pipe create one -l transient
	wait_for exists one
	run ipcx rm --force one
	works
	finish "$started"
	exits 1
	says removed
}

# pipe resize.

test_resize() {
	local line

	hold transient one --capacity 8K
	echo data >&10
	run ipcx pipe resize one 100000
	works
	prints_nothing
	expect field_is one capacity_bytes 131072
	expect field_is one used_bytes 5
	run ipcx pipe resize one 4096
	works
	expect field_is one capacity_bytes 4096
	read -r -u 10 line
	is "$line" data "what the pipe holds"
}

test_resize_prints_the_pipe_as_show_does() {
	hold transient one --mode 640
	run ipcx pipe resize one 1M -j
	works
	json 'd["name"] == "one" and d["capacity_bytes"] == 1 << 20 and d["mode"] == "0640"'
	cp out resized
	run ipcx show one -j
	works
	expect cmp out resized
	run ipcx pipe resize --json one 1M
	works
	expect cmp out resized
}

test_resize_by_id() {
	local id

	hold transient one
	id=$(field one id)
	run ipcx pipe resize "#$id" 8K
	works
	expect field_is one capacity_bytes 8192
	run ipcx pipe resize --id "$id" 16K -j
	works
	json "d['name'] == 'one' and d['id'] == $id and d['capacity_bytes'] == 16384"
	ipcx rm --force one
	run ipcx pipe resize "#$id" 4K
	fails "#$id" removed
}

# A table would say that it holds "4K".
test_resize_below_what_the_pipe_holds() {
	hold transient one --capacity 64K
	head -c 4097 /dev/zero >&10
	run ipcx pipe resize one 4K
	fails "'one'" "4097 bytes" "read some" "8K or more"
	expect field_is one capacity_bytes 65536
	run ipcx pipe resize one 4097
	works
	expect field_is one capacity_bytes 8192
}

# What is given to others is theirs to resize, whatever its mode.
test_resize_by_the_owner() {
	"${AS_NOBODY[@]}" ipcx pipe create one --mode 0
	run "${AS_NOBODY[@]}" ipcx pipe resize one 4K -j
	works
	json 'd["uid"] == 65534 and d["mode"] == "0000" and d["capacity_bytes"] == 4096'
}

run_tests "$@"
