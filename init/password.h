/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HVINIT_PASSWORD_H
#define HVINIT_PASSWORD_H

#include <stdbool.h>

/*
 * Whether text is the password of which hash is the crypt(5) hash. Takes as long as the hash was made
 * to take, and memory from malloc(): for children. False, too, when this C library does not know the
 * method.
 */
bool password_fits(const char *hash, const char *text);

#endif
