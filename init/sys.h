/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's files: this room and those named sys_… are the only ones that name a path under /sys,
 * /dev or /proc, and the seam that tests replace. root is a descriptor of the folder that stands for
 * "/": the pure rooms get a recorded or invented tree, PID 1 gets the real one. Reads return a
 * length or 0, or a negative errno.
 */
#ifndef HVINIT_SYS_H
#define HVINIT_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Nodes of devices that QEMU opens by their paths. */
#define SYS_DEV_KVM "/dev/kvm"
#define SYS_DEV_NULL "/dev/null"
#define SYS_DEV_URANDOM "/dev/urandom"

enum { SYS_BDF = sizeof("0000:00:00.0"), SYS_NAME = 64 };

/* Opens dir as a root; the caller owns the descriptor (close-on-exec). */
int sys_root_open(const char *dir);

/*
 * Reads a file below root into buf, terminates it, and cuts a trailing newline. Returns the
 * length; -EFBIG when it does not fit.
 */
ssize_t sys_read(int root, const char *path, char *buf, size_t size);
/* The same for what is no text: nothing is cut or added. */
ssize_t sys_read_bytes(int root, const char *path, void *buf, size_t size);
bool sys_exists(int root, const char *path);
/* The base name of what a link below root leads to. 0 or a negative errno, with an empty name. */
int sys_link(int root, const char *path, char *name, size_t size);
/* Writes text in one go to a file that is there: a value of sysfs. 0 or a negative errno. */
int sys_write(int root, const char *path, const char *text);
/*
 * Calls each for every name in a folder that does not begin with a dot, in no order, until it
 * returns non-zero, and returns that. Takes no memory: for PID 1, too.
 */
int sys_names(int root, const char *path, int (*each)(void *arg, const char *name), void *arg);

/* The same for a folder that is open and has not been read yet. */
int sys_names_in(int fd, int (*each)(void *arg, const char *name), void *arg);

/*
 * A PCI device's folder, as a root for its attributes: who reads many of them need not look for it
 * each time. The caller owns the descriptor (close-on-exec). A negative errno: no such device.
 */
int sys_pci_open(int root, const char *bdf);

/* A PCI device's attribute, the base name of one of its links, its writable attributes. */
ssize_t sys_pci_read(int root, const char *bdf, const char *attr, char *buf, size_t size);
int sys_pci_link(int root, const char *bdf, const char *link, char *name, size_t size);
int sys_pci_write(int root, const char *bdf, const char *attr, const char *text);
/*
 * Revision and class code as the device itself gives them now, and not as the kernel remembers them;
 * a virtual function has no vendor's id of its own there. Only these bytes are read: others can do
 * harm.
 */
int sys_pci_class_now(int root, const char *bdf, uint32_t *class);
bool sys_pci_has(int root, const char *bdf, const char *attr);

/*
 * Waits until nobody else of ours binds or unbinds the device. A descriptor, which the caller owns
 * (close-on-exec): closing it lets others go on. Can block for as long as a driver does.
 */
int sys_pci_lock(int root, const char *bdf);

/* Calls each for every PCI device, in no order, until it returns non-zero, and returns that. */
int sys_pci_each(int root, int (*each)(void *arg, const char *bdf), void *arg);

/* Whether the PCI bus has a driver of that name; asks the bus to find a driver for a device. */
bool sys_driver_exists(int root, const char *driver);
/* Calls each for every PCI driver, as sys_pci_each() does for devices. */
int sys_driver_each(int root, int (*each)(void *arg, const char *driver), void *arg);
int sys_driver_probe(int root, const char *bdf);
/* From now on no new device or driver of the PCI bus is matched by itself. */
int sys_autoprobe_off(int root);

/*
 * The name ("vfio3") of a device's VFIO character device. -ENOENT: it has none; -ENOTTY: it is a
 * device without an IOMMU ("noiommu-vfio3"), which is never passed on.
 */
int sys_vfio_name(int root, const char *bdf, char *name, size_t size);
/* Open for reading and writing, close-on-exec; the caller owns the descriptor. */
int sys_vfio_open(int root, const char *name);
int sys_iommufd_open(int root);
int sys_null_open(int root);
/* The folder of the caller's own descriptors, for sys_names_in(); it is among them. */
int sys_own_fds_open(void);
bool sys_iommufd_exists(int root);
bool sys_kvm_exists(int root);
/* Lets a group read and write the KVM device. */
int sys_kvm_group(int root, gid_t gid);

/* What is kept of an SMMU for this boot: a short text; the folder is made. */
ssize_t sys_smmu_kept(int root, const char *smmu, char *buf, size_t size);
int sys_smmu_keep(int root, const char *smmu, const char *text);

/*
 * A copy of a process' descriptor, close-on-exec; the caller owns it. -ENOTTY when it is not one of
 * /dev/iommu: a QEMU that a guest has taken over may have put anything in its place.
 */
int sys_iommufd_of(int root, pid_t pid, int fd);

/* Memory of the machine in KiB, and what of it nobody uses; 0 when unknown. */
uint64_t sys_memory_kib(int root);
uint64_t sys_memory_free_kib(int root);

/* Blocks no signal any more: PID 1 blocks them all, and its children inherit that. */
void sys_unblock_signals(void);

/* Closes descriptors first to last. */
int sys_close_range(unsigned first, unsigned last);

/* --- PID 1 only: these act on the running machine --- */

/*
 * Mounts proc, sysfs, devtmpfs, /run, /tmp, cgroup2, efivarfs, pstore and securityfs. Returns the first
 * error, with the place it concerns in *where.
 */
int sys_mount_all(const char **where);
/*
 * Calls each with the path of every console that the kernel's command line names and that there is,
 * and with its speed there, 0 when that is not told; with the kernel's own when there is none. Opens
 * a terminal, non-blocking and close-on-exec; the caller owns the descriptor.
 */
void sys_console_each(void (*each)(void *arg, const char *path, unsigned baud), void *arg);
int sys_tty_open(const char *path);
/* The kernel log: for writing, and for reading from its end on (both non-blocking). */
int sys_kmsg_open(void);
int sys_kmsg_follow(void);
/* Kernel messages: none on the console but emergencies. */
void sys_printk_quiet(void);
/* The kernel command line. */
ssize_t sys_cmdline(char *buf, size_t size);
/*
 * What of a command line the kernel does not read: from its first "--" on (kernel/params.c), or the
 * end of it.
 */
const char *cmdline_rest(const char *cmdline);
/* What "uname -r" prints; "" when it fails. */
int sys_kernel_release(char *buf, size_t size);

#endif
