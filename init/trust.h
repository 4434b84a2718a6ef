/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether firmware and kernel see to it that nothing runs but what the machine's owner has signed:
 * Secure Boot, and the kernel's lockdown. docs/secure-boot.md says what that is good for.
 */
#ifndef HVINIT_TRUST_H
#define HVINIT_TRUST_H

#include <stdbool.h>

#include "diag.h"
#include "sys.h"

struct trust {
	int secure_boot; /* 1: on, 0: off, or a negative errno: it cannot be told */
	bool is_signed; /* the image was made by "make sign" */
	char lockdown[SYS_NAME]; /* "none", "integrity", "confidentiality"; "" when not told */
};

/* Reads the machine's files below root. */
void trust_look(int root, struct trust *trust);

/* Whether symbols may be set on the kernel's command line, which firmware can add to. */
bool trust_cmdline(const struct trust *trust);

/* Tells what is not as an owner who signs wants it, and which words the kernel did not read. */
void trust_check(const struct trust *trust, const char *cmdline, struct diag *diag);

enum { TRUST_TEXT = 96 };

/* "secure boot: on, lockdown: integrity" */
const char *trust_text(const struct trust *trust, char text[TRUST_TEXT]);

/* PID 1's own look, taken at boot: neither changes before the next. */
const struct trust *trust_begin(int root);
const struct trust *trust_get(void);

#endif
