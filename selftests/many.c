// SPDX-License-Identifier: GPL-2.0
/*
 * Many objects at a time, and many processes at the same ones.
 */
#include "object_test.h"

#define OBJECTS		20000
#define FEW		10
#define SAMPLES		1001
#define PROCESSES	8
#define RACE_SECONDS	3
#define RACE_NAMES	4

FIXTURE(many) {
	int dev;
	struct ipcx_query before;
	unsigned long long objects_max;
	unsigned long long bytes_max;
	unsigned long long ns_objects_max;
	unsigned long long ns_bytes_max;
};

/* @name of object number @i. */
static const char *numbered(char name[TEST_NAME_SIZE], int i)
{
	char tag[16];

	snprintf(tag, sizeof(tag), "%d", i);
	return test_name(name, tag);
}

static void remove_numbered(int dev)
{
	char name[TEST_NAME_SIZE];
	int i, objects = scaled(OBJECTS);

	for (i = 0; i < objects; i++)
		name_remove(dev, numbered(name, i));
}

FIXTURE_SETUP(many)
{
	track_cleanup();
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	ASSERT_TRUE(settled(self->dev));
	self->objects_max = param_get("user_objects_max");
	self->bytes_max = param_get("user_bytes_max");
	self->ns_objects_max = param_get("ns_objects_max");
	self->ns_bytes_max = param_get("ns_bytes_max");
	self->before = accounts(self->dev);
	ASSERT_EQ(0, param_set("user_objects_max", 1 << 20));
	ASSERT_EQ(0, param_set("user_bytes_max", 1ULL << 40));
	ASSERT_EQ(0, param_set("ns_objects_max", 1 << 20));
	ASSERT_EQ(0, param_set("ns_bytes_max", 1ULL << 40));
}

FIXTURE_TEARDOWN_PARENT(many)
{
	int dev = dev_open();

	track_cleanup();
	remove_numbered(dev);
	close(dev);
	param_set("user_objects_max", self->objects_max);
	param_set("user_bytes_max", self->bytes_max);
	param_set("ns_objects_max", self->ns_objects_max);
	param_set("ns_bytes_max", self->ns_bytes_max);
}

/* Past obj_create(): its list is not that long, remove_numbered() is. */
static int create_numbered(int dev, int i)
{
	struct ipcx_pipe_params params = { .capacity_bytes = 4096 };
	char name[TEST_NAME_SIZE];
	struct ipcx_create arg = pipe_arg(numbered(name, i), PERSISTENT, NONE);

	arg.params = (uintptr_t)&params;
	arg.params_size = sizeof(params);
	return ipc_ioctl(dev, IPCX_IOC_CREATE, &arg);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median of what one OPEN takes, by name among @n or by the id of each. */
static uint64_t open_cost_ns(int dev, int n, const uint32_t *ids)
{
	static uint64_t samples[SAMPLES];
	char name[TEST_NAME_SIZE];
	int i, fd;

	for (i = 0; i < SAMPLES; i++) {
		/* all over the place: 7919 is prime */
		int which = (i * 7919) % n;
		struct ipcx_ref ref;

		ref = ids ? ref_id(ids[which]) :
			    ref_name(numbered(name, which));
		samples[i] = now_ns(CLOCK_MONOTONIC);
		fd = ref_open(dev, ref, NONE, 0);
		samples[i] = now_ns(CLOCK_MONOTONIC) - samples[i];
		if (fd < 0)
			return 0;
		close(fd);
	}
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	return samples[SAMPLES / 2];
}

TEST_F_TIMEOUT(many, lookups_cost_the_same, 150)
{
	const int objects = scaled(OBJECTS);
	uint32_t *ids = calloc(objects, sizeof(*ids));
	uint64_t few, few_ids, many, many_ids;
	struct ipcx_query q;
	int i;

	ASSERT_NE(NULL, ids);
	for (i = 0; i < objects; i++) {
		int fd = create_numbered(self->dev, i);

		ASSERT_GE(fd, 0) {
			TH_LOG("object %d: %s", i, strerror(-fd));
		}
		ids[i] = fd_id(fd);
		close(fd);
		if (i == FEW - 1) {
			few = open_cost_ns(self->dev, FEW, NULL);
			few_ids = open_cost_ns(self->dev, FEW, ids);
		}
	}
	q = accounts(self->dev);
	EXPECT_EQ(self->before.user.objects + objects, q.user.objects);
	EXPECT_EQ(self->before.ns.objects + objects, q.ns.objects);
	many = open_cost_ns(self->dev, objects, NULL);
	many_ids = open_cost_ns(self->dev, objects, ids);
	ksft_print_msg("OPEN by name %llu ns at %d, %llu ns at %d objects\n",
		       (unsigned long long)few, FEW, (unsigned long long)many,
		       objects);
	ksft_print_msg("OPEN by id   %llu ns at %d, %llu ns at %d objects\n",
		       (unsigned long long)few_ids, FEW,
		       (unsigned long long)many_ids, objects);
	EXPECT_LT(0, few);
	EXPECT_LT(0, few_ids);
	EXPECT_LT(0, many);
	EXPECT_LT(0, many_ids);
	/* a list would be hundreds of times slower; caches are three times */
	EXPECT_GE(few * 3, many);
	EXPECT_GE(few_ids * 3, many_ids);

	for (i = 0; i < objects && !id_unlink(self->dev, ids[i]); i++)
		;
	EXPECT_EQ(objects, i);
	EXPECT_TRUE(accounts_are(self->dev, &self->before));
}

/* Races. What may come back is listed; what is left after it is nothing. */

struct race {
	int dev;
	uint64_t until;
	unsigned int created, opened, ended;
};

static bool among(int ret, const int *errors, size_t n)
{
	while (ret < 0 && n--) {
		if (ret == -errors[n])
			return true;
	}
	return ret >= 0;
}

static const int create_errors[] = { EEXIST };
/* EIDRM: removed between its being found and its being used */
static const int use_errors[] = { ENOENT, EIDRM };

/* One step of a racer; 0 or the errno that should not be. */
static int race_step(struct race *r, unsigned int dice)
{
	static const uint32_t lifetimes[] = { TRANSIENT, PERSISTENT, OWNED };
	char name[TEST_NAME_SIZE];
	struct ipcx_stat st;
	struct ipcx_create arg;
	int ret, fd;

	numbered(name, dice / 16 % RACE_NAMES);
	switch (dice % 8) {
	case 0:
	case 1:
		arg = pipe_arg(name, lifetimes[dice / 64 % 3], RDWR);
		arg.flags = dice & 8 ? IPCX_OR_OPEN : 0;
		fd = ipc_ioctl(r->dev, IPCX_IOC_CREATE, &arg);
		r->created += fd >= 0;
		if (fd >= 0)
			close(fd);
		return among(fd, create_errors, ARRAY_LEN(create_errors)) ? 0 :
		       -fd;
	case 2:
	case 3:
	case 4:
		fd = name_open(r->dev, name, RDWR, 0);
		r->opened += fd >= 0;
		if (fd < 0)
			return among(fd, use_errors, ARRAY_LEN(use_errors)) ?
			       0 : -fd;
		ret = fd_write(fd, "x", 1, IPCX_NONBLOCK);
		close(fd);
		return ret == 1 || ret == -EIDRM || ret == -EAGAIN ? 0 : -ret;
	case 5:
		ret = name_stat(r->dev, name, &st);
		/* it may have lost the name by then */
		if (!ret && st.name_len && strcmp(st.name, name))
			return ENAMETOOLONG;
		return among(ret, use_errors, ARRAY_LEN(use_errors)) ? 0 : -ret;
	case 6:
		ret = name_unlink(r->dev, name);
		break;
	default:
		ret = name_remove(r->dev, name);
	}
	r->ended += !ret;
	return among(ret, use_errors, ARRAY_LEN(use_errors)) ? 0 : -ret;
}

static int race(struct race *r, unsigned int seed)
{
	int wrong;

	while (now_ns(CLOCK_MONOTONIC) < r->until) {
		seed = seed * 1103515245 + 12345;
		wrong = race_step(r, seed >> 8);
		if (wrong) {
			fprintf(stderr, "# step %u: %s\n", (seed >> 8) % 8,
				strerror(wrong));
			return 1;
		}
	}
	/* or the test has tested nothing */
	return r->created && r->opened && r->ended ? 0 : 2;
}

TEST_F_TIMEOUT(many, races_for_the_same_names, 90)
{
	struct race r = {
		.dev = self->dev,
		.until = now_ns(CLOCK_MONOTONIC) + RACE_SECONDS * 1000000000ULL,
	};
	pid_t pids[PROCESSES];
	char name[TEST_NAME_SIZE];
	int i;

	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			_exit(race(&r, 977 * i + 1));
	}
	for (i = 0; i < PROCESSES; i++)
		EXPECT_EQ(0, reap(pids[i]));
	for (i = 0; i < RACE_NAMES; i++)
		name_unlink(self->dev, numbered(name, i));
	/* the owners have died just now */
	EXPECT_TRUE(wait_until(accounts_are(self->dev, &self->before)));
}

/* Of many that create a name at the same time one succeeds. */
TEST_F_TIMEOUT(many, one_creator_wins, 90)
{
	char name[TEST_NAME_SIZE];
	pid_t pids[PROCESSES];
	int round, i, winners;
	struct baton go;

	numbered(name, 0);
	for (round = 0; round < 50; round++) {
		ASSERT_EQ(0, baton_init(&go));
		for (i = 0; i < PROCESSES; i++) {
			pids[i] = fork();
			ASSERT_LE(0, pids[i]);
			if (!pids[i]) {
				char c;
				int ret;

				close(go.fds[1]);
				ret = read(go.fds[0], &c, 1);
				if (!ret)
					ret = create_numbered(self->dev, 0);
				_exit(ret >= 0 ? 0 : -ret);
			}
		}
		close(go.fds[0]);
		/* its end is the signal, for all at once */
		close(go.fds[1]);
		for (i = 0, winners = 0; i < PROCESSES; i++) {
			int status = reap(pids[i]);

			winners += status == 0;
			EXPECT_TRUE(status == 0 || status == EEXIST) {
				TH_LOG("%s", strerror(status));
			}
		}
		ASSERT_EQ(1, winners);
		ASSERT_EQ(0, name_unlink(self->dev, name));
	}
	EXPECT_TRUE(accounts_are(self->dev, &self->before));
}

/* With OR_OPEN all of them do, and have the same object. */
TEST_F_TIMEOUT(many, or_open_always_succeeds, 90)
{
	char name[TEST_NAME_SIZE];
	struct ipcx_create arg;
	pid_t pids[PROCESSES];
	int i, k;

	arg = pipe_arg(numbered(name, 0), TRANSIENT, RDWR);
	arg.flags = IPCX_OR_OPEN;
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i])
			continue;
		/* the object dies and is born all the time */
		for (k = 0; k < scaled(2000); k++) {
			struct ipcx_create copy = arg;
			int fd = ipc_ioctl(self->dev, IPCX_IOC_CREATE, &copy);

			if (fd < 0 || fd_write(fd, "x", 1, IPCX_NONBLOCK) ==
				      -EIDRM)
				_exit(fd < 0 ? -fd : EIDRM);
			close(fd);
		}
		_exit(0);
	}
	for (i = 0; i < PROCESSES; i++)
		EXPECT_EQ(0, reap(pids[i]));
	EXPECT_EQ(-ENOENT, name_unlink(self->dev, name));
	EXPECT_TRUE(accounts_are(self->dev, &self->before));
}

TEST_HARNESS_MAIN
