// SPDX-License-Identifier: GPL-2.0
/*
 * The module is loaded with each allocation of its own failing in turn. It comes
 * out without a trace, and can be loaded later.
 */
#include "fail_nth_test.h"
#include "module_test.h"

/* What the kernel's loader needs before and after isn't the module's. */
#define INITIALISER	"do_one_initcall"

/*
 * When a new cache can't be made the kernel prints a call trace, and leaves the cache's
 * name behind: so that doesn't fail here. Of the functions left out there can be but one,
 * so that kmemleak's records do fail, for which it has a reserve.
 */
#define CACHE_MAKER	"__kmem_cache_create_args"

FIXTURE(fail_nth_module) {
	struct stage *s;
};

FIXTURE_SETUP(fail_nth_module)
{
	char path[PATH_MAX];

	ASSERT_TRUE(!is_loaded() || unloads_in_the_end());
	ASSERT_EQ(0, load_from(path));
	ASSERT_TRUE(unloads_in_the_end());
	self->s = stage_make();
	self->s->fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(self->s->fd, 0);
	ASSERT_TRUE(fail_setup(FAIL_MEMORY));
	ASSERT_TRUE(fail_memory_of(INITIALISER));
	ASSERT_TRUE(fail_not_for("failslab", CACHE_MAKER));
}

FIXTURE_TEARDOWN_PARENT(fail_nth_module)
{
	if (!is_loaded())
		load();
}

static bool is_gone(void)
{
	return !is_loaded() && dev_open() == -ENOENT && ask_resolve() < 0;
}

/*
 * The kernel doesn't mind when it has no memory for the device's node, so that a
 * module that has been loaded all the same may lack it.
 */
static bool works(bool hit)
{
	int dev = dev_open(), fd;

	if (dev == -ENOENT && hit)
		return true;
	fd = pipe_create(dev, NULL, TRANSIENT, RDWR);
	close(fd);
	close(dev);
	return fd >= 0 && ask_resolve() > 0;
}

static bool try_load(struct stage *s, const struct trial *t)
{
	int ret = armed(s, load_fd(s->fd));
	bool right;

	(void)t;
	if (ret) {
		s->failed++;
		right = s->hit && ret == -ENOMEM && is_gone();
	} else {
		right = works(s->hit) && unloads_in_the_end();
	}
	if (!right)
		fprintf(stderr, "# failure %u, %s: loading gave %d\n", s->nth,
			s->hit ? "met" : "not met", ret);
	return right;
}

TEST_F_TIMEOUT(fail_nth_module, load, 900)
{
	const struct trial trial = { .try = try_load };

	fail_all(_metadata, self->s, FAIL_MEMORY, &trial, true);
}

FAIL_NTH_MAIN
