/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A .config becomes a manifest, is parsed, planned for a small machine, checked, and turned into
 * words for QEMU. What check lets through must not name anything twice.
 */
#include "fuzz.h"

#include "argv.h"
#include "check.h"
#include "facts_text.h"
#include "json.h"
#include "manifest.h"
#include "plan.h"
#include "plan_print.h"

static struct facts facts;
static struct config config;
static struct diag diag;
static struct check_set set;
static struct argv argv;

static void read_machine(void)
{
	static bool done;

	if (!done)
		PROMISE(facts_load("tests/fuzz/machine", &facts, &diag), "the machine can be read");
	done = true;
}

/* Copies the string that follows key in text; false when there is none. */
static bool member(const char *text, const char *key, char *value, size_t size)
{
	const char *at = strstr(text, key);

	if (!at)
		return false;
	at += strlen(key);
	snprintf(value, size, "%.*s", (int)strcspn(at, "\""), at);
	return true;
}

/* A place on a bus, or an id: whatever may be there once in a whole argv. */
static bool unique_of(const char *word, bool id, char *value, size_t size)
{
	char bus[64];
	char addr[64];

	if (id)
		return member(word, "\"id\":\"", value, size);
	if (!member(word, "\"bus\":\"", bus, sizeof(bus)) ||
	    !member(word, "\"addr\":\"", addr, sizeof(addr)))
		return false;
	snprintf(value, size, "%s %s", bus, addr);
	return true;
}

static void nothing_is_twice(bool id)
{
	char one[160];
	char other[160];

	for (unsigned i = 1; i < argv.count; i++) {
		if (strcmp(argv.word[i - 1], "-device") != 0 ||
		    !unique_of(argv.word[i], id, one, sizeof(one)))
			continue;
		for (unsigned j = 1; j < i; j++)
			if (strcmp(argv.word[j - 1], "-device") == 0 &&
			    unique_of(argv.word[j], id, other, sizeof(other)))
				PROMISE(strcmp(one, other) != 0, one);
	}
}

static void look_at(unsigned slot)
{
	struct json json = { .out = nowhere() };
	const struct plan *plan = &set.plan[slot];

	memset(&diag, 0, sizeof(diag));
	check_vm(&set, slot, &diag);
	plan_print(plan, nowhere());
	json_array(&json, NULL);
	plan_json(plan, &json);
	json_end(&json);
	PROMISE(json_finish(&json), "JSON is whole");
	argv_build(plan, &argv);
	PROMISE(argv.overflow || (argv.count > 0 && !argv.word[argv.count]), "words end");
	/* An expert may have more words, and may go on where QEMU would refuse. */
	if (diag_failures(&diag, (int)slot) || plan->vm->start_anyway || plan->vm->qemu_args[0])
		return;
	PROMISE(!argv.overflow, "words that are checked fit");
	nothing_is_twice(true);
	nothing_is_twice(false);
}

static void nothing(void *arg, const struct check_row *row)
{
	(void)arg;
	PROMISE(row->name[0] && row->detail[0], "a row says something");
}

static void look_at_all(const char *text, size_t len)
{
	manifest_defaults(&config);
	manifest_parse(text, len, &config, &diag);
	PROMISE(diag.count == 0, "what was written can be read");
	set.config = &config;
	set.facts = &facts;
	set.machine = true;
	set.root = -1;
	check_plan(&set);
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (manifest_vm_used(&config.vm[slot]))
			look_at(slot);
	check_host(&set, &diag);
	check_rows(&set, nothing, NULL);
	plan_print_host(&config, &facts, nowhere());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dotconfig[MANIFEST_MAX];
	char *text = NULL;
	size_t len;
	FILE *out;

	read_machine();
	if (size >= sizeof(dotconfig))
		return -1;
	memcpy(dotconfig, data, size);
	dotconfig[size] = '\0';
	memset(&diag, 0, sizeof(diag));
	out = open_memstream(&text, &len);
	manifest_write(dotconfig, size, out, &diag);
	fclose(out);
	PROMISE(diag.count || len, "a manifest or a finding");
	if (!diag.count)
		look_at_all(text, len);
	free(text);
	return 0;
}
