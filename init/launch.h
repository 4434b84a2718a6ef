/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a VM: a child of PID 1 plans, checks, claims the devices, gives up its privileges and
 * becomes QEMU. PID 1 never holds a device's descriptor, and nothing that can block is done in it.
 */
#ifndef HVINIT_LAUNCH_H
#define HVINIT_LAUNCH_H

#include <sys/types.h>

#include "device.h"
#include "diag.h"
#include "symbols.h"
#include "wall.h"

/* What a launcher tells PID 1, each in one message of a socket that execve() closes. */
enum launch_event {
	LAUNCH_FINDING, /* something is wrong, or worth a warning */
	LAUNCH_LISTENER, /* listener tells of system calls that it is refused: see sys_deny.h */
	LAUNCH_EXEC, /* execve() is the next thing it does */
	LAUNCH_DEVICE, /* a device's state has changed; finding has its BDF and why */
	LAUNCH_RESERVED, /* the host's: no VM's device can meet a host driver any more */
	LAUNCH_READY, /* the host's: what VMs need of it is there */
};

struct launch_report {
	enum launch_event event;
	unsigned devices; /* LAUNCH_EXEC: what the plan holds */
	unsigned vsmmus;
	struct confined confined; /* LAUNCH_EXEC */
	unsigned hostdev; /* LAUNCH_DEVICE: its slot in the manifest */
	enum device_state device;
	int listener; /* set by launch_read(), whose caller owns it (close-on-exec); -1: none */
	struct finding finding;
};

/* PID 1's ends, all non-blocking and close-on-exec; PID 1 owns them. */
struct launch {
	pid_t pid;
	int qmp;
	int serial;
	int ctl; /* of a VM with CTL; else -1 */
	int words; /* what launcher and QEMU write to stdout and stderr */
	int report; /* struct launch_report records */
	int cgroup; /* a VM's: see sys_cgroup.h; -1: the machine has no control groups */
};

#define LAUNCH_NOTHING ((struct launch){ -1, -1, -1, -1, -1, -1, -1 })

/* Starts VM slot of config. 0, or a negative errno with nothing left open. */
int launch_vm(const struct config *config, unsigned slot, struct launch *launch);

/* In place of a HOSTDEV slot: all that the VM has. */
enum { LAUNCH_ALL = HV_HOSTDEV_SLOTS };

/*
 * Takes devices of a VM, which has let go of them, from their VFIO drivers, so that they have none;
 * those that do not answer any more are told of as quarantined. Only launch->report is there, and
 * ends when it is done. 0 or a negative errno.
 */
int launch_release(const struct config *config, unsigned slot, unsigned hostdev,
		   struct launch *launch);

/*
 * Gives a device of its manifest to a VM that runs: binds and opens it and sends it over qmp, the
 * socket that PID 1 reads, with the commands "getfd" and "device_add", whose ids are PLUG_GETFD and
 * PLUG_ATTACH with the slot's number. The child ends by status 0 when they are sent; QEMU's answers
 * come to PID 1. Otherwise as launch_release().
 */
int launch_attach(const struct config *config, unsigned slot, unsigned hostdev, int qmp,
		  struct launch *launch);

#define PLUG_GETFD "getfd:"
#define PLUG_ATTACH "attach:"
/* The name by which QEMU knows the descriptor between the two. */
#define PLUG_FD "hostdev%u-fd"

/*
 * Prepares the machine, in a child: huge pages are set aside, no driver may find a device by
 * itself, each of the manifest's devices is reserved for its VFIO driver (LAUNCH_RESERVED), and
 * only then, if probe, the host's modules are loaded and all else is made (LAUNCH_READY). Findings
 * come through launch->report, those about a VM before the report that it waits for; there are no
 * other channels. 0 or a negative errno.
 */
int launch_host(const struct config *config, bool probe, struct launch *launch);

/*
 * Keeps what the SMMUs behind a running VM say of themselves (probe.h), in a child, unless all of
 * that is kept by now. To ask before QEMU is started would reset each SMMU's device twice more;
 * QEMU's own iommufd gives the same answer for nothing.
 */
void launch_learn(const struct config *config, unsigned slot, pid_t qemu);

/*
 * Reads one record from a report channel: 1, 0 when there is none yet, -ENODATA at its end, else a
 * negative errno.
 */
int launch_read(int fd, struct launch_report *report);

#endif
