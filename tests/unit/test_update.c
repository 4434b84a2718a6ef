/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command as a whole: in which order things are looked at, and what the operator is told. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "esp.h"
#include "fakesys.h"
#include "images.h"
#include "manifest.h"
#include "sys_machine.h"
#include "sys_medium.h"
#include "sys_verify.h"
#include "update.h"
#include "update_source.h"
#include "update_store.h"
#include "version.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct config config;
static struct update_request request;
static struct update_job job; /* what was asked for */
static char calls[256];
static char printed[4096];
static bool certificate;
static bool has_signature;
static bool has_source;
static bool is_good;
static bool is_stored;
static bool dirty;
static int find_error;
static int mount_error;
static const char *booted; /* LoaderBootCountPath */
static const char *newest;
static bool tell; /* PID 1 tells meanwhile that media may be looked for */
static int waited_ms;
static char once[256];
static int once_error;

static void note(const char *call)
{
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s;", call);
}

/* The linker gives the wrapped names. NOLINTBEGIN(bugprone-reserved-identifier) */
bool __wrap_sys_certificate_exists(int root);
int __wrap_update_source_path(int root, const char *path, struct diag *diag);
int __wrap_update_source_medium(int root, const struct config *all, uint64_t deadline_us,
				struct diag *diag);
void __wrap_update_source_drivers(int root, const struct config *all);
bool __wrap_update_image_look(int fd, const char *subject, bool force, struct update_image *image,
			      struct diag *diag);
int __wrap_esp_find(int root, struct sys_partition *partition);
int __wrap_esp_mount_found(int root, const struct sys_partition *partition, bool writable);
bool __wrap_sys_fat_is_dirty(int root, const char *node);
bool __wrap_update_store(const struct update_job *wanted, struct update_stored *stored,
			 struct diag *diag);
ssize_t __wrap_sys_efi_text(int root, const char *path, char *buf, size_t size);
int __wrap_sys_efi_write(int root, const char *path, const void *data, size_t size);
int __wrap_images_look(int esp);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);

bool __wrap_sys_certificate_exists(int root)
{
	(void)root;
	return certificate;
}

static int source(const char *name, struct diag *diag)
{
	note(name);
	if (!has_source)
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_NONE, name, "there is none");
	return has_source ? memfd_create("source", MFD_CLOEXEC) : -1;
}

int __wrap_update_source_path(int root, const char *path, struct diag *diag)
{
	(void)root;
	return source(path, diag);
}

int __wrap_update_source_medium(int root, const struct config *all, uint64_t deadline_us,
				struct diag *diag)
{
	(void)root;
	assert_ptr_equal(all, &config);
	assert_true(deadline_us > boottime_us());
	return source("medium", diag);
}

void __wrap_update_source_drivers(int root, const struct config *all)
{
	(void)root;
	assert_ptr_equal(all, &config);
	note("drivers");
}

bool __wrap_update_image_look(int fd, const char *subject, bool force, struct update_image *image,
			      struct diag *diag)
{
	assert_true(fd >= 0);
	assert_int_equal(force, request.force);
	*image = (struct update_image){ .version = "99", .is_signed = has_signature };
	note("look");
	if (!is_good)
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_CUT, subject, "it is cut off");
	return is_good;
}

int __wrap_esp_find(int root, struct sys_partition *partition)
{
	(void)root;
	*partition = (struct sys_partition){ .node = "nvme0n1p1" };
	return find_error;
}

bool __wrap_sys_fat_is_dirty(int root, const char *node)
{
	(void)root;
	assert_string_equal(node, "nvme0n1p1");
	note("dirty?");
	return dirty;
}

int __wrap_esp_mount_found(int root, const struct sys_partition *partition, bool writable)
{
	(void)root;
	assert_string_equal(partition->node, "nvme0n1p1");
	assert_true(writable);
	note("mount");
	return mount_error ? mount_error : memfd_create("esp", MFD_CLOEXEC);
}

bool __wrap_update_store(const struct update_job *wanted, struct update_stored *stored,
			 struct diag *diag)
{
	static char running[BOOTENTRY_PATH];

	job = *wanted;
	str_copy(running, sizeof(running), wanted->running);
	job.running = running;
	note("store");
	*stored = (struct update_stored){ .image = { .version = "99" },
					  .good = "hvinit_99.efi",
					  .name = "hvinit_99+3.efi" };
	str_copy(stored->newest, sizeof(stored->newest), newest);
	wanted->say("writing");
	if (!is_stored)
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_FULL, "ESP", "there is no room");
	return is_stored;
}

ssize_t __wrap_sys_efi_text(int root, const char *path, char *buf, size_t size)
{
	(void)root;
	if (!booted || !strstr(path, "LoaderBootCountPath"))
		return -ENOENT;
	str_copy(buf, size, booted);
	return (ssize_t)strlen(buf);
}

int __wrap_sys_efi_write(int root, const char *path, const void *data, size_t size)
{
	const char *text = data;

	(void)root;
	assert_non_null(strstr(path, "LoaderEntryOneShot-" SYS_EFI_LOADER));
	assert_memory_equal(text, SYS_EFI_KEPT, SYS_EFI_ATTRIBUTES);
	for (size_t i = SYS_EFI_ATTRIBUTES; i < size; i += 2)
		once[(i - SYS_EFI_ATTRIBUTES) / 2] = text[i];
	assert_int_equal(size, SYS_EFI_ATTRIBUTES + 2 * (strlen(once) + 1));
	return once_error;
}

/* PID 1 tells it after a while: from another process. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	pid_t pid;

	(void)fds;
	assert_int_equal(n, 0);
	waited_ms += ms;
	if (!tell || waited_ms < 1000)
		return 0;
	pid = fork();
	if (pid == 0) {
		update_media(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return 0;
}

int __wrap_images_look(int esp)
{
	assert_true(esp >= 0);
	note("images");
	return -EIO;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	request = (struct update_request){ .path = "", .sha256 = SUM };
	job = (struct update_job){ 0 };
	calls[0] = printed[0] = '\0';
	memset(once, 0, sizeof(once));
	certificate = has_signature = dirty = false;
	has_source = is_good = is_stored = true;
	find_error = mount_error = once_error = 0;
	booted = NULL;
	newest = "";
	tell = false;
	waited_ms = 0;
	update_media(NULL);
	return 0;
}

/* Runs it, and keeps what it prints. */
static bool run(void)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	int kept = dup(STDOUT_FILENO);
	bool done;
	ssize_t n;

	assert_true(out >= 0 && kept >= 0);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	done = update_run(&config, &request);
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	n = pread(out, printed, sizeof(printed) - 1, 0);
	assert_true(n >= 0);
	printed[n] = '\0';
	close(out);
	return done;
}

static void assert_printed(const char *part)
{
	if (!strstr(printed, part))
		fail_msg("\"%s\" is not in:\n%s", part, printed);
}

static void test_medium(void **state)
{
	(void)state;
	assert_true(run());
	assert_string_equal(calls, "drivers;medium;look;dirty?;mount;store;images;");
	assert_string_equal(job.subject, "HVINIT-UPDATE");
	assert_string_equal(job.sha256, SUM);
	assert_string_equal(job.running, "hvinit_" HVINIT_VERSION ".efi");
	assert_printed("hvinit: update: looking for a medium labelled HVINIT-UPDATE\n"
		       "hvinit: update: writing\n"
		       "hvinit: update: version 99 is in place: the next boot tries it, 3 times at "
		       "most, and 'reboot' starts it\n");
}

static void test_path(void **state)
{
	(void)state;
	request.path = "/tmp/x";
	request.force = true;
	dirty = true;
	booted = "\\EFI\\Linux\\hvinit_0.1.0r2+1-2.efi";
	assert_true(run());
	assert_string_equal(calls, "/tmp/x;look;dirty?;mount;store;images;");
	assert_true(job.dirty);
	assert_true(job.force);
	assert_string_equal(job.running, "hvinit_0.1.0r2.efi");
}

/* Somebody must vouch for it, and nobody is waited for before that is clear. */
static void test_nobody_vouches(void **state)
{
	(void)state;
	request.sha256 = "";
	assert_false(run());
	assert_string_equal(calls, "");
	assert_printed("HVINIT-UPDATE: verify it: this image has no certificate, so its SHA-256 "
		       "has to be typed [UPDATE-HASH]\n");
	assert_printed("remedy: take the sum from who built the image");
	certificate = true;
	assert_false(run());
	assert_string_equal(calls, "drivers;medium;look;");
	assert_printed("verify its signature: it has none [UPDATE-SIGNATURE]");
	has_signature = true;
	assert_true(run());
	assert_true(job.has_certificate);
}

/* Where a device may be a VM's though nobody knows, no driver is loaded; a file needs none. */
static void test_no_drivers(void **state)
{
	(void)state;
	update_media("the manifest has a fault");
	assert_false(run());
	assert_string_equal(calls, "");
	assert_printed("HVINIT-UPDATE: look for a medium of that label: the manifest has a fault "
		       "[UPDATE-DRIVERS]\n");
	assert_printed("remedy: 'update PATH'");
	request.path = "/tmp/x";
	assert_true(run());
	assert_string_equal(calls, "/tmp/x;look;dirty?;mount;store;images;");
}

/* Nobody has said anything yet: it waits for that, in a child that learns it from PID 1. */
static void test_too_early(void **state)
{
	(void)state;
	assert_int_equal(update_init(), 0);
	assert_false(run());
	assert_string_equal(calls, "");
	assert_int_equal(waited_ms, 20000);
	assert_printed("devices are not reserved for VMs yet [UPDATE-DRIVERS]");
	waited_ms = 0;
	tell = true;
	assert_true(run());
	assert_int_equal(waited_ms, 1000);
	assert_string_equal(calls, "drivers;medium;look;dirty?;mount;store;images;");
}

static void test_no_source(void **state)
{
	(void)state;
	has_source = false;
	assert_false(run());
	assert_string_equal(calls, "drivers;medium;");
	assert_printed("[UPDATE-NONE]");
}

static void test_bad_image(void **state)
{
	(void)state;
	is_good = false;
	assert_false(run());
	assert_string_equal(calls, "drivers;medium;look;");
	assert_printed("HVINIT-UPDATE: it is cut off [UPDATE-CUT]");
}

static const struct trouble {
	const char *title;
	int find;
	int mount;
	const char *part;
} troubles[] = {
	{ "no loader", -ENODATA, 0, "the boot loader does not tell" },
	{ "no driver", -ENOENT, 0, "no disk that has a driver" },
	{ "two", -EEXIST, 0, "two disks have" },
	{ "write-protected", 0, -EACCES, "its disk is write-protected" },
	{ "busy for long", 0, -EBUSY, "busy" },
};

static void test_trouble(void **state)
{
	const struct trouble *trouble = *state;

	setup(NULL);
	find_error = trouble->find;
	mount_error = trouble->mount;
	assert_false(run());
	assert_null(strstr(calls, "store"));
	assert_printed("hvinit: ESP: mount it: ");
	assert_printed(trouble->part);
	assert_printed("[UPDATE-ESP]");
}

static void test_not_stored(void **state)
{
	(void)state;
	is_stored = false;
	assert_false(run());
	assert_printed("ESP: there is no room [UPDATE-FULL]");
	assert_null(strstr(printed, "in place"));
}

/* The loader takes the newest: it is told to take this one, once. */
static void test_older(void **state)
{
	(void)state;
	newest = "hvinit_100.efi";
	assert_true(run());
	assert_string_equal(once, "hvinit_99.efi");
	assert_printed("after that the loader takes the newest again, hvinit_100.efi");
	once_error = -EIO;
	assert_true(run());
	assert_printed("but the loader takes the newest, hvinit_100.efi");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(troubles) + 9] = {
		FIXTURE("too early", test_too_early, setup, NULL, NULL),
		FIXTURE("medium", test_medium, setup, NULL, NULL),
		FIXTURE("path", test_path, setup, NULL, NULL),
		FIXTURE("nobody vouches", test_nobody_vouches, setup, NULL, NULL),
		FIXTURE("no drivers", test_no_drivers, setup, NULL, NULL),
		FIXTURE("no source", test_no_source, setup, NULL, NULL),
		FIXTURE("bad image", test_bad_image, setup, NULL, NULL),
		FIXTURE("not stored", test_not_stored, setup, NULL, NULL),
		FIXTURE("older", test_older, setup, NULL, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
		tests[9 + i] = CASE(troubles[i].title, test_trouble, &troubles[i]);
	return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
