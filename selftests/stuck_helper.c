// SPDX-License-Identifier: GPL-2.0
/*
 * usage: stuck_helper FILE
 *
 * Writes to a pipe, and is stuck in the middle of the copy until it is killed: its
 * memory is not there. Says "stuck" when it is, or "no userfaultfd".
 */
#include "pipe_test.h"

int main(int argc, char **argv)
{
	struct call c = { .kind = CALL_WRITE, .len = 10, .stuck = 1 };

	if (argc != 2)
		return 2;
	if (!uffd_exists()) {
		puts("no userfaultfd");
		return 1;
	}
	c.fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (c.fd < 0) {
		perror(argv[1]);
		return 1;
	}
	actor_start_stuck(c);
	puts("stuck");
	fflush(stdout);
	for (;;)
		pause();
}
