/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aliases are "vfio_pci:v0000…d*sv*sd*bc*sc*i*"; the fewer the stars, the better they fit. */
#include "variant.h"

#include <fnmatch.h>

#include "lines.h"
#include "util.h"

#define SCHEME "vfio_pci:"

enum { PATH_SIZE = 256, NO_STARS = 0xff };

struct search {
	struct facts *facts;
	unsigned char stars[FACTS_DEVICES]; /* of the best alias so far */
};

bool variant_same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

/* What the kernel calls the module's driver, or the module itself when it is not loaded. */
static const char *driver_of(struct facts *facts, const char *module, bool builtin)
{
	struct driver_fact *added;

	for (unsigned i = 0; i < facts->drivers; i++)
		if (variant_same(facts->driver[i].name, module))
			return facts->driver[i].name;
	/* A built-in driver that is not there did not want to be: it cannot be had. */
	if (builtin || facts->drivers == FACTS_DRIVERS || strlen(module) >= SYS_NAME)
		return NULL;
	added = &facts->driver[facts->drivers++];
	*added = (struct driver_fact){ .module = true };
	str_copy(added->name, sizeof(added->name), module);
	return added->name;
}

static void match(struct search *search, const char *pattern, const char *module, bool builtin)
{
	const char *driver = driver_of(search->facts, module, builtin);
	unsigned char stars = 0;

	if (!driver)
		return;
	for (const char *c = pattern; *c; c++)
		stars += *c == '*' && stars < NO_STARS - 1;
	for (unsigned i = 0; i < search->facts->count; i++) {
		struct pci_fact *d = &search->facts->device[i];
		char id[64];

		if (d->bridge || stars >= search->stars[i])
			continue;
		str_format(id, sizeof(id), "v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", d->vendor,
			   d->device, d->subvendor, d->subdevice, d->class >> 16 & 0xff,
			   d->class >> 8 & 0xff, d->class & 0xff);
		if (fnmatch(pattern, id, FNM_NOESCAPE) != 0)
			continue;
		search->stars[i] = stars;
		str_copy(d->variant, sizeof(d->variant), driver);
	}
}

/* "alias PATTERN MODULE" */
static int take_alias(void *arg, char *line)
{
	static const char prefix[] = "alias " SCHEME;
	char *module;

	if (!str_prefix(line, prefix))
		return 0;
	module = strchr(line + sizeof(prefix) - 1, ' ');
	if (module) {
		*module++ = '\0';
		match(arg, line + sizeof(prefix) - 1, module, false);
	}
	return 0;
}

/* "MODULE.alias=PATTERN" */
static int take_modinfo(void *arg, char *line)
{
	static const char middle[] = ".alias=" SCHEME;
	char *dot = strchr(line, '.');

	if (dot && str_prefix(dot, middle)) {
		*dot = '\0';
		match(arg, dot + sizeof(middle) - 1, line, true);
	}
	return 0;
}

void variant_discover(int root, struct facts *facts)
{
	struct search search = { .facts = facts };
	char path[PATH_SIZE];

	if (!facts->kernel[0])
		return;
	memset(search.stars, NO_STARS, sizeof(search.stars));
	str_format(path, sizeof(path), "usr/lib/modules/%s/modules.builtin.modinfo", facts->kernel);
	lines_read(root, path, '\0', take_modinfo, &search);
	str_format(path, sizeof(path), "usr/lib/modules/%s/modules.alias", facts->kernel);
	lines_read(root, path, '\n', take_alias, &search);
}
