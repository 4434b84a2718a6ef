/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every descriptor of QEMU's is opened here, and has the number that the argv says. */
#include "open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "claim.h"
#include "manifest.h"
#include "net.h"
#include "sys_host.h"
#include "util.h"

enum { COPY = 64 * 1024, PATH_SIZE = 256 };

struct job {
	int root;
	const struct config *config;
	const struct plan *plan;
	struct opened *opened;
	struct diag *diag;
};

PRINTF_LIKE(4, 5)
static bool fail(const struct job *job, enum diag_code code, const char *last, const char *fmt, ...)
{
	char symbol[DIAG_SUBJECT];
	char text[DIAG_TEXT];
	va_list ap;

	str_format(symbol, sizeof(symbol), "VM%u_%s", job->plan->slot, last);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(job->diag, (int)job->plan->slot, code, symbol, "%s", text);
	return false;
}

int open_put(int fd, int number)
{
	if (fd == number)
		return fcntl(fd, F_SETFD, 0);
	if (dup2(fd, number) < 0)
		return -1;
	return close(fd);
}

static bool put(const struct job *job, int fd, int number)
{
	if (open_put(fd, number)) {
		diag_add(job->diag, (int)job->plan->slot, DIAG_LAUNCH_FAIL, job->plan->vm->name,
			 "put a descriptor at %d: %s", number, strerror(errno));
		close(fd);
		return false;
	}
	job->opened->at[number] = true;
	return true;
}

/* --- devices --- */

static bool open_devices(const struct job *job)
{
	const struct plan *plan = job->plan;
	int vm = (int)plan->slot;
	int fd;

	if (plan->devices == 0)
		return true;
	fd = claim_iommufd(job->root, vm, job->diag);
	if (fd < 0 || !put(job, fd, ARGV_FD_IOMMUFD))
		return false;
	for (unsigned i = 0; i < plan->devices; i++) {
		if (plan->device[i].absent)
			continue;
		fd = claim_open(job->root, plan->device[i].bdf, vm, job->diag);
		if (fd < 0 || !put(job, fd, (int)(ARGV_FD_HOSTDEV + i)))
			return false;
	}
	return true;
}

/* --- disks --- */

/* Opens neither what could block (a FIFO) nor what is no disk; -EINVAL for those. */
static int open_disk_file(int root, const struct disk_config *disk)
{
	const char *path = disk->path + strspn(disk->path, "/");
	struct stat st;
	int fd;

	if (fstatat(root, path, &st, 0))
		return -errno;
	if (manifest_disk_is_block(disk) ? !S_ISBLK(st.st_mode) : !S_ISREG(st.st_mode))
		return -EINVAL;
	/* QEMU looks for a descriptor of just the mode that it needs. */
	fd = openat(root, path, (disk->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool open_disk(const struct job *job, unsigned i)
{
	const struct disk_config *disk = &job->plan->vm->disk[i];
	int fd = open_disk_file(job->root, disk);
	const char *wrong = manifest_disk_is_block(disk) ?
				    "it is not a block device" :
				    "it is not a file, and block devices are below /dev";
	char last[32];

	str_format(last, sizeof(last), "DISK%u_PATH", i);
	if (fd < 0)
		return fail(job, DIAG_DISK_OPEN, last, "open %.192s: %s", disk->path,
			    fd == -EINVAL ? wrong : strerror(-fd));
	return put(job, fd, (int)(ARGV_FD_DISK + i));
}

/* --- network interfaces --- */

static int64_t bridge_mtu(const struct config *config, const char *bridge)
{
	for (unsigned i = 0; i < HV_BRIDGE_SLOTS; i++)
		if (strcmp(config->host.bridge[i].name, bridge) == 0)
			return config->host.bridge[i].mtu;
	return HV_AUTO;
}

static bool open_tap(const struct job *job, unsigned i)
{
	const char *bridge = job->plan->vm->net[i].bridge;
	char last[32];
	struct tap tap = { .bridge = bridge, .mtu = bridge_mtu(job->config, bridge) };
	const char *step = "name it";
	int fd = -ENAMETOOLONG;

	str_format(last, sizeof(last), "NET%u_BRIDGE", i);
	if (str_format(tap.name, sizeof(tap.name), "vm%unet%u", job->plan->slot, i))
		fd = net_open_tap(job->root, &tap, &step);
	if (fd < 0)
		return fail(job, DIAG_TAP_OPEN, last, "tap %s on bridge %s: %s: %s", tap.name,
			    bridge, step, strerror(-fd));
	return put(job, fd, (int)(ARGV_FD_NET + i));
}

/* --- flash --- */

/* Copies the whole of from; -EFBIG when it is more than a flash chip holds. */
static int copy_file(int from, int to)
{
	static char data[COPY];
	uint64_t total = 0;
	ssize_t n;

	while ((n = read(from, data, sizeof(data))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		total += (uint64_t)n;
		if (total > QEMU_FLASH_BYTES)
			return -EFBIG;
		if (write(to, data, (size_t)n) != n)
			return errno ? -errno : -EIO;
	}
	return 0;
}

/* A copy in memory, sparse and of the chip's size, that nobody can write to any more. */
static int make_code(int from)
{
	_cleanup_fd_ int fd = memfd_create("firmware", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd < 0)
		return -errno;
	error = copy_file(from, fd);
	if (error)
		return error;
	if (ftruncate(fd, QEMU_FLASH_BYTES) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		return -errno;
	return sys_reopen(fd, O_RDONLY);
}

static bool open_code(const struct job *job)
{
	const char *path = job->plan->vm->firmware;
	_cleanup_fd_ int from = -1;
	int fd;

	from = openat(job->root, path + strspn(path, "/"), O_RDONLY | O_CLOEXEC);
	fd = from < 0 ? -errno : make_code(from);
	if (fd < 0)
		return fail(job, fd == -EFBIG ? DIAG_FW_SIZE : DIAG_FLASH_OPEN, "FIRMWARE",
			    "make a flash chip of %.120s: %s", path, strerror(-fd));
	return put(job, fd, ARGV_FD_FIRMWARE);
}

/* Opens the file of variables, which the firmware formats when it is all zeroes. */
static int open_vars_file(int root, const char *path)
{
	_cleanup_fd_ int fd = openat(root, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size == 0 && ftruncate(fd, QEMU_FLASH_BYTES))
		return -errno;
	if (st.st_size != 0 && (uint64_t)st.st_size != QEMU_FLASH_BYTES)
		return -EMSGSIZE;
	return steal_fd(&fd);
}

static bool open_vars(const struct job *job)
{
	static const char state[] = SYS_STATE;
	char path[PATH_SIZE];
	int fd = -ENAMETOOLONG;

	if (!sys_state_mounted(job->root))
		return fail(job, DIAG_STATE_NONE, "UEFI_VARS",
			    "keep variables: no state partition is mounted at " SYS_STATE);
	if (str_format(path, sizeof(path), "%s/%s", state + 1, job->plan->vm->name)) {
		if (mkdirat(job->root, path, 0700) && errno != EEXIST)
			fd = -errno;
		else if (str_format(path, sizeof(path), "%s/%s/vars.fd", state + 1,
				    job->plan->vm->name))
			fd = open_vars_file(job->root, path);
	}
	if (fd == -EMSGSIZE)
		return fail(job, DIAG_FW_SIZE, "UEFI_VARS", "use /%s: it is not as large as a chip",
			    path);
	if (fd < 0)
		return fail(job, DIAG_FLASH_OPEN, "UEFI_VARS", "open /%s: %s", path, strerror(-fd));
	return put(job, fd, ARGV_FD_VARS);
}

bool open_all(int root, const struct config *config, const struct plan *plan, struct opened *opened,
	      struct diag *diag)
{
	const struct job job = { root, config, plan, opened, diag };
	bool ok = open_devices(&job);

	for (unsigned i = 0; ok && i < plan->disks; i++)
		ok = open_disk(&job, i);
	for (unsigned i = 0; ok && i < plan->nets; i++)
		ok = open_tap(&job, i);
	if (ok && plan->vm->uefi_vars == VM_UEFI_VARS_KEEP)
		ok = open_code(&job) && open_vars(&job);
	return ok;
}

int open_close_others(const struct opened *opened, int keep)
{
	for (int fd = 3; fd < ARGV_FD_END; fd++)
		if (!opened->at[fd] && fd != keep)
			close(fd);
	return sys_close_range(ARGV_FD_END, ~0U);
}

struct meant {
	const struct opened *opened;
	int keep;
	int fds;
};

static int is_stray(void *arg, const char *name)
{
	const struct meant *meant = arg;
	long fd = strtol(name, NULL, 10);

	if (fd <= STDERR_FILENO || fd == meant->keep || fd == meant->fds)
		return 0;
	return fd >= ARGV_FD_END || !meant->opened->at[fd];
}

int open_verify(int fds, const struct opened *opened, int keep)
{
	struct meant meant = { opened, keep, fds };
	int result = sys_names_in(fds, is_stray, &meant);

	if (result == 0)
		return 0;
	errno = result < 0 ? -result : EBADF;
	return -1;
}
