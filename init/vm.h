/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a VM: one table of state by event, in vm_table.c. */
#ifndef HVINIT_VM_H
#define HVINIT_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "diag.h"
#include "history.h"
#include "ring.h"
#include "symbols.h"
#include "wall.h"

enum vm_state {
	VM_INVALID, /* its part of the manifest has a fault: it cannot be started */
	VM_STOPPED,
	VM_STARTING, /* a launcher is at work, or QEMU has not answered yet */
	VM_PRELAUNCH, /* QEMU has taken its devices and was told to run the guest */
	VM_RUNNING,
	VM_PAUSED,
	VM_STOPPING,
	VM_STUCK, /* killed, but the kernel does not let go of it: others go on without it */
	VM_BACKOFF, /* it ended by itself, and starts again after a while */
	VM_FAILED, /* it ended, or never began, in a way nobody asked for */
	VM_STATES,
};

/* VM_EV_START to VM_EV_RESET are asked for by somebody, the others happen. */
enum vm_event {
	VM_EV_START, /* asked for by the operator, or at boot */
	VM_EV_STOP,
	VM_EV_KILL,
	VM_EV_RESTART, /* stop, then start */
	VM_EV_PAUSE,
	VM_EV_RESUME,
	VM_EV_RESET, /* of the guest, as by the reset button */
	VM_EV_EXEC, /* the launcher becomes QEMU */
	VM_EV_READY, /* QEMU answered query-status: all devices are realized */
	VM_EV_RESUMED, /* the guest's CPUs run */
	VM_EV_PAUSED,
	VM_EV_REFUSED, /* QEMU answered one of our commands with an error */
	VM_EV_LOST, /* QEMU closed its monitor */
	VM_EV_HUNG, /* QEMU has not answered for longer than HANG_S allows */
	VM_EV_TIMEOUT,
	VM_EV_ENDED, /* the process is reaped and all it wrote is read */
	VM_EV_EMPTY, /* no process is left in its cgroup */
	VM_EV_UNFIT, /* the host could not be prepared for it */
	VM_EVENTS,
};

/* What status shows of a VM. */
struct vm_view {
	const char *name;
	const char *state;
	const char *why; /* what led there, or what is going on; "" when that is plain */
	uint64_t again_s; /* of backoff: seconds until it starts again */
	pid_t pid; /* 0: none */
	uint64_t since_s; /* seconds in this state */
	uint64_t to_running_ms; /* the last start that came so far has taken; 0: there was none */
	unsigned starts;
	unsigned devices; /* of the last start */
	unsigned vsmmus;
	const struct confined *confined; /* of the last start */
	uint64_t calls_denied; /* system calls that its QEMU was refused, of all starts */
	const struct history *history;
};

/*
 * Sets up every VM of config, which must stay. A VM that diag has a failure for is invalid. Takes
 * all memory that the VMs' logs will ever need. 0 or a negative errno.
 */
int vm_init(const struct config *config, const struct diag *diag);

/* "running": what status shows. */
const char *vm_state_name(enum vm_state state);
/* The slot of a VM by name, or -1. */
int vm_find(const char *name);
bool vm_exists(unsigned slot);
/*
 * From now on those with AUTOSTART are started, in the order of START_ORDER; those that need what
 * host_prepare() makes once vm_host_ready() was called, or after two minutes without it.
 */
void vm_autostart(void);
/* When all of those run, this boot is a good one, whatever was counted against it. */
void vm_judge_boot(void);
void vm_host_ready(void);
/* Takes a finding about a VM that was made while the host was prepared; a failure is the VM's. */
void vm_unfit(unsigned slot, const struct finding *finding);
/* From now on no VM is started but by VM_EV_START; one that waits for its next start is stopped. */
void vm_safe(void);
/* Gives the event to the table; returns NULL, or why nothing was done. */
const char *vm_command(unsigned slot, enum vm_event event);
/*
 * Attaches HOSTDEV slot hostdev to a VM that runs; lets the guest give it back. NULL, or why nothing
 * was done; what comes of it is logged.
 */
const char *vm_attach(unsigned slot, unsigned hostdev);
const char *vm_detach(unsigned slot, unsigned hostdev);

/* waitpid() has told of a child, which may only have been stopped: true when it is a VM's. */
bool vm_reaped(pid_t pid, int status);
/*
 * Whether a VM has a process, or its devices are being given back, and for how many that is so.
 * What does not come to an end does not count: nobody waits for it.
 */
bool vm_is_active(unsigned slot);
unsigned vm_active(void);
/* START_ORDER of a VM that exists. */
int64_t vm_order(unsigned slot);
struct vm_view vm_look(unsigned slot);

/* Bytes typed for the guest's console; false when the guest does not take them. */
bool vm_type(unsigned slot, const char *data, size_t len);
const struct ring *vm_console(unsigned slot);
/* What launcher and QEMU wrote to stdout and stderr. */
const struct ring *vm_words(unsigned slot);

#endif
