/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host on which a VM's whole life is a story: launchers, QEMU and the guest do what the test says,
 * at the other ends of the channels that PID 1 has. The VM is the one in slot 0, "demo", unless
 * another was chosen.
 */
#ifndef HVINIT_FAKEQEMU_H
#define HVINIT_FAKEQEMU_H

#include <stdbool.h>
#include <signal.h>

#include "diag.h"
#include "launch.h"
#include "loop.h"
#include "shutdown.h"
#include "standins.h"
#include "symbols.h"
#include "vm.h"

/* Statuses as waitpid() gives them. */
enum { STATUS_OK = 0, STATUS_1 = 1 << 8, KILLED = SIGKILL, SEGFAULT = SIGSEGV };

enum channel { QMP, SERIAL, WORDS, REPORT, CGROUP, CHANNELS };

extern struct config config;
extern struct diag faults; /* of the manifest: what the VMs are set up with */

/* What a launcher or QEMU has in its hands. */
extern struct launch theirs;
extern struct source *channels[CHANNELS]; /* PID 1's, of the last start */
extern int launch_error; /* the errno that it fails with; 0: it does not. So the other errors, too */
extern unsigned launches;
extern char order[64]; /* names of VMs as they were started */
extern unsigned learned; /* VMs whose SMMUs were asked, a bit for each slot */

extern bool timer_runs_out;
extern struct source *patience; /* the timer that is no VM's; it stays from story to story */
extern uint64_t patience_ms;
extern struct source *pulse; /* the timer by which QEMU is asked whether it is there; it stays, too */
extern uint64_t pulse_ms;
extern uint64_t clock_ms; /* added to the real one */

extern bool grouped; /* VMs have a control group */
extern bool populated; /* and a process is in it */
extern unsigned groups_killed;
extern unsigned oom_kills;
extern pid_t killed;
extern int killed_with; /* signals, a bit each */

extern pid_t releaser; /* the child that gives devices back */
extern int releaser_report;
extern int release_error;
extern unsigned releases;

extern bool going_down;
extern bool critical_up; /* what was last said of the VMs that an image is judged by */
extern bool trial_suspended;
extern int shutdowns; /* a bit for each enum shutdown_how that was asked for */
extern unsigned guest_ended;
extern unsigned guest_printed; /* times that the console was told of it */
extern int pin_error;
extern char pins[64]; /* process and CPUs that were asked for */

/* A fixture: one VM, stopped, without a device. */
int story_begin(void **state);
int story_end(void **state);
#define STORY(title, function) FIXTURE(title, function, story_begin, story_end, NULL)

/* Sets the VMs up again, after a change of config. */
void set_up(void);
/* From now on things happen to that VM. */
void choose(unsigned slot);

/* --- what can happen --- */

void write_all(int fd, const void *data, size_t len);
void wake(enum channel which);
void qmp(const char *line);
/* QEMU's words. */
void words(const char *text);
/* A launcher's finding. */
void finding(enum diag_code code, const char *text);
/* The host could not be prepared for it. */
void unfit(enum diag_code code);
void happen_exec(void);
void happen_ready(void);
void happen_resume(void);
void happen_pause(void);
void happen_refused(void);
/* QEMU closes its monitor. */
void happen_lost(void);
void happen_timeout(void);
/* QEMU has not answered for as long as it may take. */
void happen_hung(void);
void happen_empty(void);
void end_process(int status);
void end_process_of(unsigned slot, int status);

const char *command(enum vm_event event);
/* From stopped, and forgets what QEMU was told on the way. */
void go_running(void);

/* What PID 1 told QEMU since the last time. */
const char *told(void);
void assert_state(const char *state);
/* It has ended in that state, for that cause; all but "stopped" is a failure. */
void assert_ended(const char *state, enum end_cause cause);

#endif
