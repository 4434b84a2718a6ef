/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addons for this host and for any host are two bundles, of which each may hold one manifest. Paths are
 * absolute; below root they are used without their slash.
 */
#include "select.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "sha256.h"
#include "util.h"

#define SUFFIX ".manifest"

enum { HASH = 16, NAME = 64 };

/* What addons have brought for one host, or for any. */
struct bundle {
	const char *host; /* as messages call it */
	unsigned folders;
	unsigned files;
	int error; /* of a folder that cannot be read */
	char folder[NAME];
	char name[2][NAME]; /* of the first two files */
};

struct search {
	int root;
	char turned[SYS_MACHINE_UUID]; /* the UUID as it is by the other order of bytes */
	struct bundle mine;
	struct bundle any;
	struct bundle *now;
	unsigned others;
	char other[NAME];
	bool other_is_turned;
	struct diag *diag;
};

static struct selected chosen = {
	.from = SELECT_DEFAULT,
	.path = MANIFEST_PATH,
	.built_in = MANIFEST_PATH,
};

static const char *below(const char *path)
{
	return path + 1;
}

/*
 * The first three fields of a UUID are little-endian in SMBIOS 2.6 and later (SMBIOS specification 3.7,
 * section 7.2.1), and there are programs and BMCs that show them the other way round.
 */
static void turn(const char *uuid, char turned[SYS_MACHINE_UUID])
{
	static const unsigned char order[] = { 6,  7,  4, 5,  2,  3,  0,  1,  8,
					       11, 12, 9, 10, 13, 16, 17, 14, 15 };

	memcpy(turned, uuid, SYS_MACHINE_UUID);
	for (size_t n = 0; uuid[0] && n < sizeof(order); n++)
		turned[n] = uuid[order[n]];
}

/* --- what addons have brought --- */

static int look_at_file(void *arg, const char *name)
{
	struct bundle *bundle = ((struct search *)arg)->now;

	if (bundle->files < ARRAY_SIZE(bundle->name))
		str_copy(bundle->name[bundle->files], NAME, name);
	bundle->files++;
	return 0;
}

static void look_into(struct search *search, struct bundle *bundle, const char *name)
{
	char path[SELECT_PATH];

	str_copy(bundle->folder, NAME, name);
	bundle->folders++;
	search->now = bundle;
	str_format(path, sizeof(path), SELECT_ADDONS "/%s", bundle->folder);
	bundle->error = sys_names(search->root, below(path), look_at_file, search);
}

static int look_at_folder(void *arg, const char *name)
{
	struct search *search = arg;

	/* However it is written, it is one host. */
	if (strcasecmp(name, "any") == 0) {
		look_into(search, &search->any, name);
	} else if (chosen.uuid[0] && strcasecmp(name, chosen.uuid) == 0) {
		look_into(search, &search->mine, name);
	} else {
		if (search->others++ == 0)
			str_copy(search->other, NAME, name);
		search->other_is_turned |= search->turned[0] &&
					   strcasecmp(name, search->turned) == 0;
	}
	return 0;
}

/* Why the file cannot be used; NULL when it can. */
static const char *look_for_damage(int root, const char *path, const char *name)
{
	static char why[96];
	char hex[SHA256_HEX];
	struct stat st;
	int error;

	if (strspn(name, "0123456789abcdef") != HASH || strcmp(name + HASH, SUFFIX) != 0)
		return "its name is not 16 hexadecimal digits and \"" SUFFIX "\"";
	if (fstatat(root, below(path), &st, 0) == 0 && st.st_size >= MANIFEST_MAX)
		return "it is too large";
	error = sha256_file(root, below(path), hex);
	if (error)
		return strerror(-error);
	if (memcmp(hex, name, HASH) == 0)
		return NULL;
	str_format(why, sizeof(why), "its name says %.12s…, the file is %.12s…", name, hex);
	return why;
}

static void tell_damage(struct search *search, const struct bundle *bundle, const char *why)
{
	diag_add(search->diag, DIAG_HOST, DIAG_ADDON_BAD, "manifest",
		 "take %s from an addon for %s: %s", bundle->files ? bundle->name[0] : "it",
		 bundle->host, why);
}

/* Whether addons have a say: then either a path is chosen, or a failure told of and none is. */
static bool choose(struct search *search, const struct bundle *bundle, enum select_from from)
{
	const char *why = NULL;

	if (bundle->folders == 0)
		return false;
	chosen.from = SELECT_NONE;
	chosen.path[0] = '\0';
	if (bundle->files > 1 || bundle->folders > 1) {
		diag_add(search->diag, DIAG_HOST, DIAG_ADDON_TWO, "manifest",
			 "take it from an addon for %s: there are %u: %s, %s", bundle->host,
			 bundle->files, bundle->name[0], bundle->name[1]);
		return true;
	}
	str_format(chosen.path, SELECT_PATH, SELECT_ADDONS "/%s/%s", bundle->folder,
		   bundle->name[0]);
	if (bundle->error)
		why = strerror(-bundle->error);
	else if (bundle->files == 0)
		why = "there is none in its folder";
	else
		why = look_for_damage(search->root, chosen.path, bundle->name[0]);
	if (why) {
		tell_damage(search, bundle, why);
		chosen.path[0] = '\0';
		return true;
	}
	chosen.from = from;
	return true;
}

/* --- what is built in --- */

static bool has_built_in(int root, const char *uuid, char path[SELECT_PATH])
{
	return uuid[0] && str_format(path, SELECT_PATH, SELECT_HOSTS "/%s" SUFFIX, uuid) &&
	       sys_exists(root, path);
}

/* --- what is for others --- */

static void tell_others(struct search *search)
{
	char path[SELECT_PATH];

	if (search->others)
		diag_add(search->diag, DIAG_HOST, DIAG_ADDON_OTHER, "manifest",
			 "addons bring one for other hosts (%u), as for \"%s\"; this one is %s",
			 search->others, search->other,
			 chosen.uuid[0] ? chosen.uuid : "without a UUID");
	if (!chosen.uuid[0] && (search->others || sys_exists(search->root, SELECT_HOSTS)))
		diag_add(
			search->diag, DIAG_HOST, DIAG_MACHINE_UUID, "manifest",
			"find the one for this host: the firmware gives no UUID of the machine's own");
	if (search->other_is_turned || has_built_in(search->root, search->turned, path))
		diag_add(search->diag, DIAG_HOST, DIAG_MACHINE_UUID, "manifest",
			 "find the one for this host: there is one for %s, but this is %s",
			 search->turned, chosen.uuid);
}

const struct selected *select_manifest(int root, struct diag *diag)
{
	static struct search search;
	int error;

	search = (struct search){
		.root = root,
		.mine = { .host = "this host" },
		.any = { .host = "any host" },
		.diag = diag,
	};
	sys_machine_uuid(root, chosen.uuid);
	turn(chosen.uuid, search.turned);
	/* A UUID that reads the same both ways has no other. */
	if (strcmp(search.turned, chosen.uuid) == 0)
		search.turned[0] = '\0';
	chosen.from = SELECT_BUILT_IN;
	if (!has_built_in(root, chosen.uuid, chosen.built_in)) {
		chosen.from = SELECT_DEFAULT;
		str_copy(chosen.built_in, SELECT_PATH, MANIFEST_PATH);
	}
	str_copy(chosen.path, SELECT_PATH, chosen.built_in);
	error = sys_names(root, below(SELECT_ADDONS), look_at_folder, &search);
	if (error && error != -ENOENT) {
		search.mine.folders = 1;
		search.mine.error = error;
	}
	tell_others(&search);
	if (!choose(&search, &search.mine, SELECT_ADDON))
		choose(&search, &search.any, SELECT_ADDON_ANY);
	return &chosen;
}

const struct selected *select_look(void)
{
	return &chosen;
}

void select_keep_door(int root, struct config *config)
{
	static char text[MANIFEST_MAX];
	static struct config door;
	static struct diag ignored;
	ssize_t n;

	if (config->host.console_password[0])
		return;
	manifest_defaults(&door);
	n = sys_read_bytes(root, below(chosen.built_in), text, sizeof(text));
	if (n > 0)
		manifest_parse(text, (size_t)n, &door, &ignored);
	memcpy(config->host.console_password, door.host.console_password,
	       sizeof(door.host.console_password));
	config->host.shell = door.host.shell;
}

const char *select_words(enum select_from from)
{
	static const char *const words[] = {
		[SELECT_ADDON] = "from an addon for this host",
		[SELECT_ADDON_ANY] = "from an addon for any host",
		[SELECT_BUILT_IN] = "built in for this host",
		[SELECT_DEFAULT] = "built in for any host",
		[SELECT_NONE] = "none can be taken",
	};

	return words[from];
}

const char *select_word(enum select_from from)
{
	static const char *const words[] = {
		[SELECT_ADDON] = "addon",	[SELECT_ADDON_ANY] = "addon-any",
		[SELECT_BUILT_IN] = "built-in", [SELECT_DEFAULT] = "default",
		[SELECT_NONE] = "none",
	};

	return words[from];
}
