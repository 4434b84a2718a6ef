/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount(2), mount_namespaces(7). */
#include "sys_room.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define ROOM "/run/hvinit/room"

enum { PLACE = 320, FOLDER_MODE = 0755, FILE_MODE = 0444 };

/* Makes what path is mounted on, with the folders before it; a symbolic link on the way is made anew. */
static int make_place(const char *path, bool is_folder)
{
	char place[PLACE];
	struct stat st;
	char *slash;
	int fd;

	/* Nothing is made outside. */
	errno = EINVAL;
	if (strstr(path, "/../") || !str_format(place, sizeof(place), ROOM "%s", path))
		return -1;
	for (slash = place + strlen(ROOM) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(place, FOLDER_MODE) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (lstat(place, &st) == 0)
		return 0;
	if (is_folder)
		return mkdir(place, FOLDER_MODE);
	fd = open(place, O_CREAT | O_WRONLY | O_CLOEXEC, FILE_MODE);
	close_fdp(&fd);
	return fd < 0 ? -1 : 0;
}

/* The flags of a bind mount can only be set by a second call. */
static int put(const struct room_thing *thing)
{
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOSUID;
	char place[PLACE];
	struct stat st;

	if (stat(thing->path, &st))
		return thing->may_lack && errno == ENOENT ? 0 : -1;
	if (make_place(thing->path, S_ISDIR(st.st_mode)))
		return -1;
	str_format(place, sizeof(place), ROOM "%s", thing->path);
	if (mount(thing->path, place, NULL, MS_BIND, NULL))
		return -1;
	flags |= thing->is_device ? 0 : MS_RDONLY | MS_NODEV;
	flags |= thing->is_program ? 0 : MS_NOEXEC;
	return mount(NULL, place, NULL, flags, NULL);
}

/* The root of an initramfs cannot be pivoted away from; to move the room onto it hides it as well. */
static int enter(void)
{
	return chdir(ROOM) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/");
}

int sys_room_leave(enum sys_room_of what)
{
	static const int flag[] = {
		[SYS_ROOM_IPC] = CLONE_NEWIPC,
		[SYS_ROOM_UTS] = CLONE_NEWUTS,
		[SYS_ROOM_NET] = CLONE_NEWNET,
	};

	return unshare(flag[what]);
}

const char *sys_room_enter(const struct room_thing *things, unsigned count)
{
	static char step[PLACE];
	static const char options[] = "mode=0755,size=64k,nr_inodes=512";
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (unshare(CLONE_NEWNS))
		return SYS_ROOM_NAMESPACE;
	/* Nothing of this is to be seen outside, nor the other way round. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return "have mounts of its own";
	if ((mkdir("/run/hvinit", FOLDER_MODE) && errno != EEXIST) ||
	    (mkdir(ROOM, FOLDER_MODE) && errno != EEXIST) ||
	    mount("hvinit", ROOM, "tmpfs", flags, options))
		return "make an empty root";
	/* Where the loader of programs is looked for. */
	if (mkdir(ROOM "/usr", FOLDER_MODE) || mkdir(ROOM "/usr/lib", FOLDER_MODE) ||
	    symlink("usr/lib", ROOM "/lib"))
		return "furnish the root";
	for (unsigned i = 0; i < count; i++)
		if (put(&things[i])) {
			snprintf(step, sizeof(step), "furnish the root with %s", things[i].path);
			return step;
		}
	if (mount(NULL, ROOM, NULL, MS_REMOUNT | MS_RDONLY | flags, options))
		return "make the root read-only";
	return enter() ? "enter the root" : NULL;
}
