// SPDX-License-Identifier: GPL-2.0
/*
 * ipcx pipe create, write, read, resize
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "create.h"
#include "object.h"
#include "save.h"
#include "tool.h"
#include "words.h"

const char pipe_create_help[] =
"Creates a pipe. Writers and readers then open it by its name.\n"
"\n"
"  -c, --capacity N      how much it can hold, in bytes or with K, M or G: 4K up\n"
"                        to the system's limit, rounded up to a power of two\n"
"                        (default 64K)\n"
CREATION_HELP("pipe");

const char pipe_write_help[] =
"Puts FILE into the pipe; without FILE, or if it is -, standard input.\n"
"Waits until somebody has opened the pipe for reading.\n"
"\n"
"  -p, --progress        tell bytes, rate and time left on standard error\n"
"      --id ID           the pipe with this id, in place of NAME; or say '#ID'\n"
"  -h, --help            this text\n";

const char pipe_read_help[] =
"Takes the pipe's data to FILE; without FILE, or if it is -, to standard output.\n"
"Waits until somebody has opened the pipe for writing or it holds data, and ends\n"
"when the last writer has closed it. FILE appears when it is complete.\n"
"\n"
"  -p, --progress        tell bytes and rate on standard error\n"
"      --id ID           the pipe with this id, in place of NAME; or say '#ID'\n"
"  -h, --help            this text\n";

const char pipe_resize_help[] =
"Changes how much a pipe can hold, while it is in use. No data is lost, and who\n"
"waits to read or write goes on. Who makes it larger is charged for it from then\n"
"on.\n"
"\n"
"CAPACITY is in bytes or with K, M or G: what the pipe holds now, but 4K at least,\n"
"up to the system's limit, rounded up to a power of two.\n"
"\n"
"      --id ID           the pipe with this id, in place of NAME; or say '#ID'\n"
"  -j, --json            print the pipe as JSON\n"
"  -h, --help            this text\n";

/*
 * A transfer that is being copied makes pipe resize wait. It takes no time, unless
 * its memory comes from a disk, a network, or somebody who does not give it.
 */
#define RESIZE_PATIENCE_NS	10000000000ULL

static int parse_capacity(const struct command *cmd, const char *text,
			  uint64_t *bytes)
{
	if (parse_size(text, bytes) && *bytes)
		return OK;
	return usage_error(cmd, "'%s' is no capacity; say for example 64K or 1M",
			   argument_words(text));
}

int pipe_create(const struct command *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{ "capacity", required_argument, NULL, 'c' },
		MODE_OPTION, LIFETIME_OPTION, JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct ipcx_pipe_params params = { 0 };
	struct creation creation = creation_of(IPCX_TYPE_PIPE);
	int option, status = OK;

	while (!status && (option = next_option(cmd, argc, argv, "c:" CREATION_LETTERS,
						options)) != -1)
		status = option == 'c' ? parse_capacity(cmd, optarg, &creation.attempt.bytes) :
					 creation_option(cmd, option, &creation);
	if (status)
		return status;
	params.capacity_bytes = creation.attempt.bytes;
	creation.params = &params;
	creation.params_size = sizeof(params);
	return creation_run(cmd, argc, argv, &creation);
}

/*
 * struct transfer - what pipe write and pipe read were asked for
 * @file: NULL for standard input or output
 */
struct transfer {
	struct attempt attempt;
	const char *file;
	bool progress;
};

static int parse_transfer(const struct command *cmd, int argc, char **argv,
			  struct transfer *transfer)
{
	static const struct option options[] = {
		{ "progress", no_argument, NULL, 'p' },
		{ "id", required_argument, NULL, 'i' },
		HELP_OPTION, NO_OPTION,
	};
	struct target *target = &transfer->attempt.target;
	int option;

	while ((option = next_option(cmd, argc, argv, "ph", options)) != -1) {
		if (option == 'p')
			transfer->progress = true;
		else if (id_option(cmd, target))
			return USAGE;
	}
	if (take_target(cmd, argc, argv, target))
		return USAGE;
	if (argc - optind > 1)
		return usage_error(cmd, "one FILE is enough");
	transfer->file = argv[optind];
	return OK;
}

/* Waits for the other side, and tells a person who may wonder about it. */
static int open_pipe(int dev, const struct transfer *transfer,
		     enum ipcx_access access)
{
	struct ipcx_deadline soon = ipcx_deadline_after(1000000000);
	int fd;

	if (!isatty(STDERR_FILENO))
		return target_open(dev, &transfer->attempt, access, 0, NULL);
	fd = target_open(dev, &transfer->attempt, access, 0, &soon);
	if (fd != -ETIMEDOUT)
		return fd;
	note("waiting until somebody opens the pipe to %s",
	     access == IPCX_ACCESS_READ ? "write" : "read");
	return target_open(dev, &transfer->attempt, access, 0, NULL);
}

static int open_or_explain(const struct transfer *transfer,
			   enum ipcx_access access)
{
	int dev = device_or_explain(), fd;

	if (dev < 0)
		return -1;
	fd = open_pipe(dev, transfer, access);
	close(dev);
	if (fd < 0)
		explain(&transfer->attempt, fd);
	return fd;
}

static int reader_left(const struct copy *copy)
{
	char *done = size_words(copy->done);

	fail("the last reader closed the pipe after %s bytes, and may not have taken them all",
	     done);
	free(done);
	return FAILED;
}

/* What is left of a regular file; 0 if that cannot be known. */
static uint64_t remaining(int fd)
{
	struct stat st;
	off_t at;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	at = lseek(fd, 0, SEEK_CUR);
	return at >= 0 && at < st.st_size ? st.st_size - at : 0;
}

static int write_from(const struct transfer *transfer, int file)
{
	int pipe = open_or_explain(transfer, IPCX_ACCESS_WRITE), err;
	struct copy copy = {
		.from.fd = file,
		.to = { .fd = pipe, .pipe = true },
		.total = remaining(file),
		.progress = transfer->progress,
	};

	if (pipe < 0)
		return FAILED;
	err = copy_run(&copy);
	close(pipe);
	if (!err)
		return OK;
	if (copy.failed == &copy.from)
		return file_failed("read", transfer->file, err);
	if (err == -EPIPE)
		return reader_left(&copy);
	return explain(&transfer->attempt, err);
}

/* A folder can be opened, but not read: say so before waiting for a reader. */
static int open_input(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISDIR(st.st_mode))
		return fd;
	close(fd);
	return -EISDIR;
}

int pipe_write(const struct command *cmd, int argc, char **argv)
{
	struct transfer transfer = {
		.attempt = { .verb = "write", .type = IPCX_TYPE_PIPE },
	};
	int file = STDIN_FILENO, status;

	status = parse_transfer(cmd, argc, argv, &transfer);
	if (status)
		return status;
	if (transfer.file && strcmp(transfer.file, "-"))
		file = open_input(transfer.file);
	if (file < 0)
		return file_failed("read", transfer.file, file);
	status = write_from(&transfer, file);
	if (file != STDIN_FILENO)
		close(file);
	return status;
}

static int read_to(const struct transfer *transfer, struct save *save)
{
	int pipe = open_or_explain(transfer, IPCX_ACCESS_READ), err;
	struct copy copy = {
		.from = { .fd = pipe, .pipe = true },
		.to.fd = save->fd,
		.progress = transfer->progress,
	};

	if (pipe < 0)
		return FAILED;
	err = copy_run(&copy);
	close(pipe);
	if (err && copy.failed == &copy.from)
		return explain(&transfer->attempt, err);
	if (!err)
		err = save_commit(save);
	return err ? file_failed("write", transfer->file, err) : OK;
}

int pipe_read(const struct command *cmd, int argc, char **argv)
{
	struct transfer transfer = {
		.attempt = { .verb = "read", .type = IPCX_TYPE_PIPE },
	};
	struct save save;
	int status = parse_transfer(cmd, argc, argv, &transfer), err;

	if (status)
		return status;
	err = save_open(&save, transfer.file);
	if (err)
		status = file_failed("write", transfer.file, err);
	else
		status = read_to(&transfer, &save);
	save_abort(&save);
	return status;
}

static int parse_resize(const struct command *cmd, int argc, char **argv,
			struct attempt *attempt, bool *json)
{
	static const struct option options[] = {
		{ "id", required_argument, NULL, 'i' },
		JSON_OPTION, HELP_OPTION, NO_OPTION,
	};
	struct target *target = &attempt->target;
	int option;

	while ((option = next_option(cmd, argc, argv, "jh", options)) != -1) {
		if (option == 'j')
			*json = true;
		else if (id_option(cmd, target))
			return USAGE;
	}
	if (take_target(cmd, argc, argv, target))
		return USAGE;
	if (argc - optind != 1)
		return usage_error(cmd, optind == argc ? "CAPACITY is missing" :
				   "one CAPACITY is enough");
	return parse_capacity(cmd, argv[optind], &attempt->bytes);
}

/*
 * Without opening the pipe: that would be charged, and is not for each lifetime. What
 * is no pipe has other limits: the module would take this one for it.
 */
static int resize(int dev, const struct attempt *attempt)
{
	struct ipcx_deadline end = ipcx_deadline_after(RESIZE_PATIENCE_NS);
	const struct target *target = &attempt->target;
	struct object object;

	if (!model_get(target, &object) && object.stat.type != IPCX_TYPE_PIPE)
		return -EPROTOTYPE;
	if (target->name)
		return ipcx_pipe_resize_name(dev, target->name, attempt->bytes,
					     0, &end);
	return ipcx_pipe_resize_id(dev, target->id, 0, attempt->bytes, 0, &end);
}

int pipe_resize(const struct command *cmd, int argc, char **argv)
{
	struct attempt attempt = { .verb = "resize", .type = IPCX_TYPE_PIPE };
	bool json = false;
	int dev, err, status;

	status = parse_resize(cmd, argc, argv, &attempt, &json);
	if (status)
		return status;
	dev = device_or_explain();
	if (dev < 0)
		return FAILED;
	err = resize(dev, &attempt);
	close(dev);
	if (err)
		return explain(&attempt, err);
	return json ? print_target(&attempt) : OK;
}
