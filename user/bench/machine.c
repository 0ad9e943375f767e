// SPDX-License-Identifier: GPL-2.0
/*
 * What was measured on: a figure without it means nothing.
 */
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* The signature that a hypervisor gives of itself; real processors give none. */
static void hypervisor(char signature[13])
{
	memset(signature, 0, 13);
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31))
		return;
	__cpuid(0x40000000, a, b, c, d);
	memcpy(signature, &b, 4);
	memcpy(signature + 4, &c, 4);
	memcpy(signature + 8, &d, 4);
#else
	strcpy(signature, "unknown");
#endif
}

static void describe_virtualization(struct machine *m)
{
	static const struct {
		const char *signature, *name;
	} known[] = {
		{ "", "none" }, { "TCGTCGTCGTCG", "TCG" }, { "KVMKVMKVM", "KVM" },
	};
	char signature[13];
	size_t i;

	hypervisor(signature);
	strcpy(m->virtualization, signature);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(signature, known[i].signature))
			strcpy(m->virtualization, known[i].name);
}

/* The first line of a file that begins with @key, from there on; or nothing. */
static void line_of(const char *path, const char *key, char *value, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[256];

	*value = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + strlen(key));
		break;
	}
	if (file)
		fclose(file);
}

void machine_describe(struct machine *m)
{
	time_t t = time(NULL);

	uname(&m->kernel);
	line_of("/proc/cpuinfo", "model name\t: ", m->processor,
		sizeof(m->processor));
	line_of("/sys/module/ipcmod/srcversion", "", m->module,
		sizeof(m->module));
	describe_virtualization(m);
	strftime(m->date, sizeof(m->date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
	m->cpus = sysconf(_SC_NPROCESSORS_ONLN);
}
