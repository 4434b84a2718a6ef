/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function for each thing that can be shown. */
#include "show.h"

#include <fcntl.h>
#include <stdio.h>
#include <strings.h>

#include "argv.h"
#include "check.h"
#include "check_print.h"
#include "facts_text.h"
#include "inventory.h"
#include "json.h"
#include "manifest.h"
#include "plan_print.h"
#include "probe.h"
#include "record.h"
#include "refusal.h"
#include "select.h"
#include "util.h"
#include "version.h"

/* The format of all JSON texts but QEMU's words, which are an array of strings. */
enum { FORMAT = 1 };

static struct plan plan;
static struct argv words;

static struct facts here;

static const struct facts *look_here(void)
{
	_cleanup_fd_ int root = sys_root_open("/");

	facts_discover(root, &here);
	return &here;
}

struct json show_begin_json(void)
{
	struct json json = { .out = stdout };

	json_object(&json, NULL);
	json_number(&json, "format", FORMAT);
	json_string(&json, "hvinit", HVINIT_VERSION);
	return json;
}

static bool show_plan_json(const struct config *config, const struct facts *facts)
{
	struct json json = show_begin_json();

	json_array(&json, "vms");
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!manifest_vm_used(&config->vm[slot]))
			continue;
		plan_vm(config, slot, facts, &plan);
		plan_json(&plan, &json);
	}
	json_end(&json);
	json_end(&json);
	return json_finish(&json);
}

bool show_plan(const struct config *config, const struct facts *facts, bool json)
{
	bool any = false;

	if (!facts)
		facts = look_here();
	if (json)
		return show_plan_json(config, facts);
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!manifest_vm_used(&config->vm[slot]))
			continue;
		plan_vm(config, slot, facts, &plan);
		plan_print(&plan, stdout);
		putchar('\n');
		any = true;
	}
	if (any)
		plan_print_host(config, facts, stdout);
	return !ferror(stdout);
}

bool show_check(const struct config *config, bool json)
{
	static struct config ignored;
	static struct check_set set;
	static struct diag diag;
	_cleanup_fd_ int root = sys_root_open("/");
	const struct selected *selected;
	unsigned failures;

	/* What was wrong with the manifest itself at boot is wrong still. */
	selected = select_manifest(root, &diag);
	if (selected->path[0])
		manifest_load(selected->path, &ignored, &diag);
	set = (struct check_set){
		.config = config,
		.facts = look_here(),
		.machine = true,
		.prepared = true,
		.root = root,
	};
	check_plan(&set);
	if (json)
		return check_json(&set, &diag, stdout, &failures);
	check_print(&set, &diag, stdout);
	return !ferror(stdout);
}

bool show_argv(const struct config *config, unsigned slot, const struct facts *facts, bool as_json)
{
	struct json json = { .out = stdout };

	plan_vm(config, slot, facts ? facts : look_here(), &plan);
	argv_build(&plan, &words);
	if (words.overflow) {
		fprintf(stderr, "hvinit: %s: build QEMU's arguments: they are too long\n",
			config->vm[slot].name);
		return false;
	}
	if (!as_json) {
		argv_print(&words, stdout);
		return !ferror(stdout);
	}
	json_array(&json, NULL);
	for (unsigned i = 0; i < words.count; i++)
		json_string(&json, NULL, words.word[i]);
	json_end(&json);
	return json_finish(&json);
}

bool show_devices(const struct config *config, const struct facts *facts, bool as_json)
{
	struct json json;

	if (!facts)
		facts = look_here();
	if (!as_json) {
		inventory_print(config, facts, stdout);
		return !ferror(stdout);
	}
	json = show_begin_json();
	inventory_json(config, facts, &json);
	json_end(&json);
	return json_finish(&json);
}

/* Of a line with a secret, all up to the symbol's end. */
static int secret_name(const char *line)
{
	size_t begin = strspn(line, "# \t");

	return (int)(begin + strcspn(line + begin, "= \t\"$\n"));
}

/* A hash that stands where none belongs is one still. */
static void print_line(const char *text, size_t len)
{
	for (size_t n = 0; n + 2 < len; n++)
		if (strncmp(text + n, "$5$", 3) == 0 || strncmp(text + n, "$6$", 3) == 0) {
			printf("%.*s(not shown)\n", (int)n, text);
			return;
		}
	printf("%.*s\n", (int)len, text);
}

/* A hash can be guessed at, by whoever sees it. */
bool show_manifest(void)
{
	static struct diag diag;
	size_t len;
	const char *path = select_look()->path;
	const char *text = path[0] ? manifest_read(path, &len, &diag) : NULL;
	const char *line;

	if (!path[0])
		puts("hvinit: manifest: none can be taken; 'check' tells why");
	diag_print(&diag, stdout);
	for (; text && *text; text = line) {
		size_t n = strcspn(text, "\n");

		line = text + n + (text[n] == '\n');
		if (manifest_is_secret(text))
			printf("%.*s=\"(not shown)\"\n", secret_name(text), text);
		else
			print_line(text, n);
	}
	return text != NULL;
}

static void explain_words(enum diag_code code)
{
	const char *known;

	for (unsigned n = 0; (known = refusal_words(code, n)); n++)
		printf("%s`%s`", n ? ", " : "\nQEMU's words: ", known);
	if (refusal_words(code, 0))
		puts("");
}

static void explain_one(enum diag_code code)
{
	static const char *const severities[] = {
		[DIAG_WARN] = "warning",
		[DIAG_FAIL] = "failure",
		[DIAG_REFUSED] = "failure, with START_ANYWAY a warning",
	};

	printf("### %s (%s)\n\n%s\n", diag_code_text(code), severities[diag_code_severity(code)],
	       diag_code_title(code));
	explain_words(code);
	printf("\nRemedy: %s.\n", diag_code_remedy(code));
}

bool show_record(enum show_record what)
{
	static struct diag diag;
	_cleanup_fd_ int root = sys_root_open("/");

	facts_discover(root, &here);
	if (what == SHOW_PROBED)
		probe_all(root, &here, stdout, &diag);
	if (what == SHOW_KCONFIG)
		record_kconfig(&here, stdout);
	else
		facts_print(&here, stdout);
	diag_print(&diag, stdout);
	return diag.count == 0;
}

bool show_explain(const char *what)
{
	enum diag_code code = 0;

	while (code < DIAG_CODES && what[0] && strcasecmp(what, diag_code_text(code)) != 0)
		code++;
	if (code == DIAG_CODES)
		code = refusal_code(what);
	if (code == DIAG_CODES)
		return false;
	explain_one(code);
	while (!what[0] && ++code < DIAG_CODES) {
		puts("");
		explain_one(code);
	}
	return true;
}
