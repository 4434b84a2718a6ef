/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the machine and its VMs are, for programs: 'status --json' byte for byte, and 'metrics' by the
 * rules of Prometheus's text format. Two VMs are there, in slots 1 and 6.
 */
#include "unit.h"

#include <stdlib.h>

#include "bootcount.h"
#include "console.h"
#include "device.h"
#include "dma_fault.h"
#include "history.h"
#include "manifest.h"
#include "metrics.h"
#include "standins.h"
#include "status.h"
#include "sys.h"
#include "trial.h"
#include "trust.h"
#include "version.h"
#include "vm.h"
#include "watchdog.h"

enum { WEB = 1, DB = 6 };

static struct config config;
static struct vm_view views[HV_VM_SLOTS];
static struct history history[HV_VM_SLOTS];
static struct ring consoles[HV_VM_SLOTS];
static const char *release;
static const struct confined never;
static const struct confined confined = {
	.user = 64001,
	.missing = 1U << WALL_LANDLOCK | 1U << WALL_TASKS,
	.denied_calls = 52,
	.memlock = 1000000,
	.memory_max = 3000000000,
	.tasks_max = 129,
};

static char out[32768];

/* --- the rooms that tell --- */

static const char *const states[VM_STATES] = { "invalid", "stopped", "starting", "prelaunch",
					       "running", "paused",  "stopping", "stuck",
					       "backoff", "failed" };

const char *vm_state_name(enum vm_state state)
{
	return states[state];
}

bool vm_exists(unsigned slot)
{
	return slot == WEB || slot == DB;
}

struct vm_view vm_look(unsigned slot)
{
	assert_true(vm_exists(slot));
	return views[slot];
}

const struct ring *vm_console(unsigned slot)
{
	return &consoles[slot];
}

unsigned vm_active(void)
{
	return 1;
}

uint64_t console_dropped(unsigned slot)
{
	return slot == WEB ? 77 : 0;
}

uint64_t log_lost(void)
{
	return 5;
}

uint64_t dma_fault_unnamed(void)
{
	return 2038;
}

uint64_t dma_fault_count(unsigned vm, unsigned hostdev)
{
	return vm == WEB && hostdev == 3 ? 12 : 0;
}

unsigned bootcount_failed(void)
{
	return 2;
}

void trial_json(struct json *json)
{
	json_null(json, "fell_back");
}

const char *watchdog_state(void)
{
	return "fed";
}

const char *watchdog_last_reset(void)
{
	return "";
}

static struct trust trusted;

const struct trust *__wrap_trust_get(void);
const struct trust *__wrap_trust_get(void)
{
	return &trusted;
}

int __wrap_sys_kernel_release(char *text, size_t size);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);

int __wrap_sys_kernel_release(char *text, size_t size)
{
	text[0] = '\0';
	if (!release)
		return -1;
	return str_copy(text, size, release) ? 0 : -1;
}

/* Always a day after the boot. */
int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	*now = (struct timespec){ .tv_sec = 86400, .tv_nsec = 42000 };
	return 0;
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(history, 0, sizeof(history));
	release = "6.12.0-test";
	trusted = (struct trust){ .secure_boot = 1, .is_signed = true, .lockdown = "integrity" };
	str_copy(config.vm[WEB].name, sizeof(config.vm[WEB].name), "web");
	str_copy(config.vm[WEB].hostdev[0].bdf, SYS_BDF, "0000:41:00.0");
	str_copy(config.vm[WEB].hostdev[3].bdf, SYS_BDF, "0000:81:00.0");
	str_copy(config.vm[DB].name, sizeof(config.vm[DB].name), "db");
	views[WEB] = (struct vm_view){
		.name = "web",
		.state = "running",
		.why = "",
		.pid = 4711,
		.since_s = 3600,
		.to_running_ms = 2017,
		.starts = 3,
		.devices = 2,
		.vsmmus = 1,
		.confined = &confined,
		.calls_denied = 3,
		.history = &history[WEB],
	};
	views[DB] = (struct vm_view){
		.name = "db",
		.state = "backoff",
		.why = "QEMU: no \"x\"",
		.again_s = 8,
		.since_s = 2,
		.starts = 1,
		.confined = &never,
		.history = &history[DB],
	};
	history[WEB].tally[END_SHUTDOWN] = 2;
	history[WEB].resets = 4;
	history[DB].tally[END_CRASH] = 1;
	consoles[WEB].total = 1234567890123;
	device_release(&config, WEB, 3);
	device_note(&config, WEB, 0, DEVICE_CLAIMED, "0000:41:00.0", "");
	device_note(&config, WEB, 3, DEVICE_QUARANTINED, "0000:81:00.0", "it reads ones");
	return 0;
}

/* Runs one of them, with standard output in out. */
static bool shows(bool (*show)(void))
{
	return print_into(out, sizeof(out), show);
}

static void assert_has(const char *part)
{
	if (!strstr(out, part))
		fail_msg("\"%s\" is not in\n%s", part, out);
}

static unsigned times(const char *part)
{
	unsigned n = 0;

	for (const char *at = out; (at = strstr(at, part)); at++)
		n++;
	return n;
}

/* --- status --json --- */

static bool show_all(void)
{
	return status_json(&config, HV_VM_SLOTS);
}

static bool show_db(void)
{
	return status_json(&config, DB);
}

static bool show_none(void)
{
	return status_json(&config, 0);
}

#define MACHINE                                   \
	"{\n"                                     \
	"  \"format\": 1,\n"                      \
	"  \"hvinit\": \"" HVINIT_VERSION "\",\n" \
	"  \"board\": \"" HVINIT_BOARD "\",\n"    \
	"  \"kernel\": \"6.12.0-test\",\n"        \
	"  \"up_s\": 86400,\n"                    \
	"  \"active\": 1,\n"                      \
	"  \"secure_boot\": true,\n"              \
	"  \"lockdown\": \"integrity\",\n"        \
	"  \"signed\": true,\n"                   \
	"  \"watchdog\": \"fed\",\n"              \
	"  \"last_reset\": null,\n"               \
	"  \"manifest\": \"default\",\n"          \
	"  \"uuid\": null,\n"                     \
	"  \"boots_failed\": 2,\n"                \
	"  \"fell_back\": null,\n"                \
	"  \"log_lost_lines\": 5,\n"              \
	"  \"dma_faults_unnamed\": 2038,\n"

#define CONFINEMENT                               \
	"      \"confinement\": {\n"              \
	"        \"user\": 64001,\n"              \
	"        \"walls\": {\n"                  \
	"          \"root\": true,\n"             \
	"          \"ipc\": true,\n"              \
	"          \"uts\": true,\n"              \
	"          \"net\": true,\n"              \
	"          \"landlock\": false,\n"        \
	"          \"seccomp\": true,\n"          \
	"          \"mdwe\": true,\n"             \
	"          \"memory\": true,\n"           \
	"          \"tasks\": false,\n"           \
	"          \"cpus\": true,\n"             \
	"          \"weight\": true\n"            \
	"        },\n"                            \
	"        \"landlock_abi\": 0,\n"          \
	"        \"denied_calls\": 52,\n"         \
	"        \"calls_denied\": 3,\n"          \
	"        \"lock_bytes\": 1000000,\n"      \
	"        \"memory_bytes\": 3000000000,\n" \
	"        \"tasks\": 129\n"                \
	"      },\n"

#define VM_WEB                                      \
	"    {\n"                                   \
	"      \"name\": \"web\",\n"                \
	"      \"vm\": 1,\n"                        \
	"      \"state\": \"running\",\n"           \
	"      \"why\": null,\n"                    \
	"      \"since_s\": 3600,\n"                \
	"      \"again_s\": 0,\n"                   \
	"      \"pid\": 4711,\n"                    \
	"      \"starts\": 3,\n"                    \
	"      \"to_running_ms\": 2017,\n"          \
	"      \"devices\": 2,\n"                   \
	"      \"vsmmus\": 1,\n"                    \
	"      \"console_bytes\": 1234567890123,\n" \
	"      \"console_dropped_bytes\": 77,\n" CONFINEMENT "      \"guest_resets\": 4,\n"

#define WEB_DEVICES                               \
	"      \"hostdevs\": [\n"                 \
	"        {\n"                             \
	"          \"hostdev\": 0,\n"             \
	"          \"bdf\": \"0000:41:00.0\",\n"  \
	"          \"state\": \"claimed\",\n"     \
	"          \"why\": null,\n"              \
	"          \"dma_faults\": 0\n"           \
	"        },\n"                            \
	"        {\n"                             \
	"          \"hostdev\": 3,\n"             \
	"          \"bdf\": \"0000:81:00.0\",\n"  \
	"          \"state\": \"quarantined\",\n" \
	"          \"why\": \"it reads ones\",\n" \
	"          \"dma_faults\": 12\n"          \
	"        }\n"                             \
	"      ]\n"                               \
	"    }"

#define VM_DB                                      \
	"    {\n"                                  \
	"      \"name\": \"db\",\n"                \
	"      \"vm\": 6,\n"                       \
	"      \"state\": \"backoff\",\n"          \
	"      \"why\": \"QEMU: no \\\"x\\\"\",\n" \
	"      \"since_s\": 2,\n"                  \
	"      \"again_s\": 8,\n"                  \
	"      \"pid\": null,\n"                   \
	"      \"starts\": 1,\n"                   \
	"      \"to_running_ms\": null,\n"         \
	"      \"devices\": 0,\n"                  \
	"      \"vsmmus\": 0,\n"                   \
	"      \"console_bytes\": 0,\n"            \
	"      \"console_dropped_bytes\": 0,\n"    \
	"      \"confinement\": null,\n"           \
	"      \"guest_resets\": 0,\n"

/* The members of "ends", with those that have come to pass; it stays until the next call. */
static const char *ends(enum end_cause cause, unsigned count)
{
	static char text[1024];
	size_t used = 0;

	used += (size_t)sprintf(text, "      \"ends\": {\n");
	for (unsigned i = 0; i < END_CAUSES; i++)
		used += (size_t)sprintf(text + used, "        \"%s\": %u%s\n", history_cause(i),
					i == cause ? count : 0, i + 1 < END_CAUSES ? "," : "");
	sprintf(text + used, "      },\n");
	return text;
}

static void test_status(void **state)
{
	char want[8192];
	size_t used;

	(void)state;
	assert_true(shows(show_all));
	str_format(want, sizeof(want), MACHINE "  \"vms\": [\n" VM_WEB "%s" WEB_DEVICES ",\n",
		   ends(END_SHUTDOWN, 2));
	used = strlen(want);
	str_format(want + used, sizeof(want) - used,
		   VM_DB "%s      \"hostdevs\": []\n    }\n  ]\n}\n", ends(END_CRASH, 1));
	assert_string_equal(out, want);
}

static void test_status_of_one(void **state)
{
	char want[8192];

	(void)state;
	assert_true(shows(show_db));
	str_format(want, sizeof(want),
		   MACHINE "  \"vms\": [\n" VM_DB "%s      \"hostdevs\": []\n    }\n  ]\n}\n",
		   ends(END_CRASH, 1));
	assert_string_equal(out, want);
	assert_true(shows(show_none));
	assert_string_equal(out, MACHINE "  \"vms\": []\n}\n");
}

/* --- metrics --- */

static bool show_metrics(void)
{
	return metrics_print(&config);
}

struct family {
	char name[64];
	unsigned samples;
};

/* What is before its labels, or its value. */
static void name_of(const char *line, char name[64])
{
	str_format(name, 64, "%.*s", (int)strcspn(line, "{ "), line);
}

/* Name, labels in the one form that needs no quoting, and a number. */
static void assert_sample(const char *line)
{
	const char *at = line + strcspn(line, "{ ");
	char *end;

	for (; *at == '{' || *at == ','; at++) {
		at += 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
		assert_true(str_prefix(at, "=\""));
		at += 2 + strcspn(at + 2, "\"\\\n");
		assert_true(*at == '"');
		if (at[1] == '}')
			break;
	}
	at += str_prefix(at, "\"}") ? 2 : 0;
	assert_int_equal(*at, ' ');
	strtod(at + 1, &end);
	assert_true(end > at + 1);
	assert_string_equal(end, "");
}

/* Each family is in one piece, behind one HELP and one TYPE, and no sample is there twice. */
static void test_families(void **state)
{
	static struct family families[64];
	static char seen[512][128];
	unsigned samples = 0;
	size_t n = 0;
	char *rest;

	(void)state;
	assert_true(shows(show_metrics));
	for (char *line = strtok_r(out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct family *family;
		char name[64];

		if (str_prefix(line, "# HELP ")) {
			const char *text = line + strlen("# HELP ");

			name_of(text, name);
			for (size_t i = 0; i < n; i++)
				assert_string_not_equal(families[i].name, name);
			assert_true(n < ARRAY_SIZE(families) && strlen(text) > strlen(name) + 5);
			family = &families[n++];
			*family = (struct family){ 0 };
			str_copy(family->name, sizeof(family->name), name);
			line = strtok_r(NULL, "\n", &rest);
			assert_non_null(line);
			assert_true(str_prefix(line, "# TYPE "));
			name_of(line + strlen("# TYPE "), name);
			assert_string_equal(name, family->name);
			line += strlen("# TYPE ") + strlen(name);
			assert_true(strcmp(line, " gauge") == 0 || strcmp(line, " counter") == 0);
			/* What only grows has the name of a total, and nothing else has. */
			assert_int_equal(strcmp(line, " counter") == 0,
					 strcmp(name + strlen(name) - 6, "_total") == 0);
			continue;
		}
		assert_true(line[0] != '#' && n > 0);
		family = &families[n - 1];
		name_of(line, name);
		assert_string_equal(name, family->name);
		assert_sample(line);
		family->samples++;
		assert_true(samples < ARRAY_SIZE(seen));
		str_copy(seen[samples], sizeof(seen[0]), line);
		*strrchr(seen[samples], ' ') = '\0';
		for (unsigned i = 0; i < samples; i++)
			assert_string_not_equal(seen[i], seen[samples]);
		samples++;
	}
	for (size_t i = 0; i < n; i++)
		assert_true(families[i].samples > 0);
	assert_true(n > 10);
}

static void test_one_state(void **state)
{
	char line[128];

	(void)state;
	assert_true(shows(show_metrics));
	assert_int_equal(times("\nhvinit_vm_state{vm=\"web\","), VM_STATES);
	assert_int_equal(times("\nhvinit_vm_state{vm=\"db\","), VM_STATES);
	for (unsigned i = 0; i < VM_STATES; i++) {
		str_format(line, sizeof(line), "\nhvinit_vm_state{vm=\"web\",state=\"%s\"} %d\n",
			   states[i], strcmp(states[i], "running") == 0);
		assert_int_equal(times(line), 1);
		str_format(line, sizeof(line), "\nhvinit_vm_state{vm=\"db\",state=\"%s\"} %d\n",
			   states[i], strcmp(states[i], "backoff") == 0);
		assert_int_equal(times(line), 1);
	}
}

static void test_one_device_state(void **state)
{
	static const char device[] =
		"\nhvinit_device_state{vm=\"web\",hostdev=\"%u\",bdf=\"%s\",state=\"%s\"} %d\n";
	char line[160];

	(void)state;
	assert_true(shows(show_metrics));
	assert_int_equal(times("\nhvinit_device_state{"), 2 * DEVICE_STATES);
	for (unsigned i = 0; i < DEVICE_STATES; i++) {
		str_format(line, sizeof(line), device, 0U, "0000:41:00.0", device_state_name(i),
			   i == DEVICE_CLAIMED);
		assert_int_equal(times(line), 1);
		str_format(line, sizeof(line), device, 3U, "0000:81:00.0", device_state_name(i),
			   i == DEVICE_QUARANTINED);
		assert_int_equal(times(line), 1);
	}
}

static void test_figures(void **state)
{
	static const char *const figures[] = {
		"hvinit_info{version=\"" HVINIT_VERSION "\",board=\"" HVINIT_BOARD
		"\",kernel=\"6.12.0-test\"} 1",
		"hvinit_up_seconds 86400.000042",
		"hvinit_log_lost_lines_total 5",
		"hvinit_dma_faults_unnamed_total 2038",
		"hvinit_boots_failed 2",
		"hvinit_vm_state_seconds{vm=\"web\"} 3600",
		"hvinit_vm_state_seconds{vm=\"db\"} 2",
		"hvinit_vm_starts_total{vm=\"web\"} 3",
		"hvinit_vm_ends_total{vm=\"web\",cause=\"guest-shutdown\"} 2",
		"hvinit_vm_ends_total{vm=\"web\",cause=\"crash\"} 0",
		"hvinit_vm_ends_total{vm=\"db\",cause=\"crash\"} 1",
		"hvinit_vm_guest_resets_total{vm=\"web\"} 4",
		"hvinit_vm_time_to_running_seconds{vm=\"web\"} 2.017",
		"hvinit_vm_devices{vm=\"web\"} 2",
		"hvinit_vm_vsmmus{vm=\"web\"} 1",
		"hvinit_vm_calls_denied_total{vm=\"web\"} 3",
		"hvinit_vm_console_bytes_total{vm=\"web\"} 1234567890123",
		"hvinit_vm_console_dropped_bytes_total{vm=\"web\"} 77",
		"hvinit_vm_console_dropped_bytes_total{vm=\"db\"} 0",
		"hvinit_device_dma_faults_total{vm=\"web\",hostdev=\"0\",bdf=\"0000:41:00.0\"} 0",
		"hvinit_device_dma_faults_total{vm=\"web\",hostdev=\"3\",bdf=\"0000:81:00.0\"} 12",
	};
	char line[160];

	(void)state;
	assert_true(shows(show_metrics));
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		str_format(line, sizeof(line), "\n%s\n", figures[i]);
		assert_has(line);
	}
	/* One that has never run has taken no time for it. */
	assert_int_equal(times("hvinit_vm_time_to_running_seconds{"), 1);
}

/* A kernel that does not say what it is. */
static void test_no_release(void **state)
{
	(void)state;
	release = NULL;
	assert_true(shows(show_metrics));
	assert_has(",kernel=\"\"} 1\n");
	assert_true(shows(show_all));
	assert_has("\"kernel\": null,\n");
}

#define STATUS_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATUS_CASE("status: all VMs", test_status),
		STATUS_CASE("status: one VM", test_status_of_one),
		STATUS_CASE("metrics: families", test_families),
		STATUS_CASE("metrics: a VM is in one state", test_one_state),
		STATUS_CASE("metrics: a device is in one state", test_one_device_state),
		STATUS_CASE("metrics: figures", test_figures),
		STATUS_CASE("a kernel that does not say its name", test_no_release),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
