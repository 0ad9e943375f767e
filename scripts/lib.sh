# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the project's scripts share: words for the user, the cache folder, and
# Debian packages that are unpacked into that folder instead of being installed.
# Sourced, never run.

# depmod and modprobe are there, though not on every user's path.
PATH=$PATH:/usr/sbin:/sbin

# What make runs these scripts with is not meant for the makes that they run.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# Status 125 is "the script itself failed", as in timeout(1) and env(1).
die() {
	say "$*"
	exit 125
}

# Kbuild splits paths at blanks and colons, so neither may be in the cache's path.
cache_dir() {
	local dir=${IPCMOD_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/ipcmod}

	case $dir in
	/*) ;;
	*) dir=$PWD/$dir ;;
	esac
	case $dir in
	*[[:space:]:]*) die "the cache folder '$dir' has a blank or a colon in its path, which Kbuild cannot take: set IPCMOD_CACHE to another folder" ;;
	esac
	mkdir -p "$dir" || die "cannot create the cache folder $dir: set IPCMOD_CACHE to a folder that can be written"
	printf '%s\n' "$dir"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "'$*' must run as root and sudo is not installed: run it as root, then try again"
	fi
}

# Options that point apt to package lists other than the system's.
apt_options=()

update_package_lists() {
	say "updating the package lists (apt-get update)"
	as_root apt-get -qq update >&2 || say "apt-get update failed; going on with the lists at hand"
}

require_debian_packages() {
	local tool

	for tool in apt-get apt-cache dpkg-deb; do
		command -v "$tool" >/dev/null || die "$tool is missing: $1 comes from Debian 12's packages, which only a Debian system can fetch"
	done
	[ "$(dpkg --print-architecture)" = amd64 ] ||
		die "this machine is $(dpkg --print-architecture): $1 is fetched for amd64 only"
}

# dependencies_of PACKAGE PATTERN: the dependencies whose whole name matches.
dependencies_of() {
	LC_ALL=C apt-cache "${apt_options[@]}" depends "$1" 2>/dev/null | sed -nE "s/^ [ |]Depends: ($2)\$/\1/p"
}

# download_packages DIR PACKAGE...: apt checks the hashes against the signed lists.
# Lists that are too old name files the mirror no longer has: hence the second try.
download_packages() {
	local dir=$1
	shift

	try_download "$dir" "$@" && return
	[ ${#apt_options[@]} -gt 0 ] || update_package_lists
	try_download "$dir" "$@" ||
		die "cannot fetch $*: apt-get download failed (its words are above); check the network and that Debian 12's main and security archives are among the apt sources"
}

# apt's own user _apt has no access to a private cache folder, and says so.
try_download() {
	(cd "$1" && shift && apt-get -qq -o APT::Sandbox::User=root "${apt_options[@]}" download "$@") >&2
}

# unpack_packages DIR: every package in DIR, into DIR.
unpack_packages() {
	local deb

	for deb in "$1"/*.deb; do
		dpkg-deb --extract "$deb" "$1" || die "cannot unpack $deb"
		rm "$deb"
	done
}

# unpack_source DIR PACKAGE [FILE...]: of the linux-source package that lies in DIR the
# whole tree, or just the files, into DIR.
unpack_source() {
	local dir=$1 package=$2
	shift 2

	dpkg-deb --fsys-tarfile "$dir/$package"_*.deb |
		tar --extract --to-stdout "./usr/src/$package.tar.xz" |
		tar --extract --xz --directory "$dir" --strip-components=1 "${@/#/$package/}" ||
		die "cannot take the sources out of $package"
	rm "$dir/$package"_*.deb
}

# A cached folder is sealed when it is complete: .listing has every file's size and
# time, .sha256 the sums of the files whose names come on standard input.
# Comparing both is quick enough to be done at each use.
seal_folder() (
	cd "$1" || exit
	rm -f .sha256 .listing
	xargs -d '\n' sha256sum >.sha256
	folder_listing >.listing
)

folder_intact() (
	cd "$1" 2>/dev/null && [ -s .sha256 ] && [ -s .listing ] &&
		folder_listing | cmp -s - .listing &&
		sha256sum --check --status .sha256
)

folder_listing() {
	find . -mindepth 1 ! -name .listing ! -name .sha256 ! -type d \
		-printf '%P %s %Ts %l\n' | LC_ALL=C sort
}

# provide_folder DIR FUNCTION: makes DIR whole. FUNCTION is called with an empty
# folder, fills it and seals it; only then does it take DIR's place.
provide_folder() {
	local dir=$1 fill=$2 new=$1.new lock

	folder_intact "$dir" && return
	mkdir -p "${dir%/*}"
	exec {lock}>"$dir.lock"
	flock "$lock"
	if ! folder_intact "$dir"; then
		[ ! -e "$dir" ] || say "$dir is not what it was: making it again"
		rm -rf "$new"
		mkdir "$new"
		"$fill" "$new"
		rm -rf "$dir"
		mv "$new" "$dir"
	fi
	exec {lock}>&-
}
