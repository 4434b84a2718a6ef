/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the operator's words to an image in its place: source, partition, copy, what follows. */
#include "update.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "esp.h"
#include "images.h"
#include "sha256.h"
#include "sys_machine.h"
#include "sys_medium.h"
#include "sys_verify.h"
#include "update_source.h"
#include "update_store.h"
#include "util.h"
#include "version.h"

enum { APPEAR_S = 20, RESERVED_MS = 100 /* between looks */, RESERVED_TIMES = 200 };

static const char too_early[] = "devices are not reserved for VMs yet";
static const char *why_no_media = too_early;
static const char **shared = &why_no_media;

int update_init(void)
{
	void *memory = memory_share(sizeof(*shared));

	if (!memory)
		return -errno;
	shared = memory;
	*shared = too_early;
	return 0;
}

void update_media(const char *why_not)
{
	*shared = why_not;
}

/* Whether media may be looked for, once PID 1 knows. */
static bool may_look(struct diag *diag)
{
	for (unsigned times = 0; *shared == too_early && times < RESERVED_TIMES; times++)
		poll(NULL, 0, RESERVED_MS);
	if (!*shared)
		return true;
	diag_add(diag, DIAG_HOST, DIAG_UPDATE_DRIVERS, UPDATE_LABEL,
		 "look for a medium of that label: %s", *shared);
	return false;
}

static void say(const char *text)
{
	printf("hvinit: update: %s\n", text);
	fflush(stdout);
}

/* --- what is there --- */

static int open_source(int root, const struct config *config, const struct update_request *request,
		       struct diag *diag)
{
	uint64_t deadline_us;

	if (request->path[0])
		return update_source_path(root, request->path, diag);
	if (!may_look(diag))
		return -1;
	say("looking for a medium labelled " UPDATE_LABEL);
	update_source_drivers(root, config);
	deadline_us = boottime_us() + APPEAR_S * UINT64_C(1000000);
	return update_source_medium(root, config, deadline_us, diag);
}

/* Without a certificate somebody has to vouch for the image; the image itself cannot. */
static bool is_vouched_for(const struct update_job *job, struct diag *diag)
{
	if (job->has_certificate || job->sha256[0])
		return true;
	diag_add(diag, DIAG_HOST, DIAG_UPDATE_HASH, job->subject,
		 "verify it: this image has no certificate, so its SHA-256 has to be typed");
	return false;
}

/* Its name without tries; the version's own where the loader does not tell. */
static bool find_running(int root, char good[BOOTENTRY_PATH], struct diag *diag)
{
	struct bootentry entry;

	if (!bootentry_booted(root, &entry)) {
		str_copy(good, BOOTENTRY_PATH, "hvinit_" HVINIT_VERSION ".efi");
		return true;
	}
	str_copy(good, BOOTENTRY_PATH, entry.good);
	if (strcasecmp(entry.folder, ESP_IMAGES) == 0)
		return true;
	diag_add(
		diag, DIAG_HOST, DIAG_UPDATE_ESP, "ESP",
		"put an image where the boot loader finds it: this one was booted from %s, and not "
		"by a loader from " ESP_IMAGES,
		entry.folder);
	return false;
}

static int mount_esp(int root, bool *dirty, struct diag *diag)
{
	struct sys_partition partition;
	int error = esp_find(root, &partition);

	if (error == 0) {
		*dirty = sys_fat_is_dirty(root, partition.node);
		error = esp_mount_found(root, &partition, true);
	}
	if (error < 0)
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_ESP, "ESP", "mount it: %s", esp_error(error));
	return error < 0 ? -1 : error;
}

/* --- what follows --- */

/* The loader starts the newest image; another one only when it is told to, once. */
static int boot_once(int root, const char *good)
{
	char data[SYS_EFI_ATTRIBUTES + 2 * BOOTENTRY_PATH] = SYS_EFI_KEPT;
	char path[SYS_EFI_PATH];
	size_t len = strlen(good) + 1;

	if (!sys_efi_path("LoaderEntryOneShot", SYS_EFI_LOADER, path))
		return -ENAMETOOLONG;
	/* UTF-16 of what is ASCII. */
	for (size_t i = 0; i < len; i++) {
		data[SYS_EFI_ATTRIBUTES + 2 * i] = good[i];
		data[SYS_EFI_ATTRIBUTES + 2 * i + 1] = '\0';
	}
	return sys_efi_write(root, path, data, SYS_EFI_ATTRIBUTES + 2 * len);
}

static void forget_boot_once(int root)
{
	char path[SYS_EFI_PATH];

	if (sys_efi_path("LoaderEntryOneShot", SYS_EFI_LOADER, path))
		(void)sys_efi_remove(root, path);
}

static void tell_stored(int root, const struct update_stored *stored)
{
	char text[2 * BOOTENTRY_PATH + 128];

	if (!stored->newest[0]) {
		/* What an update before this one asked for. */
		forget_boot_once(root);
		str_format(text, sizeof(text),
			   "version %s is in place: the next boot tries it, %d times at most, and "
			   "'reboot' starts it",
			   stored->image.version, UPDATE_TRIES);
	} else if (boot_once(root, stored->good) == 0) {
		str_format(text, sizeof(text),
			   "version %s is in place: the next boot tries it once, and 'reboot' "
			   "starts it; after that the loader takes the newest again, %s",
			   stored->image.version, stored->newest);
	} else {
		str_format(text, sizeof(text),
			   "version %s is in place, but the loader takes the newest, %s: choose "
			   "the other one in its menu",
			   stored->image.version, stored->newest);
	}
	say(text);
}

/* What has no signature at all need not be copied to be refused. */
static bool is_signed(const struct update_job *job, const struct update_image *image,
		      struct diag *diag)
{
	if (!job->has_certificate || image->is_signed)
		return true;
	diag_add(diag, DIAG_HOST, DIAG_UPDATE_SIGNATURE, job->subject,
		 "verify its signature: it has none");
	return false;
}

static bool update(int root, const struct config *config, const struct update_request *request,
		   struct diag *diag)
{
	struct update_job job = {
		.subject = request->path[0] ? request->path : UPDATE_LABEL,
		.sha256 = request->sha256,
		.force = request->force,
		.has_certificate = sys_certificate_exists(root),
		.say = say,
	};
	_cleanup_fd_ int source = -1;
	_cleanup_fd_ int esp = -1;
	struct update_stored stored;
	char running[BOOTENTRY_PATH];

	if (!is_vouched_for(&job, diag))
		return false;
	job.source = source = open_source(root, config, request, diag);
	if (source < 0 || !update_image_look(source, job.subject, job.force, &stored.image, diag) ||
	    !is_signed(&job, &stored.image, diag))
		return false;
	if (!find_running(root, running, diag))
		return false;
	job.running = running;
	job.esp = esp = mount_esp(root, &job.dirty, diag);
	if (esp < 0 || !update_store(&job, &stored, diag))
		return false;
	/* For 'status'; that it does not know is no reason to call the update a failure. */
	images_look(esp);
	tell_stored(root, &stored);
	return true;
}

bool update_run(const struct config *config, const struct update_request *request)
{
	_cleanup_fd_ int root = sys_root_open("/");
	struct diag diag = { 0 };
	bool done;

	done = root >= 0 && update(root, config, request, &diag);
	diag_print(&diag, stdout);
	if (root < 0)
		say("the root folder cannot be opened");
	return done;
}
