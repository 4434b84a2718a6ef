/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invented machines: a sysfs tree in a temporary folder, to be used as a root. */
#ifndef HVINIT_FAKESYS_H
#define HVINIT_FAKESYS_H

#include <stdbool.h>
#include <stddef.h>

/* A PCI device; what is left out (0, NULL) gets no file. */
struct fake_device {
	const char *bdf;
	const char *driver;
	const char *smmu;
	const char *group;
	const char *class; /* as sysfs has it: "0x010802" */
	const char *resource; /* text of the file */
	const char *vfio; /* name of its VFIO device */
	bool bridge;
};

/* A new machine with /dev/iommu, /dev/kvm, 4 GiB, QEMU and vfio-pci. The caller closes the root. */
int fakesys_new(void);

/* Adds a file or link below root, with the folders above it. */
void fakesys_file(int root, const char *path, const char *text);
void fakesys_link(int root, const char *path, const char *target);
void fakesys_device(int root, const struct fake_device *device);
void fakesys_driver(int root, const char *name);
void fakesys_remove(int root, const char *path);

/*
 * A firmware variable, NAME-GUID, of these bytes behind its attributes; the same of a text, in UTF-16
 * with a zero behind it.
 */
void fakesys_variable(int root, const char *name, const void *data, size_t len);
void fakesys_variable_text(int root, const char *name, const char *text);

/* The lab's machine: two SMMUs with an NVMe drive behind each, bridges above them. */
void fakesys_lab(int root);

/* Removes every tree that fakesys_new() made. */
int fakesys_teardown(void **state);

#endif
