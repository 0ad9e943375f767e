# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernels built from Debian's linux-source packages with the options that lie in
# selftests/vm/config. Sourced by selftests/vm/kernel, whose $name and $tree it uses.

# The lists of options, in the order in which they are merged.
# shellcheck disable=SC2154 # $name and $tree are the caller's
option_lists() {
	local list lists="min guest"

	[ "$name" != 6.12-debug ] || lists+=" debug"
	for list in $lists; do
		printf '%s\n' "$tree/selftests/vm/config/$list.config"
	done
}

# Part of the folder's name: other options make another kernel.
options_key() {
	local key

	key=$(option_lists | xargs -d '\n' cat | sha256sum)
	printf '%s\n' "${key:0:12}"
}

fill_from_source() {
	local new=$1 package

	require_debian_packages "kernel $name"
	"$tree/scripts/prerequisites" kernel
	choose_source "$new"
	mkdir "$new/source"
	say "fetching $package, of which kernel $name is built, into the cache"
	download_packages "$new/source" "$package"
	unpack_source "$new/source" "$package"
	configure "$new/source"
	say "building kernel $name: this takes ten minutes on two fast processors, once"
	build_source "$new/source" bzImage modules
	keep_build "$new" "$new/source"
	rm -rf "$new/source" "$new/source.log" "$new/apt"
	(cd "$new" && find . -type f ! -name '.sha256' | sed 's|^\./||') | seal_folder "$new"
}

# Sets $package.
choose_source() {
	case $name in
	6.12-debug) package=linux-source-6.12 ;;
	next)
		use_unstable "$1/apt"
		package=$(dependencies_of linux-source 'linux-source-[0-9].*')
		[ -n "$package" ] || die "Debian's unstable suite has no linux-source here"
		;;
	esac
}

# From here on apt knows nothing but the unstable suite, of the mirror that this machine
# uses. Its lists are kept apart: the system's own sources and lists stay as they are.
use_unstable() {
	local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	# shellcheck disable=SC2016 # the variables are apt's
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
	[ -n "$mirror" ] || die "apt knows no mirror of Debian's main archive here (apt-get indextargets): run apt-get update, or add one to its sources"
	[ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	printf 'deb [arch=amd64 signed-by=%s] %s unstable main\n' "$keyring" "$mirror" >"$1/sources"
	apt_options=(-o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1/cache"
		-o "Dir::Etc::SourceList=$1/sources" -o Dir::Etc::SourceParts=/dev/null
		-o Acquire::Languages=none -o APT::Sandbox::User=root)
	apt-get -qq "${apt_options[@]}" update >&2 ||
		die "cannot read the package lists of Debian's unstable suite from $mirror"
}

configure() {
	local lists unmet

	mapfile -t lists < <(option_lists)
	build_source "$1" tinyconfig
	(cd "$1" && scripts/kconfig/merge_config.sh -m .config "${lists[@]}" >>"$1.log") ||
		die "cannot merge the options of kernel $name"
	build_source "$1" olddefconfig
	unmet=$(unmet_options "$1/.config" "${lists[@]}")
	[ -z "$unmet" ] || die "this kernel's sources do not take these options of selftests/vm/config: "$'\n'"$unmet"
}

# unmet_options CONFIG LIST...: the lists' lines that CONFIG does not fulfil.
unmet_options() {
	awk '
		FILENAME == ARGV[1] { line[$0]; if (/^CONFIG_/) set[substr($0, 1, index($0, "=") - 1)]; next }
		/^CONFIG_/ && !($0 in line) { print }
		/^# CONFIG_[A-Z0-9_]+ is not set$/ && $2 in set { print }' "$@"
}

build_source() {
	local dir=$1
	shift

	make -s -C "$dir" -j"$(nproc)" "$@" >>"$dir.log" 2>&1 || {
		tail -n 40 "$dir.log" >&2
		die "kernel $name: 'make $*' failed, see above"
	}
}

# What the kernel's own packages of headers have, and no paths of the place it was
# built in: it was built inside its sources.
keep_build() {
	local new=$1 source=$2 release

	# shellcheck disable=SC2016 # the variable is make's
	build_source "$source" run-command \
		KBUILD_RUN_COMMAND='+$(srctree)/scripts/package/install-extmod-build '"$new/build"
	cp "$source/.config" "$new/build/"
	build_source "$source" modules_install INSTALL_MOD_PATH="$new" DEPMOD=true
	release=$(<"$source/include/config/kernel.release")
	printf '%s\n' "$release" >"$new/release"
	cp "$source/arch/x86/boot/bzImage" "$new/vmlinuz"
	rm -f "$new/lib/modules/$release/build" "$new/lib/modules/$release/source"
	depmod --basedir "$new" "$release" || die "depmod failed on the modules of $release"
}
