/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children of PID 1 that do what can block: how they begin, what they keep open, how they report.
 * For launch.c and launch_devices.c; what PID 1 has of them is in launch.h.
 */
#ifndef HVINIT_CHILD_H
#define HVINIT_CHILD_H

#include <stdbool.h>

#include "launch.h"

/* The report channel's place in a child. */
enum { CHILD_FD_REPORT = 12 };

/* SO_PASSRIGHTS (asm-generic/socket.h, Linux 6.16): whether a socket takes descriptors. */
enum { CHILD_PASSRIGHTS = 83 };

/* The status of a child that could not do its work. */
enum { CHILD_FAILED = 1 };

/* The child's ends of its channels; -1: it has none. */
struct child_ends {
	int qmp;
	int serial;
	int ctl;
	int words;
	int report;
};

/* What a child is for. */
struct child_job {
	void (*run)(const struct child_job *job, const struct child_ends *ends);
	const struct config *config;
	unsigned slot; /* of a VM */
	unsigned hostdev; /* of a device */
	bool grouped; /* the VM has a control group */
	bool probe; /* for the host */
};

enum child_channels {
	CHILD_REPORTS, /* only a report channel */
	CHILD_TALKS, /* QMP and serial socket pairs, and a pipe for words, too */
	CHILD_TALKS_CTL, /* the same, and a socket pair for CTL */
};

/*
 * Forks; the child runs job->run(), which does not return, with its ends of the channels. qmp, if
 * it is not negative, is a socket of which the child gets a copy in place of a new one. PID 1's
 * ends are in launch, whose cgroup is left as it is. 0 or a negative errno with nothing left open.
 */
int child_start(const struct child_job *job, enum child_channels channels, int qmp,
		struct launch *launch);

/*
 * What every child does first: signals unblocked, only its channels open, at the numbers of argv.h.
 * Returns a root of its own (close-on-exec).
 */
int child_begin(const struct child_ends *ends);

/* Tells PID 1, in one message. */
void child_report(const struct launch_report *report);
/* The same, with a descriptor, of which PID 1 gets a copy. 0 or -1 with errno set. */
int child_hand_over(const struct launch_report *report, int fd);
/* Hands over what diag holds; true when one of the findings forbids to go on. */
bool child_findings(const struct diag *diag, int vm);
void child_failure(int vm, enum diag_code code, const char *subject, const char *step,
		   const char *why);
/* The same with errno as the reason, and that is the child's end. */
_Noreturn void child_give_up(int vm, enum diag_code code, const char *subject, const char *step);

#endif
