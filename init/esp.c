/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loader's partition, by the variable that systemd-boot and its stub leave. */
#include "esp.h"

#include <errno.h>
#include <poll.h>

#include "module.h"
#include "sys_use.h"
#include "util.h"
#include "wait.h"

enum { APPEAR_S = 10, BUSY_MS = 100, BUSY_TIMES = 100 };

struct search {
	int root;
	char uuid[SYS_UUID];
	struct sys_partition *partition;
	int error;
};

static bool is_there(void *arg)
{
	struct search *search = arg;

	search->error = sys_partition_find(search->root, search->uuid, search->partition);
	return search->error != -ENOENT;
}

int esp_find(int root, struct sys_partition *partition)
{
	struct search search = { .root = root, .partition = partition };

	if (sys_boot_partition(root, search.uuid, sizeof(search.uuid)))
		return -ENODATA;
	wait_until(is_there, &search, boottime_us() + APPEAR_S * UINT64_C(1000000));
	return search.error;
}

int esp_mount_found(int root, const struct sys_partition *partition, bool writable)
{
	/* The kernel does not look for a character set's module itself: nothing answers it. */
	static const char *const modules[] = { "nls_cp437", "nls_iso8859-1", "vfat" };

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		int error = module_load(root, modules[i]);

		/* What is no module may be built in; if it is not, the mount tells. */
		if (error && error != -ENOENT)
			return error;
	}
	/* Who only looks at it meanwhile has it mounted in another way, and is soon done. */
	for (int times = 1;; times++) {
		int top = sys_mount_detached(partition->node, "vfat", writable);

		if (top != -EBUSY || times == BUSY_TIMES)
			return top;
		poll(NULL, 0, BUSY_MS);
	}
}

int esp_mount(int root, bool writable)
{
	struct sys_partition partition;
	int error = esp_find(root, &partition);

	return error ? error : esp_mount_found(root, &partition, writable);
}

const char *esp_error(int error)
{
	switch (error) {
	case -ENODATA:
		return "the boot loader does not tell which partition it came from";
	case -ENOENT:
		return "no disk that has a driver has the partition that the boot loader came from";
	case -EEXIST:
		return "two disks have a partition of the boot loader's UUID";
	case -EACCES:
	case -EROFS:
		return "its disk is write-protected";
	default:
		return strerror(-error);
	}
}
