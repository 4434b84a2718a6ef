/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the commands themselves: what they are called with, and the table. */
#ifndef HVINIT_COMMAND_PRIVATE_H
#define HVINIT_COMMAND_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "command.h"
#include "symbols.h"

/* What a word of a command is. */
enum command_arg {
	ARG_NONE,
	ARG_COMMAND,
	ARG_VM,
	ARG_VM_OR_HOST,
	ARG_SLOT, /* of a device in its VM */
	ARG_BDF,
	ARG_CODE,
	ARG_SETTING, /* SYMBOL=value */
	ARG_PATH, /* of a file on the appliance */
	ARG_KINDS,
};

/*
 * OPTIONAL: may come without its words. WHOLE: must be typed in full, for noise on the line must
 * not end anything. PERSON: needs somebody at a terminal. TELLS: changes nothing, so that a guest's
 * programs may have it (VM<n>_CTL). MANY: its options can come together, and not one of them only.
 */
enum {
	COMMAND_OPTIONAL = 1,
	COMMAND_WHOLE = 2,
	COMMAND_PERSON = 4,
	COMMAND_TELLS = 8,
	COMMAND_MANY = 16,
};

enum { COMMAND_OPTION = 32, COMMAND_OPTIONS = 2 };

/* The words of one line, valid while the command runs; a child has its own copy. */
struct command_call {
	unsigned slot; /* of ARG_VM, and of ARG_VM_OR_HOST unless it is host; HV_VM_SLOTS: none */
	const char *first; /* as typed; "": none */
	const char *second;
	/* Those of the command's that were typed, the first ones first, with their values; "": none. */
	const char *option[COMMAND_OPTIONS];
	const char *value[COMMAND_OPTIONS];
};

/* The value of an option, "" for one that has none; NULL: it was not typed. */
static inline const char *call_option(const struct command_call *call, const char *name)
{
	for (unsigned i = 0; i < COMMAND_OPTIONS; i++)
		if (strcmp(call->option[i], name) == 0)
			return call->value[i];
	return NULL;
}

static inline bool call_wants_json(const struct command_call *call)
{
	return call_option(call, "--json") != NULL;
}

/* How it went, of one that has said what was wrong when it could not be done in whole. */
static inline enum command_result command_whole(bool whole)
{
	return whole ? COMMAND_DONE : COMMAND_REFUSED;
}

struct command {
	const char *name;
	enum command_result (*run)(const struct command_call *call);
	enum command_arg first;
	enum command_arg second;
	unsigned flags;
	const char *options; /* separated by blanks; "--name=WORD": one with a value */
	const char *summary;
	const char *detail; /* "": there is no more to say */
};

#define COMMAND(name, function, ...) \
	enum command_result command_##function(const struct command_call *call);
#include "command.def"
#undef COMMAND

extern const struct command command_table[];
extern const size_t command_count;

/* As given to command_init(). */
struct config *command_config(void);

/*
 * Takes the next of a command's options, without what stands for its value, and moves *at behind it;
 * false at their end. *valued, unless valued is NULL: it wants a value.
 */
bool command_next_option(const char **at, char option[COMMAND_OPTION], bool *valued);

/*
 * The command whose name these len characters are; else the last one of those whose names begin so,
 * which are *matches. NULL: there is none.
 */
const struct command *command_match(const char *name, size_t len, unsigned *matches);

/*
 * The command of that name, or whose name alone begins so; says what is wrong otherwise, and names
 * those that are spelled much like it.
 */
const struct command *command_find(const char *name);

#endif
