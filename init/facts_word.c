/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers are read strictly: no sign, no blanks, nothing behind them, nothing too large. */
#include "facts_word.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "facts.h"
#include "util.h"

enum { REGISTERS = 6, KIB_SHIFT = 10 };

/* Reads digits up to end (a character, or NUL); where it stopped, or NULL. */
static const char *read_number(const char *text, int base, char end, uint64_t most, uint64_t *n)
{
	size_t digits = strspn(text, base == 16 ? "0123456789abcdefABCDEF" : "0123456789");

	if (digits == 0 || text[digits] != end)
		return NULL;
	errno = 0;
	*n = strtoull(text, NULL, base);
	return errno || *n > most ? NULL : text + digits;
}

static bool read_decimal(const char *text, uint64_t most, uint64_t *n)
{
	return read_number(text, 10, '\0', most, n);
}

/* --- text --- */

/* The names are the kernel's, but a record is often read on a terminal. */
static void print_text(const struct word *word, const void *field, FILE *out)
{
	const char *text = field;
	bool quoted = strpbrk(text, " #") || !*text;

	(void)word;
	if (quoted)
		fputc('"', out);
	for (; *text; text++)
		fputc(*text < ' ' || *text > '~' || *text == '"' ? '?' : *text, out);
	if (quoted)
		fputc('"', out);
}

static bool read_text(const struct word *word, const char *text, void *field)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"')
			return false;
	return str_copy(field, word->size, text);
}

const struct form form_text = { 0, print_text, read_text, "a short text of printable ASCII" };
const struct form form_variant = { 0, print_text, read_text, "a short text of printable ASCII" };

static bool read_bdf(const struct word *word, const char *text, void *field)
{
	static const char form[] = "hhhh:hh:hh.o";

	(void)word;
	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'h' ?
			    !isxdigit((unsigned char)text[i]) || isupper((unsigned char)text[i]) :
		    form[i] == 'o' ? text[i] < '0' || text[i] > '7' :
				     text[i] != form[i])
			return false;
	return str_copy(field, SYS_BDF, text);
}

const struct form form_bdf = { SYS_BDF, print_text, read_bdf, "DDDD:BB:DD.F in lower case" };

/* --- numbers --- */

static void print_int(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fprintf(out, "%d", *(const int *)field);
}

static bool read_int(const struct word *word, const char *text, void *field)
{
	uint64_t n;

	(void)word;
	if (!read_decimal(text, INT32_MAX, &n))
		return false;
	*(int *)field = (int)n;
	return true;
}

const struct form form_int = { sizeof(int), print_int, read_int, "a number" };

static void print_unsigned(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fprintf(out, "%u", *(const unsigned *)field);
}

static bool read_unsigned(const struct word *word, const char *text, void *field)
{
	uint64_t n;

	(void)word;
	if (!read_decimal(text, UINT32_MAX, &n))
		return false;
	*(unsigned *)field = (unsigned)n;
	return true;
}

const struct form form_unsigned = { sizeof(unsigned), print_unsigned, read_unsigned, "a number" };

enum { MOST_NODES = 127 }; /* QEMU has 128 (include/system/numa.h), of which one is the CPUs' */

static bool read_nodes(const struct word *word, const char *text, void *field)
{
	return read_unsigned(word, text, field) && *(const unsigned *)field <= MOST_NODES;
}

const struct form form_nodes = { sizeof(unsigned), print_unsigned, read_nodes,
				 "a number from 0 to 127" };

static void print_u16(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fprintf(out, "%u", *(const uint16_t *)field);
}

static bool read_u16(const struct word *word, const char *text, void *field)
{
	uint64_t n;

	(void)word;
	if (!read_decimal(text, UINT16_MAX, &n))
		return false;
	*(uint16_t *)field = (uint16_t)n;
	return true;
}

const struct form form_u16 = { sizeof(uint16_t), print_u16, read_u16, "0 to 65535" };

static void print_count(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fprintf(out, "%" PRIu64, *(const uint64_t *)field);
}

static bool read_count(const struct word *word, const char *text, void *field)
{
	(void)word;
	return read_decimal(text, UINT64_MAX, field);
}

const struct form form_count = { sizeof(uint64_t), print_count, read_count, "a number" };

static void print_hex(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fprintf(out, "0x%08x", *(const uint32_t *)field);
}

static void print_class(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fprintf(out, "0x%06x", *(const uint32_t *)field);
}

/* Up to end; where it stopped, or NULL. */
static const char *read_hex_to(const char *text, char end, uint32_t *value)
{
	uint64_t n;
	const char *stop = str_prefix(text, "0x") ? read_number(text + 2, 16, end, UINT32_MAX, &n) :
						    NULL;

	if (stop)
		*value = (uint32_t)n;
	return stop;
}

static bool read_hex(const struct word *word, const char *text, void *field)
{
	(void)word;
	return read_hex_to(text, '\0', field);
}

const struct form form_class = { sizeof(uint32_t), print_class, read_hex, "0xBBSSII" };
const struct form form_hex = { sizeof(uint32_t), print_hex, read_hex, "0x and up to 8 digits" };

static void print_idr(const struct word *word, const void *field, FILE *out)
{
	const uint32_t *value = field;

	(void)word;
	for (unsigned i = 0; i < REGISTERS; i++)
		fprintf(out, "%s0x%08x", i ? "," : "", value[i]);
}

static bool read_idr(const struct word *word, const char *text, void *field)
{
	uint32_t *value = field;

	(void)word;
	for (unsigned i = 0; i < REGISTERS && text; i++)
		text = read_hex_to(text + (i > 0), i + 1 < REGISTERS ? ',' : '\0', &value[i]);
	return text;
}

_Static_assert(sizeof(((struct smmu_fact *)0)->idr) == REGISTERS * sizeof(uint32_t), "form_idr");

const struct form form_idr = { REGISTERS * sizeof(uint32_t), print_idr, read_idr,
			       "six hexadecimal numbers with commas between them" };

static void print_pair(const struct word *word, const void *field, FILE *out)
{
	const uint16_t *half = field;

	(void)word;
	fprintf(out, "%04x:%04x", half[0], half[1]);
}

static bool read_pair(const struct word *word, const char *text, void *field)
{
	uint16_t *half = field;
	uint64_t first;
	uint64_t second;

	(void)word;
	text = read_number(text, 16, ':', UINT16_MAX, &first);
	if (!text || !read_number(text + 1, 16, '\0', UINT16_MAX, &second))
		return false;
	half[0] = (uint16_t)first;
	half[1] = (uint16_t)second;
	return true;
}

const struct form form_pair = { 2 * sizeof(uint16_t), print_pair, read_pair, "VVVV:DDDD" };

/* --- sizes --- */

static const char units[] = { 'B', 'K', 'M', 'G', 'T' };

/* The largest unit that loses nothing; unit is that of n. */
static void print_size(uint64_t n, unsigned unit, FILE *out)
{
	for (; n && n % 1024 == 0 && unit + 1 < sizeof(units); unit++)
		n /= 1024;
	fprintf(out, "%" PRIu64 "%.*s", n, unit > 0, &units[unit]);
}

/* "16K" up to end in units of 1 << shift bytes; where it stopped, or NULL. */
static const char *read_size(const char *text, char end, unsigned shift, uint64_t *n)
{
	size_t digits = strspn(text, "0123456789");
	unsigned unit = 0;
	char *stop;

	if (digits == 0 || digits > 18)
		return NULL;
	*n = strtoull(text, &stop, 10);
	while (unit < sizeof(units) && units[unit] != *stop)
		unit++;
	if (unit < sizeof(units) && unit > 0)
		stop++;
	else
		unit = 0;
	if (*stop != end || unit * KIB_SHIFT < shift)
		return NULL;
	shift = unit * KIB_SHIFT - shift;
	if (*n > UINT64_MAX >> shift)
		return NULL;
	*n <<= shift;
	return stop;
}

static void print_kib(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	print_size(*(const uint64_t *)field, 1, out);
}

static bool read_kib(const struct word *word, const char *text, void *field)
{
	(void)word;
	return read_size(text, '\0', KIB_SHIFT, field);
}

const struct form form_kib = { sizeof(uint64_t), print_kib, read_kib,
			       "a number with K, M, G or T behind it" };

static void print_page(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	print_size(*(const unsigned *)field, 1, out);
}

static bool read_page(const struct word *word, const char *text, void *field)
{
	uint64_t n;

	(void)word;
	if (!read_size(text, '\0', KIB_SHIFT, &n) || n > UINT32_MAX)
		return false;
	*(unsigned *)field = (unsigned)n;
	return true;
}

const struct form form_page = { sizeof(unsigned), print_page, read_page,
				"a number with K, M or G behind it" };

static void print_bar(const struct word *word, const void *field, FILE *out)
{
	const struct bar_fact *bar = field;

	(void)word;
	print_size(bar->bytes, 0, out);
	fprintf(out, "%s%s", bar->wide ? ",wide" : "", bar->prefetch ? ",prefetch" : "");
}

static bool read_bar(const struct word *word, const char *text, void *field)
{
	struct bar_fact *bar = field;
	const char *rest = strchr(text, ',');

	(void)word;
	if (!read_size(text, rest ? ',' : '\0', 0, &bar->bytes))
		return false;
	bar->wide = rest && str_prefix(rest, ",wide");
	if (bar->wide)
		rest += strlen(",wide");
	bar->prefetch = rest && str_prefix(rest, ",prefetch");
	if (bar->prefetch)
		rest += strlen(",prefetch");
	return bar->bytes && (!rest || !*rest);
}

const struct form form_bar = { sizeof(struct bar_fact), print_bar, read_bar,
			       "BYTES[,wide][,prefetch]" };

/* --- choices --- */

static void print_known(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fputs(*(const enum known *)field == KNOWN_YES ? "yes" : "no", out);
}

static bool read_known(const struct word *word, const char *text, void *field)
{
	bool yes = strcmp(text, "yes") == 0;

	(void)word;
	*(enum known *)field = yes ? KNOWN_YES : KNOWN_NO;
	return yes || strcmp(text, "no") == 0;
}

const struct form form_known = { sizeof(enum known), print_known, read_known, "yes or no" };

static void print_yes(const struct word *word, const void *field, FILE *out)
{
	(void)word;
	fputs(*(const bool *)field ? "yes" : "no", out);
}

static bool read_yes(const struct word *word, const char *text, void *field)
{
	(void)word;
	*(bool *)field = strcmp(text, "yes") == 0;
	return *(bool *)field || strcmp(text, "no") == 0;
}

const struct form form_yes = { sizeof(bool), print_yes, read_yes, "yes or no" };

static void print_state(const struct word *word, const void *field, FILE *out)
{
	static const char letters[] = {
		[KERNEL_NO] = 'n', [KERNEL_MODULE] = 'm', [KERNEL_YES] = 'y'
	};

	(void)word;
	fputc(letters[*(const enum kernel_state *)field], out);
}

static bool read_state(const struct word *word, const char *text, void *field)
{
	enum kernel_state *state = field;

	(void)word;
	*state = *text == 'y' ? KERNEL_YES : *text == 'm' ? KERNEL_MODULE : KERNEL_NO;
	return strchr("ymn", *text) && !text[1];
}

const struct form form_state = { sizeof(enum kernel_state), print_state, read_state, "y, m or n" };

static void print_cpus(const struct word *word, const void *field, FILE *out)
{
	const struct cpulist *list = field;
	const char *comma = "";
	unsigned end;

	(void)word;
	for (unsigned cpu = 0; cpu < CPULIST_MAX; cpu = end + 1) {
		end = cpu;
		if (!cpulist_has(list, cpu))
			continue;
		while (cpulist_has(list, end + 1))
			end++;
		fprintf(out, "%s%u", comma, cpu);
		if (end > cpu)
			fprintf(out, "-%u", end);
		comma = ",";
	}
}

static bool read_cpus(const struct word *word, const char *text, void *field)
{
	(void)word;
	return cpulist_parse(text, field);
}

const struct form form_cpus = { sizeof(struct cpulist), print_cpus, read_cpus,
				"a list of CPUs such as 0-3,8" };

/* --- defaults --- */

static int default_byte(const struct word *word)
{
	return word->form == &form_int ? 0xff : 0; /* -1, or nothing */
}

static size_t field_size(const struct word *word)
{
	return word->form->size ? word->form->size : word->size;
}

bool word_absent(const struct word *word, const void *base)
{
	const unsigned char *field = (const unsigned char *)base + word->at;

	if (word->flag)
		return !*((const bool *)base + word->flag);
	if (word->form == &form_bar)
		return ((const struct bar_fact *)field)->bytes == 0;
	if (word->form == &form_variant)
		return strcmp((const char *)field, FACTS_VARIANT) == 0;
	if (word->form == &form_text || word->form == &form_bdf)
		return *field == '\0';
	for (size_t i = 0; i < field_size(word); i++)
		if (field[i] != default_byte(word))
			return false;
	return true;
}

void word_clear(const struct word *word, void *base)
{
	memset((unsigned char *)base + word->at, default_byte(word), field_size(word));
	if (word->form == &form_variant)
		str_copy((char *)base + word->at, word->size, FACTS_VARIANT);
	if (word->flag)
		*((bool *)base + word->flag) = false;
}
