/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of words for each kind of line: printing and reading cannot drift apart. */
#include "facts_text.h"

#include <errno.h>
#include <fcntl.h>

#include "facts_word.h"
#include "util.h"

#define HEADER "# hvinit host record 1"

enum { VALUE_MAX = 4096 };

#define FIELD(type, key, form, field)                                                   \
	{                                                                               \
		key, &form_##form, offsetof(type, field), sizeof(((type *)0)->field), 0 \
	}
#define MACHINE(key, form, field) FIELD(struct facts, key, form, field)
#define DRIVER(key, form, field) FIELD(struct driver_fact, key, form, field)
#define NODE(key, form, field) FIELD(struct node_fact, key, form, field)
#define SMMU(key, form, field) FIELD(struct smmu_fact, key, form, field)
#define DEVICE(key, form, field) FIELD(struct pci_fact, key, form, field)
#define SMMU_IF(known, key, form, field)                                 \
	{                                                                \
		key, &form_##form, offsetof(struct smmu_fact, field), 0, \
			offsetof(struct smmu_fact, known)                \
	}

static const struct word machine_words[] = {
	MACHINE("memory", kib, memory_kib),
	MACHINE("page", page, page_kib),
	MACHINE("cpus", cpus, cpus),
	MACHINE("iommufd", yes, iommufd),
	MACHINE("kvm", yes, kvm),
	MACHINE("hvinit", known, hvinit),
	MACHINE("secureboot", known, secure_boot),
	MACHINE("lockdown", text, lockdown),
	MACHINE("huge2M", yes, huge[FACTS_PAGE_2M]),
	MACHINE("huge1G", yes, huge[FACTS_PAGE_1G]),
	MACHINE("dropped", unsigned, dropped),
};

static const struct word kernel_words[] = {
	MACHINE("release", text, kernel),
#define KERNEL(name) MACHINE(#name, state, symbol[KERNEL_##name]),
#include "kernel.def"
#undef KERNEL
};

static const struct word driver_words[] = {
	DRIVER("", text, name),
	DRIVER("module", yes, module),
	DRIVER("from", text, from),
};

static const struct word node_words[] = {
	NODE("", int, id),
	NODE("memory", kib, memory_kib),
	NODE("cpus", cpus, cpus),
	NODE("total2M", count, huge_total[FACTS_PAGE_2M]),
	NODE("free2M", count, huge_free[FACTS_PAGE_2M]),
	NODE("total1G", count, huge_total[FACTS_PAGE_1G]),
	NODE("free1G", count, huge_free[FACTS_PAGE_1G]),
	NODE("initiator", yes, initiator),
};

static const struct word smmu_words[] = {
	SMMU("", text, name),
	SMMU("canwbs", known, canwbs),
	SMMU("oas", unsigned, oas),
	SMMU_IF(has_features, "features", hex, features),
	SMMU_IF(probed, "idr", idr, idr),
	SMMU("iidr", hex, iidr),
	SMMU("aidr", hex, aidr),
	SMMU("flags", hex, hw_flags),
};

static const struct word device_words[] = {
	DEVICE("", bdf, bdf),
	DEVICE("id", pair, vendor),
	DEVICE("sub", pair, subvendor),
	DEVICE("class", class, class),
	DEVICE("bridge", yes, bridge),
	DEVICE("smmu", text, smmu),
	DEVICE("group", int, group),
	DEVICE("node", int, node),
	DEVICE("initiators", nodes, gi_nodes),
	DEVICE("driver", text, driver),
	DEVICE("variant", variant, variant),
	DEVICE("use", text, use),
	DEVICE("reset", text, reset),
	DEVICE("direct", known, direct),
	DEVICE("pf", bdf, pf),
	DEVICE("vf", int, vf),
	DEVICE("vfs", u16, vfs),
	DEVICE("total", u16, vfs_total),
	DEVICE("offset", u16, vf_offset),
	DEVICE("stride", u16, vf_stride),
	DEVICE("bar0", bar, bar[0]),
	DEVICE("bar1", bar, bar[1]),
	DEVICE("bar2", bar, bar[2]),
	DEVICE("bar3", bar, bar[3]),
	DEVICE("bar4", bar, bar[4]),
	DEVICE("bar5", bar, bar[5]),
	DEVICE("vfbar0", bar, vf_bar[0]),
	DEVICE("vfbar1", bar, vf_bar[1]),
	DEVICE("vfbar2", bar, vf_bar[2]),
	DEVICE("vfbar3", bar, vf_bar[3]),
	DEVICE("vfbar4", bar, vf_bar[4]),
	DEVICE("vfbar5", bar, vf_bar[5]),
};

#define FOLLOWS(first, second)                \
	(offsetof(struct pci_fact, second) == \
	 offsetof(struct pci_fact, first) + sizeof(((struct pci_fact *)0)->first))

_Static_assert(FOLLOWS(vendor, device) && FOLLOWS(subvendor, subdevice), "form_pair");

enum kind { LINE_MACHINE, LINE_KERNEL, LINE_DRIVER, LINE_NODE, LINE_SMMU, LINE_DEVICE, LINES };

static const struct line {
	const char *name;
	const struct word *word;
	unsigned words;
} lines[LINES] = {
	[LINE_MACHINE] = { "machine", machine_words, ARRAY_SIZE(machine_words) },
	[LINE_KERNEL] = { "kernel", kernel_words, ARRAY_SIZE(kernel_words) },
	[LINE_DRIVER] = { "driver", driver_words, ARRAY_SIZE(driver_words) },
	[LINE_NODE] = { "node", node_words, ARRAY_SIZE(node_words) },
	[LINE_SMMU] = { "smmu", smmu_words, ARRAY_SIZE(smmu_words) },
	[LINE_DEVICE] = { "device", device_words, ARRAY_SIZE(device_words) },
};

/* --- printing --- */

static void print_line(enum kind kind, const void *base, FILE *out)
{
	const struct line *line = &lines[kind];

	fputs(line->name, out);
	for (unsigned i = 0; i < line->words; i++) {
		const struct word *word = &line->word[i];

		if (word->key[0] && word_absent(word, base))
			continue;
		fprintf(out, " %s%s", word->key, word->key[0] ? "=" : "");
		word->form->print(word, (const char *)base + word->at, out);
	}
	fputc('\n', out);
}

void facts_print(const struct facts *facts, FILE *out)
{
	fputs(HEADER "\n", out);
	print_line(LINE_MACHINE, facts, out);
	print_line(LINE_KERNEL, facts, out);
	for (unsigned i = 0; i < facts->drivers; i++)
		print_line(LINE_DRIVER, &facts->driver[i], out);
	for (unsigned i = 0; i < facts->nodes; i++)
		print_line(LINE_NODE, &facts->node[i], out);
	for (unsigned i = 0; i < facts->smmus; i++)
		print_line(LINE_SMMU, &facts->smmu[i], out);
	for (unsigned i = 0; i < facts->count; i++)
		print_line(LINE_DEVICE, &facts->device[i], out);
}

/* --- reading --- */

/* Where reading has got to. */
struct reader {
	const char *at;
	const char *end; /* of the line, or of the text between lines */
	unsigned line;
	struct facts *facts;
	struct diag *diag;
	bool failed;
	char key[32];
	char value[VALUE_MAX];
};

PRINTF_LIKE(2, 3)
static bool complain(struct reader *r, const char *fmt, ...)
{
	char text[DIAG_TEXT];
	char subject[DIAG_SUBJECT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_format(subject, sizeof(subject), "host record, line %u", r->line);
	diag_add(r->diag, DIAG_HOST, DIAG_RECORD_FORMAT, subject, "%s", text);
	r->failed = true;
	return false;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && *r->at == ' ')
		r->at++;
}

/* Takes what stands before one of the characters of stop, or before the line's end. */
static bool take(struct reader *r, const char *stop, char *text, size_t size)
{
	size_t n = 0;

	for (; r->at < r->end && (!*r->at || !strchr(stop, *r->at)); r->at++) {
		/* Nothing that came in is shown again unless it is safe on a terminal. */
		if (n + 1 == size || *r->at < ' ' || *r->at > '~')
			return complain(r, "read a word: it is too long or holds a byte that is no "
					   "printable ASCII");
		text[n++] = *r->at;
	}
	text[n] = '\0';
	return true;
}

static bool take_value(struct reader *r)
{
	if (r->at == r->end || *r->at != '"')
		return take(r, " ", r->value, sizeof(r->value));
	r->at++;
	if (!take(r, "\"", r->value, sizeof(r->value)))
		return false;
	if (r->at == r->end)
		return complain(r, "read a word: its double quote is not closed");
	r->at++;
	if (r->at < r->end && *r->at != ' ')
		return complain(r, "read a word: want a blank after \"%.60s\"", r->value);
	return true;
}

static const struct word *find_word(const struct line *line, const char *key, unsigned *number)
{
	for (*number = 0; *number < line->words; ++*number)
		if (strcmp(line->word[*number].key, key) == 0)
			return &line->word[*number];
	return NULL;
}

/* Reads "key=value", or without a key the line's first word. */
static bool read_word(struct reader *r, const struct line *line, void *base, uint64_t *seen)
{
	bool first = *seen == 0 && line->word[0].key[0] == '\0';
	const struct word *word;
	unsigned number;

	r->key[0] = '\0';
	if (!first && !take(r, " =\"", r->key, sizeof(r->key)))
		return false;
	if (!first && (r->at == r->end || *r->at++ != '='))
		return complain(r, "read \"%s\": want KEY=VALUE", r->key);
	if (!take_value(r))
		return false;
	word = first || r->key[0] ? find_word(line, r->key, &number) : NULL;
	if (!word)
		return complain(r, "read \"%s=%.60s\": a %s has no such word", r->key, r->value,
				line->name);
	if (*seen & UINT64_C(1) << number)
		return complain(r, "read %s: it is there twice", r->key);
	*seen |= UINT64_C(1) << number;
	if (!r->value[0] || !word->form->read(word, r->value, (char *)base + word->at))
		return complain(r, "read \"%s%s%.60s\": want %s", r->key, first ? "" : "=",
				r->value, word->form->want);
	if (word->flag)
		*((bool *)base + word->flag) = true;
	return true;
}

_Static_assert(ARRAY_SIZE(device_words) < 64 && ARRAY_SIZE(kernel_words) < 64, "bits of seen");

static void clear(const struct line *line, void *base)
{
	for (unsigned i = 0; i < line->words; i++)
		word_clear(&line->word[i], base);
}

static bool read_words(struct reader *r, enum kind kind, void *base)
{
	const struct line *line = &lines[kind];
	uint64_t seen = 0;

	clear(line, base);
	skip_blanks(r);
	if (r->at == r->end && line->word[0].key[0] == '\0')
		return complain(r, "read a %s: want its name", line->name);
	while (r->at < r->end) {
		if (!read_word(r, line, base, &seen))
			return false;
		skip_blanks(r);
	}
	return true;
}

/* Reads an element into the next place of its table; one that is wrong takes no place. */
#define READ_ELEMENT(r, kind, table, count, limit)                                         \
	do {                                                                               \
		if ((count) == (limit))                                                    \
			complain(r, "read a %s: there are more than %d", lines[kind].name, \
				 (int)(limit));                                            \
		else if (read_words(r, kind, &(table)[count]))                             \
			(count)++;                                                         \
	} while (0)

static void read_kind(struct reader *r, enum kind kind)
{
	struct facts *f = r->facts;

	switch (kind) {
	case LINE_MACHINE:
	case LINE_KERNEL:
		read_words(r, kind, f);
		return;
	case LINE_DRIVER:
		READ_ELEMENT(r, kind, f->driver, f->drivers, FACTS_DRIVERS);
		return;
	case LINE_NODE:
		READ_ELEMENT(r, kind, f->node, f->nodes, FACTS_NODES);
		return;
	case LINE_SMMU:
		READ_ELEMENT(r, kind, f->smmu, f->smmus, FACTS_SMMUS);
		return;
	case LINE_DEVICE:
		READ_ELEMENT(r, kind, f->device, f->count, FACTS_DEVICES);
		return;
	case LINES:
		return;
	}
}

static void read_line(struct reader *r, unsigned *seen)
{
	skip_blanks(r);
	if (r->at == r->end || *r->at == '#')
		return;
	if (!take(r, " ", r->key, sizeof(r->key)))
		return;
	for (unsigned kind = 0; kind < LINES; kind++) {
		if (strcmp(lines[kind].name, r->key) != 0)
			continue;
		if (kind <= LINE_KERNEL && *seen & 1U << kind)
			complain(r, "read a %s: there is one already", r->key);
		else
			read_kind(r, (enum kind)kind);
		*seen |= 1U << kind;
		return;
	}
	complain(r, "read \"%s\": want machine, kernel, driver, node, smmu or device", r->key);
}

static void twice(struct reader *r, const char *kind, const char *name)
{
	diag_add(r->diag, DIAG_HOST, DIAG_RECORD_FORMAT, "host record",
		 "read %s %s: it is there twice", kind, name);
	r->failed = true;
}

/* What has the same name stands side by side now. */
static void check_names(struct reader *r)
{
	const struct facts *f = r->facts;
	char id[16];

	for (unsigned i = 1; i < f->drivers; i++)
		if (strcmp(f->driver[i - 1].name, f->driver[i].name) == 0)
			twice(r, "driver", f->driver[i].name);
	for (unsigned i = 1; i < f->nodes; i++)
		if (f->node[i - 1].id == f->node[i].id) {
			str_format(id, sizeof(id), "%d", f->node[i].id);
			twice(r, "node", id);
		}
	for (unsigned i = 1; i < f->smmus; i++)
		if (strcmp(f->smmu[i - 1].name, f->smmu[i].name) == 0)
			twice(r, "smmu", f->smmu[i].name);
	for (unsigned i = 1; i < f->count; i++)
		if (strcmp(f->device[i - 1].bdf, f->device[i].bdf) == 0)
			twice(r, "device", f->device[i].bdf);
}

bool facts_read(const char *text, size_t len, struct facts *facts, struct diag *diag)
{
	struct reader r = { .facts = facts, .diag = diag };
	unsigned seen = 0;

	memset(facts, 0, sizeof(*facts));
	facts->recorded = true;
	for (const char *at = text, *end = text + len; at < end; at = r.end + 1) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		r.at = at;
		r.end = newline ? newline : end;
		r.line++;
		if (r.line > 1)
			read_line(&r, &seen);
		else if ((size_t)(r.end - at) != strlen(HEADER) ||
			 memcmp(at, HEADER, strlen(HEADER)) != 0)
			return complain(&r, "read the first line: want \"" HEADER "\"");
	}
	if (r.line == 0) {
		r.line = 1;
		return complain(&r, "read the first line: the file is empty");
	}
	facts_sort(facts);
	check_names(&r);
	return !r.failed;
}

bool facts_load(const char *path, struct facts *facts, struct diag *diag)
{
	static char text[FACTS_TEXT_MAX];
	_cleanup_fd_ int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
						       open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && used < sizeof(text)) {
		n = read(fd, text + used, sizeof(text) - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (n != 0) {
		diag_add(diag, DIAG_HOST, DIAG_RECORD_READ, path, "read it: %s",
			 n < 0 ? strerror(errno) : "it is too large");
		return false;
	}
	return facts_read(text, used, facts, diag);
}
