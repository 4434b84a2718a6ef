/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes .config lines, each of which the manifest's own parser has accepted. */
#include "fragment.h"

#include <inttypes.h>

#include "manifest.h"
#include "util.h"
#include "value.h"

enum { NAME_SIZE = 64 };

PRINTF_LIKE(2, 0)
static void make_name(const struct fragment *fragment, const char *fmt, va_list ap,
		      char name[NAME_SIZE])
{
	size_t used;

	str_format(name, NAME_SIZE, "VM%u_", fragment->vm);
	used = strlen(name);
	vsnprintf(name + used, NAME_SIZE - used, fmt, ap);
}

/* Whether the symbol can have the value; otherwise it is told why not. */
static bool accepts(struct fragment *fragment, unsigned line, const char *name, const char *value)
{
	static struct diag diag;
	char reason[DIAG_TEXT];

	diag.count = 0;
	diag.dropped = 0;
	if (manifest_set(name, value, &fragment->config, &diag))
		return true;
	str_copy(reason, sizeof(reason), diag.finding[0].text + strlen("line 1: "));
	xml_tell_line(fragment->xml, line, DIAG_IMPORT_VALUE, "%s: not set: %s", name, reason);
	return false;
}

static bool write_line(struct fragment *fragment, unsigned line, const char *name,
		       const char *value)
{
	if (!accepts(fragment, line, name, value))
		return false;
	fprintf(fragment->out, "%s=%s\n", name, value);
	return true;
}

/* In double quotes, as Kconfig has strings; false when it does not fit. */
static bool quote(const char *text, char *quoted, size_t size)
{
	size_t used = 0;

	quoted[used++] = '"';
	for (; *text; text++) {
		if (used + 4 > size)
			return false;
		if (*text == '"' || *text == '\\')
			quoted[used++] = '\\';
		quoted[used++] = *text;
	}
	quoted[used++] = '"';
	quoted[used] = '\0';
	return true;
}

static bool write_string(struct fragment *fragment, unsigned line, const char *name,
			 const char *text)
{
	char quoted[VALUE_TEXT];

	if (quote(text, quoted, sizeof(quoted)))
		return write_line(fragment, line, name, quoted);
	xml_tell_line(fragment->xml, line, DIAG_IMPORT_VALUE, "%s: not set: the string is too long",
		      name);
	return false;
}

bool fragment_text(struct fragment *fragment, unsigned line, const char *text, const char *fmt, ...)
{
	char name[NAME_SIZE];
	va_list ap;

	va_start(ap, fmt);
	make_name(fragment, fmt, ap, name);
	va_end(ap);
	return text && write_string(fragment, line, name, text);
}

void fragment_number(struct fragment *fragment, unsigned line, int number, const char *fmt, ...)
{
	char name[NAME_SIZE];
	char text[16];
	va_list ap;

	va_start(ap, fmt);
	make_name(fragment, fmt, ap, name);
	va_end(ap);
	str_format(text, sizeof(text), "%d", number);
	write_string(fragment, line, name, text);
}

void fragment_int(struct fragment *fragment, unsigned line, int64_t number, const char *last)
{
	char name[NAME_SIZE];
	char text[24];

	str_format(name, sizeof(name), "VM%u_%s", fragment->vm, last);
	str_format(text, sizeof(text), "%" PRId64, number);
	write_line(fragment, line, name, text);
}

void fragment_bool(struct fragment *fragment, unsigned line, bool yes, const char *fmt, ...)
{
	char name[NAME_SIZE];
	va_list ap;

	va_start(ap, fmt);
	make_name(fragment, fmt, ap, name);
	va_end(ap);
	if (!accepts(fragment, line, name, yes ? "y" : "n"))
		return;
	if (yes)
		fprintf(fragment->out, "%s=y\n", name);
	else
		fprintf(fragment->out, "# %s is not set\n", name);
}
