#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of `make dkms`, on the host: the module is built for each kernel of KERNELS as dkms
# does it, and refused for kernels that are too old. All folders that dkms writes to are
# private ones, so nothing on this machine changes.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

read -ra kernels <<<"${KERNELS:-6.1 6.12}"
readonly PER_KERNEL=3 OTHERS=13
readonly PLAN=$((PER_KERNEL * ${#kernels[@]} + OTHERS))

# dkms installs for root alone; root of a user namespace will do.
if [ "$(id -u)" -ne 0 ] && [ -z "${DKMS_TESTS_ROOT-}" ]; then
	if unshare --map-root-user true 2>/dev/null; then
		DKMS_TESTS_ROOT=mapped exec unshare --map-root-user "$0"
	fi
	echo "TAP version 13"
	echo "1..0 # SKIP neither root nor allowed to make a user namespace"
	exit 4
fi

work=$(mktemp -d -t ipcmod-dkms.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/dkms" "$work/src" "$work/modules"
version=$(. ./dkms.conf && printf '%s\n' "$PACKAGE_VERSION")
readonly VARIABLES=(SOURCETREE="$work/src"
	DKMSFLAGS="--dkmstree $work/dkms --installtree $work/modules --no-depmod")

# dkms signs what it builds. It has no option for the key, which it would make in
# /var/lib/dkms, but takes from the environment what its configuration leaves open.
export mok_signing_key=$work/mok.key mok_certificate=$work/mok.pub

# run COMMAND...: $status and $work/out tell the rest.
run() {
	status=0
	"$@" >"$work/out" 2>&1 </dev/null || status=$?
}

make_dkms() {
	run make --no-print-directory "$@" "${VARIABLES[@]}"
}

run_dkms() {
	run dkms "$@" --dkmstree "$work/dkms" --sourcetree "$work/src" --installtree "$work/modules" --no-depmod
}

number=0
check() {
	local name=$1
	shift

	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
		return
	fi
	sed 's/^/# /' "$work/out"
	echo "# status $status; not so: $*"
	echo "not ok $number $name"
}

status_is() {
	[ "$status" -eq "$1" ]
}

# failed_with STATUS WORDS
failed_with() {
	status_is "$1" && grep -qF -- "$2" "$work/out"
}

# What dkms knows about the module, one line each.
known() {
	dkms status -m ipcmod -v "$version" --dkmstree "$work/dkms" --sourcetree "$work/src" --installtree "$work/modules"
}

# headers KERNEL and release KERNEL
headers() {
	printf '%s/build\n' "$(selftests/vm/kernel "$1")"
}

release() {
	cat "$(selftests/vm/kernel "$1")/release"
}

installed_module() {
	find "$work/modules/$(release "$1")" -path '*/updates/dkms/*' -name 'ipcmod.ko*'
}

# The kernel loads a module only if its vermagic begins with the kernel's release.
module_is_of() {
	local module

	module=$(installed_module "$1")
	[ "$(modinfo -F version "$module")" = "$version" ] &&
		[[ $(modinfo -F vermagic "$module") == "$(release "$1") "* ]]
}

is_installed_for() {
	known | grep -qE "^ipcmod/$version, $(release "$1" | sed 's/[.+]/\\&/g'), [^:]*: installed\$"
}

# A copy of a kernel's headers, made of links but for two files, by which it calls itself
# another version.
# headers_of VERSION.PATCHLEVEL: prints its folder.
headers_of() {
	local original copy=$work/headers-$1 makefile name

	original=$(selftests/vm/kernel "${kernels[0]}")
	mkdir "$copy"
	cp --recursive --symbolic-link "$original/usr" "$copy/"
	cp --no-dereference "$original/build" "$copy/"
	makefile=$(echo "$copy"/usr/src/*-common/Makefile)
	name=$copy/build/include/generated/utsrelease.h
	rm "$makefile" "$name"
	sed "s/^VERSION = .*/VERSION = ${1%.*}/; s/^PATCHLEVEL = .*/PATCHLEVEL = ${1#*.}/" \
		"$original"/usr/src/*-common/Makefile >"$makefile"
	echo "#define UTS_RELEASE \"$1.0-1-amd64\"" >"$name"
	printf '%s/build\n' "$copy"
}

# answers STATUS KERNEL...: of dkms when it is to build for kernels without headers.
answers() {
	local expected=$1 kernel
	shift

	for kernel; do
		run_dkms build -m ipcmod -v "$version" -k "$kernel" --kernelsourcedir "$work/nowhere"
		status_is "$expected" || return
	done
}

nothing_left() {
	[ -z "$(find "$work/src" "$work/dkms" -mindepth 1)$(find "$work/modules" -type f)" ]
}

echo "TAP version 13"
echo "1..$PLAN"

make_dkms dkms KDIR="$work/nowhere"
check "missing headers are named" failed_with 2 "there are none in $work/nowhere"

for old in 5.10 6.0; do
	fake=$(headers_of "$old")
	run make module KDIR="$fake"
	check "make refuses Linux $old" failed_with 2 "ipcmod needs Linux 6.1 or newer, and these headers are of $old."
	make_dkms dkms KDIR="$fake"
	check "make dkms refuses Linux $old" \
		failed_with 2 "ipcmod needs Linux 6.1 or newer, and the headers in $fake are of $old.0-1-amd64"
done
check "and has put nothing anywhere" nothing_left

# The second time it replaces what the first put there.
for kernel in "${kernels[@]}"; do
	mkdir -p "$work/modules/$(release "$kernel")"
	make_dkms dkms KDIR="$(headers "$kernel")"
	check "$kernel: make dkms" status_is 0
	check "$kernel: dkms has installed it" is_installed_for "$kernel"
	check "$kernel: the module is of this version and kernel" module_is_of "$kernel"
done

run_dkms unbuild -m ipcmod -v "$version" --all
run_dkms autoinstall -k "$(release "${kernels[0]}")" --kernelsourcedir "$(headers "${kernels[0]}")"
check "a kernel that comes later gets the module" is_installed_for "${kernels[0]}"

check "dkms is told which kernels are too old" answers 77 2.6.32 4.19.0-1-amd64 5.10.0 5.19.17 6.0.0-6-amd64
check "and which are not" answers 1 6.1.0-1-amd64 6.9.7 6.10.0 6.12.1+deb12-amd64 7.0.0-rc1 10.1.0 60.0.1
run_dkms autoinstall -k 5.10.0-1-amd64 --kernelsourcedir "$fake"
check "dkms passes by a kernel that is too old" test "$(known | grep -c ' 5\.10')" -eq 0

make_dkms dkms DESTDIR="$work/dest" KDIR="$work/nowhere"
check "with DESTDIR the sources go there" diff -r "$work/src" "$work/dest$work/src"

make_dkms dkms-remove
check "make dkms-remove" status_is 0
check "it leaves nothing" nothing_left
