#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tool prints about objects, and how it removes them: ls, show, rm, version.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

# $'...' of: a space, newline, escape sequence, a byte that is no UTF-8, DEL, C1's CSI.
readonly ODD=$'o d\nd\e[31m\xff\x7f\xc2\x9b'

# ls.

test_ls_of_nothing() {
	run ipcx ls
	works
	run ipcx ls -j
	works
	json 'd == []'
}

test_ls_is_a_table() {
	local header row

	hold transient full --capacity 4K --mode 640
	head -c 4096 /dev/zero >&10
	ipcx pipe create big -c 1M
	run ipcx ls
	works
	is "$(wc -l <out)" 3 "the number of lines"
	read -ra header < <(grep OWNER out)
	is "${header[*]}" "ID TYPE OWNER MODE LIFETIME USED CAPACITY MSGS RD WR NAME" "the header"
	read -ra row < <(grep full out)
	is "${row[*]:1}" "pipe root 0640 transient 4K 4K - 1 1 full" "the row of a full pipe"
	read -ra row < <(grep big out)
	is "${row[*]:1}" "pipe root 0600 persistent 0 1M - 0 0 big" "the row of an empty pipe"
}

# Both tell the same, value by value; JSON tells what show does.
test_ls_and_its_json_agree() {
	local id type owner mode lifetime used capacity msgs readers writers name

	hold transient one --capacity 8K --mode 604
	echo -n abc >&10
	ipcx pipe create two
	run ipcx ls
	cp out table
	run ipcx ls -j
	works
	json 'type(d) is list and [o["name"] for o in d] == ["one", "two"]'
	json 'd[0]["used_bytes"] == 3 and d[0]["readers"] == d[0]["writers"] == 1 and d[0]["opens"] == 2'
	while read -r id type owner mode lifetime used capacity msgs readers writers name; do
		[ "$id" != ID ] || continue
		[ "$owner $msgs" = "root -" ] || fail "owner $owner, messages $msgs"
		json "[o for o in d if o['id'] == $id and o['type'] == '$type' and o['uid'] == 0
			and o['mode'] == '$mode' and o['lifetime'] == '$lifetime' and o['used_bytes'] == $used
			and o['capacity_bytes'] == ${capacity%K} * 1024 and o['readers'] == $readers
			and o['writers'] == $writers and o['name'] == '$name'] != []"
	done <table
	cp out list
	run ipcx show two -j
	is "$(sed -n '/"two"/,$p' out | head -n -1)" \
		"$(sed -n '/"two"/,$p' list | head -n -2 | sed 's/^  //')" "what show tells"
}

test_ls_of_one_type() {
	ipcx pipe create one
	run ipcx ls pipe
	works
	prints one
	run ipcx ls region
	fails type "ipcx version"
}

# Others' that one may read or write, and one's own whatever their mode.
test_ls_shows_what_one_may_use() {
	ipcx pipe create secret
	ipcx pipe create readable --mode 604
	ipcx pipe create writable --mode 602
	"${AS_NOBODY[@]}" ipcx pipe create own --mode 0
	run "${AS_NOBODY[@]}" ipcx ls -j
	works
	json '[o["name"] for o in d] == ["readable", "writable", "own"]'
	json 'd[2]["uid"] == 65534 and d[2]["mode"] == "0000"'
	run ipcx ls -j
	json 'len(d) == 4'
}

test_a_namespace_has_its_own() {
	ipcx pipe create one
	run unshare --net ipcx ls -j
	works
	json 'd == []'
	run unshare --net ipcx show one
	fails "does not exist"
}

test_an_unlinked_object_says_so() {
	hold owned one
	ipcx rm one
	run ipcx ls
	works
	prints unlinked
	run ipcx ls -j
	json 'd[0]["name"] is None and d[0]["linked"] is False'
}

# show.

test_show_and_its_json_agree() {
	local key value

	hold transient one --capacity 4K --mode 640
	echo -n abc >&10
	run ipcx show one
	works
	cp out text
	run ipcx show one -j
	works
	while read -r key value; do
		case $key in
		Name) json "d['name'] == '$value'" ;;
		Id) json "d['id'] == $value" ;;
		Cookie) json "d['cookie'] == $value" ;;
		Type | Mode | Lifetime) json "d['${key,}'] == '$value'" ;;
		Owner) is "$value" root:root "the owner" ;;
		Used) json "d['used_bytes'] == $value" ;;
		Capacity) is "$value" "4K (4096 bytes)" "the capacity" ;;
		Charged) json "str(d['charged_bytes']) in '$value'" ;;
		Readers | Writers) json "d['${key,}'] == $value" ;;
		Written | Read) json "(d[{'Written': 'write_ns', 'Read': 'read_ns'}['$key']] == 0) == ('$value' == 'never')" ;;
		esac
	done <text
	is "$(grep -cE '^(Name|Id|Cookie|Type|Owner|Mode|Lifetime|Used|Capacity|Charged|Readers|Writers|Created|Changed|Written|Read) ' text)" 16 \
		"the number of fields"
	json "d['last_writer_pid'] == $$ and d['last_reader_pid'] == 0 and d['creator_pid'] == $holder"
	json 'd["write_ns"] > 0 and d["read_ns"] == 0'
}

test_show_by_id() {
	local id

	ipcx pipe create one
	ipcx pipe create '#12'
	id=$(field one id)
	run ipcx show "#$id" -j
	works
	json 'd["name"] == "one"'
	run ipcx show --id "$id" -j
	works
	json 'd["name"] == "one"'
	run ipcx show --name '#12' -j
	works
	json 'd["name"] == "#12"'
	run ipcx show --id "$id" one
	is_usage_error object
	run ipcx show --id "$id" --name one
	is_usage_error object
}

# rm.

test_rm_does_what_it_can() {
	ipcx pipe create one
	ipcx pipe create two
	run ipcx rm one nope two
	fails "'nope'" "does not exist"
	expect absent one
	expect absent two
}

test_rm_prints_what_it_removed() {
	ipcx pipe create one
	ipcx pipe create two
	run ipcx rm one nope two -j
	exits 1
	says "'nope'"
	json '[o["name"] for o in d] == ["one", "two"] and all(o["type"] == "pipe" and o["id"] > 0 for o in d)'
	run ipcx rm nope -j
	exits 1
	json 'd == []'
	run ipcx rm --all -j
	works
	json 'd == []'
}

test_rm_by_id() {
	ipcx pipe create one
	ipcx pipe create two
	ipcx pipe create '#12'
	ipcx pipe create four
	run ipcx rm "#$(field one id)" --id "$(field two id)" --name '#12'
	works
	run ipcx ls -j
	json '[o["name"] for o in d] == ["four"]'
}

test_rm_all() {
	ipcx pipe create one --mode 644
	ipcx pipe create two --mode 644
	"${AS_NOBODY[@]}" ipcx pipe create three --mode 644
	run "${AS_NOBODY[@]}" ipcx rm --all
	exits 0
	[[ $out$err == *2* ]] || fail_run "those left alone are not counted"
	run ipcx ls -j
	json '[o["name"] for o in d] == ["one", "two"]'
	run ipcx rm --all -j
	works
	json 'sorted(o["name"] for o in d) == ["one", "two"]'
	run ipcx ls -j
	json 'd == []'
}

# What has neither name nor link is its users' alone.
test_rm_all_tells_what_is_in_use() {
	hold owned one
	ipcx rm one
	run ipcx rm --all
	exits 0
	prints "removed 0 objects"
	says "1 more ends with its users" --force
	run ipcx rm --all --force
	works
	prints "removed 1 object"
	finish "$holder"
	exits 1
	says removed
}

test_rm_leaves_users_alone() {
	ipcx pipe create one
	start ipcx pipe create other -l transient
	wait_for exists other
	exec 10<>"$(object_of "$started")"
	run ipcx rm other
	works
	expect absent other
	run ipcx pipe create other
	works
	expect bash -c 'echo data >&10'
}

test_rm_force_sends_users_away() {
	hold transient one
	run ipcx rm --force one
	works
	run bash -c 'echo data >&10'
	exits 1
	says "Identifier removed"
}

# Names and terminals.

test_odd_names() {
	run ipcx pipe create "$ODD" -j
	works
	json 'base64.b64decode(d["name_base64"]) == b"o d\nd\x1b[31m\xff\x7f\xc2\x9b"'
	json 'd["name"] == "o d\nd\x1b[31m\ufffd\x7f\x9b"'
	run ipcx show "$ODD"
	works
	is_printable out
	prints '\x0a' '\x1b[31m\xff\x7f'
	run ipcx ls
	works
	is_printable out
	is "$(wc -l <out)" 2 "the number of lines"
	run ipcx pipe create "$ODD"
	fails taken
	is_printable err
	run "${AS_NOBODY[@]}" ipcx rm "$ODD"
	fails permission
	is_printable err
	run ipcx rm "$ODD"
	works
	run ipcx rm "$ODD"
	fails "does not exist"
	is_printable err
	run ipcx "$ODD"
	is_printable err
	run ipcx ls "$ODD"
	is_printable err
	run ipcx ls "--$ODD"
	is_printable err
	run ipcx pipe create x -c "$ODD"
	is_printable err
}

test_names_that_need_care() {
	ipcx pipe create 'a\x41'
	ipcx pipe create -- -dash
	ipcx pipe create $'\xc3\xbcber'
	run ipcx ls
	works
	prints 'a\\x41' -dash $'\xc3\xbcber'
	run ipcx ls -j
	json '[o["name"] for o in d] == ["a\\x41", "-dash", "\u00fcber"]'
	json 'not any("name_base64" in o for o in d)'
	run ipcx rm -- -dash
	works
}

test_options_may_stand_anywhere() {
	run ipcx pipe create -c 8K one -j
	works
	json 'd["capacity_bytes"] == 8192'
	run ipcx pipe create -jc16K two
	works
	json 'd["capacity_bytes"] == 16384'
}

# Runs it on a terminal; only there has the word of a full pipe a colour.
on_terminal() {
	run script --quiet --return --command "$1" /dev/null
}

test_colour_only_on_a_terminal() {
	if ! command -v script >/dev/null; then
		skip "script, of Debian's bsdutils, is not installed"
		return
	fi
	hold transient full -c 4K
	head -c 4096 /dev/zero >&10
	run ipcx ls
	works
	is_printable out
	prints 4K
	ipcx pipe create empty -c 4K
	on_terminal "ipcx ls"
	exits 0
	[[ $(grep full out) == *$'\e'* ]] || fail_run "no colour in the row of a full pipe"
	[[ $(grep empty out) != *$'\e'* ]] || fail_run "colour in the row of an empty pipe"
	on_terminal "NO_COLOR=1 ipcx ls"
	[[ $out != *$'\e'* ]] || fail_run "colour in spite of NO_COLOR"
	prints full
	on_terminal "NO_COLOR= ipcx ls"
	prints $'\e['
	on_terminal "ipcx ls -j"
	[[ $out != *$'\e'* ]] || fail_run "colour in JSON"
	prints '"full"'
	on_terminal "ipcx show full"
	prints full
}

# version.

test_version() {
	run "${AS_NOBODY[@]}" ipcx version
	works
	cp out text
	run ipcx version -j
	works
	json 'd["tool"] == d["library"] and d["module"]["types"] == ["pipe", "queue", "sem"]'
	json "d['module']['uapi_version'] == $(sed -n 's/^#define IPCX_UAPI_VERSION\t*//p' "$TREE/kmod/uapi/linux/ipcx.h")"
	json 'open(folder + "/text").read().count(d["tool"]) == 2'
	run ipcx --version
	works
	is "$out" "$(<text)" "what --version prints"
}

# The last test: it takes the module out, and puts it back.
test_without_the_module() {
	local module=$TREE/build/kmod-${IPCMOD_VM_KERNEL-none}/ipcmod.ko words

	if [ ! -e "$module" ]; then
		skip "the module is taken out in a virtual machine of the project only"
		return
	fi
	run rmmod ipcmod
	works
	[ "$status" -eq 0 ] || return
	for words in "pipe create one" "pipe write one" "pipe read one" "pipe resize one 4K" ls "ls -j" "show one" "rm one" "rm --all"; do
		# shellcheck disable=SC2086 # several words
		run ipcx $words
		fails "modprobe ipcmod"
	done
	run ipcx version
	works
	prints "modprobe ipcmod"
	run ipcx version -j
	works
	json 'd["module"] is None and d["tool"] == d["library"]'
	run insmod "$module"
	works
}

run_tests "$@"
