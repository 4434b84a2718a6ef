/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of findings has room for one VM's, so each VM's are printed as soon as they are made. */
#include "check_print.h"

#include "json.h"
#include "version.h"

enum { FORMAT = 1 };

struct output {
	FILE *out; /* NULL: json instead */
	struct json *json;
	unsigned failures;
	unsigned warnings;
};

static void print_row(void *arg, const struct check_row *row)
{
	FILE *out = arg;

	fprintf(out, "%-26s %-8s %s\n", row->name, check_verdict_text(row->verdict), row->detail);
}

static void json_row(void *arg, const struct check_row *row)
{
	struct json *json = arg;

	json_object(json, NULL);
	json_string(json, "name", row->name);
	json_string(json, "verdict", check_verdict_text(row->verdict));
	json_string(json, "detail", row->detail);
	json_end(json);
}

/* true, false, or null where it is not known. */
static void json_known(struct json *json, const char *name, enum known known)
{
	if (known == KNOWN_UNKNOWN)
		json_null(json, name);
	else
		json_bool(json, name, known == KNOWN_YES);
}

static void json_accel(struct json *json, const struct check_set *set)
{
	struct check_accel accel;

	check_accel(set, &accel);
	json_object(json, "acceleration");
	json_known(json, "possible", accel.possible);
	json_string(json, "why", accel.why);
	json_array(json, "smmus");
	for (unsigned i = 0; set->machine && i < set->facts->smmus; i++) {
		const struct smmu_fact *smmu = &set->facts->smmu[i];

		check_accel_smmu(smmu, &accel);
		json_object(json, NULL);
		json_string(json, "name", smmu->name);
		json_bool(json, "used", check_accel_used(set, smmu));
		json_known(json, "possible", accel.possible);
		json_string(json, "why", accel.why);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static void json_finding(struct json *json, const struct finding *f)
{
	json_object(json, NULL);
	json_string(json, "code", diag_code_text(f->code));
	json_string(json, "severity", f->severity == DIAG_FAIL ? "failure" : "warning");
	json_count(json, "vm", f->vm);
	json_string(json, "subject", f->subject);
	json_string(json, "text", f->text);
	json_string(json, "remedy", diag_code_remedy(f->code));
	json_end(json);
}

/* Prints what diag holds, counts it, and empties diag. */
static void flush(struct output *o, struct diag *diag)
{
	unsigned failures = diag->dropped_failures;

	for (unsigned i = 0; i < diag->count; i++)
		failures += diag->finding[i].severity == DIAG_FAIL;
	o->failures += failures;
	o->warnings += diag->count + diag->dropped - failures;
	if (o->out)
		diag_print(diag, o->out);
	for (unsigned i = 0; o->json && i < diag->count; i++)
		json_finding(o->json, &diag->finding[i]);
	diag->count = diag->dropped = diag->dropped_failures = 0;
}

static void find_all(struct output *o, const struct check_set *set, struct diag *diag)
{
	flush(o, diag);
	check_host(set, diag);
	flush(o, diag);
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!set->plan[slot].vm)
			continue;
		check_vm(set, slot, diag);
		flush(o, diag);
	}
}

unsigned check_print(const struct check_set *set, struct diag *diag, FILE *out)
{
	struct output o = { .out = out };

	check_rows(set, print_row, out);
	find_all(&o, set, diag);
	fprintf(out, "%u failure%s, %u warning%s\n", o.failures, o.failures == 1 ? "" : "s",
		o.warnings, o.warnings == 1 ? "" : "s");
	return o.failures;
}

bool check_json(const struct check_set *set, struct diag *diag, FILE *out, unsigned *failures)
{
	struct json json = { .out = out };
	struct output o = { .json = &json };

	json_object(&json, NULL);
	json_number(&json, "format", FORMAT);
	json_string(&json, "hvinit", HVINIT_VERSION);
	json_array(&json, "host");
	check_rows(set, json_row, &json);
	json_end(&json);
	json_accel(&json, set);
	json_array(&json, "findings");
	find_all(&o, set, diag);
	json_end(&json);
	json_number(&json, "failures", o.failures);
	json_number(&json, "warnings", o.warnings);
	json_end(&json);
	*failures = o.failures;
	return json_finish(&json);
}
