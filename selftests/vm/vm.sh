#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of selftests/vm/run itself; on the host, without the module.

set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d -t ipcmod-vm.XXXXXX)
trap 'rm -rf "$work"' EXIT
number=0

# vm ARGUMENT...: runs the runner; $status, $work/out and $work/err tell the rest.
vm() {
	status=0
	selftests/vm/run --no-module "$@" >"$work/out" 2>"$work/err" || status=$?
}

check() {
	local name=$1
	shift

	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
		return
	fi
	sed 's/^/# /' "$work/err"
	echo "# status $status"
	echo "not ok $number $name"
}

status_is() {
	[ "$status" -eq "$1" ]
}

# failed_with STATUS WORDS
failed_with() {
	status_is "$1" && grep -q -- "$2" "$work/err"
}

echo "TAP version 13"
echo "1..13"

vm --kernel 9.9 -- true
check "an unknown kernel is named" failed_with 125 "unknown kernel '9.9'"
vm --colour -- true
check "an unknown option is named" failed_with 125 "unknown argument '--colour'"
vm --cpus two -- true
check "a number that is none is named" failed_with 125 "needs a positive number, not 'two'"
vm --kernel 6.12
check "a missing command is named" failed_with 125 "no command given"

# Every byte value, more than one buffer, and no newline at the end.
# shellcheck disable=SC2016 # for the guest's shell
vm -- perl -e 'print pack("C*", 0..255) x 4000; print STDERR "end"; exit 42'
check "the status comes through" status_is 42
perl -e 'print pack("C*", 0..255) x 4000; print STDERR "end"' >"$work/expected" 2>&1
check "the output comes through byte by byte" cmp "$work/expected" "$work/out"

# shellcheck disable=SC2016 # for the guest's shell
vm -- bash -c 'pwd; id -un; echo "$IPCMOD_VM_KERNEL"; setpriv --reuid 65534 head -n1 COPYING >/dev/null && echo nobody reads
	touch here && echo written; sleep 1000 & disown'
printf '%s\n' /ipcmod root 6.12 "nobody reads" written >"$work/expected"
check "a guest is as promised" cmp "$work/expected" "$work/out"
check "a process left behind does no harm" status_is 0
check "what a guest writes stays there" test ! -e here

vm --kernel 6.1 -- bash -c 'echo "WARNING: made up" >/dev/kmsg'
check "a warning in the log fails the run" failed_with 125 "WARNING: made up"
check "the log's other lines are not shown" test "$(grep -c ipcmod-vm "$work/err")" -eq 0

vm --kernel 6.1 -- bash -c 'echo c >/proc/sysrq-trigger; sleep 1000'
check "a crash ends the run at once" failed_with 125 "sysrq triggered crash"

vm --timeout 15 -- bash -c 'echo begun; sleep 1000'
check "a timeout ends the run" failed_with 124 "not done after 15 seconds"
