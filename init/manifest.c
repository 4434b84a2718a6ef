/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes manifests. The table of symbols is made from the Kconfig templates. */
#define HV_SYMBOL_TABLE
#include "manifest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sha256.h"
#include "util.h"
#include "value.h"

#define FORMAT_LINE "# hvinit manifest 1\n"
#define HASH_LINE "# sha256 "

/* How much of a line that is no assignment is told: nothing from where a password's hash may begin. */
static int told(const char *text, size_t len)
{
	enum { MOST = 60 };
	size_t n = 0;

	while (n < len && n < MOST && text[n] != '$')
		n++;
	return (int)n;
}

/* A bit for each byte of struct config that a symbol's field starts at. */
struct seen {
	unsigned char bit[sizeof(struct config) / 8 + 1];
};

/* Reads the slot number after a prefix: "VM3_NAME" with "VM" gives 3 and leaves "NAME". */
static const char *slot(const char *name, const char *prefix, unsigned slots, unsigned *number)
{
	size_t len = strlen(prefix);
	unsigned long n;
	char *end;

	if (strncmp(name, prefix, len) != 0 || !isdigit((unsigned char)name[len]))
		return NULL;
	/* "VM007_" and "VM7_" must not both be names of slot 7. */
	if (name[len] == '0' && isdigit((unsigned char)name[len + 1]))
		return NULL;
	n = strtoul(name + len, &end, 10);
	if (*end != '_' || n >= slots)
		return NULL;
	*number = (unsigned)n;
	return end + 1;
}

static const struct symbol *find_symbol(enum symbol_scope scope, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hv_symbols); i++)
		if (hv_symbols[i].scope == scope && strcmp(hv_symbols[i].name, name) == 0)
			return &hv_symbols[i];
	return NULL;
}

/* A kind of slot inside the host's or a VM's struct. */
struct inner {
	const char *prefix;
	unsigned slots;
	enum symbol_scope scope;
	size_t offset;
	size_t size;
};

#define INNER(prefix, SCOPE, outer, array)                                                \
	{                                                                                 \
		prefix, HV_##SCOPE##_SLOTS, SCOPE_##SCOPE, offsetof(struct outer, array), \
			sizeof(struct array##_config)                                     \
	}

static const struct inner host_inner[] = { INNER("BRIDGE", BRIDGE, host_config, bridge) };
static const struct inner vm_inner[] = {
	INNER("HOSTDEV", HOSTDEV, vm_config, hostdev),
	INNER("VSMMU", VSMMU, vm_config, vsmmu),
	INNER("PORT", PORT, vm_config, port),
	INNER("DISK", DISK, vm_config, disk),
	INNER("NET", NET, vm_config, net),
};

/* Looks for an inner slot's prefix at name; moves name, scope and base to it. */
static void descend(const struct inner *inner, size_t count, const char **name,
		    enum symbol_scope *scope, char **base)
{
	for (size_t i = 0; i < count; i++) {
		unsigned n;
		const char *rest = slot(*name, inner[i].prefix, inner[i].slots, &n);

		if (!rest)
			continue;
		*base += inner[i].offset + n * inner[i].size;
		*scope = inner[i].scope;
		*name = rest;
		return;
	}
}

/* Fills in symbol, vm and field from the name; false when there is no such symbol. */
static bool resolve(struct assignment *a, struct config *config)
{
	enum symbol_scope scope;
	const char *rest;
	char *base;
	unsigned n;

	a->vm = DIAG_HOST;
	if (str_prefix(a->name, "HOST_")) {
		scope = SCOPE_HOST;
		base = (char *)&config->host;
		rest = a->name + strlen("HOST_");
		descend(host_inner, ARRAY_SIZE(host_inner), &rest, &scope, &base);
	} else {
		rest = slot(a->name, "VM", HV_VM_SLOTS, &n);
		if (!rest)
			return false;
		a->vm = (int)n;
		scope = SCOPE_VM;
		base = (char *)&config->vm[n];
		descend(vm_inner, ARRAY_SIZE(vm_inner), &rest, &scope, &base);
	}
	a->symbol = find_symbol(scope, rest);
	if (!a->symbol)
		return false;
	a->field = base + a->symbol->offset;
	return true;
}

static void scope_defaults(enum symbol_scope scope, void *base)
{
	for (size_t i = 0; i < ARRAY_SIZE(hv_symbols); i++)
		if (hv_symbols[i].scope == scope)
			value_default(&hv_symbols[i], base);
}

static void inner_defaults(const struct inner *inner, size_t count, void *base)
{
	for (size_t i = 0; i < count; i++) {
		char *first = (char *)base + inner[i].offset;

		scope_defaults(inner[i].scope, first);
		for (unsigned n = 1; n < inner[i].slots; n++)
			memcpy(first + n * inner[i].size, first, inner[i].size);
	}
}

void manifest_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	scope_defaults(SCOPE_HOST, &config->host);
	inner_defaults(host_inner, ARRAY_SIZE(host_inner), &config->host);
	/* Every slot of a kind begins as the first: this is what boot and each command wait for. */
	scope_defaults(SCOPE_VM, &config->vm[0]);
	inner_defaults(vm_inner, ARRAY_SIZE(vm_inner), &config->vm[0]);
	for (unsigned n = 1; n < HV_VM_SLOTS; n++)
		config->vm[n] = config->vm[0];
}

static bool is_name_char(char c)
{
	return isupper((unsigned char)c) || isdigit((unsigned char)c) || c == '_';
}

/* Splits "SYMBOL=value"; false when the text has another form or does not fit. */
static bool split(struct assignment *a, const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_name_char(text[n]))
		n++;
	if (n == 0 || n == len || text[n] != '=' || n >= VALUE_NAME || len - n > VALUE_TEXT)
		return false;
	if (memchr(text, '\0', len))
		return false;
	memcpy(a->name, text, n);
	a->name[n] = '\0';
	memcpy(a->value, text + n + 1, len - n - 1);
	a->value[len - n - 1] = '\0';
	return true;
}

/* The symbol that a line names first, as a comment or as anything else; false when there is none. */
static bool resolve_first(const char *line, struct assignment *a, struct config *config)
{
	size_t n = 0;

	line += strspn(line, "# \t");
	while (is_name_char(line[n]))
		n++;
	if (n >= sizeof(a->name))
		return false;
	memcpy(a->name, line, n);
	a->name[n] = '\0';
	return resolve(a, config);
}

/* A line was meant to set a password, and does not. */
static void shut(const char *line, struct config *config)
{
	struct assignment a = { .line = 1 };

	if (resolve_first(line, &a, config))
		value_shut(&a);
}

static void parse_line(const char *text, size_t len, unsigned line, struct config *config,
		       struct seen *seen, struct diag *diag)
{
	struct assignment a = { .line = line, .vm = DIAG_HOST };
	size_t at;

	if (len == 0 || text[0] == '#')
		return;
	if (!split(&a, text, len)) {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_LINE, "manifest",
			 "line %u: \"%.*s\" is not SYMBOL=value", line, told(text, len), text);
		shut(text, config);
		return;
	}
	if (!resolve(&a, config)) {
		value_complain(diag, &a, DIAG_SYMBOL_UNKNOWN, "there is no such symbol");
		return;
	}
	at = (size_t)((char *)a.field - (char *)config);
	if (seen->bit[at / 8] & 1U << at % 8) {
		value_complain(diag, &a, DIAG_SYMBOL_TWICE, "the symbol was set in a line before");
		return;
	}
	seen->bit[at / 8] |= (unsigned char)(1U << at % 8);
	value_set(&a, diag);
}

static void parse_body(const char *text, size_t len, unsigned line, struct config *config,
		       struct diag *diag)
{
	struct seen seen = { { 0 } };
	const char *end = text + len;

	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));

		if (!eol)
			eol = end;
		parse_line(text, (size_t)(eol - text), line++, config, &seen, diag);
		text = eol + 1;
	}
}

/* Checks both header lines and returns where the body begins, or NULL. */
static const char *check_header(const char *text, size_t len, struct diag *diag)
{
	static const size_t first = sizeof(FORMAT_LINE) - 1;
	static const size_t second = sizeof(HASH_LINE) - 1 + SHA256_HEX;
	const char *hash = text + first + sizeof(HASH_LINE) - 1;
	const char *body = text + first + second;
	char hex[SHA256_HEX];

	if (len < first || memcmp(text, FORMAT_LINE, first) != 0) {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_FORMAT, "manifest", "line 1: want \"%.*s\"",
			 (int)first - 1, FORMAT_LINE);
		return NULL;
	}
	if (len < first + second || memcmp(text + first, HASH_LINE, sizeof(HASH_LINE) - 1) != 0 ||
	    body[-1] != '\n') {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_FORMAT, "manifest",
			 "line 2: want \"" HASH_LINE "\" and 64 hexadecimal digits");
		return NULL;
	}
	sha256_hex(body, len - first - second, hex);
	if (memcmp(hash, hex, SHA256_HEX - 1) != 0) {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_HASH, "manifest",
			 "line 2: the header says %.12s…, the body is %.12s…", hash, hex);
		return NULL;
	}
	return body;
}

/* A VM whose name is the fault must still be seen, as invalid. */
static void name_faulty(struct config *config, const struct diag *diag)
{
	for (unsigned n = 0; n < HV_VM_SLOTS; n++)
		if (!manifest_vm_used(&config->vm[n]) && diag_failures(diag, (int)n))
			str_format(config->vm[n].name, sizeof(config->vm[n].name), "unnamed-vm%u",
				   n);
}

void manifest_parse(const char *text, size_t len, struct config *config, struct diag *diag)
{
	const char *body = check_header(text, len, diag);

	if (!body)
		return;
	parse_body(body, len - (size_t)(body - text), 3, config, diag);
	name_faulty(config, diag);
}

const char *manifest_read(const char *path, size_t *len, struct diag *diag)
{
	static char text[MANIFEST_MAX];
	_cleanup_fd_ int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
						       open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && used < sizeof(text) - 1) {
		n = read(fd, text + used, sizeof(text) - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (n != 0) {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_READ, path, "read it: %s",
			 n < 0 ? strerror(errno) : "it is too large");
		return NULL;
	}
	text[used] = '\0';
	*len = used;
	return text;
}

bool manifest_load(const char *path, struct config *config, struct diag *diag)
{
	size_t len;
	const char *text = manifest_read(path, &len, diag);

	if (text)
		manifest_parse(text, len, config, diag);
	return text;
}

const struct hostdev_config *manifest_find(const struct config *config, const char *bdf,
					   unsigned *vm)
{
	for (*vm = 0; *vm < HV_VM_SLOTS; ++*vm)
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++)
			if (strcmp(config->vm[*vm].hostdev[m].bdf, bdf) == 0 &&
			    config->vm[*vm].hostdev[m].vf == HV_NONE)
				return &config->vm[*vm].hostdev[m];
	return NULL;
}

bool manifest_set(const char *name, const char *value, struct config *config, struct diag *diag)
{
	struct assignment a = { .line = 1, .vm = DIAG_HOST };
	unsigned before = diag->count;

	if (!str_copy(a.name, sizeof(a.name), name) || !str_copy(a.value, sizeof(a.value), value) ||
	    !resolve(&a, config))
		value_complain(diag, &a, DIAG_SYMBOL_UNKNOWN, "there is no such symbol");
	else
		value_set(&a, diag);
	return diag->count == before;
}

static void override(const char *word, size_t len, struct config *config, struct diag *diag)
{
	struct assignment a = { .vm = DIAG_HOST };

	if (!split(&a, word, len)) {
		diag_add(diag, DIAG_HOST, DIAG_CMDLINE_OVERRIDE, "kernel command line",
			 "hvinit.%.*s is not SYMBOL=value or safe", told(word, len), word);
		return;
	}
	if (!resolve(&a, config) || !a.symbol->cmdline) {
		value_complain(diag, &a, DIAG_CMDLINE_OVERRIDE, "the symbol cannot be set there");
		return;
	}
	value_set(&a, diag);
}

bool manifest_override(const char *word, struct config *config, struct diag *diag)
{
	unsigned before = diag->count;

	override(word, strlen(word), config, diag);
	return diag->count == before;
}

void manifest_settable(const struct config *config, void (*each)(void *arg, const char *name),
		       void *arg)
{
	char name[VALUE_NAME];

	for (size_t i = 0; i < ARRAY_SIZE(hv_symbols); i++) {
		const struct symbol *s = &hv_symbols[i];

		if (!s->cmdline)
			continue;
		if (s->scope == SCOPE_HOST) {
			str_format(name, sizeof(name), "HOST_%s", s->name);
			each(arg, name);
		}
		for (unsigned n = 0; s->scope == SCOPE_VM && n < HV_VM_SLOTS; n++) {
			str_format(name, sizeof(name), "VM%u_%s", n, s->name);
			if (manifest_vm_used(&config->vm[n]))
				each(arg, name);
		}
	}
}

/* Neither a comment nor a line that says it wrongly gives it away. */
bool manifest_is_secret(const char *line)
{
	struct assignment a = { .line = 1 };
	static struct config ignored;

	return resolve_first(line, &a, &ignored) && a.symbol->type == SYM_SECRET;
}

bool manifest_cmdline(const char *cmdline, bool trusted, struct config *config, struct diag *diag)
{
	static const char prefix[] = "hvinit.";
	const char *word = cmdline;
	bool safe = false;

	while (*word) {
		size_t len = strcspn(word, " \t\n");
		const char *rest = word + sizeof(prefix) - 1;

		if (len >= sizeof(prefix) && str_prefix(word, prefix)) {
			size_t n = len - (sizeof(prefix) - 1);

			if (n == 4 && strncmp(rest, "safe", n) == 0)
				safe = true;
			else if (trusted)
				override(rest, n, config, diag);
			else
				diag_add(diag, DIAG_HOST, DIAG_CMDLINE_OVERRIDE,
					 "kernel command line",
					 "%.*s was ignored: Secure Boot is on", told(word, len),
					 word);
		}
		word += len;
		word += strspn(word, " \t\n");
	}
	return safe;
}

static bool is_device_symbol(const char *text, size_t len)
{
	unsigned n;
	char name[VALUE_NAME];

	if (len >= sizeof(name))
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return str_prefix(name, "HOST_") || slot(name, "VM", UINT32_MAX, &n);
}

/*
 * Whether the line asks for the newest machine type there is. A manifest must not: another QEMU
 * would make other hardware of it.
 */
static bool is_newest_machine(const char *text, size_t len)
{
	static const char end[] = "_MACHINE=\"virt\"";
	size_t name = strcspn(text, "_");
	unsigned vm;

	return name < len && slot(text, "VM", HV_VM_SLOTS, &vm) && len == name + sizeof(end) - 1 &&
	       strncmp(text + name, end, sizeof(end) - 1) == 0;
}

/* The line that a manifest has for one of a .config ("# X is not set" becomes X=n); "" for none. */
static int manifest_line(const char *text, size_t len, char *line, size_t size)
{
	static const char unset[] = " is not set";
	size_t name;

	line[0] = '\0';
	if (len > 2 && text[0] == '#' && text[1] == ' ') {
		name = strcspn(text + 2, " \n");
		if (len == 2 + name + strlen(unset) &&
		    strncmp(text + 2 + name, unset, strlen(unset)) == 0 &&
		    is_device_symbol(text + 2, name))
			return snprintf(line, size, "%.*s=n\n", (int)name, text + 2);
	} else if (is_newest_machine(text, len)) {
		return snprintf(line, size, "%.*s=\"" QEMU_MACHINE "\"\n", (int)strcspn(text, "="),
				text);
	} else if (is_device_symbol(text, strcspn(text, "=\n"))) {
		return snprintf(line, size, "%.*s\n", (int)len, text);
	}
	return 0;
}

/*
 * Copies the device symbols of a .config, and reads them with the line numbers that they have
 * there. Returns the length, or size when they do not fit.
 */
static size_t filter(const char *text, size_t len, char *body, size_t size, struct config *config,
		     struct diag *diag)
{
	const char *end = text + len;
	struct seen seen = { { 0 } };
	unsigned number = 0;
	size_t used = 0;

	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol ? eol : end) - text);
		int wrote = manifest_line(text, n, body + used, size - used);

		number++;
		if (wrote < 0 || (size_t)wrote >= size - used)
			return size;
		if (wrote)
			parse_line(body + used, (size_t)wrote - 1, number, config, &seen, diag);
		used += (size_t)wrote;
		text += n + 1;
	}
	return used;
}

void manifest_write(const char *dotconfig, size_t len, FILE *out, struct diag *diag)
{
	static char body[MANIFEST_MAX];
	static struct config config;
	char hex[SHA256_HEX];
	size_t used;

	manifest_defaults(&config);
	used = filter(dotconfig, len, body, sizeof(body), &config, diag);
	if (used >= sizeof(body)) {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_READ, "manifest", "more than %d bytes",
			 MANIFEST_MAX);
		return;
	}
	/* Some other file, or a configuration that has been cut short: no manifest says nothing. */
	if (used == 0 && diag->count == 0)
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_READ, "manifest",
			 "find what belongs in it: no line sets a HOST_ or VM symbol");
	if (diag->count)
		return;
	sha256_hex(body, used, hex);
	fprintf(out, FORMAT_LINE HASH_LINE "%s\n%s", hex, body);
}
