/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One member a line, indented: people read it, too. */
#include "json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { DEL = 0x7f };

/* Bytes of the character that text begins with, after RFC 3629; 0: it begins with none. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char first = text[0];
	size_t n = first < 0x80			 ? 1 :
		   first >= 0xc2 && first < 0xe0 ? 2 :
		   first >= 0xe0 && first < 0xf0 ? 3 :
		   first >= 0xf0 && first < 0xf5 ? 4 :
						   0;

	for (size_t i = 1; i < n; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Forms that are longer than need be, surrogates, and what is beyond U+10FFFF. */
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] >= 0xa0) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] >= 0x90))
		return 0;
	return n;
}

/* Control characters beyond ASCII's would reach a terminal that shows the text. */
static bool is_c1(const unsigned char *text)
{
	return text[0] == 0xc2 && text[1] < 0xa0;
}

enum { ESCAPED = sizeof("\\u0000") };

/* What stands for the character at *text in a string; moves *text behind it. */
static void escape(const unsigned char **text, char escaped[ESCAPED])
{
	size_t n = utf8_length(*text);

	if (n == 0)
		snprintf(escaped, ESCAPED, "\\ufffd");
	else if (**text == '"' || **text == '\\')
		snprintf(escaped, ESCAPED, "\\%c", **text);
	else if (**text < ' ' || **text == DEL)
		snprintf(escaped, ESCAPED, "\\u%04x", **text);
	else if (is_c1(*text))
		snprintf(escaped, ESCAPED, "\\u%04x", (*text)[1]);
	else
		snprintf(escaped, ESCAPED, "%.*s", (int)n, (const char *)*text);
	*text += n ? n : 1;
}

static void write_string(FILE *out, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;
	char escaped[ESCAPED];

	fputc('"', out);
	while (*text) {
		escape(&text, escaped);
		fputs(escaped, out);
	}
	fputc('"', out);
}

bool json_quote(const char *string, char *quoted, size_t size)
{
	const unsigned char *text = (const unsigned char *)string;
	char escaped[ESCAPED];
	size_t used = 0;

	if (size < sizeof("\"\""))
		return false;
	quoted[used++] = '"';
	while (*text) {
		size_t n;

		escape(&text, escaped);
		n = strlen(escaped);
		if (used + n + 2 > size)
			return false;
		memcpy(quoted + used, escaped, n);
		used += n;
	}
	memcpy(quoted + used, "\"", 2);
	return true;
}

static void write_line(const struct json *json)
{
	fputc('\n', json->out);
	for (unsigned i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

/* What stands before a value. False: it has no place here. */
static bool begin(struct json *json, const char *key)
{
	unsigned top = json->depth ? json->depth - 1 : 0;

	/* Only members of objects have names, and there is one outermost value. */
	if ((json->depth && !json->array[top]) != (key != NULL) ||
	    (!json->depth && json->filled[0]))
		json->broken = true;
	if (json->broken)
		return false;
	if (json->depth) {
		if (json->filled[top])
			fputc(',', json->out);
		write_line(json);
	}
	json->filled[top] = true;
	if (key) {
		write_string(json->out, key);
		fputs(": ", json->out);
	}
	return true;
}

static void nest(struct json *json, const char *key, bool array)
{
	if (json->depth == JSON_DEPTH)
		json->broken = true;
	if (!begin(json, key))
		return;
	fputc(array ? '[' : '{', json->out);
	json->array[json->depth] = array;
	json->filled[json->depth] = false;
	json->depth++;
}

void json_object(struct json *json, const char *key)
{
	nest(json, key, false);
}

void json_array(struct json *json, const char *key)
{
	nest(json, key, true);
}

void json_end(struct json *json)
{
	bool filled;

	if (json->depth == 0)
		json->broken = true;
	if (json->broken)
		return;
	filled = json->filled[--json->depth];
	if (filled)
		write_line(json);
	fputc(json->array[json->depth] ? ']' : '}', json->out);
	/* The outermost value is written once, whether or not there was something in it. */
	json->filled[json->depth ? json->depth - 1 : 0] = true;
}

void json_string(struct json *json, const char *key, const char *text)
{
	if (begin(json, key))
		write_string(json->out, text);
}

void json_number(struct json *json, const char *key, int64_t number)
{
	if (number > JSON_NUMBER_MAX)
		number = JSON_NUMBER_MAX;
	if (number < -JSON_NUMBER_MAX)
		number = -JSON_NUMBER_MAX;
	if (begin(json, key))
		fprintf(json->out, "%" PRId64, number);
}

void json_bool(struct json *json, const char *key, bool value)
{
	if (begin(json, key))
		fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	if (begin(json, key))
		fputs("null", json->out);
}

void json_text(struct json *json, const char *key, const char *text)
{
	if (text[0])
		json_string(json, key, text);
	else
		json_null(json, key);
}

void json_count(struct json *json, const char *key, int64_t number)
{
	if (number >= 0)
		json_number(json, key, number);
	else
		json_null(json, key);
}

bool json_finish(struct json *json)
{
	if (json->depth || !json->filled[0])
		json->broken = true;
	if (json->broken)
		return false;
	fputc('\n', json->out);
	return !ferror(json->out);
}
