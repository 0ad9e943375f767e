// SPDX-License-Identifier: GPL-2.0
/*
 * How fast one process hands bytes to another: an ipcx pipe beside what every system
 * has. Each round runs all of them once, one after the other, so that whatever
 * disturbs the machine disturbs all alike; the median of the rounds is shown.
 *
 * usage: peers [MIB [ROUNDS]]
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ipcx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES	(64 << 10)
#define CAPACITY_BYTES	(1 << 20)
#define MAX_ROUNDS	99

/* Makes a channel: the end to read from and the end to write to. */
typedef void (*open_channel)(int ends[2]);

struct peer {
	const char *name;
	open_channel open;
	double mb_per_s[MAX_ROUNDS];
};

static void open_ipcx(int ends[2])
{
	int dev = ipcx_device();
	int reader, writer;

	if (dev < 0)
		errx(1, "/dev/ipcx: %s", strerror(-dev));
	reader = ipcx_pipe_create(dev, NULL, IPCX_ACCESS_READ, CAPACITY_BYTES, NULL);
	if (reader < 0)
		errx(1, "ipcx pipe: %s", strerror(-reader));
	writer = ipcx_open_fd(reader, IPCX_ACCESS_WRITE, 0, NULL);
	if (writer < 0)
		errx(1, "ipcx pipe: %s", strerror(-writer));
	close(dev);
	ends[0] = reader;
	ends[1] = writer;
}

static void set_pipe_capacity(int fd)
{
	if (fcntl(fd, F_SETPIPE_SZ, CAPACITY_BYTES) < 0)
		err(1, "F_SETPIPE_SZ");
}

static void open_pipe(int ends[2])
{
	if (pipe(ends))
		err(1, "pipe");
	set_pipe_capacity(ends[0]);
}

static void open_fifo(int ends[2])
{
	char dir[] = "/tmp/peers.XXXXXX";
	char path[64];
	int keep;

	if (!mkdtemp(dir))
		err(1, "mkdtemp");
	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0600))
		err(1, "mkfifo");
	/* Open for both, it keeps the other two from waiting for each other. */
	keep = open(path, O_RDWR);
	ends[0] = open(path, O_RDONLY);
	ends[1] = open(path, O_WRONLY);
	if (keep < 0 || ends[0] < 0 || ends[1] < 0)
		err(1, "%s", path);
	close(keep);
	unlink(path);
	rmdir(dir);
	set_pipe_capacity(ends[0]);
}

static void open_unix(int ends[2])
{
	int size = CAPACITY_BYTES;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(1, "socketpair");
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		err(1, "SO_SNDBUFFORCE");
}

static void write_all(int fd, const char *buf, size_t total)
{
	while (total) {
		ssize_t n = write(fd, buf, CHUNK_BYTES < total ? CHUNK_BYTES : total);

		if (n < 0)
			err(1, "write");
		total -= n;
	}
}

static size_t read_all(int fd, char *buf)
{
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, buf, CHUNK_BYTES)) > 0)
		total += n;
	if (n < 0)
		err(1, "read");
	return total;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* From the writer's start to the reader's end of file, in MB/s. */
static double measure(open_channel open, char *buf, size_t total)
{
	int ends[2], status;
	double begin;
	pid_t writer;

	open(ends);
	begin = now();
	writer = fork();
	if (writer < 0)
		err(1, "fork");
	if (!writer) {
		close(ends[0]);
		write_all(ends[1], buf, total);
		_exit(0);
	}
	close(ends[1]);
	if (read_all(ends[0], buf) != total)
		errx(1, "bytes are missing");
	begin = now() - begin;
	close(ends[0]);
	if (waitpid(writer, &status, 0) != writer || status)
		errx(1, "the writer failed");
	return total / begin / 1e6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

static struct peer peers[] = {
	{ .name = "ipcx pipe", .open = open_ipcx },
	{ .name = "pipe(2)", .open = open_pipe },
	{ .name = "FIFO", .open = open_fifo },
	{ .name = "Unix stream socket", .open = open_unix },
};

#define NR_PEERS ((int)(sizeof(peers) / sizeof(peers[0])))

static void print_table(int rounds)
{
	double ours = median(peers[0].mb_per_s, rounds);

	printf("  %-20s %8s   %s\n", "", "MB/s", "ipcx against it");
	for (int i = 0; i < NR_PEERS; i++) {
		double theirs = median(peers[i].mb_per_s, rounds);

		printf("  %-20s %8.0f", peers[i].name, theirs);
		if (i)
			printf("   %.2f times as fast", ours / theirs);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	size_t total = (argc > 1 ? strtoul(argv[1], NULL, 10) : 128) << 20;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	char *buf = malloc(CHUNK_BYTES);

	if (!buf || !total || rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: peers [MIB [ROUNDS, at most %d]]", MAX_ROUNDS);
	memset(buf, 'x', CHUNK_BYTES);
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < NR_PEERS; i++)
			peers[i].mb_per_s[round] = measure(peers[i].open, buf, total);
	}
	print_table(rounds);
	return 0;
}
