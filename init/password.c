/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crypt(3) does the work; Debian's musl has no crypt.h. */
#include "password.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* An unknown method gives NULL, or a word that no hash can be, which begins with "*" (crypt(3)). */
bool password_fits(const char *hash, const char *text)
{
	const char *made = hash[0] == '$' ? crypt(text, hash) : NULL;
	unsigned char differs = 0;
	size_t len;

	if (!made || made[0] == '*')
		return false;
	len = strlen(made);
	if (len != strlen(hash))
		return false;
	for (size_t i = 0; i < len; i++)
		differs |= (unsigned char)(made[i] ^ hash[i]);
	return differs == 0;
}
