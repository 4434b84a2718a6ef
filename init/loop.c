/* SPDX-License-Identifier: GPL-2.0-or-later */
/* epoll and timerfd. */
#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int epoll = -1;

int loop_init(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return epoll < 0 ? -errno : 0;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void loop_want(struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source->fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_MOD, source->fd, &event) &&
	    errno == ENOENT)
		epoll_ctl(epoll, EPOLL_CTL_ADD, source->fd, &event);
}

void loop_pause(const struct source *source)
{
	if (source->fd >= 0)
		epoll_ctl(epoll, EPOLL_CTL_DEL, source->fd, NULL);
}

void loop_close(struct source *source)
{
	if (source->fd < 0)
		return;
	/* A child may still hold the open file, so closing alone would not take it out of the set. */
	epoll_ctl(epoll, EPOLL_CTL_DEL, source->fd, NULL);
	close(source->fd);
	source->fd = -1;
}

int timer_add(struct source *timer, void (*ready)(void *, uint32_t), void *arg)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int error = fd < 0 ? -errno : loop_add(timer, fd, EPOLLIN, ready, arg);

	/* It was made here: nobody else would close it. */
	if (error && fd >= 0)
		loop_close(timer);
	return error;
}

void timer_set(const struct source *timer, uint64_t ms)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(ms / 1000),
			      .tv_nsec = (long)(ms % 1000) * 1000000 },
	};

	timerfd_settime(timer->fd, 0, &when, NULL);
}

bool timer_fired(const struct source *timer)
{
	uint64_t times;

	return read(timer->fd, &times, sizeof(times)) == sizeof(times);
}

void loop_run(void)
{
	struct epoll_event event;

	for (;;) {
		/* One at a time: a source closed by a ready function can have no event left here. */
		if (epoll_wait(epoll, &event, 1, -1) == 1) {
			const struct source *source = event.data.ptr;

			source->ready(source->arg, event.events);
		}
	}
}
