/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an addon has brought is in the running root under a name that has its hash in it (select.h), so a
 * name that is not there tells that its addon was not loaded.
 */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>

#include "esp.h"
#include "pe.h"
#include "select.h"
#include "util.h"

#define SUFFIX ".addon.efi"

enum {
	FOUND = 8,
	FILES = 1000, /* that are looked at */
	NAME = DIAG_SUBJECT,
	WHY = 160,
	/* The path stands before its manifest, so one of the largest size may be before that. */
	ARCHIVE = 2 * MANIFEST_MAX,
	PATH = 128,
};

struct found {
	unsigned count; /* more than FOUND have no place */
	struct {
		char name[NAME];
		char why[WHY];
	} file[FOUND];
};

struct look {
	int root;
	int folder;
	unsigned files;
	struct found *found;
};

static struct found nothing;
static struct found *shared = &nothing;

int addon_init(void)
{
	void *memory = memory_share(sizeof(*shared));

	if (!memory)
		return -errno;
	shared = memory;
	return 0;
}

static void add(struct look *look, const char *name, const char *step, const char *why)
{
	struct found *found = look->found;

	if (found->count < FOUND) {
		str_copy(found->file[found->count].name, NAME, name);
		str_format(found->file[found->count].why, WHY, "%s: %s", step, why);
	}
	found->count++;
}

/* Whether a path below the folder of addons' manifests is for this machine. */
static bool is_ours(const char *path)
{
	const char *slash = strchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	const char *uuid = select_look()->uuid;

	return (len == 3 && strncasecmp(path, "any", 3) == 0) ||
	       (len && len == strlen(uuid) && strncasecmp(path, uuid, len) == 0);
}

/* The first manifest for this machine that an archive has and root has not; NULL: there is none. */
static const char *find_missing(int root, const char *archive, size_t len)
{
	static const char folder[] = "etc/hvinit/addons/";
	static char path[PATH];
	const char *end = archive + len;
	const char *at = archive;

	while ((at = memmem(at, (size_t)(end - at), folder, sizeof(folder) - 1))) {
		size_t room = (size_t)(end - at);
		size_t n = strnlen(at, room < PATH ? room : PATH);

		if (n < room && str_format(path, sizeof(path), "%.*s", (int)n, at) &&
		    is_ours(path + sizeof(folder) - 1) && !sys_exists(root, path))
			return path;
		at += sizeof(folder) - 1;
	}
	return NULL;
}

static const char *find_in(int root, int fd, const struct pe_section *section)
{
	size_t len = section->len < ARCHIVE ? (size_t)section->len : ARCHIVE;
	char *archive = malloc(len + 1);
	const char *missing = NULL;
	ssize_t n = archive ? pread(fd, archive, len, (off_t)section->at) : -1;

	if (n > 0)
		missing = find_missing(root, archive, (size_t)n);
	free(archive);
	return missing;
}

static const char *pe_error(int error)
{
	return error == -ENODATA || error == -EBADMSG || error == -ENOEXEC ?
		       "it is no whole EFI program" :
		       strerror(-error);
}

static void look_at_addon(struct look *look, int fd, const char *name)
{
	const struct pe_section *section;
	static struct pe pe;
	unsigned count;
	int error = pe_open(fd, &pe);

	if (error) {
		add(look, name, "load it", pe_error(error));
		return;
	}
	section = pe_find(&pe, ".initrd", &count);
	if (!section || !find_in(look->root, fd, section))
		return;
	add(look, name, "take its manifest",
	    pe.machine != PE_ARM64 ? "it is for another architecture" :
	    pe_is_signed(&pe)	   ? "the boot loader's stub did not load it" :
				     "the boot loader's stub did not load it; it is not signed");
}

static int look_at_file(void *arg, const char *name)
{
	struct look *look = arg;
	size_t len = strlen(name);
	_cleanup_fd_ int fd = -1;

	if (len <= strlen(SUFFIX) || strcasecmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return 0;
	fd = openat(look->folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		add(look, name, "open it", strerror(errno));
	else
		look_at_addon(look, fd, name);
	return ++look->files == FILES;
}

static void look_into(struct look *look, int esp, const char *path)
{
	_cleanup_fd_ int names = openat(esp, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (names < 0)
		return;
	look->folder = names;
	sys_names_in(names, look_at_file, look);
}

void addon_look(int root, int esp, const char *image)
{
	static struct found found;
	struct look look = { .root = root, .found = &found };
	char beside[512];

	found = (struct found){ 0 };
	look_into(&look, esp, ESP_ADDONS);
	if (str_format(beside, sizeof(beside), "%s.extra.d", image))
		look_into(&look, esp, beside);
	*shared = found;
}

void addon_findings(struct diag *diag)
{
	for (unsigned i = 0; i < shared->count && i < FOUND; i++)
		diag_add(diag, DIAG_HOST, DIAG_ADDON_IGNORED, shared->file[i].name, "%s",
			 shared->file[i].why);
	if (shared->count > FOUND)
		diag_add(diag, DIAG_HOST, DIAG_ADDON_IGNORED, "manifest",
			 "take it from addons: %u more were not loaded", shared->count - FOUND);
}
