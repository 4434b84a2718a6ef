/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copy is made in a folder that the boot loader does not look at, read back from the disk, judged
 * anew, and only then renamed. On FAT a rename is two writes, of which power can cut off either: both
 * names can be there afterwards, for the same clusters, and to remove one would free the other's. So
 * nothing is removed of a file system that was not unmounted in order but what is surely on its own.
 */
#include "update_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "esp.h"
#include "images.h"
#include "sha256.h"
#include "sys.h"
#include "sys_medium.h"
#include "sys_verify.h"
#include "version_order.h"

enum {
	PARTS = 10, /* names that an unfinished copy can have */
	PIECE = 64 * 1024,
	SLACK = 1 << 20, /* for folders, and for what others write meanwhile */
	AGAIN = 100, /* images of the version that runs */
};

#define PREFIX "hvinit_"
#define SUFFIX ".efi"

struct kept {
	struct bootentry entry;
	char version[IMAGE_VERSION];
	bool running;
	bool pinned; /* it may share its clusters with an unfinished copy */
};

struct store {
	const struct update_job *job;
	struct update_stored *stored;
	struct diag *diag;
	int images; /* folders */
	int staging;
	unsigned count;
	struct kept kept[IMAGES];
	char part[32]; /* the copy's name in staging; "": there is none */
	char hash[SHA256_HEX];
};

PRINTF_LIKE(2, 3)
static void say(const struct store *store, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	store->job->say(text);
}

static bool fail(const struct store *store, enum diag_code code, const char *step, int error)
{
	diag_add(store->diag, DIAG_HOST, error == ENOSPC ? DIAG_UPDATE_FULL : code, "ESP", "%s: %s",
		 step, strerror(error));
	return false;
}

/* --- what is there --- */

static int open_folder(int esp, const char *path)
{
	if (mkdirat(esp, path, 0700) && errno != EEXIST)
		return -1;
	return openat(esp, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static unsigned first_block(int folder, const char *name)
{
	_cleanup_fd_ int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? 0 : sys_first_block(fd);
}

static void part_name(unsigned n, char name[32])
{
	str_format(name, 32, "new-%u.part", n);
}

static bool is_pinned(const struct store *store, const char *image)
{
	unsigned block = first_block(store->images, image);
	char name[32];

	for (unsigned n = 0; block && n < PARTS; n++) {
		part_name(n, name);
		if (first_block(store->staging, name) == block)
			return true;
	}
	return false;
}

/* Both names that a rename leaves when power is cut lead to the same clusters. */
static void pin_twins(struct store *store)
{
	for (unsigned i = 0; i < store->count; i++) {
		unsigned block = first_block(store->images, store->kept[i].entry.name);

		for (unsigned j = 0; block && j < i; j++)
			if (first_block(store->images, store->kept[j].entry.name) == block)
				store->kept[i].pinned = store->kept[j].pinned = true;
	}
}

/* "hvinit_1.0+3.efi" is of version 1.0; what is named otherwise is not hvinit's to remove. */
static int list_image(void *arg, const char *name)
{
	struct store *store = arg;
	struct kept *kept = &store->kept[store->count];

	if (store->count == IMAGES || !images_parse(name, &kept->entry, kept->version))
		return 0;
	kept->running = strcasecmp(kept->entry.good, store->job->running) == 0;
	kept->pinned = is_pinned(store, name);
	store->count++;
	return 0;
}

static int list_images(struct store *store)
{
	_cleanup_fd_ int fd = openat(store->images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	int error;

	store->count = 0;
	error = fd < 0 ? -errno : sys_names_in(fd, list_image, store);
	if (!error)
		pin_twins(store);
	return error;
}

static bool is_exhausted(const struct kept *kept)
{
	return kept->entry.counted && kept->entry.left == 0;
}

/* --- room --- */

static bool drop(struct store *store, const struct kept *kept, const char *why)
{
	say(store, "removing %s: %s", kept->entry.name, why);
	if (unlinkat(store->images, kept->entry.name, 0) || fsync(store->images))
		return fail(store, DIAG_UPDATE_WRITE, "remove an older image", errno);
	return true;
}

/* What the loader falls back to. */
static const struct kept *newest_good(const struct store *store)
{
	const struct kept *newest = NULL;

	for (unsigned i = 0; i < store->count; i++) {
		const struct kept *kept = &store->kept[i];

		if (kept->running || kept->entry.counted)
			continue;
		if (!newest || version_order(kept->version, newest->version) > 0)
			newest = kept;
	}
	return newest;
}

static bool can_go(const struct kept *kept, const struct kept *newest)
{
	return !kept->running && !kept->pinned && kept != newest &&
	       (is_exhausted(kept) || !kept->entry.counted);
}

/*
 * Which image is the first to go: one that was tried in vain, then the oldest good one. The newest good
 * one besides the running one stays: it is what the loader falls back to.
 */
static const struct kept *choose_victim(const struct store *store)
{
	const struct kept *newest = newest_good(store);
	const struct kept *oldest = NULL;

	for (unsigned i = 0; i < store->count; i++) {
		const struct kept *kept = &store->kept[i];

		if (!can_go(kept, newest))
			continue;
		if (is_exhausted(kept))
			return kept;
		if (!oldest || version_order(kept->version, oldest->version) < 0)
			oldest = kept;
	}
	return oldest;
}

/* What all images that could go have (bytes): more than may be needed. */
static uint64_t spare(const struct store *store)
{
	const struct kept *newest = newest_good(store);
	uint64_t bytes = 0;
	struct stat st;

	for (unsigned i = 0; i < store->count; i++) {
		const struct kept *kept = &store->kept[i];

		if (can_go(kept, newest) &&
		    fstatat(store->images, kept->entry.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

static bool make_room(struct store *store, uint64_t size)
{
	for (;;) {
		const struct kept *victim;
		struct statvfs fs;
		uint64_t could_go;
		uint64_t room;

		if (fstatvfs(store->job->esp, &fs))
			return fail(store, DIAG_UPDATE_WRITE, "see how much room there is", errno);
		room = (uint64_t)fs.f_bavail * fs.f_frsize;
		if (room >= size + SLACK)
			return true;
		could_go = spare(store);
		victim = room + could_go >= size + SLACK ? choose_victim(store) : NULL;
		if (!victim) {
			diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_FULL, "ESP",
				 "make room for %llu KiB: %llu KiB are free, and images that could "
				 "go have %llu KiB",
				 (unsigned long long)(size + SLACK) >> 10,
				 (unsigned long long)room >> 10,
				 (unsigned long long)could_go >> 10);
			return false;
		}
		if (!drop(store, victim,
			  is_exhausted(victim) ? "its tries are used up" : "there are newer ones"))
			return false;
		if (list_images(store))
			return fail(store, DIAG_UPDATE_WRITE, "list images", errno);
	}
}

/* --- the copy --- */

/* A copy that a Ctrl-C broke off. */
static void clean_staging(const struct store *store)
{
	char name[32];

	for (unsigned n = 0; !store->job->dirty && n < PARTS; n++) {
		part_name(n, name);
		unlinkat(store->staging, name, 0);
	}
}

static int create_part(struct store *store)
{
	for (unsigned n = 0; n < PARTS; n++) {
		int fd;

		part_name(n, store->part);
		fd = openat(store->staging, store->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			    0644);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	store->part[0] = '\0';
	errno = EEXIST;
	return -1;
}

static ssize_t read_piece(int fd, char *buf, off_t at)
{
	ssize_t n;

	do
		n = pread(fd, buf, PIECE, at);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool write_piece(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

/* Copies, and keeps the hash of what was read. */
static bool copy(struct store *store, int to)
{
	struct sha256 sha;
	char buf[PIECE];
	off_t at = 0;
	ssize_t n;

	sha256_begin(&sha);
	while ((n = read_piece(store->job->source, buf, at)) > 0) {
		sha256_add(&sha, buf, (size_t)n);
		if (!write_piece(to, buf, (size_t)n))
			return fail(store, DIAG_UPDATE_WRITE, "write the image", errno);
		at += n;
	}
	if (n < 0) {
		diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_READ, store->job->subject,
			 "read it: %s", strerror(errno));
		return false;
	}
	sha256_end(&sha, store->hash);
	if (fsync(to) || fsync(store->staging))
		return fail(store, DIAG_UPDATE_WRITE, "write the image", errno);
	return true;
}

/* False with errno when it cannot be read. */
static bool hash_file(int fd, char hash[SHA256_HEX])
{
	struct sha256 sha;
	char buf[PIECE];
	off_t at = 0;
	ssize_t n;

	sha256_begin(&sha);
	for (; (n = read_piece(fd, buf, at)) > 0; at += n)
		sha256_add(&sha, buf, (size_t)n);
	sha256_end(&sha, hash);
	return n == 0;
}

/* What the disk gives back, and not what the kernel remembers of it. */
static bool read_back(struct store *store, int fd)
{
	char hash[SHA256_HEX];

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (!hash_file(fd, hash))
		return fail(store, DIAG_UPDATE_WRITE, "read the image back", errno);
	if (strcmp(hash, store->hash) == 0)
		return true;
	diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_WRITE, "ESP",
		 "read the image back: it is not what was written");
	return false;
}

static bool check_hash(const struct store *store)
{
	if (!store->job->sha256[0] || strcasecmp(store->hash, store->job->sha256) == 0)
		return true;
	diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_HASH, store->job->subject,
		 "its SHA-256 is %s, and not the one that was typed", store->hash);
	return false;
}

static bool check_signature(const struct store *store, int fd)
{
	char said[128];
	int error;

	if (!store->job->has_certificate)
		return true;
	if (!store->stored->image.is_signed) {
		diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_SIGNATURE, store->job->subject,
			 "verify its signature: it has none");
		return false;
	}
	error = sys_verify(fd, said, sizeof(said));
	if (error)
		diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_SIGNATURE, store->job->subject,
			 "verify its signature: %s",
			 error == -EKEYREJECTED && said[0] ? said : strerror(-error));
	return error == 0;
}

/* The source could have changed since it was looked at: what counts is the copy. */
static bool judge_copy(struct store *store)
{
	_cleanup_fd_ int fd = openat(store->staging, store->part, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(store, DIAG_UPDATE_WRITE, "open the copy", errno);
	return read_back(store, fd) &&
	       update_image_look(fd, store->job->subject, store->job->force, &store->stored->image,
				 store->diag) &&
	       check_signature(store, fd);
}

/* Before an image has to go for it; the copy is judged again, for the source can change. */
static bool judge_source(struct store *store)
{
	if (!hash_file(store->job->source, store->hash)) {
		diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_READ, store->job->subject,
			 "read it: %s", strerror(errno));
		return false;
	}
	return check_hash(store) &&
	       update_image_look(store->job->source, store->job->subject, store->job->force,
				 &store->stored->image, store->diag) &&
	       check_signature(store, store->job->source);
}

static bool make_copy(struct store *store)
{
	int fd = create_part(store);
	bool copied;

	if (fd < 0)
		return fail(store, DIAG_UPDATE_WRITE, "make a file for the copy", errno);
	copied = copy(store, fd) && check_hash(store);
	if (close(fd) && copied)
		return fail(store, DIAG_UPDATE_WRITE, "write the image", errno);
	if (copied)
		say(store, "reading it back");
	return copied && judge_copy(store);
}

/* --- its place --- */

/*
 * Whether an image can have that name without tries: none that must stay has it, for one of the two could
 * never be found to be good.
 */
static bool is_name_free(const struct store *store, const char *good)
{
	if (strcasecmp(good, store->job->running) == 0)
		return false;
	for (unsigned i = 0; i < store->count; i++)
		if (store->kept[i].pinned && strcasecmp(store->kept[i].entry.good, good) == 0)
			return false;
	return true;
}

/* Beside the running image of the same version: hvinit_1.0r2.efi, which the loader starts before it. */
static bool choose_name(struct store *store)
{
	struct update_stored *stored = store->stored;
	char base[BOOTENTRY_PATH];

	for (unsigned n = 1; n < AGAIN; n++) {
		str_format(base, sizeof(base), PREFIX "%s", stored->image.version);
		if (n > 1)
			str_format(base, sizeof(base), PREFIX "%sr%u", stored->image.version, n);
		str_format(stored->good, sizeof(stored->good), "%s" SUFFIX, base);
		str_format(stored->name, sizeof(stored->name), "%s+%d" SUFFIX, base, UPDATE_TRIES);
		if (is_name_free(store, stored->good))
			return true;
	}
	diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_WRITE, "ESP",
		 "name the image: all names for version %s are taken", stored->image.version);
	return false;
}

/*
 * One of that very name is exchanged for the new one, and goes as what the copy was. The kernel makes a
 * new name for nothing at first, and writes where the file is when the file is synced: this comes before
 * the folders, or an empty image could be all there is.
 */
static bool move_in(struct store *store)
{
	_cleanup_fd_ int file = openat(store->staging, store->part, O_RDONLY | O_CLOEXEC);
	const char *name = store->stored->name;
	bool exchanged = false;

	if (file < 0)
		return fail(store, DIAG_UPDATE_WRITE, "open the copy", errno);
	if (renameat2(store->staging, store->part, store->images, name, RENAME_NOREPLACE)) {
		if (errno != EEXIST ||
		    renameat2(store->staging, store->part, store->images, name, RENAME_EXCHANGE))
			return fail(store, DIAG_UPDATE_WRITE, "rename the image", errno);
		exchanged = true;
	}
	if (!exchanged)
		store->part[0] = '\0';
	if (fsync(file) || fsync(store->images) || fsync(store->staging) || syncfs(store->job->esp))
		return fail(store, DIAG_UPDATE_WRITE, "write the folders", errno);
	return true;
}

/* Those of the same version whose tries or good name would stand in the new one's way. */
static void drop_replaced(struct store *store)
{
	for (unsigned i = 0; i < store->count; i++) {
		const struct kept *kept = &store->kept[i];

		if (strcasecmp(kept->entry.good, store->stored->good) == 0 && !kept->running &&
		    strcasecmp(kept->entry.name, store->stored->name) != 0 &&
		    !drop(store, kept, "the new image is of the same version"))
			return;
	}
}

/* What the loader would start before the new image. */
static void find_newest(struct store *store)
{
	const char *best = store->stored->good;

	store->stored->newest[0] = '\0';
	for (unsigned i = 0; i < store->count; i++) {
		const struct kept *kept = &store->kept[i];

		if (is_exhausted(kept) || version_order(kept->entry.good, best) <= 0)
			continue;
		best = kept->entry.good;
		str_copy(store->stored->newest, sizeof(store->stored->newest), kept->entry.name);
	}
}

static bool put(struct store *store)
{
	struct stat st;
	bool done;

	clean_staging(store);
	if (list_images(store))
		return fail(store, DIAG_UPDATE_WRITE, "list images", errno);
	if (fstat(store->job->source, &st)) {
		diag_add(store->diag, DIAG_HOST, DIAG_UPDATE_READ, store->job->subject,
			 "read it: %s", strerror(errno));
		return false;
	}
	if (!judge_source(store) || !make_room(store, (uint64_t)st.st_size))
		return false;
	say(store, "writing %llu KiB to the EFI system partition",
	    (unsigned long long)st.st_size >> 10);
	done = make_copy(store) && choose_name(store) && move_in(store);
	if (store->part[0])
		unlinkat(store->staging, store->part, 0);
	if (!done)
		return false;
	drop_replaced(store);
	find_newest(store);
	return true;
}

bool update_store(const struct update_job *job, struct update_stored *stored, struct diag *diag)
{
	_cleanup_fd_ int staging = open_folder(job->esp, ESP_STAGING);
	_cleanup_fd_ int images = openat(job->esp, ESP_IMAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct store store = { .job = job, .stored = stored, .diag = diag };

	*stored = (struct update_stored){ .name = "" };
	store.images = images;
	store.staging = staging;
	if (images < 0)
		return fail(&store, DIAG_UPDATE_ESP, "open the folder of images", errno);
	if (staging < 0)
		return fail(&store, DIAG_UPDATE_ESP, "make a folder for the copy", errno);
	if (flock(staging, LOCK_EX | LOCK_NB)) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_BUSY, "ESP",
			 "have it for this update alone: %s", strerror(errno));
		return false;
	}
	return put(&store);
}
