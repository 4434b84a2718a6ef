/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: one epoll set, sources that their owners embed, timers. */
#ifndef HVINIT_LOOP_H
#define HVINIT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* A descriptor and who is called when it is ready; belongs to the struct that embeds it. */
struct source {
	int fd; /* -1: closed */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

/* Before anything else. Returns 0 or a negative errno. */
int loop_init(void);

/* Watches fd, which the source owns from now on, for EPOLL* events. 0 or a negative errno. */
int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg);
void loop_want(struct source *source, uint32_t events);
/* Lets it be until the next loop_want(): unlike one for no events this keeps back hang-ups, too. */
void loop_pause(const struct source *source);
/* Stops watching and closes; harmless when it is closed already. */
void loop_close(struct source *source);

/* A one-shot timer. timer_set() with 0 ms stops it. */
int timer_add(struct source *timer, void (*ready)(void *, uint32_t), void *arg);
void timer_set(const struct source *timer, uint64_t ms);
/* Must be called by the ready function: true when the timer has really run out. */
bool timer_fired(const struct source *timer);

_Noreturn void loop_run(void);

#endif
