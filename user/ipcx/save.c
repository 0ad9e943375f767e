// SPDX-License-Identifier: GPL-2.0
/*
 * An output file that appears when it is complete, or not at all.
 *
 * A regular file is written beside its place under another name, and takes the
 * place when it is complete. Devices, fifos and standard output are written to
 * directly.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save.h"
#include "tool.h"
#include "words.h"

static const int fatal_signals[] = { SIGHUP, SIGINT, SIGTERM };

/* What the signal handler removes. Changes while these signals are blocked. */
static const char *volatile unfinished;

/* Then the signal does what it would have done: the caller is to see it. */
static void remove_unfinished(int sig)
{
	if (unfinished)
		unlink(unfinished);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = remove_unfinished };
	struct sigaction old;
	size_t i;

	/* A file that grows too large is an error, not a reason to die. */
	signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
		sigaction(fatal_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(fatal_signals[i], &action, NULL);
	}
}

static void block_signals(sigset_t *old)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		sigaddset(&set, fatal_signals[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

static mode_t new_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* The file keeps its owner where that is possible, and its mode. */
static void take_after(int fd, const struct stat *old)
{
	if (!old) {
		fchmod(fd, new_file_mode());
		return;
	}
	if (fchown(fd, old->st_uid, old->st_gid) &&
	    fchown(fd, -1, old->st_gid))
		fchmod(fd, old->st_mode & 0707);
	else
		fchmod(fd, old->st_mode & 0777);
}

static int open_temporary(struct save *save, const struct stat *old)
{
	const char *slash = strrchr(save->path, '/');
	int length = slash ? slash + 1 - save->path : 0;
	sigset_t signals;

	save->temp = format("%.*s.ipcx-XXXXXX", length, save->path);
	catch_signals();
	block_signals(&signals);
	save->fd = mkostemp(save->temp, O_CLOEXEC);
	if (save->fd >= 0)
		unfinished = save->temp;
	sigprocmask(SIG_SETMASK, &signals, NULL);
	if (save->fd < 0)
		return -errno;
	take_after(save->fd, old);
	return 0;
}

static int open_direct(struct save *save, const char *file)
{
	save->fd = open(file, O_WRONLY | O_CLOEXEC);
	return save->fd < 0 ? -errno : 0;
}

/**
 * save_open() - begin an output file
 * @save: filled in, also on failure; save_abort() is due then too
 * @file: its path; "-" or null is standard output
 *
 * Return: 0 or a negative errno value.
 */
int save_open(struct save *save, const char *file)
{
	struct stat old;

	*save = (struct save){ .fd = -1 };
	if (!file || !strcmp(file, "-")) {
		save->fd = STDOUT_FILENO;
		return 0;
	}
	if (stat(file, &old)) {
		if (errno != ENOENT)
			return -errno;
		save->path = format("%s", file);
		return open_temporary(save, NULL);
	}
	if (!S_ISREG(old.st_mode))
		return open_direct(save, file);
	if (access(file, W_OK))
		return -errno;
	/* A symbolic link stays, and what it leads to is replaced. */
	save->path = realpath(file, NULL);
	return save->path ? open_temporary(save, &old) : -errno;
}

static void forget(struct save *save)
{
	sigset_t signals;

	block_signals(&signals);
	unfinished = NULL;
	sigprocmask(SIG_SETMASK, &signals, NULL);
	free(save->temp);
	free(save->path);
	save->temp = NULL;
	save->path = NULL;
}

/* Some file systems tell only when the file is closed that it had no space. */
int save_commit(struct save *save)
{
	int err = 0;

	if (close(save->fd))
		err = -errno;
	save->fd = -1;
	if (!err && save->temp && rename(save->temp, save->path))
		err = -errno;
	if (err)
		save_abort(save);
	else
		forget(save);
	return err;
}

void save_abort(struct save *save)
{
	if (save->fd >= 0)
		close(save->fd);
	if (save->temp && unfinished)
		unlink(save->temp);
	save->fd = -1;
	forget(save);
}
