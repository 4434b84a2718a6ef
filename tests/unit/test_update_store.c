/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image on its way to the others, and everything that can go wrong with it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "fakeimage.h"
#include "fakesys.h"
#include "sha256.h"
#include "sys.h"
#include "sys_medium.h"
#include "sys_verify.h"
#include "update_store.h"

#define IMAGES "EFI/Linux/"
#define STAGING "EFI/hvinit/"
#define RUNNING "hvinit_0.1.0.efi"

enum { PLENTY = 1 << 30 };

static int esp = -1;
static int source = -1;
static struct update_job job;
static struct update_stored stored;
static struct diag diag;
static char said[4096];

/* --- calls that a test answers --- */

enum call { CALL_WRITE, CALL_FSYNC, CALL_SYNCFS, CALL_RENAME, CALL_UNLINK, CALL_FADVISE, CALLS };

static int fail_with[CALLS]; /* errno of the calls that follow; 0: they work */
static int let_pass; /* calls of any kind before the process ends; -1: it does not */
static uint64_t room;
static int verdict;
static void (*when_dropped)(void);
static const char *shared[2]; /* names in IMAGES and STAGING that have the same first block */

static bool answer(enum call call)
{
	if (let_pass == 0)
		_exit(0);
	let_pass -= let_pass > 0;
	errno = fail_with[call];
	return fail_with[call] != 0;
}

/* The linker gives the wrapped names. NOLINTBEGIN(bugprone-reserved-identifier) */
ssize_t __real_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);
int __real_renameat2(int from, const char *name, int to, const char *other, unsigned flags);
int __wrap_renameat2(int from, const char *name, int to, const char *other, unsigned flags);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_posix_fadvise(int fd, off_t at, off_t len, int advice);
int __wrap_fstatvfs(int fd, struct statvfs *fs);
int __wrap_sys_verify(int fd, char *text, size_t size);
unsigned __wrap_sys_first_block(int fd);

ssize_t __wrap_write(int fd, const void *buf, size_t size)
{
	return answer(CALL_WRITE) ? -1 : __real_write(fd, buf, size);
}

int __wrap_fsync(int fd)
{
	return answer(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_syncfs(int fd)
{
	(void)fd;
	return answer(CALL_SYNCFS) ? -1 : 0;
}

int __wrap_renameat2(int from, const char *name, int to, const char *other, unsigned flags)
{
	return answer(CALL_RENAME) ? -1 : __real_renameat2(from, name, to, other, flags);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
	struct stat st;

	if (answer(CALL_UNLINK))
		return -1;
	if (fstatat(folder, name, &st, 0) == 0)
		room += (uint64_t)st.st_size;
	return __real_unlinkat(folder, name, flags);
}

int __wrap_posix_fadvise(int fd, off_t at, off_t len, int advice)
{
	(void)fd;
	(void)at;
	(void)len;
	assert_int_equal(advice, POSIX_FADV_DONTNEED);
	answer(CALL_FADVISE);
	if (when_dropped)
		when_dropped();
	return 0;
}

int __wrap_fstatvfs(int fd, struct statvfs *fs)
{
	assert_int_equal(fd, esp);
	*fs = (struct statvfs){ .f_bavail = room, .f_frsize = 1 };
	return 0;
}

int __wrap_sys_verify(int fd, char *text, size_t size)
{
	assert_true(fd >= 0);
	str_copy(text, size, verdict == -EKEYREJECTED ? "Signature verification failed" : "");
	return verdict;
}

static bool is_file(int fd, const char *path)
{
	struct stat a;
	struct stat b;

	return fstatat(esp, path, &a, 0) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino;
}

unsigned __wrap_sys_first_block(int fd)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (shared[i] && is_file(fd, shared[i]))
			return 7;
	return fstat(fd, &st) ? 0 : (unsigned)st.st_ino + 100;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- the partition --- */

static void say(const char *text)
{
	size_t used = strlen(said);

	str_format(said + used, sizeof(said) - used, "%s\n", text);
}

static void put(const char *name, const char *version, char mark)
{
	char path[128];

	str_format(path, sizeof(path), IMAGES "%s", name);
	fakeimage_file(esp, path, &(struct fake_image){ .version = version, .mark = mark });
}

static void offer(const struct fake_image *image)
{
	close_fdp(&source);
	source = fakeimage_memory(image);
	job.source = source;
}

static int setup(void **state)
{
	int top;

	(void)state;
	memset(fail_with, 0, sizeof(fail_with));
	memset(shared, 0, sizeof(shared));
	let_pass = -1;
	room = PLENTY;
	verdict = 0;
	when_dropped = NULL;
	said[0] = '\0';
	diag = (struct diag){ 0 };
	top = fakesys_new();
	esp = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(top);
	put(RUNNING, "0.1.0", 'r');
	job = (struct update_job){
		.esp = esp, .subject = "medium", .running = RUNNING, .sha256 = "", .say = say
	};
	offer(&(struct fake_image){ .version = "99", .mark = 'n' });
	return 0;
}

static int teardown(void **state)
{
	let_pass = -1;
	memset(fail_with, 0, sizeof(fail_with));
	close_fdp(&esp);
	close_fdp(&source);
	esp = source = -1;
	return fakesys_teardown(state);
}

static bool update(void)
{
	diag = (struct diag){ 0 };
	return update_store(&job, &stored, &diag);
}

static bool has(const char *path)
{
	return sys_exists(esp, path);
}

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(unsigned *)arg;
	return 0;
}

static unsigned count(const char *folder)
{
	unsigned n = 0;

	assert_int_equal(sys_names(esp, folder, count_name, &n), 0);
	return n;
}

/* The mark in the middle of an image; 0 where it is not there as a whole. */
static char mark_of(const char *name)
{
	struct update_image image;
	struct diag ignored = { 0 };
	char path[128];
	char mark = 0;
	int fd;

	str_format(path, sizeof(path), IMAGES "%s", name);
	fd = openat(esp, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (update_image_look(fd, name, true, &image, &ignored))
		assert_int_equal(pread(fd, &mark, 1, 4096), 1);
	close(fd);
	return mark;
}

/* Nothing but what was there before. */
static void assert_untouched(void)
{
	assert_int_equal(mark_of(RUNNING), 'r');
	assert_int_equal(count(IMAGES), 1);
	assert_int_equal(count(STAGING), 0);
}

static void test_good(void **state)
{
	(void)state;
	assert_true(update());
	assert_no_finding(&diag);
	assert_string_equal(stored.name, "hvinit_99+3.efi");
	assert_string_equal(stored.good, "hvinit_99.efi");
	assert_string_equal(stored.image.version, "99");
	assert_string_equal(stored.newest, "");
	assert_int_equal(mark_of("hvinit_99+3.efi"), 'n');
	assert_int_equal(mark_of(RUNNING), 'r');
	assert_int_equal(count(IMAGES), 2);
	assert_int_equal(count(STAGING), 0);
}

/* --- what vouches for it --- */

static void test_hash(void **state)
{
	char hash[SHA256_HEX];
	char data[16384];
	ssize_t n = pread(source, data, sizeof(data), 0);

	(void)state;
	sha256_hex(data, (size_t)n, hash);
	for (char *c = hash; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 32 : *c);
	job.sha256 = hash;
	assert_true(update());
	hash[0] = hash[0] == '1' ? '2' : '1';
	teardown(state);
	setup(state);
	job.sha256 = hash;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_HASH, "medium", "and not the one that was typed");
	assert_untouched();
}

static void test_signature(void **state)
{
	(void)state;
	job.has_certificate = true;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_SIGNATURE, "medium", "verify its signature: it has none");
	offer(&(struct fake_image){ .version = "99", .mark = 'n', .is_signed = true });
	verdict = -EKEYREJECTED;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_SIGNATURE, "medium", "Signature verification failed");
	verdict = -ENOEXEC;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_SIGNATURE, "medium", "Exec format error");
	assert_untouched();
	verdict = 0;
	assert_true(update());
	assert_int_equal(mark_of("hvinit_99+3.efi"), 'n');
}

/* --- the copy --- */

static void spoil(void)
{
	int fd = openat(esp, STAGING "new-0.part", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 5000), 1);
	close(fd);
}

static void test_read_back(void **state)
{
	(void)state;
	when_dropped = spoil;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_WRITE, "ESP", "it is not what was written");
	assert_untouched();
}

/* It was another file when it was looked at. */
static void test_changed_source(void **state)
{
	(void)state;
	offer(&(struct fake_image){ .version = "99", .board = "moonbase" });
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_BOARD, "medium", "moonbase");
	assert_untouched();
	offer(&(struct fake_image){ .version = "0.0.1" });
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_OLD, "medium", "0.0.1");
	assert_untouched();
	close_fdp(&source);
	job.source = source = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_READ, "medium", "read it: ");
	assert_untouched();
}

static const struct fault {
	const char *title;
	enum call call;
	int error;
	enum diag_code code;
	const char *part;
} faults[] = {
	{ "disk full", CALL_WRITE, ENOSPC, DIAG_UPDATE_FULL, "write the image: No space" },
	{ "disk fails", CALL_WRITE, EIO, DIAG_UPDATE_WRITE, "write the image: Input/output" },
	{ "turned read-only", CALL_WRITE, EROFS, DIAG_UPDATE_WRITE, "Read-only file system" },
	{ "flush fails", CALL_FSYNC, EIO, DIAG_UPDATE_WRITE, "write the image: Input/output" },
	{ "rename fails", CALL_RENAME, EIO, DIAG_UPDATE_WRITE, "rename the image: Input/output" },
	{ "no room for a name", CALL_RENAME, ENOSPC, DIAG_UPDATE_FULL, "rename the image" },
};

static void test_fault(void **state)
{
	const struct fault *fault = *state;

	setup(NULL);
	fail_with[fault->call] = fault->error;
	assert_false(update());
	assert_finding(&diag, fault->code, "ESP", fault->part);
	assert_untouched();
}

static void test_sync_fails(void **state)
{
	(void)state;
	fail_with[CALL_SYNCFS] = EIO;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_WRITE, "ESP", "write the folders");
	assert_int_equal(mark_of("hvinit_99+3.efi"), 'n');
}

static void test_no_folder(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(esp, IMAGES RUNNING, 0), 0);
	assert_int_equal(unlinkat(esp, IMAGES, AT_REMOVEDIR), 0);
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_ESP, "ESP", "open the folder of images");
	fakesys_file(esp, "EFI/Linux/x", "");
	assert_int_equal(unlinkat(esp, "EFI/hvinit", AT_REMOVEDIR), 0);
	fakesys_file(esp, "EFI/hvinit", "a file");
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_ESP, "ESP", "make a folder for the copy");
}

static void test_two_at_once(void **state)
{
	int folder;

	(void)state;
	fakesys_file(esp, STAGING "x", "");
	folder = openat(esp, STAGING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(folder, LOCK_EX), 0);
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_BUSY, "ESP", "for this update alone");
	close(folder);
	assert_true(update());
}

/* --- killed at any point --- */

static int die_after(int calls)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		let_pass = calls;
		_exit(update() ? 1 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The loader sees the old images, and the new one as a whole or not at all; a second try succeeds. */
static void kill_all_along(const char *before, const char *version)
{
	char name[64];
	int calls = 0;
	int status;

	str_format(name, sizeof(name), "hvinit_%s+3.efi", version);
	do {
		char mark;

		teardown(NULL);
		setup(NULL);
		if (before)
			put(before, version, 'o');
		job.force = true;
		offer(&(struct fake_image){ .version = version, .mark = 'n' });
		status = die_after(calls++);
		mark = mark_of(name);
		assert_int_equal(mark_of(RUNNING), 'r');
		assert_true(mark == 'n' || (before ? mark_of(before) == 'o' : !has(IMAGES "x")));
		assert_true(mark == 'n' || !mark || (before && mark == 'o'));
		assert_true(update());
		assert_int_equal(mark_of(name), 'n');
		assert_int_equal(count(IMAGES), 2);
		assert_int_equal(count(STAGING), 0);
	} while (status == 0);
	assert_int_equal(status, 1);
	assert_in_range(calls, 8, 100);
}

static void test_killed(void **state)
{
	(void)state;
	kill_all_along(NULL, "99");
}

static void test_killed_replacing(void **state)
{
	(void)state;
	kill_all_along("hvinit_0.0.9+0-3.efi", "0.0.9");
	kill_all_along("hvinit_0.0.9+3.efi", "0.0.9");
	kill_all_along("hvinit_0.0.9.efi", "0.0.9");
}

/* --- room --- */

static void test_prune(void **state)
{
	(void)state;
	put("hvinit_0.0.1.efi", "0.0.1", 'a');
	put("hvinit_0.0.2.efi", "0.0.2", 'b');
	put("hvinit_0.0.9.efi", "0.0.9", 'c');
	put("hvinit_0.0.10.efi", "0.0.10", 'd');
	put("hvinit_0.3+0-3.efi", "0.3", 'e');
	put("hvinit_0.4+2-1.efi", "0.4", 'f');
	put("other_0.0.1.efi", "0.0.1", 'g');
	room = 1 << 20; /* three images more are needed, with what is written */
	room -= 20000;
	assert_true(update());
	assert_non_null(strstr(said, "removing hvinit_0.3+0-3.efi: its tries are used up\n"
				     "removing hvinit_0.0.1.efi: there are newer ones\n"
				     "removing hvinit_0.0.2.efi: there are newer ones\n"
				     "writing "));
	assert_int_equal(mark_of("hvinit_0.0.9.efi"), 'c');
	assert_int_equal(mark_of("hvinit_0.0.10.efi"), 'd');
	assert_int_equal(mark_of("hvinit_0.4+2-1.efi"), 'f');
	assert_int_equal(mark_of("other_0.0.1.efi"), 'g');
	assert_int_equal(mark_of(RUNNING), 'r');
	assert_int_equal(mark_of("hvinit_99+3.efi"), 'n');
}

static void test_full(void **state)
{
	(void)state;
	put("hvinit_0.0.9.efi", "0.0.9", 'c');
	put("hvinit_0.4+2-1.efi", "0.4", 'f');
	room = 4096;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_FULL, "ESP",
		       "4 KiB are free, and images that could go have 0 KiB");
	assert_int_equal(count(IMAGES), 3);
	assert_string_equal(said, "");
}

/* Nothing has to go for one that cannot fit, or is not what it should be. */
static void test_nothing_goes(void **state)
{
	(void)state;
	put("hvinit_0.0.9.efi", "0.0.9", 'c');
	put("hvinit_0.3+0-3.efi", "0.3", 'e');
	room = 4096;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_FULL, "ESP", "images that could go have");
	assert_int_equal(count(IMAGES), 3);
	room = (1 << 20) + 100;
	memset(&diag, 0, sizeof(diag));
	job.sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_HASH, "medium", "its SHA-256 is");
	assert_int_equal(count(IMAGES), 3);
	memset(&diag, 0, sizeof(diag));
	job.sha256 = "";
	job.has_certificate = true;
	verdict = -EKEYREJECTED;
	assert_false(update());
	assert_int_equal(count(IMAGES), 3);
	assert_string_equal(said, "");
}

/* Power was cut between the two writes of a rename: the good image has its older name as well. */
static void test_twins(void **state)
{
	(void)state;
	put("hvinit_0.3.efi", "0.3", 'e');
	put("hvinit_0.3+0-3.efi", "0.3", 'e');
	shared[0] = IMAGES "hvinit_0.3.efi";
	shared[1] = IMAGES "hvinit_0.3+0-3.efi";
	room = (1 << 20) + 100;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_FULL, "ESP", "images that could go have 0 KiB");
	assert_int_equal(count(IMAGES), 3);
}

static void test_prune_fails(void **state)
{
	(void)state;
	put("hvinit_0.3+0-3.efi", "0.3", 'e');
	room = (1 << 20) + 100;
	fail_with[CALL_UNLINK] = EIO;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_WRITE, "ESP", "remove an older image: Input/output");
	assert_int_equal(count(IMAGES), 2);
}

/* --- the same version --- */

static void test_runs_itself(void **state)
{
	(void)state;
	job.force = true;
	offer(&(struct fake_image){ .version = "0.1.0", .mark = 'n' });
	assert_true(update());
	assert_string_equal(stored.name, "hvinit_0.1.0r2+3.efi");
	assert_string_equal(stored.newest, "");
	assert_int_equal(mark_of("hvinit_0.1.0r2+3.efi"), 'n');
	assert_int_equal(mark_of(RUNNING), 'r');
	job.running = "hvinit_0.1.0r2.efi";
	assert_true(update());
	assert_string_equal(stored.name, "hvinit_0.1.0+3.efi");
	assert_string_equal(stored.newest, "hvinit_0.1.0r2+3.efi");
	assert_int_equal(mark_of("hvinit_0.1.0r2+3.efi"), 'n');
}

static void test_older(void **state)
{
	(void)state;
	job.force = true;
	put("hvinit_0.3+0-3.efi", "0.3", 'e');
	offer(&(struct fake_image){ .version = "0.0.9", .mark = 'n' });
	assert_true(update());
	assert_string_equal(stored.newest, RUNNING);
}

/* --- after a power failure --- */

static void test_leftovers(void **state)
{
	char path[64];

	(void)state;
	fakesys_file(esp, STAGING "new-0.part", "half of one");
	job.dirty = true;
	assert_true(update());
	assert_true(has(STAGING "new-0.part"));
	assert_false(has(STAGING "new-1.part"));
	for (unsigned n = 1; n < 10; n++) {
		str_format(path, sizeof(path), STAGING "new-%u.part", n);
		fakesys_file(esp, path, "");
	}
	job.force = true;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_WRITE, "ESP", "make a file for the copy: File exists");
	job.dirty = false;
	assert_true(update());
	assert_int_equal(count(STAGING), 0);
}

/* Both names of one file are there: it is neither pruned nor replaced. */
static void test_both_names(void **state)
{
	(void)state;
	put("hvinit_99+3.efi", "99", 'o');
	put("hvinit_0.3+0-3.efi", "0.3", 'e');
	fakesys_file(esp, STAGING "new-0.part", "the same clusters");
	job.dirty = true;
	shared[0] = IMAGES "hvinit_99+3.efi";
	shared[1] = STAGING "new-0.part";
	assert_true(update());
	assert_string_equal(stored.name, "hvinit_99r2+3.efi");
	assert_int_equal(mark_of("hvinit_99+3.efi"), 'o');
	shared[0] = IMAGES "hvinit_0.3+0-3.efi";
	room = 4096;
	assert_false(update());
	assert_finding(&diag, DIAG_UPDATE_FULL, "ESP", "images that could go have 0 KiB");
	assert_int_equal(mark_of("hvinit_0.3+0-3.efi"), 'e');
}

int main(void)
{
	struct CMUnitTest tests[] = {
		FIXTURE("good", test_good, setup, teardown, NULL),
		FIXTURE("SHA-256", test_hash, setup, teardown, NULL),
		FIXTURE("signature", test_signature, setup, teardown, NULL),
		FIXTURE("the disk gives back something else", test_read_back, setup, teardown,
			NULL),
		FIXTURE("the source has changed", test_changed_source, setup, teardown, NULL),
		FIXTURE("sync fails", test_sync_fails, setup, teardown, NULL),
		FIXTURE("no folder", test_no_folder, setup, teardown, NULL),
		FIXTURE("two at once", test_two_at_once, setup, teardown, NULL),
		FIXTURE("killed at any point", test_killed, setup, teardown, NULL),
		FIXTURE("killed while it replaces", test_killed_replacing, setup, teardown, NULL),
		FIXTURE("old images go", test_prune, setup, teardown, NULL),
		FIXTURE("full", test_full, setup, teardown, NULL),
		FIXTURE("nothing goes in vain", test_nothing_goes, setup, teardown, NULL),
		FIXTURE("two names for one image", test_twins, setup, teardown, NULL),
		FIXTURE("an old image cannot go", test_prune_fails, setup, teardown, NULL),
		FIXTURE("the version that runs", test_runs_itself, setup, teardown, NULL),
		FIXTURE("an older version", test_older, setup, teardown, NULL),
		FIXTURE("unfinished copies", test_leftovers, setup, teardown, NULL),
		FIXTURE("both names of one file", test_both_names, setup, teardown, NULL),
		FIXTURE(faults[0].title, test_fault, NULL, teardown, &faults[0]),
		FIXTURE(faults[1].title, test_fault, NULL, teardown, &faults[1]),
		FIXTURE(faults[2].title, test_fault, NULL, teardown, &faults[2]),
		FIXTURE(faults[3].title, test_fault, NULL, teardown, &faults[3]),
		FIXTURE(faults[4].title, test_fault, NULL, teardown, &faults[4]),
		FIXTURE(faults[5].title, test_fault, NULL, teardown, &faults[5]),
	};

	return cmocka_run_group_tests_name("update_store", tests, NULL, NULL);
}
