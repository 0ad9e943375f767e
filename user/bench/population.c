// SPDX-License-Identifier: GPL-2.0
/*
 * OPEN by name among few objects and among many; and of FIFOs, in a folder each.
 *
 * Each population has a network namespace of its own, so that both are there at once
 * and can be measured in turns. Their objects are charged to users that nobody is,
 * few enough to each that no limit must be raised.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ipcx.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define PER_USER	10000
#define FIRST_USER	0x60000000

/* Calls between two looks at the clock; few enough for the limit of open files. */
#define BATCH		64
#define NAME_SIZE	24

/*
 * struct population - objects that are called object-0, object-1 ...
 * @dev:   through which they are found; of FIFOs, their folder
 * @fifos: FIFOs, not ours
 */
struct population {
	unsigned int objects;
	int dev;
	bool fifos;
};

static struct population populations[4];

static const char *numbered(char text[NAME_SIZE], unsigned int number)
{
	snprintf(text, NAME_SIZE, "object-%u", number);
	return text;
}

/* The smallest pipe there is: what it could hold doesn't matter here. */
static void create(const struct population *p, unsigned int number)
{
	struct ipcx_options options = { .lifetime = IPCX_LIFETIME_PERSISTENT };
	char text[NAME_SIZE];
	int fd;

	fd = ipcx_pipe_create(p->dev, numbered(text, number), IPCX_ACCESS_NONE,
			      4096, &options);
	if (fd < 0)
		errx(1, "object %u of %u: %s", number, p->objects, strerror(-fd));
	close(fd);
}

/* On a tmpfs that nobody else sees, and that is gone with this process. */
static void populate_folder(struct population *p)
{
	char text[NAME_SIZE];
	unsigned int i;

	snprintf(text, sizeof(text), PRIVATE_FOLDER "/%u", p->objects);
	if (mkdir(text, 0700))
		err(1, "%s", text);
	p->dev = open(text, O_PATH | O_CLOEXEC);
	for (i = 0; i < p->objects; i++)
		if (mkfifoat(p->dev, numbered(text, i), 0600))
			err(1, "FIFO %u of %u", i, p->objects);
}

/*
 * The namespace is that of the device's opening; this process stays in the newest,
 * which nothing else here minds. The real uid pays, the effective one may do all.
 */
static void populate(struct population *p)
{
	struct ipcx_query q;
	unsigned int i;

	if (unshare(CLONE_NEWNET))
		err(1, "a network namespace");
	p->dev = ipcx_device();
	if (p->dev < 0)
		errx(1, "/dev/ipcx: %s", strerror(-p->dev));
	for (i = 0; i < p->objects; i++) {
		if (i % PER_USER == 0 &&
		    setresuid(FIRST_USER + i / PER_USER, -1, 0))
			err(1, "setresuid");
		create(p, i);
	}
	if (setresuid(0, 0, 0))
		err(1, "setresuid");
	if (ipcx_query(p->dev, &q, sizeof(q)) || q.ns.objects < p->objects)
		errx(1, "there are %llu objects in place of %u",
		     (unsigned long long)q.ns.objects, p->objects);
}

/* Made when it is first asked for, and kept: it takes seconds. */
static struct population *population_of(unsigned int objects, bool fifos)
{
	struct population *p;

	for (p = populations; p->objects != objects || p->fifos != fifos; p++) {
		if (p->objects)
			continue;
		p->objects = objects;
		p->fifos = fifos;
		if (fifos)
			populate_folder(p);
		else
			populate(p);
		break;
	}
	return p;
}

/* The module is to be free at once, not when the kernel has ended the namespace. */
void populations_end(void)
{
	struct population *p;
	char text[NAME_SIZE];
	unsigned int i;

	for (p = populations; p < populations + ARRAY_SIZE(populations); p++) {
		for (i = 0; i < p->objects && !p->fifos; i++)
			ipcx_unlink(p->dev, numbered(text, i));
		if (p->objects)
			close(p->dev);
	}
}

static int open_one(const struct population *p, const char *name)
{
	int fd;

	if (!p->fifos)
		return ipcx_open(p->dev, name, IPCX_TYPE_PIPE, IPCX_ACCESS_RDWR,
				 0, NULL);
	fd = openat(p->dev, name, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Names are ready before the clock starts, and files are closed after it has stopped. */
static double open_batch(const struct population *p,
			 char names[BATCH][NAME_SIZE], int count)
{
	double begin, seconds;
	int fds[BATCH], i;

	begin = now();
	for (i = 0; i < count; i++)
		fds[i] = open_one(p, names[i]);
	seconds = now() - begin;
	for (i = 0; i < count; i++) {
		if (fds[i] < 0)
			errx(1, "%s: %s", names[i], strerror(-fds[i]));
		close(fds[i]);
	}
	return seconds;
}

/* All over the place, so that no cache helps more than it would: 7919 is a prime. */
static unsigned int which(const struct population *p,
			  const struct setting *setting, uint64_t call)
{
	uint64_t names = setting->names ? setting->names : p->objects;

	return call % names * 7919 % p->objects;
}

static double seconds_in(const struct population *p,
			 const struct setting *setting, uint64_t amount)
{
	char names[BATCH][NAME_SIZE];
	double seconds = 0;
	uint64_t done, i;

	pin_here();
	for (done = 0; done < amount; done += i) {
		for (i = 0; i < BATCH && done + i < amount; i++)
			numbered(names[i], which(p, setting, done + i));
		seconds += open_batch(p, names, i);
	}
	return seconds;
}

static double open_seconds(const struct contender *me,
			   const struct setting *setting, uint64_t amount)
{
	return seconds_in(population_of(me->others, false), setting, amount);
}

static double fifo_seconds(const struct contender *me,
			   const struct setting *setting, uint64_t amount)
{
	return seconds_in(population_of(me->others, true), setting, amount);
}

const struct contender open_few = {
	.name = "among 10",
	.seconds = open_seconds,
	.others = 10,
};

const struct contender open_few_fifos = {
	.name = "FIFO among 10",
	.seconds = fifo_seconds,
	.others = 10,
};

const struct contender open_many_fifos = {
	.name = "FIFO",
	.seconds = fifo_seconds,
	.others = 100000,
};

const struct contender open_many = {
	.name = "ipcx pipe",
	.seconds = open_seconds,
	.others = 100000,
};
