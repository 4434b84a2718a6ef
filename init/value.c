/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks and stores values: booleans, numbers, choices and strings of several forms. */
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cpulist.h"
#include "util.h"

void value_complain(struct diag *diag, const struct assignment *a, enum diag_code code,
		    const char *fmt, ...)
{
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (a->line)
		diag_add(diag, a->vm, code, a->name, "line %u: %s", a->line, text);
	else /* a word that anybody may have put there must not stop a VM: it is a warning */
		diag_add(diag, a->vm, DIAG_CMDLINE_OVERRIDE, a->name, "kernel command line: %s",
			 text);
}

static bool parse_number(const char *text, int64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0;
}

/* Kconfig's strings: in double quotes, with \" and \\ for those two characters. */
static bool unquote(const char *quoted, char *text, size_t size)
{
	size_t n = 0;

	if (*quoted++ != '"')
		return false;
	while (*quoted != '"') {
		if (*quoted == '\\')
			quoted++;
		if (*quoted == '\0' || n + 1 >= size)
			return false;
		text[n++] = *quoted++;
	}
	text[n] = '\0';
	return quoted[1] == '\0';
}

/* The form is fixed so that a BDF is one string everywhere: lower case, four-digit domain. */
static bool parse_bdf(char *text)
{
	static const char form[] = "hhhh:hh:hh.o";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		text[i] = (char)tolower((unsigned char)text[i]);
		if (form[i] == 'h' ? !isxdigit((unsigned char)text[i]) :
		    form[i] == 'o' ? text[i] < '0' || text[i] > '7' :
				     text[i] != form[i])
			return false;
	}
	return text[8] <= '1';
}

/* The same for other fixed forms: h is a hexadecimal digit, all else stands for itself. */
static bool has_form(char *text, const char *form)
{
	if (strlen(text) != strlen(form))
		return false;
	for (size_t i = 0; form[i]; i++) {
		text[i] = (char)tolower((unsigned char)text[i]);
		if (form[i] == 'h' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	}
	return true;
}

static bool is_uuid(char *text)
{
	return has_form(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
}

/* The lowest bit of the first byte makes an address one of a group: no interface can have it. */
static bool is_mac(char *text)
{
	return has_form(text, "hh:hh:hh:hh:hh:hh") && strchr("02468ace", text[1]);
}

static bool is_cpus(char *text)
{
	struct cpulist list;

	return cpulist_parse(text, &list);
}

/*
 * What crypt(5) makes by SHA-256 or SHA-512: "$6$", parameters, salt and hash. One that was cut would
 * let nobody in.
 */
static bool is_hash(const char *text)
{
	enum { SHA256_CHARACTERS = 43, SHA512_CHARACTERS = 86 };
	static const char signs[] = "./=$";
	bool is_sha512 = str_prefix(text, "$6$");
	size_t wanted = is_sha512 ? SHA512_CHARACTERS : SHA256_CHARACTERS;

	if (!is_sha512 && !str_prefix(text, "$5$"))
		return false;
	if (strlen(strrchr(text, '$') + 1) != wanted)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(signs, *text))
			return false;
	return true;
}

/* A name that needs no quoting in QEMU's words: [A-Za-z][A-Za-z0-9._-]* */
static bool is_id(const char *text)
{
	if (*text && !isalpha((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
			return false;
	return true;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

/* The position of text among the space-separated values, or -1. */
static int enum_index(const char *values, const char *text)
{
	size_t len = strlen(text);

	for (int i = 0; *values; i++) {
		size_t n = strcspn(values, " ");

		if (n == len && strncmp(values, text, n) == 0)
			return i;
		values += n;
		values += strspn(values, " ");
	}
	return -1;
}

static void set_bool(const struct assignment *a, struct diag *diag)
{
	bool yes = strcmp(a->value, "y") == 0;

	if (yes || strcmp(a->value, "n") == 0)
		*(bool *)a->field = yes;
	else
		value_complain(diag, a, DIAG_SYMBOL_VALUE, "%.80s is not y or n", a->value);
}

/* The value of a word that can stand for a number, or 0 when the symbol does not know it. */
static int word_value(const struct symbol *s, const char *word)
{
	static const struct {
		const char *word;
		int value;
	} words[] = { { "auto", HV_AUTO }, { "none", HV_NONE }, { "root", HV_ROOT } };

	if (s->type != SYM_NUMBER || enum_index(s->values, word) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].value;
	return 0;
}

static void set_number(const struct assignment *a, const char *text, struct diag *diag)
{
	const struct symbol *s = a->symbol;
	const char *words = s->type == SYM_NUMBER ? s->values : "";
	int word = word_value(s, text);
	int64_t number;

	if (word)
		*(int64_t *)a->field = word;
	else if (!parse_number(text, &number))
		value_complain(diag, a, DIAG_SYMBOL_VALUE, "\"%.80s\" is not %s%sa number", text,
			       words, *words ? " or " : "");
	else if (number < s->min || number > s->max)
		value_complain(diag, a, DIAG_SYMBOL_VALUE,
			       "%" PRId64 " is out of range (want %s%s%" PRId64 " to %" PRId64 ")",
			       number, words, *words ? " or " : "", s->min, s->max);
	else
		*(int64_t *)a->field = number;
}

static void set_enum(const struct assignment *a, const char *text, struct diag *diag)
{
	int index = enum_index(a->symbol->values, text);

	if (index < 0)
		value_complain(diag, a, DIAG_SYMBOL_VALUE, "\"%.80s\" is not one of: %s", text,
			       a->symbol->values);
	else
		*(int *)a->field = index;
}

/* What a string of the symbol's type must look like, for a person; NULL when text is one. */
static const char *wrong_form(const struct symbol *s, char *text)
{
	switch (s->type) {
	case SYM_BDF:
		return !*text || parse_bdf(text) ? NULL : "a PCI address (want DDDD:BB:DD.F)";
	case SYM_ID:
		return is_id(text) ? NULL : "a name (want a letter, then letters, digits, . _ -)";
	case SYM_PATH:
		return !*text || *text == '/' ? NULL : "an absolute path";
	case SYM_UUID:
		return !*text || is_uuid(text) ? NULL : "a UUID (uuidgen makes one)";
	case SYM_MAC:
		return !*text || is_mac(text) ? NULL : "an Ethernet address of one interface";
	case SYM_CPUS:
		return is_cpus(text) ? NULL : "a list of CPUs (such as 0-3,8)";
	case SYM_SECRET:
		return !*text || is_hash(text) ? NULL : "a hash ('openssl passwd -6' makes one)";
	default:
		return NULL;
	}
}

/* What a diagnostic may repeat of a value. */
static const char *shown(const struct symbol *s, const char *text)
{
	return s->type == SYM_SECRET ? "(not shown)" : text;
}

void value_shut(const struct assignment *a)
{
	if (a->symbol->type == SYM_SECRET)
		str_copy(a->field, a->symbol->size, "*");
}

static void set_string(const struct assignment *a, char *text, struct diag *diag)
{
	const struct symbol *s = a->symbol;
	const char *want = wrong_form(s, text);

	value_shut(a);

	/* What has a default cannot do without: QEMU or sysfs would get an empty word. */
	if (!*text && s->def[0])
		value_complain(diag, a, DIAG_SYMBOL_VALUE,
			       "the string is empty (the default is \"%s\")", s->def);
	else if (want)
		value_complain(diag, a, DIAG_SYMBOL_VALUE, "\"%.80s\" is not %s", shown(s, text),
			       want);
	else if (!is_printable(text))
		value_complain(diag, a, DIAG_SYMBOL_VALUE, "the string holds a control character");
	else if (strlen(text) >= s->size)
		value_complain(diag, a, DIAG_SYMBOL_VALUE,
			       "the string is too long (want %u bytes or less)", s->size - 1);
	else
		str_copy(a->field, s->size, text);
}

void value_set(const struct assignment *a, struct diag *diag)
{
	char text[VALUE_TEXT] = "";

	switch (a->symbol->type) {
	case SYM_BOOL:
		set_bool(a, diag);
		return;
	case SYM_INT:
		set_number(a, a->value, diag);
		return;
	default:
		break;
	}
	if (!unquote(a->value, text, sizeof(text))) {
		value_shut(a);
		value_complain(diag, a, DIAG_SYMBOL_VALUE, "%.80s is not a string in double quotes",
			       shown(a->symbol, a->value));
		return;
	}
	if (a->symbol->type == SYM_NUMBER)
		set_number(a, text, diag);
	else if (a->symbol->type == SYM_ENUM)
		set_enum(a, text, diag);
	else
		set_string(a, text, diag);
}

void value_default(const struct symbol *s, void *base)
{
	void *field = (char *)base + s->offset;

	switch (s->type) {
	case SYM_BOOL:
		*(bool *)field = s->def[0] == 'y';
		break;
	case SYM_INT:
		*(int64_t *)field = strtoll(s->def, NULL, 10);
		break;
	case SYM_NUMBER:
		*(int64_t *)field = word_value(s, s->def);
		if (*(int64_t *)field == 0)
			*(int64_t *)field = strtoll(s->def, NULL, 10);
		break;
	case SYM_ENUM:
		*(int *)field = enum_index(s->values, s->def);
		break;
	default:
		str_copy(field, s->size, s->def);
		break;
	}
}
