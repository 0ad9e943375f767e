#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The first touch: the module goes in, answers, and comes out, with nothing but what a
# user types. Runs in a guest that the module was not loaded into.

module=/ipcmod/build/kmod-$IPCMOD_VM_KERNEL/ipcmod.ko
number=0

check() {
	local name=$1
	shift

	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
	else
		echo "not ok $number $name"
	fi
}

echo "TAP version 13"
echo "1..4"
check "insmod" insmod "$module"
check "the device is there" test -c /dev/ipcx
check "ipcx version" ipcx version
check "rmmod" rmmod ipcmod
