# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of the tool share; sourced by tool.sh and its neighbours, in a guest.
#
# A test is a function test_NAME. run_tests runs them in the order of their definition
# and prints KTAP; with names given on the command line, those alone. Assertions print
# "# ..." when they fail, and the test goes on.
#
#   run COMMAND...     runs it; $status, $out and $err tell the rest
#   exits, says, prints, is, json   look at that
#   start COMMAND...   runs it in the background as $started, and finish waits for it
#   hold NAME ...      a pipe that somebody holds open
#
# Each program is alone in a network namespace of its own, so that it may count and
# remove all objects there are. What a test starts or creates is gone after it.

set -u
export LC_ALL=C.UTF-8 TERM=xterm
unset NO_COLOR

# Far more than the slowest emulated machine needs for a thing that happens at all.
readonly PATIENCE=60

# shellcheck disable=SC2034 # for those who source this
readonly AS_NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)
# shellcheck disable=SC2034 # likewise
readonly TREE=/ipcmod PARAMETERS=/sys/module/ipcmod/parameters

if [ "${TOOL_TESTS_NETNS-}" != own ]; then
	TOOL_TESTS_NETNS=own exec unshare --net -- "$0" "$@"
fi

work=$(mktemp -d -t tool.XXXXXX)
chmod 755 "$work"
background=()
trap end_program EXIT

end_program() {
	end_background
	remove_objects
	rm -rf "$work"
}

# Tests.

# TEST... on the command line, or all of this program's.
run_tests() {
	local all name number=0

	all=("$@")
	[ $# -gt 0 ] || mapfile -t all < <(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$0")
	echo "TAP version 13"
	echo "1..${#all[@]}"
	for name in "${all[@]}"; do
		number=$((number + 1))
		failed='' skipped=''
		mkdir "$work/$name"
		cd "$work/$name" || exit 1
		"test_$name"
		end_background
		remove_objects
		cd "$work" || exit 1
		if [ -n "$failed" ]; then
			echo "not ok $number $name"
		else
			echo "ok $number $name${skipped:+ # SKIP $skipped}"
		fi
	done
}

# skip REASON: the rest of the test cannot be; its caller returns.
skip() {
	skipped=$1
}

fail() {
	printf '%s\n' "$@" | cat -v | sed "s/^/# /"
	failed=yes
}

# fail_run WHAT: the first time with all that is known about the last command.
fail_run() {
	if [ -z "$told" ]; then
		fail "$1" "  command: ${command[*]}" "  status:  $status" "  output:  ${out:0:1000}" \
			"  errors:  ${err:0:1000}"
		told=yes
	else
		fail "$1"
	fi
}

# Commands.

# Sets status, out and err.
run() {
	run_with /dev/null "$@"
}

# run_with INPUT COMMAND...: standard input from a file. What may wait has its time.
run_with() {
	local input=$1 limit=()
	shift

	case "$*" in
	*"pipe read"* | *"pipe write"* | *"pipe resize"* | *"queue send"* | *"queue recv"* | *"sem down"* | *"sem run"* | *"ipcx wait"* | *script*) limit=(timeout --foreground --kill-after=5 "$PATIENCE") ;;
	esac
	command=("$@")
	"${limit[@]}" "$@" >out 2>err <"$input"
	status=$?
	look
}

# What was printed, up to the first NUL, without the newline at its end. No process is
# started for it: that would take most of a test's time.
look() {
	told=''
	# shellcheck disable=SC2094 # a variable and a file
	IFS= read -r -d '' out <out
	out=${out%$'\n'}
	# shellcheck disable=SC2094 # likewise
	IFS= read -r -d '' err <err
	err=${err%$'\n'}
}

# Assertions about the last command.

exits() {
	[ "$status" -eq "$1" ] || fail_run "exit status $status in place of $1"
}

# The message has all these parts.
says() {
	local part

	for part; do
		[[ $err == *"$part"* ]] || fail_run "no '$part' on standard error"
	done
}

prints() {
	local part

	for part; do
		[[ $out == *"$part"* ]] || fail_run "no '$part' on standard output"
	done
}

prints_nothing() {
	[ ! -s out ] || fail_run "something on standard output"
}

complains_not() {
	[ ! -s err ] || fail_run "something on standard error"
}

# It worked, and had nothing to complain about.
works() {
	exits 0
	complains_not
}

# It failed as the manual has it: says why on standard error alone.
fails() {
	exits 1
	prints_nothing
	[[ $err == "ipcx: "* ]] || fail_run "the message does not begin with the tool's name"
	says "$@"
}

# The command line was wrong: a word about what, and where to find help.
is_usage_error() {
	exits 2
	prints_nothing
	[[ $err == *--help* ]] || fail_run "no word of --help on standard error"
	says "$@"
}

# No byte but printable ones, UTF-8 and newlines; C1 controls are two bytes in UTF-8.
is_printable() {
	if LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$@" ||
		! iconv -f UTF-8 -t UTF-8 "$@" >/dev/null 2>&1; then
		fail_run "control characters, or what is no UTF-8, in: $*"
	fi
}

# is ACTUAL EXPECTED WHAT
is() {
	[ "$1" = "$2" ] || fail "$3 is '$1' in place of '$2'"
}

# JSON, by a real parser. json EXPRESSION: one in Python that must be true of d, which is
# what the last command printed: one JSON value and a newline, UTF-8, without a key twice.
json() {
	local answer

	if [ -z "${json_pid-}" ]; then
		coproc json_parser { exec python3 -c "$json_program"; }
		json_pid=$!
	fi
	printf '%s\t%s\n' "$PWD/out" "${1//$'\n'/ }" >&"${json_parser[1]}"
	IFS= read -r -t "$PATIENCE" answer <&"${json_parser[0]}" || answer="(the parser is dead)"
	[ "$answer" = True ] || fail_run "$1 is $answer"
}

# shellcheck disable=SC2016
json_program='
import base64, json, sys

def pairs(list):
    if len(dict(list)) != len(list):
        raise ValueError("a key twice")
    return dict(list)

def constant(name):
    raise ValueError(name)

for line in sys.stdin.buffer:
    file, expression = line.decode().rstrip("\n").split("\t", 1)
    try:
        source = open(file, "rb").read().decode()
        if not source.endswith("\n"):
            raise ValueError("no newline at the end")
        d = json.loads(source, object_pairs_hook=pairs, parse_constant=constant)
        scope = {"d": d, "base64": base64, "folder": file.rsplit("/", 1)[0]}
        answer = eval(expression, scope)
    except Exception as error:
        answer = type(error).__name__ + ": " + str(error)
    print(repr(answer), flush=True)
'

# Objects.

# field NAME FIELD: a number of `ipcx show NAME -j`; nothing if there is none.
field() {
	ipcx show "$1" -j 2>/dev/null | sed -n "s/^ *\"$2\": \([0-9]*\),*$/\1/p"
}

field_is() {
	[ "$(field "$1" "$2")" = "$3" ]
}

exists() {
	ipcx show --name "$1" >/dev/null 2>&1
}

absent() {
	! exists "$1"
}

# expect COMMAND...: a condition.
expect() {
	"$@" || fail "not so: $*"
}

# At the end of the program too: a namespace that ends takes its time, and the
# module is to be free by then.
remove_objects() {
	ipcx rm --all --force >/dev/null
}

# Processes.

# start COMMAND...: in the background, as process $started. Where a test minds what it
# reads and writes, it says so itself: start_with INPUT OUTPUT COMMAND...
start() {
	start_with /dev/null '' "$@"
}

# A shell's background processes ignore SIGINT, what a person starts does not. Nor does
# it have the files that the test itself holds open: those are the numbers 10 and 11.
start_with() {
	local input=$1 output=$2
	shift 2

	(
		exec env --default-signal=INT,QUIT,PIPE "$@" <"$input" >"${output:-$BASHPID.out}" \
			2>"$BASHPID.err" 10>&- 11>&-
	) &
	started=$!
	background+=("$started")
}

# finish PID: waits for a process; $status, $out and $err as with run.
finish() {
	command=(process "$1")
	wait_for gone "$1" || kill -KILL "$1"
	wait "$1" 2>/dev/null
	status=$?
	cat "$1.out" >out 2>/dev/null || : >out
	cat "$1.err" >err
	look
}

# Gone, or waiting to be told so.
gone() {
	local state

	state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

# It sleeps; whoever minds where has looked at something else before.
sleeping() {
	grep -q '^State:.S' "/proc/$1/status" 2>/dev/null
}

end_background() {
	local pid

	exec 10>&- 11>&-
	for pid in "${background[@]}"; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	background=()
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + PATIENCE))

	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			fail "never happened: $*"
			return 1
		fi
		sleep 0.05
	done
}

# hold LIFETIME NAME OPTION...: a pipe that `ipcx pipe create`, in the background as
# $holder, keeps; and this shell has it open as file 10, for reading and writing.
hold() {
	local lifetime=$1 name=$2
	shift 2

	start ipcx pipe create --lifetime "$lifetime" "$@" -- "$name"
	holder=$started
	wait_for exists "$name" || return
	exec 10<>"$(object_of "$holder")"
}

# The file of an object that a process has open, as a path.
object_of() {
	local file

	for file in "/proc/$1/fd"/*; do
		[[ $(readlink "$file") != ipcx:* ]] || printf '%s\n' "$file"
	done
}
