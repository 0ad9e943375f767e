#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What `make install` gives: files in their places, a library with its symbols, pages for
# each function, and examples that compile as the documents have them.

# shellcheck source=selftests/tool.bash
. /ipcmod/selftests/tool.bash

readonly HEADER=$TREE/user/lib/ipcx.h MAN=$TREE/Documentation/man PREFIX=$work/prefix

# install_into PREFIX DESTDIR: of what is built already.
install_into() {
	run make --silent --no-print-directory -C "$TREE/user" install O="$TREE/build/user" PREFIX="$1" DESTDIR="$2"
	exits 0
}

# Into $PREFIX, once for all tests.
installed() {
	[ -e "$PREFIX/lib/libipcx.so" ] || install_into "$PREFIX" ''
}

# The functions that the header declares, without its comments.
declared_functions() {
	perl -0777 -pe 's{/\*.*?\*/}{}gs' "$HEADER" | grep -oE '\bipcx_[a-z_]+\(' | tr -d '(' | sort -u
}

# Those of them that the library has: inline ones it has not.
library_functions() {
	comm -23 <(declared_functions) \
		<(perl -0777 -ne 'print "$1\n" while /^static inline [^;{]*?\b(ipcx_\w+)\(/gm' "$HEADER" | sort)
}

# The C in a document, indented or not: what is between two lines, of the first that has
# a word.
# example FILE BEGIN END WORD
example() {
	perl -0777 -ne 'for (/^\Q'"$2"'\E\n(.*?)^\Q'"$3"'\E$/gms) { if (/\Q'"$4"'\E/) { print; last } }' "$1"
}

# Of a manual page, as it reads.
page_example() {
	example "$MAN/$1" .EX .EE "$2" | sed 's/\\fR//g; s/\\fP//g; s/\\-/-/g; s/\\e/\\/g'
}

# compiled PROGRAM: from PROGRAM.c as libipcx(3) tells.
compiled() {
	# shellcheck disable=SC2016 # for the inner shell
	run env PKG_CONFIG_PATH="$PREFIX/lib/pkgconfig" \
		bash -c 'cc -Wall -Werror "$1.c" -o "$1" $(pkg-config --cflags --libs libipcx)' - "$1"
	works
	[ "$status" -eq 0 ]
}

# Statements become a function of their own.
function_of() {
	printf 'int example_%s(void)\n{\n' "$1"
	grep -v '^#include'
	echo "$2"
	echo '}'
}

test_the_library_exports_what_the_header_declares() {
	local library=$TREE/build/user/libipcx.so

	is "$(nm --dynamic --defined-only "$library" | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' | sort | xargs)" \
		"$(library_functions | xargs)" "the list of exported functions"
	is "$(nm --dynamic --defined-only "$library" | awk '$2 !~ /[TA]/')" "" "what else is exported"
	is "$(library_functions | wc -l)" 57 "the number of functions"
}

test_each_function_has_a_manual_page() {
	local name page

	for name in $(declared_functions); do
		page=$(sed -n 's/^\.so man3/./p' "$MAN/$name.3")
		page=$MAN/${page:-$name.3}
		expect grep -q "^$name\\b\|[ ,]$name\\b" <(sed -n '/^\.SH NAME/,/^\.SH LIB/p' "$page")
		expect grep -q "[ *]$name(" <(sed -n '/^\.SH SYNOPSIS/,/^\.SH DESC/p' "$page")
	done
}

test_manual_pages_render_without_warnings() {
	local pages

	if ! command -v groff >/dev/null; then
		skip "groff, of Debian's groff-base, is not installed"
		return
	fi
	mapfile -t pages < <(grep -L '^\.so ' "$MAN"/*.[13])
	run groff -t -man -ww -z -Tutf8 "${pages[@]}"
	works
}

test_files_are_where_they_belong() {
	local file

	install_into /usr "$PWD/dest"
	for file in bin/ipcx lib/libipcx.so lib/libipcx.so.0 lib/libipcx.a lib/pkgconfig/libipcx.pc \
		include/ipcx.h include/linux/ipcx.h include/linux/ipcx_netlink.h \
		share/man/man1/ipcx.1 share/man/man3/libipcx.3 share/man/man3/ipcx_pipe_write_id.3 \
		lib/udev/rules.d/60-ipcmod.rules lib/modules-load.d/ipcmod.conf; do
		expect test -r "dest/usr/$file"
	done
	is "$(cd dest && ls)" usr "what is outside of the prefix"
	expect grep -qx prefix=/usr dest/usr/lib/pkgconfig/libipcx.pc
	expect grep -qF "$(sed -n 's/^#define IPCX_LIBRARY_VERSION[^"]*"\(.*\)"/\1/p' "$HEADER")" \
		dest/usr/lib/pkgconfig/libipcx.pc
	# shellcheck disable=SC2016 # for the inner shell
	expect bash -c '! grep -aq "$1" -r dest' - "$PWD"
}

# at_boot COMMAND...: where what was installed into /usr/local lies there, and the module
# where modprobe finds it; for the command alone.
at_boot() {
	local boot=$work/boot

	[ -e "$boot" ] || install_into /usr/local "$boot"
	mkdir -p "$boot/modules"
	cp "$TREE/build/kmod-$IPCMOD_VM_KERNEL/ipcmod.ko" "$boot/modules/"
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount bash -ec 'mount --bind "$1/modules" "/lib/modules/$(uname -r)"
		mount --bind "$1/usr/local" /usr/local
		shift
		mount -t tmpfs run /run
		depmod 2>/dev/null
		exec "$@"' - "$boot" "$@"
}

# The other tests need the module back, whatever happens here.
test_a_boot_loads_the_module() {
	local loader=/lib/systemd/systemd-modules-load

	if [ ! -x "$loader" ]; then
		skip "$loader, of Debian's systemd, is not installed"
		return
	fi
	wait_for rmmod ipcmod || return
	expect test ! -e /dev/ipcx
	at_boot env SYSTEMD_LOG_TARGET=console "$loader"
	exits 0
	run ipcx version
	works
	[ -e /dev/ipcx ] || insmod "$TREE/build/kmod-$IPCMOD_VM_KERNEL/ipcmod.ko"
}

test_udev_tells_systemd_of_the_device() {
	if ! command -v udevadm >/dev/null; then
		skip "udevadm, of Debian's udev, is not installed"
		return
	fi
	at_boot udevadm test /sys/class/misc/ipcx
	exits 0
	expect grep -qx 'TAGS=.*:systemd:.*' out
	is "$(stat -c %a /dev/ipcx)" 666 "the mode of /dev/ipcx"
}

test_the_installed_tool_runs() {
	installed
	run "$PREFIX/bin/ipcx" version
	works
	run ldd "$PREFIX/bin/ipcx"
	prints "$PREFIX/lib/libipcx.so.0"
}

test_the_header_stands_alone() {
	installed
	printf '#include <ipcx.h>\nint main(void) { return !ipcx_library_version(); }\n' >alone.c
	run cc -std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$PREFIX/include" alone.c
	works
}

# Inline functions must be C++, too.
test_the_header_is_for_cxx_too() {
	if ! command -v c++ >/dev/null; then
		skip "c++, of Debian's g++, is not installed"
		return
	fi
	installed
	cat >cxx.cc <<-'END'
		#include <ipcx.h>
		int main()
		{
			struct ipcx_select some[] = { ipcx_select_any(), ipcx_select_exact(1),
						      ipcx_select_except(2), ipcx_select_range(3, 4) };
			struct ipcx_queue_file file = { some[3], 1, 0, 0 };

			return ipcx_queue_file(-1, &file.select, file.type, 0) != -9;
		}
	END
	run c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -I"$PREFIX/include" cxx.cc -o cxx -L"$PREFIX/lib" -lipcx
	works
	run env LD_LIBRARY_PATH="$PREFIX/lib" ./cxx
	works
}

# The manual's whole program, compiled as it says and used as it says.
test_the_manuals_program_works() {
	installed
	page_example libipcx.3 "int main" >log.c
	expect grep -q ipcx_pipe_read log.c
	compiled log || return
	start env LD_LIBRARY_PATH="$PREFIX/lib" stdbuf -o0 ./log
	wait_for exists log
	echo "a line" >line
	run "${AS_NOBODY[@]}" ipcx pipe write log line
	works
	wait_for grep -qx "a line" "$started.out"
}

# Fragments, each in a function; what they leave out is added.
test_examples_compile() {
	installed
	{
		printf '#include <%s>\n' errno.h fcntl.h stdio.h string.h sys/ioctl.h unistd.h ipcx.h
		page_example ipcx_create.3 ipcx_pipe_create | function_of create 'return fd;'
		{
			echo 'int fd = -1; char buf[9];'
			page_example ipcx_deadline_after.3 ipcx_pipe_read
		} | function_of deadline 'return n;'
		page_example ipcx_pipe.3 hello | function_of pipe 'return 0;'
		{
			echo 'int fd = -1;'
			page_example ipcx_queue_send.3 ipcx_queue_send
		} | function_of send 'return ret;'
		{
			echo 'int fd = -1;'
			page_example ipcx_queue_recv.3 ipcx_queue_recv
		} | function_of receive 'return ret;'
		example "$TREE/README.md" '```c' '```' ipcx_pipe_create | function_of readme 'return fd;'
		sed -n '/^    struct ipcx_create/,/^$/s/^    //p' "$TREE/README.md" | function_of ioctl 'return fd;'
	} >examples.c
	is "$(grep -cE 'ipcx_(pipe_create|pipe_read|queue_send|queue_recv)|"hello"|IPCX_IOC_CREATE' examples.c)" 7 \
		"the number of examples"
	run cc -Wall -Wno-unused-result -Werror -fsyntax-only -I"$PREFIX/include" examples.c
	works
}

run_tests "$@"
