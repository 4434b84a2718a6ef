/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps and prints findings; the catalogue itself is diag.def. */
#include "diag.h"

static const struct {
	const char *code;
	enum diag_severity severity;
	const char *title;
	const char *remedy;
} catalogue[DIAG_CODES] = {
#define DIAG(name, code, severity, title, remedy) \
	[DIAG_##name] = { code, DIAG_##severity, title, remedy },
#include "diag.def"
#undef DIAG
};

/* Findings quote manifests and QEMU's words, and are shown on a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* A new finding without a text, or NULL when there is no room. */
static struct finding *add(struct diag *diag, int vm, enum diag_code code,
			   enum diag_severity severity, const char *subject)
{
	struct finding *finding;

	if (diag->count == DIAG_MAX) {
		diag->dropped++;
		diag->dropped_failures += severity == DIAG_FAIL;
		return NULL;
	}
	finding = &diag->finding[diag->count++];
	finding->code = code;
	finding->severity = severity;
	finding->vm = vm;
	str_copy(finding->subject, sizeof(finding->subject), subject);
	make_printable(finding->subject);
	return finding;
}

void diag_add(struct diag *diag, int vm, enum diag_code code, const char *subject, const char *fmt,
	      ...)
{
	bool warn = catalogue[code].severity == DIAG_WARN;
	struct finding *finding = add(diag, vm, code, warn ? DIAG_WARN : DIAG_FAIL, subject);
	va_list ap;

	if (!finding)
		return;
	va_start(ap, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, ap);
	va_end(ap);
	make_printable(finding->text);
}

void diag_warn(struct diag *diag, int vm, enum diag_code code, const char *subject, const char *fmt,
	       ...)
{
	struct finding *finding = add(diag, vm, code, DIAG_WARN, subject);
	va_list ap;

	if (!finding)
		return;
	va_start(ap, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, ap);
	va_end(ap);
	make_printable(finding->text);
}

const char *diag_code_text(enum diag_code code)
{
	return catalogue[code].code;
}

enum diag_severity diag_code_severity(enum diag_code code)
{
	return catalogue[code].severity;
}

const char *diag_code_title(enum diag_code code)
{
	return catalogue[code].title;
}

const char *diag_code_remedy(enum diag_code code)
{
	return catalogue[code].remedy;
}

unsigned diag_failures(const struct diag *diag, int vm)
{
	unsigned n = diag->dropped_failures;

	for (unsigned i = 0; i < diag->count; i++)
		n += diag->finding[i].vm == vm && diag->finding[i].severity == DIAG_FAIL;
	return n;
}

void diag_format(const struct finding *finding, char *buf, size_t size)
{
	snprintf(buf, size, "%s: %s [%s]", finding->subject, finding->text,
		 diag_code_text(finding->code));
}

void diag_print(const struct diag *diag, FILE *out)
{
	char line[DIAG_SUBJECT + DIAG_TEXT + 32];

	for (unsigned i = 0; i < diag->count; i++) {
		diag_format(&diag->finding[i], line, sizeof(line));
		fprintf(out, "hvinit: %s\nhvinit: remedy: %s\n", line,
			diag_code_remedy(diag->finding[i].code));
	}
	if (diag->dropped)
		fprintf(out, "hvinit: %u more findings not shown\n", diag->dropped);
}
