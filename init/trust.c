/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of Secure Boot and lockdown; neither is ever a reason to keep a VM from starting. */
#include "trust.h"

#include "sys_machine.h"
#include "sys_verify.h"
#include "util.h"

enum { MOST_TOLD = 60 }; /* characters of a word that somebody else has chosen */

static struct trust own;

void trust_look(int root, struct trust *trust)
{
	trust->secure_boot = sys_secure_boot(root);
	trust->is_signed = sys_certificate_exists(root);
	if (sys_lockdown(root, trust->lockdown, sizeof(trust->lockdown)))
		trust->lockdown[0] = '\0';
}

const struct trust *trust_begin(int root)
{
	trust_look(root, &own);
	return &own;
}

const struct trust *trust_get(void)
{
	return &own;
}

bool trust_cmdline(const struct trust *trust)
{
	return trust->secure_boot == 0;
}

static bool is_locked_down(const struct trust *trust)
{
	return trust->lockdown[0] && strcmp(trust->lockdown, "none") != 0;
}

/*
 * hvinit's own words are manifest_cmdline()'s to tell of. One finding for all the others: whoever
 * adds words must not be able to crowd out what else is to be told.
 */
static void tell_rest(const char *cmdline, struct diag *diag)
{
	const char *word = cmdline_rest(cmdline);
	const char *first = NULL;
	size_t first_len = 0;
	unsigned count = 0;

	if (!*word)
		return;
	for (word += strlen("--"); *(word += strspn(word, " \t\n"));) {
		size_t len = strcspn(word, " \t\n");

		if (!str_prefix(word, "hvinit.") && count++ == 0) {
			first = word;
			first_len = len < MOST_TOLD ? len : MOST_TOLD;
		}
		word += len;
	}
	if (count)
		diag_add(diag, DIAG_HOST, DIAG_CMDLINE_REST, "kernel command line",
			 "read %u word%s behind \"--\", the first is \"%.*s\": nobody does", count,
			 count == 1 ? "" : "s", (int)first_len, first);
}

void trust_check(const struct trust *trust, const char *cmdline, struct diag *diag)
{
	if (trust->secure_boot == 1 && !is_locked_down(trust))
		diag_add(diag, DIAG_HOST, DIAG_LOCKDOWN_NONE, "kernel",
			 "keep root from changing it: Secure Boot is on, but lockdown is %s",
			 trust->lockdown[0] ? trust->lockdown : "not there");
	if (trust->is_signed && trust->secure_boot != 1)
		diag_add(diag, DIAG_HOST, DIAG_SECURE_BOOT_OFF, "firmware",
			 "verify this image, which is signed: Secure Boot %s",
			 trust->secure_boot ? "cannot be asked for" : "is off");
	tell_rest(cmdline, diag);
}

const char *trust_text(const struct trust *trust, char text[TRUST_TEXT])
{
	str_format(text, TRUST_TEXT, "secure boot: %s, lockdown: %s",
		   trust->secure_boot == 1 ? "on" :
		   trust->secure_boot == 0 ? "off" :
					     "unknown",
		   trust->lockdown[0] ? trust->lockdown : "unknown");
	return text;
}
