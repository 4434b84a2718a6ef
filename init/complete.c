/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a word that is being typed can become. */
#include <string.h>

#include "command.h"
#include "command_private.h"
#include "device.h"
#include "diag.h"
#include "manifest.h"
#include "util.h"
#include "vm.h"

enum { WORD = 64 };

/* The last word, what it can be, and who is told. */
struct wanted {
	const char *begin;
	void (*each)(void *arg, const char *word);
	void *arg;
};

static void offer(const struct wanted *wanted, const char *word)
{
	if (word[0] && str_prefix(word, wanted->begin))
		wanted->each(wanted->arg, word);
}

static void offer_commands(const struct wanted *wanted)
{
	for (size_t i = 0; i < command_count; i++)
		offer(wanted, command_table[i].name);
}

static void offer_vms(const struct wanted *wanted)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot))
			offer(wanted, vm_look(slot).name);
}

static void offer_devices(const struct wanted *wanted)
{
	const struct config *config = command_config();

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
			if (manifest_hostdev_used(&config->vm[slot].hostdev[i]))
				offer(wanted, device_bdf(config, slot, i));
		}
	}
}

static void offer_codes(const struct wanted *wanted)
{
	for (unsigned code = 0; code < DIAG_CODES; code++)
		offer(wanted, diag_code_text(code));
}

static void offer_setting(void *arg, const char *name)
{
	char word[WORD];

	str_format(word, sizeof(word), "%s=", name);
	offer(arg, word);
}

static void offer_options(const struct wanted *wanted, const char *options)
{
	char option[COMMAND_OPTION];

	while (command_next_option(&options, option, NULL))
		offer(wanted, option);
}

static void offer_kind(const struct wanted *wanted, enum command_arg kind)
{
	switch (kind) {
	case ARG_COMMAND:
		offer_commands(wanted);
		break;
	case ARG_VM_OR_HOST:
		offer(wanted, "host");
		offer_vms(wanted);
		break;
	case ARG_VM:
		offer_vms(wanted);
		break;
	case ARG_BDF:
		offer_devices(wanted);
		break;
	case ARG_CODE:
		offer_codes(wanted);
		break;
	case ARG_SETTING:
		manifest_settable(command_config(), offer_setting, (void *)wanted);
		break;
	case ARG_NONE:
	case ARG_SLOT:
	case ARG_PATH: /* PID 1 looks into no folder for it */
	case ARG_KINDS:
		break;
	}
}

void command_complete(const char *line, void (*each)(void *arg, const char *word), void *arg)
{
	struct wanted wanted = { .each = each, .arg = arg };
	enum command_arg kind = ARG_NONE;
	const struct command *command;
	unsigned before = 0;
	unsigned matches;

	line += strspn(line, " ");
	wanted.begin = line;
	for (const char *at = line; *(at += strcspn(at, " ")); before++) {
		at += strspn(at, " ");
		wanted.begin = at;
	}
	if (before == 0) {
		offer_commands(&wanted);
		return;
	}
	command = command_match(line, strcspn(line, " "), &matches);
	if (matches != 1)
		return;
	if (before == 1)
		kind = command->first;
	else if (before == 2)
		kind = command->second;
	offer_kind(&wanted, kind);
	/* Among a machine's names options would be noise, unless one is being typed. */
	if (kind == ARG_NONE || wanted.begin[0] == '-')
		offer_options(&wanted, command->options);
}
