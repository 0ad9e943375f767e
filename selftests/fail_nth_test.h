/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls one of whose allocations fails, the first, the second, and so on until
 * none is left to fail:
 *
 *	static int call(struct stage *s)
 *	{
 *		return armed(s, ioctl(...) ? -errno : 0);
 *	}
 *
 *	ret = fail_each(s, &(struct trial) { .call = call, .undo = undo });
 *
 * A call that fails must say ENOMEM and leave the world as it was: what
 * accounts are charged, every object in all that STAT tells, by whatever way it
 * can be found, and the process's files. It may also succeed all the same. The
 * call in which nothing was left to fail must succeed.
 *
 * The kernel does it with /proc/self/fail-nth. So it can do with the copies
 * from and to user memory, where the error must be EFAULT.
 */
#ifndef FAIL_NTH_TEST_H
#define FAIL_NTH_TEST_H

#include "netlink_test.h"

#include <sys/utsname.h>

/* What fails: one or the other, the errors differ. */
enum fail_kind {
	FAIL_MEMORY,
	FAIL_COPY,
};

/*
 * What a call may tell to have failed. Of the other it never does: it needs none,
 * or the kernel goes on without.
 */
#define MEMORY	(1 << FAIL_MEMORY)
#define COPY	(1 << FAIL_COPY)

/* More failures than any call has allocations: something goes round in circles. */
#define FAIL_MAX	5000

/* More sweeps than the kernel should need to come to rest. */
#define SWEEPS_MAX	5

/**
 * struct stage - where a call is tried; shared with children
 * @dev:    the device, or -1
 * @fd:     a file of a pipe for reading and writing, or -1
 * @st:     what STAT told of the pipe
 * @name:   the pipe's
 * @other:  a name that is free
 * @spare:  the trial's own
 * @made:   what a call made and its undo ends
 * @kind:   what fails
 * @nth:    which of them fails in the next armed() call, 0 for none
 * @hit:    it did
 * @failed: calls that failed therefore
 */
struct stage {
	int dev;
	int fd;
	struct ipcx_stat st;
	char name[TEST_NAME_SIZE];
	char other[TEST_NAME_SIZE];
	int spare[2];
	int made;
	enum fail_kind kind;
	unsigned int nth;
	bool hit;
	unsigned int failed;
};

/**
 * struct trial - a call to be tried
 * @call:   makes it with one thing in armed(); its result or -errno
 * @undo:   puts things back when it has succeeded, and tells whether it had
 *	    done what it said
 * @errors: what else than ENOMEM (or EFAULT) it may say, ends with 0
 * @try:    in the place of fail_try(), which needs the others
 */
struct trial {
	int (*call)(struct stage *s);
	bool (*undo)(struct stage *s, int ret);
	int errors[4];
	bool (*try)(struct stage *s, const struct trial *t);
};

/* With nothing of the module open. */
helper struct stage *stage_make(void)
{
	struct stage *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		abort();
	test_name(s->name, "name");
	test_name(s->other, "other");
	s->dev = -1;
	s->fd = -1;
	nl_family = ask_resolve();
	return s;
}

/* The knobs. */

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAIL_KNOBS	"/sys/kernel/debug/"

helper bool fail_knob(const char *fault, const char *knob, const char *value)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), FAIL_KNOBS "%s/%s", fault, knob);
	ret = file_write(path, value);
	if (ret)
		fprintf(stderr, "# %s: %s\n", path, strerror(-ret));
	return !ret;
}

helper bool fail_has(const char *knob)
{
	char path[128];

	snprintf(path, sizeof(path), FAIL_KNOBS "%s", knob);
	return !access(path, F_OK);
}

helper bool fail_code(const char *fault, const char *knob, uint64_t address)
{
	char value[32];

	snprintf(value, sizeof(value), "%#llx", (unsigned long long)address);
	return fail_knob(fault, knob, value);
}

/*
 * Only what is called, in whatever way, by code from @start to before @end fails,
 * and counts. Nowhere is as good as no such fault.
 */
helper bool fail_within(const char *fault, uint64_t start, uint64_t end)
{
	return fail_code(fault, "require-start", start) &&
	       fail_code(fault, "require-end", end);
}

helper bool fail_enable(const char *fault, bool on)
{
	return fail_within(fault, 0, on ? ~0ULL : 0);
}

/*
 * Where the kernel has the function @what, or with brackets the module: from its
 * first symbol to what follows its last. Symbols of the kernel go by address.
 */
helper bool code_range(const char *what, uint64_t *start, uint64_t *end)
{
	char line[512], name[256], module[256], type;
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long at;
	uint64_t last = 0;

	*start = ~0ULL;
	*end = 0;
	while (f && fgets(line, sizeof(line), f)) {
		module[0] = 0;
		if (sscanf(line, "%llx %c %255s %255s", &at, &type, name,
			   module) < 3 || (type != 't' && type != 'T'))
			continue;
		if (!strcmp(name, what) || !strcmp(module, what)) {
			*start = at < *start ? at : *start;
			last = at > last ? at : last;
			*end = last + 4096;
		} else if (at > last && at < *end) {
			*end = at;
		}
	}
	if (f)
		fclose(f);
	return last;
}

/* Of the memory that is asked for, only what this code asks for fails. */
helper bool fail_memory_of(const char *what)
{
	uint64_t start, end;

	return code_range(what, &start, &end) &&
	       fail_within("failslab", start, end) &&
	       fail_within("fail_page_alloc", start, end);
}

/* Why none of this can be done here, or NULL. */
helper const char *fail_unsupported(void)
{
	if (access(FAIL_NTH, W_OK))
		return "this kernel has no fault injection (CONFIG_FAULT_INJECTION)";
	if (!fail_has("failslab") || !fail_has("fail_page_alloc"))
		return "this kernel cannot fail allocations (FAILSLAB, FAIL_PAGE_ALLOC)";
	if (!fail_has("fail_usercopy"))
		return "this kernel cannot fail copies (CONFIG_FAULT_INJECTION_USERCOPY)";
	if (!fail_has("failslab/require-start"))
		return "this kernel cannot tell failures apart (FAULT_INJECTION_STACKTRACE_FILTER)";
	return NULL;
}

/*
 * Left out is what a function of the kernel asks for on behalf of others who can
 * do without, now and then: where it comes and goes, counting goes wrong. It does
 * no harm if there is no such function.
 */
helper bool fail_not_for(const char *fault, const char *function)
{
	uint64_t start, end;

	return !code_range(function, &start, &end) ||
	       (fail_code(fault, "reject-start", start) &&
		fail_code(fault, "reject-end", end));
}

/*
 * By default the kernel doesn't fail what could wait for memory, which is nearly
 * all, and prints a call trace for each that it fails.
 */
helper bool fail_init(void)
{
	return fail_knob("failslab", "ignore-gfp-wait", "N") &&
	       fail_knob("failslab", "cache-filter", "N") &&
	       fail_knob("failslab", "verbose", "0") &&
	       fail_knob("fail_page_alloc", "ignore-gfp-wait", "N") &&
	       fail_knob("fail_page_alloc", "ignore-gfp-highmem", "N") &&
	       fail_knob("fail_page_alloc", "min-order", "0") &&
	       fail_knob("fail_page_alloc", "verbose", "0") &&
	       fail_knob("fail_usercopy", "verbose", "0") &&
	       /* kmemleak's records, and pages for slabs */
	       fail_not_for("failslab", "__create_object") &&
	       fail_not_for("fail_page_alloc", "allocate_slab");
}

helper bool fail_select(enum fail_kind kind)
{
	bool memory = kind == FAIL_MEMORY;

	return fail_enable("failslab", memory) &&
	       fail_enable("fail_page_alloc", memory) &&
	       fail_enable("fail_usercopy", !memory);
}

/* Arming: a file of its own for each process, since it is a thread's. */

helper int fail_ctl(void)
{
	static pid_t owner;
	static int ctl = -1;

	if (owner == getpid())
		return ctl;
	if (ctl >= 0)
		close(ctl);
	ctl = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (ctl < 0)
		abort();
	owner = getpid();
	return ctl;
}

helper void fail_arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_ctl(), text, len, 0) != len)
		abort();
}

/*
 * How many were left, 0 after a failure. Looking is a copy to user memory: if it
 * is that which fails, nothing had before.
 */
helper unsigned int fail_disarm(void)
{
	unsigned int left = 1;
	char text[16] = "";

	if (pread(fail_ctl(), text, sizeof(text) - 1, 0) > 0)
		left = strtoul(text, NULL, 10);
	while (pwrite(fail_ctl(), "0", 1, 0) != 1)
		;
	return left;
}

/* armed(stage, call): the call's value. */
#define armed(s, call) ({						\
	__typeof__(call) armed_;					\
									\
	fail_arm((s)->nth);						\
	armed_ = (call);						\
	(s)->hit = !fail_disarm() && (s)->nth;				\
	armed_;								\
})

/* Do the knobs work? One allocation of each sort is known, and one copy. */

helper bool fail_proven_slab(void)
{
	struct stage s = { .nth = 1 };
	int ret = armed(&s, open("/dev/null", O_RDONLY) < 0 ? -errno : 0);

	return s.hit && ret == -ENOMEM;
}

/* Beside the slab's, that page is the first. */
helper bool fail_proven_page(void)
{
	struct stage s = { .nth = 1 };
	bool proven = false;
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC) || !fail_enable("failslab", false))
		return false;
	ret = armed(&s, plain_write(fds[1], "x", 1));
	proven = s.hit && ret == -ENOMEM;
	close(fds[0]);
	close(fds[1]);
	return fail_enable("failslab", true) && proven;
}

helper bool fail_proven_copy(void)
{
	struct stage s = { .nth = 1 };
	struct utsname name;
	int ret = armed(&s, uname(&name) ? -errno : 0);

	return s.hit && ret == -EFAULT;
}

/* Selects what fails, and shows that it does. */
helper bool fail_setup(enum fail_kind kind)
{
	if (!fail_select(kind))
		return false;
	if (kind == FAIL_COPY ? fail_proven_copy() :
				fail_proven_slab() && fail_proven_page())
		return true;
	fprintf(stderr, "# what should fail does not\n");
	return false;
}

/* The world: all that a failed call must leave as it was. */

struct world {
	struct ipcx_query query;
	struct answer objects;
	int files;
};

/* How many, and the next one: a descriptor that was lost without a file shows there. */
helper int files_open(void)
{
	int fd, spare = dup(0), files = spare << 16;

	close(spare);
	for (fd = 0; fd < 256; fd++)
		files += fcntl(fd, F_GETFD) >= 0;
	return files;
}

/* Is each object found under its name, and by its id, as the dump tells it? */
helper bool world_is_found(int dev, const struct answer *objects)
{
	const struct told *t = objects->told, *end = t + objects->count;
	struct ipcx_stat st;
	bool found = true;

	for (; t < end; t++) {
		if (t->defunct)
			continue;
		if (id_stat(dev, t->st.id, &st) || !same_stat(&st, &t->st)) {
			fprintf(stderr, "# id %u: not as it is told\n",
				t->st.id);
			found = false;
		}
		if (!t->st.name_len)
			continue;
		if (name_stat(dev, t->st.name, &st) ||
		    st.cookie != t->st.cookie) {
			fprintf(stderr, "# '%s': not found\n", t->st.name);
			found = false;
		}
	}
	return found;
}

/* False if there is something wrong with it. */
helper bool world_look(struct world *w)
{
	static int nl = -1;
	bool right;
	int dev;

	if (nl < 0)
		nl = ask_open();
	w->files = files_open();
	dev = dev_open();
	right = !ask_dump(nl, no_attrs, &w->objects) &&
		!dev_query(dev, &w->query) && world_is_found(dev, &w->objects);
	close(dev);
	return right;
}

helper void world_free(struct world *w)
{
	answer_free(&w->objects);
}

helper bool objects_same(const struct answer *a, const struct answer *b)
{
	unsigned int i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (!same_stat(&a->told[i].st, &b->told[i].st))
			break;
	if (i == a->count && i == b->count)
		return true;
	fprintf(stderr, "# object %u of %u, now %u, is another\n", i, a->count,
		b->count);
	return false;
}

helper void usage_told(const char *whose, const struct ipcx_usage *a,
		       const struct ipcx_usage *b)
{
	fprintf(stderr, "# %s: %llu objects, %llu bytes; before: %llu, %llu\n",
		whose, b->objects, b->bytes, a->objects, a->bytes);
}

helper bool charges_same(const struct world *before, const struct world *after)
{
	if (same_accounts(&before->query, &after->query))
		return true;
	usage_told("user", &before->query.user, &after->query.user);
	usage_told("namespace", &before->query.ns, &after->query.ns);
	return false;
}

helper bool files_same(const struct world *before, const struct world *after)
{
	if (before->files == after->files)
		return true;
	fprintf(stderr, "# %d files, the next is %d; before: %d, %d\n",
		after->files & 0xffff, after->files >> 16,
		before->files & 0xffff, before->files >> 16);
	return false;
}

/* What a failed call must not have changed, from the moment that it returned. */
helper bool world_same(const struct world *before)
{
	struct world after = { 0 };
	bool same = world_look(&after) &&
		    objects_same(&before->objects, &after.objects) &&
		    charges_same(before, &after) && files_same(before, &after);

	world_free(&after);
	return same;
}

/* What is left of one that has been undone: a work item may be at it. */
helper bool world_as_full(const struct world *before)
{
	struct world after = { 0 };
	int dev = dev_open();
	bool same;

	wait_until(accounts_are(dev, &before->query));
	close(dev);
	same = world_look(&after) && charges_same(before, &after) &&
	       files_same(before, &after);
	if (same && before->objects.count != after.objects.count) {
		fprintf(stderr, "# %u objects; before: %u\n",
			after.objects.count, before->objects.count);
		same = false;
	}
	world_free(&after);
	return same;
}

/* Trying. */

helper bool fail_error_right(const struct stage *s, const struct trial *t,
			     int ret)
{
	const int *error;

	if (ret == (s->kind == FAIL_COPY ? -EFAULT : -ENOMEM))
		return true;
	for (error = t->errors; *error; error++)
		if (ret == -*error)
			return true;
	return false;
}

/* One call and what is left of it; false if something is wrong. */
helper bool fail_try(struct stage *s, const struct trial *t)
{
	struct world before = { 0 };
	bool right;
	int ret;

	if (!world_look(&before))
		return false;
	s->hit = false;
	ret = t->call(s);
	if (ret < 0) {
		s->failed++;
		right = s->hit && fail_error_right(s, t, ret) &&
			world_same(&before);
	} else {
		right = t->undo(s, ret) && world_as_full(&before);
	}
	if (!right)
		fprintf(stderr, "# failure %u, %s: the call gave %d\n", s->nth,
			s->hit ? "met" : "not met", ret);
	world_free(&before);
	return right;
}

/* The number of failures that were met, or -1 if something was wrong. */
helper int fail_sweep(struct stage *s, const struct trial *t)
{
	unsigned int met = 0;

	s->failed = 0;
	for (s->nth = 1; s->nth < FAIL_MAX; s->nth++) {
		if (!(t->try ?: fail_try)(s, t))
			return -1;
		if (!s->hit)
			return met;
		met++;
	}
	fprintf(stderr, "# there is no end of failures\n");
	return -1;
}

/*
 * Until it was the same twice. When something that comes and goes has gone, what
 * was to fail next has become the last one, and is skipped.
 *
 * At first without a failure, which brings pages and caches that are needed once.
 */
helper bool fail_sweeps(struct stage *s, const struct trial *t)
{
	int met = -1, last_met, sweeps = 0;
	unsigned int last_failed;

	s->nth = 0;
	if (!(t->try ?: fail_try)(s, t))
		return false;
	do {
		last_met = met;
		last_failed = s->failed;
		met = fail_sweep(s, t);
	} while (met >= 0 && ++sweeps < SWEEPS_MAX &&
		 (met != last_met || s->failed != last_failed));
	if (met < 0)
		return false;
	ksft_print_msg("%d failures met, %u of them told, in the last of %d sweeps\n",
		       met, s->failed, sweeps);
	return true;
}

/* Is it as @may says: can it fail, or can it never? */
helper void fail_all(struct __test_metadata *_metadata, struct stage *s,
		     enum fail_kind kind, const struct trial *trial, bool may)
{
	s->kind = kind;
	ASSERT_TRUE(fail_sweeps(s, trial));
	EXPECT_EQ(may, s->failed > 0);
}

/* In the place of TEST_HARNESS_MAIN. */
#define FAIL_NTH_MAIN							\
	int main(int argc, char **argv)					\
	{								\
		const char *why = fail_unsupported();			\
									\
		if (why)						\
			ksft_exit_skip("%s\n", why);			\
		if (!fail_init())					\
			ksft_exit_fail_msg("the knobs cannot be set\n"); \
		return test_harness_run(argc, argv);			\
	}

#endif /* FAIL_NTH_TEST_H */
