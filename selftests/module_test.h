/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loading and unloading the module. Its file is $IPCMOD_KO, or what fits this
 * kernel in the folders kmod-* of the build.
 */
#ifndef MODULE_TEST_H
#define MODULE_TEST_H

#include <glob.h>
#include <libgen.h>

#include "object_test.h"

#define MODULE		"ipcmod"

helper int unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

helper int load_fd(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
}

helper int load_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = load_fd(fd);
	close(fd);
	return ret;
}

/*
 * Loads the module; @path, unless it is NULL, tells from where. A file for
 * another kernel is ENOEXEC, so all of them can be tried.
 */
helper int load_from(char path[PATH_MAX])
{
	char self[PATH_MAX] = "", pattern[PATH_MAX + 64];
	const char *named = getenv("IPCMOD_KO");
	int ret = -ENOENT;
	glob_t found;
	size_t i;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	snprintf(pattern, sizeof(pattern), "%s/../../kmod-*/" MODULE ".ko",
		 dirname(self));
	if (glob(named ? named : pattern, 0, NULL, &found))
		return -ENOENT;
	for (i = 0; i < found.gl_pathc && ret; i++) {
		ret = load_file(found.gl_pathv[i]);
		if (!ret && path)
			snprintf(path, PATH_MAX, "%s", found.gl_pathv[i]);
		if (ret != -ENOEXEC)
			break;
	}
	globfree(&found);
	return ret;
}

helper int load(void)
{
	return load_from(NULL);
}

helper bool is_loaded(void)
{
	return access("/sys/module/" MODULE, F_OK) == 0;
}

/* Every reference goes in time: some with an RCU grace period or in a work queue. */
helper bool unloads_in_the_end(void)
{
	return wait_until(unload() == 0);
}

#endif /* MODULE_TEST_H */
