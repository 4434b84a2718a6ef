/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vm.c (the VMs), vm_table.c (what an event means), vm_stop.c (how one is brought to its end),
 * vm_policy.c (when to start), vm_io.c (what comes in), vm_pulse.c (whether QEMU answers),
 * vm_judge.c (how it ended), vm_release.c and vm_plug.c (its devices) share; for no other room.
 */
#ifndef HVINIT_VM_PRIVATE_H
#define HVINIT_VM_PRIVATE_H

#include "history.h"
#include "launch.h"
#include "loop.h"
#include "qmp.h"
#include "text.h"
#include "vm.h"

enum { VM_WHY = 200, VM_ECHO_LINE = 160 };

/* QMP messages that may come at once, and a second. */
enum { VM_MESSAGES = 512, VM_MESSAGES_A_S = 16 };

/* How far a stop has gone. */
enum stop_step { STOP_NONE, STOP_POWERDOWN, STOP_QUIT, STOP_KILL };

struct vm {
	const struct vm_config *config; /* NULL: the slot has no VM */
	unsigned slot;
	enum vm_state state;
	uint64_t since; /* of this state; CLOCK_BOOTTIME in ms, as the next */
	uint64_t started;
	uint64_t deadline; /* for the guest to obey its power button */
	char why[VM_WHY];
	uint64_t to_running; /* ms that the last start has taken until the guest ran */
	unsigned starts;
	unsigned devices;
	unsigned vsmmus;
	struct confined confined; /* of the last start */
	uint64_t calls_denied;
	bool waiting; /* for its turn to be started */
	unsigned tries; /* starts in a row that did not last */
	uint64_t again_at; /* in VM_BACKOFF: when it starts again */
	uint64_t forgiven; /* what went wrong before does not count */
	struct history history;

	/* Of this start only. */
	pid_t pid; /* 0: no process */
	bool lingering; /* the process is reaped, its cgroup is not empty yet */
	enum stop_step stop;
	bool stop_wanted; /* the end was asked for, by whatever step */
	bool start_wanted; /* after the stop */
	bool execed; /* the launcher has become QEMU */
	bool ran; /* the guest's CPUs have run */
	uint64_t ran_from; /* since when; CLOCK_BOOTTIME in ms */
	unsigned garbage; /* lines that were no QMP messages */
	bool faulty; /* fault is the first finding that ended it */
	int status; /* as waitpid() gave it */
	char reason[QMP_WORD]; /* QEMU's own, from its SHUTDOWN event */
	bool panicked; /* the guest has said so, since it last ran or was reset */
	bool bitten; /* by the guest's watchdog, since the guest was last reset */
	bool io_failed; /* a disk has, and it was told */
	uint64_t reset_told; /* when a reset of the guest was last logged */
	bool hung; /* it was killed because it did not answer */
	unsigned messages; /* of QMP that may come still, as long as no time goes by */
	uint64_t counted; /* when that was counted */
	bool too_many; /* and it was told that there were more */
	uint64_t asked; /* when it was asked for its state; 0: it has answered since */
	struct finding fault;
	const char *refusal; /* why the table did nothing, until the command returns */

	struct source qmp;
	struct source serial;
	struct source words;
	struct source report;
	struct source timer;
	struct source denied; /* tells of system calls that it is refused */
	struct source denied_pause; /* runs while it has asked for too many */
	unsigned denied_now; /* since the last pause */
	unsigned denied_told; /* of this start */
	struct source cgroup; /* tells when a process was the last of them */
	pid_t releasing; /* the child that gives its devices back; 0: none */
	bool release_late; /* and that is taking too long */
	struct source released; /* its reports */
	pid_t plugging; /* the child that attaches or releases one device; 0: none */
	unsigned plug_slot; /* which */
	bool attaching; /* and not releasing */
	/* A bit for each slot: what QEMU was told of a device and has not answered yet. */
	unsigned sent; /* to take it */
	unsigned taken_back; /* to forget its descriptor */
	unsigned asked_for; /* to let the guest give it back */
	unsigned came_back; /* devices that are to be released, a bit for each slot */
	struct source plug; /* the child's reports */
	struct qmp reader;
	struct ring console;
	struct ring words_kept;
	uint64_t words_from; /* where this start's words begin */
	uint64_t words_heeded; /* up to where they were looked at for warnings */
	bool warned[DIAG_CODES]; /* once a start is enough, and a guest cannot fill the logs */
	struct text_filter words_filter;
	struct text_filter echo_filter;
	size_t echo_used;
	char echo[VM_ECHO_LINE];
};

/* Gives the event to the table; of none else may the state be changed. */
void vm_handle(struct vm *vm, enum vm_event event);
const struct config *vm_config(void);
/* The VM of a slot, or NULL. */
struct vm *vm_at(unsigned slot);
uint64_t vm_now_ms(void);
/* How long QEMU may take to pin a guest's memory and realize its devices. */
uint64_t vm_ready_ms(const struct vm_config *vm);
void vm_enter(struct vm *vm, enum vm_state state, const char *why);

/* Logs a finding, and keeps the first one that is a failure: those after it are consequences. */
void vm_fault(struct vm *vm, const struct finding *finding);
PRINTF_LIKE(3, 4)
void vm_fault_text(struct vm *vm, enum diag_code code, const char *fmt, ...);

/* It has ended by itself, or could not be started: it may be time to start it again. */
void vm_policy_ended(struct vm *vm);
/* Something has changed: starts those that have waited for it. */
void vm_policy_proceed(void);
/* It has ended: when none is left, the machine may be to end, too. */
void vm_policy_last(const struct vm *vm);

/* Steps towards its end, for the table; each sets the timer by which the next one comes. */
void vm_stop(struct vm *vm);
void vm_stop_paused(struct vm *vm);
void vm_stop_early(struct vm *vm);
void vm_stop_now(struct vm *vm);
void vm_stop_harder(struct vm *vm);
/* Not asked for: it will be called failed, for the fault that led here. */
void vm_abandon(struct vm *vm);
/* Once more, of what the kernel did not let go of. */
void vm_kill_again(struct vm *vm);
/* The process is reaped: whether nothing of it is left. Else it is killed, and waited for. */
bool vm_is_gone(struct vm *vm);

/* Refuses, counts and tells of system calls that QEMU may not make; owns listener. */
void vm_denial_watch(struct vm *vm, int listener);
void vm_denial_end(struct vm *vm);

/* Its devices are given back, side by side with everything but its own next start. */
void vm_release(struct vm *vm);
/* A child was reaped: true when it was one that gave devices back. */
bool vm_released(pid_t pid);
/* That takes longer than it should. */
void vm_release_late(struct vm *vm);
/* Takes what a launcher says of a device. */
void vm_device(struct vm *vm, const struct launch_report *report);
/*
 * Takes one report of a child that binds or releases devices, and tells what it found. False when
 * there is none; source is closed when there will be no more.
 */
bool vm_read_report(struct vm *vm, struct source *source);

/* QEMU's answer to a command about a device; false when it is none. Its events about devices. */
bool vm_plug_answer(struct vm *vm, const struct qmp_message *m);
void vm_plug_event(struct vm *vm, const struct qmp_message *m);
/* A child was reaped: true when it was one that attaches or releases. */
bool vm_plug_reaped(pid_t pid, int status);
/* QEMU has ended, and all devices with it. */
void vm_plug_ended(struct vm *vm);

/* Tells from all that is known how it ended, and enters the state that this means. */
void vm_judge(struct vm *vm);

/* The guest runs, or no more: whether QEMU has to be asked from time to time. */
void vm_pulse_changed(void);
/* QEMU has answered. */
void vm_pulse_answered(struct vm *vm);

/* Takes over the descriptors of a start; closes them; reads what is left in them. */
void vm_io_open(struct vm *vm, const struct launch *launch);
void vm_io_close(struct vm *vm);
void vm_io_drain(struct vm *vm);

#endif
