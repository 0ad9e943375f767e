// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of connections for clients who may be killed at any time.
 *
 *	connection-pool [REQUESTS [KILLS]]
 *
 * There are CONNECTIONS of them, and more clients. A semaphore counts those that are free; who
 * takes one says that it is to be given back if he dies. So there are never more users than
 * connections, and none is lost with a client, without anybody to clean up. A client who waits too
 * long gives up: a deadline tells him.
 */
#include <err.h>
#include <errno.h>
#include <ipcx.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS	3
#define CLIENTS		8
#define PATIENCE_NS	(60ULL * 1000000000)

/* What clients have done; each adds to it by himself. */
struct tally {
	int served;
	int late;
	int asked;
};

static void nap(long ns)
{
	struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

static void use_connection(int pool, struct tally *tally)
{
	struct ipcx_deadline deadline = ipcx_deadline_after(PATIENCE_NS);
	int ret = ipcx_sem_down(pool, 0, 1, IPCX_SEM_UNDO, &deadline);

	if (ret == -ETIMEDOUT) {
		__atomic_add_fetch(&tally->late, 1, __ATOMIC_RELAXED);
		return;
	}
	if (ret)
		errx(1, "the pool: %s", strerror(-ret));
	nap(1000000);
	__atomic_add_fetch(&tally->served, 1, __ATOMIC_RELAXED);
	ret = ipcx_sem_up(pool, 0, 1, IPCX_SEM_UNDO);
	if (ret)
		errx(1, "the pool: %s", strerror(-ret));
}

static void client(int pool, struct tally *tally, int requests)
{
	while (__atomic_fetch_add(&tally->asked, 1, __ATOMIC_RELAXED) < requests)
		use_connection(pool, tally);
	_exit(0);
}

static pid_t client_start(int pool, struct tally *tally, int requests)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		client(pool, tally, requests);
	return pid;
}

static struct ipcx_sem look(int pool)
{
	struct ipcx_sem sem;
	int ret = ipcx_sem_get(pool, 0, 1, &sem);

	if (ret)
		errx(1, "the pool: %s", strerror(-ret));
	return sem;
}

/* Who is killed may have had a connection, or waited for one, or neither. */
static void kill_some(pid_t *pids, int kills, int pool, struct tally *tally, int requests)
{
	int i, status;

	for (i = 0; i < kills; i++) {
		nap(3000000);
		kill(pids[i % CLIENTS], SIGKILL);
		waitpid(pids[i % CLIENTS], &status, 0);
		if (look(pool).value > CONNECTIONS)
			errx(1, "there are more connections than there were");
		pids[i % CLIENTS] = client_start(pool, tally, requests);
	}
}

int main(int argc, char **argv)
{
	int requests = argc > 1 ? atoi(argv[1]) : 200, kills = argc > 2 ? atoi(argv[2]) : 20;
	const struct ipcx_sem_params params = { .value = CONNECTIONS, .max = CONNECTIONS };
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int dev = ipcx_device(), pool, i, status;
	pid_t pids[CLIENTS];

	if (tally == MAP_FAILED)
		err(1, "mmap");
	if (dev < 0)
		errx(1, "/dev/ipcx: %s", strerror(-dev));
	pool = ipcx_sem_create(dev, NULL, IPCX_ACCESS_RDWR, &params, NULL);
	if (pool < 0)
		errx(1, "a pool: %s", strerror(-pool));
	for (i = 0; i < CLIENTS; i++)
		pids[i] = client_start(pool, tally, requests);
	kill_some(pids, kills, pool, tally, requests);
	for (i = 0; i < CLIENTS; i++)
		waitpid(pids[i], &status, 0);
	printf("%d requests served, %d given up, %d clients killed, %u of %d connections free\n",
	       tally->served, tally->late, kills, look(pool).value, CONNECTIONS);
	return look(pool).value != CONNECTIONS;
}
