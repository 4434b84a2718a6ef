/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's log. PID 1 writes its messages to the kernel log and shows what it reads back from
 * there, so that kernel lines and its own come in order with one clock, and never in the middle of
 * a line that is being typed.
 */
#ifndef HVINIT_LOG_H
#define HVINIT_LOG_H

#include "diag.h"
#include "ring.h"

enum log_level { LOG_LEVEL_ERR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6 };

/* Kernel lines above this level (0 to 7) are kept but not shown. */
void log_init(int shown_level);
/*
 * Gives the log its ring. Until somebody asks for it, or for a second, nothing is kept but in the
 * kernel: to fetch what that has kept takes longer than to start a VM. 0 or a negative errno.
 */
int log_keep(size_t bytes);
void log_set_level(int shown_level);

/*
 * From now on notice is called with the text of every line of the kernel's own, before the next one
 * is read. It may log.
 */
void log_notice(void (*notice)(const char *text));
/* And what hides says true of is kept but not shown: it is told of in other words. */
void log_hide(bool (*hides)(const char *text));

/* "hvinit: <subject>: <text>" */
PRINTF_LIKE(3, 4)
void log_msg(enum log_level level, const char *subject, const char *fmt, ...);
/* The finding, and its remedy in a line of its own. */
void log_finding(const struct finding *finding);

/* "[    1.234567]": now, on the kernel log's clock, for lines that are not in that log. */
void log_stamp(char *stamp, size_t size);

/* Lines that the kernel's log has lost before they could be read. */
uint64_t log_lost(void);

const struct ring *log_ring(void);

#endif
