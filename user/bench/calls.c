// SPDX-License-Identifier: GPL-2.0
/*
 * What single calls cost one process: making, opening and closing, operations that
 * never wait, and a mapping's first touch.
 */
#include <err.h>
#include <fcntl.h>
#include <ipcx.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "calls.h"

static double alone_seconds(const struct call_kind *kind, uint64_t amount)
{
	double begin = now();
	uint64_t i;

	for (i = 0; i < amount; i++)
		kind->call();
	return now() - begin;
}

/* Bound to a processor although alone: moving about would be measured, too. */
double call_seconds(const struct contender *me, const struct setting *setting,
		    uint64_t amount)
{
	const struct call_kind *kind = me->calls;
	double seconds;

	pin_here();
	if (kind->begin)
		kind->begin(setting);
	seconds = setting->crowd ? crowd_seconds(kind, setting->crowd, amount) :
				   alone_seconds(kind, amount);
	if (kind->end)
		kind->end();
	return seconds;
}

/* ---- Both ends of something new, and closed again ---- */

static void close_two(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* With its default capacity, which is pipe(2)'s, too. */
static void make_ipcx(void)
{
	int ends[2];

	channel_ipcx(64 << 10, ends);
	close_two(ends);
}

static void make_pipe(void)
{
	int ends[2];

	if (pipe(ends))
		err(1, "pipe");
	close_two(ends);
}

static void make_unix(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(1, "socketpair");
	close_two(ends);
}

static void make_eventfd(void)
{
	int fd = eventfd(0, 0);

	if (fd < 0)
		err(1, "eventfd");
	close(fd);
}

static void make_memfd(void)
{
	int fd = memfd_create("ipcx-bench", 0);

	if (fd < 0)
		err(1, "memfd_create");
	close(fd);
}

CALLS(make_ipcx_pipe, "ipcx pipe", NULL, make_ipcx, NULL);
CALLS(make_pipe_pair, "pipe(2)", NULL, make_pipe, NULL);
CALLS(make_unix_pair, "Unix stream", NULL, make_unix, NULL);
CALLS(make_an_eventfd, "eventfd", NULL, make_eventfd, NULL);
CALLS(make_a_memfd, "memfd", NULL, make_memfd, NULL);

/* ---- Something with a name, opened for both directions and closed again ---- */

#define NAME	"ipcx-bench"
#define FIFO	PRIVATE_FOLDER "/" NAME

/* Has it open throughout: else the last close would take away what is inside. */
static int keeper;

static void name_ipcx(const struct setting *setting)
{
	(void)setting;
	keeper = ipcx_pipe_create(device(), NAME, IPCX_ACCESS_NONE, 4096, NULL);
	if (keeper < 0)
		errx(1, "ipcx pipe: %s", strerror(-keeper));
}

/* For both directions, since a pipe opened for one waits for the other. */
static void open_ipcx(void)
{
	int fd = ipcx_open(device(), NAME, IPCX_TYPE_PIPE,
			   IPCX_ACCESS_RDWR, 0, NULL);

	if (fd < 0)
		errx(1, "ipcx_open: %s", strerror(-fd));
	close(fd);
}

static void forget_keeper(void)
{
	close(keeper);
}

static void name_fifo(const struct setting *setting)
{
	(void)setting;
	if (mkfifo(FIFO, 0600))
		err(1, FIFO);
	keeper = open(FIFO, O_RDWR);
	if (keeper < 0)
		err(1, FIFO);
}

static void open_fifo(void)
{
	int fd = open(FIFO, O_RDWR);

	if (fd < 0)
		err(1, FIFO);
	close(fd);
}

static void forget_fifo(void)
{
	unlink(FIFO);
	close(keeper);
}

static void name_mq(const struct setting *setting)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 64 };

	(void)setting;
	keeper = mq_open("/" NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (keeper < 0)
		err(1, "mq_open");
}

static void open_mq(void)
{
	mqd_t queue = mq_open("/" NAME, O_RDWR);

	if (queue < 0)
		err(1, "mq_open");
	mq_close(queue);
}

static void forget_mq(void)
{
	mq_unlink("/" NAME);
	mq_close(keeper);
}

CALLS(reopen_ipcx, "ipcx pipe", name_ipcx, open_ipcx, forget_keeper);
CALLS(reopen_fifo, "FIFO", name_fifo, open_fifo, forget_fifo);
CALLS(reopen_mq, "POSIX mq", name_mq, open_mq, forget_mq);

/* ---- A semaphore of 1, down and up: as a lock, alone or with others ---- */

static int set;
static sem_t *sem;

static void new_ipcx_set(const struct setting *setting)
{
	const struct ipcx_sem_params params = { .value = 1 };

	(void)setting;
	keeper = ipcx_sem_create(device(), NULL, IPCX_ACCESS_RDWR, &params, NULL);
	if (keeper < 0)
		errx(1, "ipcx sem: %s", strerror(-keeper));
}

/* Two calls, as of a program that holds it for a while in between. */
static void ipcx_down_and_up(void)
{
	int ret = ipcx_sem_down(keeper, 0, 1, 0, NULL) ?: ipcx_sem_up(keeper, 0, 1, 0);

	if (ret)
		errx(1, "ipcx sem: %s", strerror(-ret));
}

static void close_ipcx_set(void)
{
	close(keeper);
}

static void new_set(const struct setting *setting)
{
	(void)setting;
	set = semget(IPC_PRIVATE, 1, 0600);
	if (set < 0 || semctl(set, 0, SETVAL, 1))
		err(1, "semget");
}

static void down_and_up(void)
{
	struct sembuf up = { .sem_op = 1 }, down = { .sem_op = -1 };

	if (semop(set, &down, 1) || semop(set, &up, 1))
		err(1, "semop");
}

static void remove_set(void)
{
	semctl(set, 0, IPC_RMID);
}

static void new_sem(const struct setting *setting)
{
	(void)setting;
	sem = mmap(NULL, sizeof(*sem), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sem == MAP_FAILED || sem_init(sem, 1, 1))
		err(1, "sem_init");
}

/* Alone, neither enters the kernel: the mark that no system call can reach. */
static void wait_and_post(void)
{
	if (sem_wait(sem) || sem_post(sem))
		err(1, "sem_wait");
}

static void unmap_sem(void)
{
	munmap(sem, sizeof(*sem));
}

CALLS(sem_ipcx, "ipcx sem", new_ipcx_set, ipcx_down_and_up, close_ipcx_set);
CALLS(sem_sysv, "SysV sem", new_set, down_and_up, remove_set);
CALLS(sem_posix, "POSIX sem", new_sem, wait_and_post, unmap_sem);

/* ---- Shared memory, mapped and touched ---- */

#define REGION_BYTES	(64 << 20)

/* One byte in each page: what is measured is getting the pages, not filling them. */
static void touch_memfd(void)
{
	int fd = memfd_create("ipcx-bench", 0);
	char *memory;
	size_t i;

	if (fd < 0 || ftruncate(fd, REGION_BYTES))
		err(1, "memfd");
	memory = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < REGION_BYTES; i += 4096)
		memory[i] = 1;
	munmap(memory, REGION_BYTES);
	close(fd);
}

CALLS(touch_a_memfd, "memfd", NULL, touch_memfd, NULL);
