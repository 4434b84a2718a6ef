/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a line to a command and its words; help. */
#include "command.h"

#include <string.h>

#include "command_private.h"
#include "console.h"
#include "nearest.h"
#include "util.h"
#include "vm.h"

enum { WORDS = 7, USAGE = 96, NEAR = 2 };

const struct command command_table[] = {
#define COMMAND(name, function, ...) { name, command_##function, __VA_ARGS__ },
#include "command.def"
#undef COMMAND
};

const size_t command_count = ARRAY_SIZE(command_table);

static const char *const arg_name[ARG_KINDS] = {
	[ARG_NONE] = "",     [ARG_COMMAND] = "COMMAND",
	[ARG_VM] = "VM",     [ARG_VM_OR_HOST] = "VM|host",
	[ARG_SLOT] = "SLOT", [ARG_BDF] = "BDF",
	[ARG_CODE] = "CODE", [ARG_SETTING] = "SYMBOL=VALUE",
	[ARG_PATH] = "PATH",
};

static struct config *config;

void command_init(struct config *all)
{
	config = all;
}

struct config *command_config(void)
{
	return config;
}

/* --- help --- */

static void add(char *text, size_t size, const char *before, const char *word, const char *after)
{
	size_t used = strlen(text);

	str_format(text + used, size - used, " %s%s%s", before, word, after);
}

/* "[--probe|--kconfig]", or of those that can come together "[--sha256 HEX] [--force]" */
static void describe_options(const struct command *command, char *text, size_t size)
{
	const char *between = command->flags & COMMAND_MANY ? "] [" : "|";
	size_t used = strlen(text);

	for (const char *c = command->options; *c && used < size; c++) {
		const char *before = c == command->options ? " [" : "";

		if (*c == ' ')
			str_format(text + used, size - used, "%s", between);
		else
			str_format(text + used, size - used, "%s%c", before, *c == '=' ? ' ' : *c);
		used += strlen(text + used);
	}
	str_format(text + used, size - used, "]");
}

/* "start VM", "record [--probe|--kconfig]" */
static void describe(const struct command *command, char *text, size_t size)
{
	bool optional = command->flags & COMMAND_OPTIONAL;

	str_copy(text, size, command->name);
	if (command->first)
		add(text, size, optional ? "[" : "", arg_name[command->first], optional ? "]" : "");
	if (command->second)
		add(text, size, "", arg_name[command->second], "");
	if (command->options[0])
		describe_options(command, text, size);
}

static void print_usage(const struct command *command)
{
	char usage[USAGE];

	describe(command, usage, sizeof(usage));
	console_reply("hvinit: usage: %s\n", usage);
}

/* Why who asks cannot have it, or NULL. */
static const char *refuse(const struct command *command)
{
	if (console_is_guest() && !(command->flags & COMMAND_TELLS))
		return "not for a guest";
	if ((command->flags & COMMAND_PERSON) && !console_is_person())
		return "only at a console";
	return NULL;
}

enum command_result command_help(const struct command_call *call)
{
	const struct command *one = call->first[0] ? command_find(call->first) : NULL;
	char usage[USAGE];

	if (call->first[0] && !one)
		return COMMAND_REFUSED;
	for (size_t i = 0; i < command_count; i++) {
		if (one ? one != &command_table[i] : refuse(&command_table[i]) != NULL)
			continue;
		describe(&command_table[i], usage, sizeof(usage));
		console_reply("%-26s %s\n", usage, command_table[i].summary);
	}
	if (one && one->detail[0])
		console_reply("%s\n", one->detail);
	if (one && (one->flags & COMMAND_WHOLE))
		console_reply("It must be typed in full.\n");
	if (!one)
		console_reply(
			"A command may be shortened as long as it stays unambiguous, unless it "
			"ends\nsomething. Tab completes, arrows bring earlier lines back, and "
			"'help COMMAND'\nsays more.\n");
	return COMMAND_DONE;
}

/* --- which command --- */

static void complain_ambiguous(const char *name)
{
	console_reply("hvinit: %s: ambiguous:", name);
	for (size_t i = 0; i < command_count; i++)
		if (str_prefix(command_table[i].name, name))
			console_reply(" %s", command_table[i].name);
	console_reply("\n");
}

static void complain_unknown(const char *name)
{
	const char *between = "; did you mean ";
	bool any = false;

	console_reply("hvinit: %.32s: no such command", name);
	for (size_t i = 0; i < command_count; i++) {
		if (nearest_distance(name, command_table[i].name) > NEAR)
			continue;
		console_reply("%s'%s'", between, command_table[i].name);
		between = " or ";
		any = true;
	}
	console_reply("%s; try 'help'\n", any ? "?" : "");
}

const struct command *command_match(const char *name, size_t len, unsigned *matches)
{
	const struct command *found = NULL;

	*matches = 0;
	for (size_t i = 0; i < command_count; i++) {
		if (strncmp(command_table[i].name, name, len) != 0)
			continue;
		found = &command_table[i];
		if (found->name[len] == '\0') {
			*matches = 1;
			break;
		}
		++*matches;
	}
	return found;
}

const struct command *command_find(const char *name)
{
	unsigned matches;
	const struct command *found = command_match(name, strlen(name), &matches);

	if (matches == 0)
		complain_unknown(name);
	else if (matches > 1)
		complain_ambiguous(name);
	else if ((found->flags & COMMAND_WHOLE) && strcmp(found->name, name) != 0)
		console_reply("hvinit: %s: '%s' must be typed in full\n", name, found->name);
	else
		return found;
	return NULL;
}

/* --- its words --- */

static unsigned split(char *line, char *word[WORDS + 1])
{
	unsigned n = 0;

	while (n < WORDS) {
		line += strspn(line, " ");
		if (!*line)
			break;
		word[n++] = line;
		line += strcspn(line, " ");
		if (*line)
			*line++ = '\0';
	}
	return n;
}

bool command_next_option(const char **at, char option[COMMAND_OPTION], bool *valued)
{
	size_t len = strcspn(*at, " ");

	str_format(option, COMMAND_OPTION, "%.*s", (int)strcspn(*at, " ="), *at);
	if (valued)
		*valued = strlen(option) < len;
	*at += len + ((*at)[len] == ' ');
	return len > 0;
}

static bool has_option(const struct command *command, const char *word, bool *valued)
{
	const char *at = command->options;
	char option[COMMAND_OPTION];

	while (command_next_option(&at, option, valued))
		if (strcmp(option, word) == 0)
			return true;
	return false;
}

/* Takes one with its value, which is the next word; false when it is one too many. */
static bool take_option(const struct command *command, char **word, bool valued,
			struct command_call *call)
{
	unsigned most = command->flags & COMMAND_MANY ? COMMAND_OPTIONS : 1;
	unsigned n = 0;

	while (n < most && call->option[n][0])
		n++;
	if (n == most || call_option(call, word[0]))
		return false;
	call->option[n] = word[0];
	if (!valued)
		return true;
	if (!word[1] || word[1][0] == '-')
		return false;
	call->value[n] = word[1];
	return true;
}

/* False when the words are not those that the command wants. */
static bool take_words(const struct command *command, char *word[WORDS + 1],
		       struct command_call *call)
{
	unsigned wanted = (command->first != ARG_NONE) + (command->second != ARG_NONE);
	unsigned given = 0;
	bool valued;

	for (unsigned i = 1; word[i]; i++) {
		if (has_option(command, word[i], &valued)) {
			if (!take_option(command, &word[i], valued, call))
				return false;
			i += valued;
		} else if (str_prefix(word[i], "--") || given == wanted) {
			return false;
		} else if (given++ == 0) {
			call->first = word[i];
		} else {
			call->second = word[i];
		}
	}
	return given == wanted || (command->flags & COMMAND_OPTIONAL);
}

static bool find_vm(const struct command *command, struct command_call *call)
{
	int slot;

	if (command->first != ARG_VM && command->first != ARG_VM_OR_HOST)
		return true;
	if (!call->first[0] ||
	    (command->first == ARG_VM_OR_HOST && strcmp(call->first, "host") == 0))
		return true;
	slot = vm_find(call->first);
	if (slot < 0) {
		console_reply("hvinit: %.32s: no such VM; see 'status'\n", call->first);
		return false;
	}
	call->slot = (unsigned)slot;
	return true;
}

enum command_result command_run(char *line)
{
	struct command_call call = {
		.slot = HV_VM_SLOTS,
		.first = "",
		.second = "",
		.option = { "", "" },
		.value = { "", "" },
	};
	const struct command *command;
	char *word[WORDS + 1] = { NULL };
	unsigned words = split(line, word);
	const char *refusal;

	if (words == 0)
		return COMMAND_DONE;
	command = command_find(word[0]);
	if (!command)
		return COMMAND_USAGE;
	if (!take_words(command, word, &call)) {
		print_usage(command);
		return COMMAND_USAGE;
	}
	if (!find_vm(command, &call))
		return COMMAND_REFUSED;
	refusal = refuse(command);
	if (refusal) {
		console_reply("hvinit: %s: %s\n", command->name, refusal);
		return COMMAND_REFUSED;
	}
	return command->run(&call);
}
