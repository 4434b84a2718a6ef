/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for QEMU's words in the catalogue of its refusals, refusal.def. */
#include "refusal.h"

#include "util.h"

static const struct {
	enum diag_code code;
	const char *words;
} refusals[] = {
#define REFUSAL(code, words, line) { DIAG_##code, words },
#include "refusal.def"
#undef REFUSAL
};

#define ID_KEY "\"id\":\""
#define QEMU_NAME "qemu-system-aarch64: "

/* Whether the pieces of words, between its asterisks, are in line one after the other. */
static bool has_words(const char *line, const char *words)
{
	for (;;) {
		size_t len = strcspn(words, "*");

		line = memmem(line, strlen(line), words, len);
		if (!line || words[len] == '\0')
			return line != NULL;
		line += len;
		words += len + 1;
	}
}

enum diag_code refusal_code(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (has_words(line, refusals[i].words))
			return refusals[i].code;
	return DIAG_CODES;
}

/* QEMU puts its name before errors and warnings, but not before hints that follow them. */
static bool is_error(const char *line)
{
	return str_prefix(line, QEMU_NAME) && !strstr(line, ": warning: ");
}

const char *refusal_cause(char *text, enum diag_code *code)
{
	const char *last = "";
	const char *error = NULL;

	for (char *line = strtok_r(text, "\n", &text); line; line = strtok_r(NULL, "\n", &text)) {
		*code = refusal_code(line);
		if (*code != DIAG_CODES && diag_code_severity(*code) != DIAG_WARN)
			return line;
		last = line;
		if (is_error(line))
			error = line;
	}
	*code = DIAG_CODES;
	return error ? error : last;
}

void refusal_quote(const char *line, char *buf, size_t size)
{
	const char *id;
	const char *end;

	if (str_prefix(line, QEMU_NAME))
		line += strlen(QEMU_NAME);
	/* Our devices are JSON without blanks, so this is where the first of them ends. */
	end = line[0] == '-' ? strstr(line, "}: ") : NULL;
	if (!end) {
		str_format(buf, size, "%s", line);
		return;
	}
	id = strstr(line, ID_KEY);
	if (id && id < end) {
		id += strlen(ID_KEY);
		str_format(buf, size, "%.*s: %s", (int)strcspn(id, "\""), id, end + 3);
	} else {
		str_format(buf, size, "%s", end + 3);
	}
}

const char *refusal_words(enum diag_code code, unsigned n)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].code == code && n-- == 0)
			return refusals[i].words;
	return NULL;
}
