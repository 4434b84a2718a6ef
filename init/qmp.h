/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's machine protocol: lines of JSON, read in fixed memory. */
#ifndef HVINIT_QMP_H
#define HVINIT_QMP_H

#include <stdbool.h>
#include <stddef.h>

enum { QMP_LINE = 8192, QMP_WORD = 48, QMP_TEXT = 160 };

enum qmp_kind { QMP_GREETING, QMP_RETURN, QMP_ERROR, QMP_EVENT };

/* What hvinit wants to know of a message; words that were not there are "". */
struct qmp_message {
	enum qmp_kind kind;
	char id[QMP_WORD]; /* of the command that is answered */
	char name[QMP_WORD]; /* the event, or the status that query-status returns */
	char reason[QMP_WORD]; /* of a SHUTDOWN event */
	char device[QMP_WORD]; /* of an event about a device: its id */
	char text[QMP_TEXT]; /* description of an error */
};

struct qmp {
	size_t used;
	bool skipping; /* in a line that is too long, up to its end */
	char line[QMP_LINE];
};

struct qmp_handler {
	void (*message)(void *arg, const struct qmp_message *message);
	/* A line that was no message: too long, no JSON, or none of the four kinds. */
	void (*garbage)(void *arg, const char *why);
	void *arg;
};

void qmp_init(struct qmp *qmp);

/* Takes bytes as they come and calls the handler for each whole line. */
void qmp_feed(struct qmp *qmp, const char *data, size_t len, const struct qmp_handler *handler);

/*
 * Sends {"execute": command, "id": id}. 0, or a negative errno; -EAGAIN means that QEMU has not
 * read its commands for long, which is a fault of its own.
 */
int qmp_send(int fd, const char *command, const char *id);

/*
 * The same with arguments, an object in JSON, and, if passed is not negative, with that descriptor
 * for "getfd". QEMU gets a copy of it; -EMSGSIZE when it is too long.
 */
int qmp_send_with(int fd, const char *command, const char *arguments, const char *id, int passed);

#endif
