/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages on UNIX sockets with a descriptor beside their bytes (unix(7), SCM_RIGHTS). */
#ifndef HVINIT_PASS_H
#define HVINIT_PASS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * As send(2), with a copy of passed for who receives it; the caller keeps its own. passed -1: there is
 * none. flags are send()'s.
 */
ssize_t pass_send(int fd, const void *data, size_t size, int passed, int flags);

/*
 * As recv(2). *passed is the descriptor that came with the message, which the caller owns
 * (close-on-exec), or -1.
 */
ssize_t pass_receive(int fd, void *data, size_t size, int *passed);

#endif
