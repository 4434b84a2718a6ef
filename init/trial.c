/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variable has three lines: the version, as the file's name has it; in words why its boot was no
 * good, empty as long as nobody knows; the file that gave way for that. A boot on trial writes it before
 * it does anything that could end it; a good one removes it. Where tries are counted no file is booted
 * twice by the same name: one that has given way already does not do so again, or the machine would
 * reboot for ever.
 */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>

#include "addon.h"
#include "bootentry.h"
#include "bootopt.h"
#include "chore.h"
#include "console.h"
#include "esp.h"
#include "images.h"
#include "log.h"
#include "loop.h"
#include "shutdown.h"
#include "sys_machine.h"
#include "util.h"
#include "version.h"

enum { WHY = 160, TEXT = IMAGE_VERSION + 1 + WHY + BOOTENTRY_PATH, KEEP_MS = 30 * 1000 };
enum {
	LOOK_MS = 120 * 1000 /* until it is decided without it */,
	CONSOLE_MS = 1000,
	WRITE_MS = 60 * 1000 /* until it is tried again */,
	BLESS_MS = 120 * 1000 /* for the disk to answer */
};

enum stage {
	WATCHED, /* to be judged yet */
	BLESSING,
	GOOD,
	ENDING, /* the machine reboots for another image */
	UNKNOWN, /* nobody can judge: no loader, or nothing starts by itself */
};

struct value {
	size_t size;
	char data[SYS_EFI_ATTRIBUTES + TEXT];
};

static int root = AT_FDCWD;
static const struct host_config *host;
static char variable[SYS_EFI_PATH];
static struct bootentry entry; /* what was booted */
static bool known; /* entry is something */
static char self[IMAGE_VERSION]; /* in status' words: of two files of one version each has its own */
static enum stage stage;
static bool up; /* the critical VMs */
static bool wants_end; /* it has failed before the images were looked at */
static void (*if_alone)(void); /* what is done then when there is no other */
static char last_version[IMAGE_VERSION]; /* "": no trial has gone wrong */
static char last_why[WHY];
static char last_file[BOOTENTRY_PATH]; /* that gave way; "": none did */
static char why_now[WHY];
static int look_error;
static int write_error; /* it is good, and this cannot be written */
static bool is_writing; /* a child is at it, though it may be waited for no longer */
static struct source running = { .fd = -1 }; /* for so long they must run */
static struct source limit = { .fd = -1 }; /* of the trial */
static struct source patience = { .fd = -1 }; /* with the firmware */
static struct source undecided = { .fd = -1 }; /* as to whether there is another image */

static bool is_on_trial(void)
{
	return known && entry.counted && entry.by_loader && stage != GOOD;
}

static void warn(enum diag_code code, const char *what, const char *why)
{
	struct diag diag = { 0 };

	diag_add(&diag, DIAG_HOST, code, "host", "%s: %s", what, why);
	log_finding(&diag.finding[0]);
}

/* --- what is kept --- */

static int keep(const void *arg)
{
	const struct value *value = arg;
	int error;

	if (value->size)
		return sys_efi_write(root, variable, value->data, value->size);
	error = sys_efi_remove(root, variable);
	return error == -ENOENT ? 0 : error;
}

static void compose(const char *version, const char *why, const char *file, struct value *value)
{
	memcpy(value->data, SYS_EFI_KEPT, SYS_EFI_ATTRIBUTES);
	str_format(value->data + SYS_EFI_ATTRIBUTES, TEXT, "%s\n%s\n%s", version, why, file);
	value->size = SYS_EFI_ATTRIBUTES + strlen(value->data + SYS_EFI_ATTRIBUTES);
}

static void kept(int error)
{
	if (error)
		warn(DIAG_EFI_WRITE, "keep how the trial of an image goes", strerror(-error));
}

static void keep_value(const struct value *value)
{
	int error = chore_start(keep, value, kept);

	if (error)
		kept(error);
}

static void read_kept(void)
{
	char text[TEXT];
	char *newline;
	char *file;

	last_version[0] = last_why[0] = last_file[0] = '\0';
	if (sys_efi_read(root, variable, text, sizeof(text)) < 0)
		return;
	newline = strchr(text, '\n');
	if (newline)
		*newline++ = '\0';
	/* What is no version of ours is nobody's. */
	if (!str_copy(last_version, sizeof(last_version), text))
		last_version[0] = '\0';
	file = newline ? strchr(newline, '\n') : NULL;
	if (file)
		*file++ = '\0';
	str_copy(last_why, sizeof(last_why), newline ? newline : "");
	str_copy(last_file, sizeof(last_file), file ? file : "");
}

static bool was_another(void)
{
	return last_version[0] && strcasecmp(last_version, self) != 0;
}

/* The variable is told to the next boots, too, which have no evidence of their own any more. */
static void learn_why(const char *why)
{
	struct value value;

	if (!last_version[0] || last_why[0])
		return;
	str_copy(last_why, sizeof(last_why), why);
	/* Then the variable is this image's, and about to be written. */
	if (is_on_trial())
		return;
	compose(last_version, last_why, last_file, &value);
	keep_value(&value);
}

/* --- what was booted --- */

/* Images that were booted otherwise than from the loader's folder are nobody's to judge. */
static bool read_entry(void)
{
	return bootentry_booted(root, &entry) && strcasecmp(entry.folder, ESP_IMAGES) == 0;
}

static void name_self(void)
{
	struct bootentry parsed;

	if (!known || !images_parse(entry.good, &parsed, self))
		str_copy(self, sizeof(self), HVINIT_VERSION);
}

static void trial_is_over(void *arg, uint32_t events);

static bool has_given_way(void)
{
	return strcmp(last_file, entry.name) == 0;
}

static void begin_trial(void)
{
	struct value value;

	log_msg(LOG_LEVEL_INFO, "host", "this image is on trial: tries left after this one: %u",
		entry.left);
	compose(self, "", has_given_way() ? last_file : "", &value);
	keep_value(&value);
	if (host->trial_seconds != HV_NONE && timer_add(&limit, trial_is_over, NULL) == 0)
		timer_set(&limit,
			  ((uint64_t)host->trial_seconds + (uint64_t)host->bless_seconds) * 1000);
}

void trial_init(const struct config *config, int of)
{
	root = of;
	host = &config->host;
	look_error = 0;
	write_error = 0;
	is_writing = false;
	up = wants_end = false;
	if_alone = NULL;
	loop_close(&undecided);
	why_now[0] = '\0';
	entry = (struct bootentry){ 0 };
	loop_close(&running);
	loop_close(&limit);
	if (!sys_efi_path("HvinitTrial", SYS_EFI_OURS, variable))
		return;
	read_kept();
	known = read_entry();
	name_self();
	stage = known ? WATCHED : UNKNOWN;
	if (is_on_trial())
		begin_trial();
}

void trial_died(const char *why)
{
	learn_why(why);
}

/* --- it cannot become good --- */

static void reboot(void)
{
	loop_close(&patience);
	/* A second goal would kill guests that are shutting down. */
	if (!shutdown_going_on())
		shutdown_begin(SHUTDOWN_REBOOT);
}

static void reason_kept(int error)
{
	kept(error);
	reboot();
}

static void firmware_is_late(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (timer_fired(&patience))
		reboot();
}

static void end_trial(void)
{
	struct value value;

	stage = ENDING;
	loop_close(&running);
	loop_close(&limit);
	warn(DIAG_TRIAL_FAILED, "keep this image, so the machine reboots", why_now);
	compose(self, why_now, entry.name, &value);
	if (timer_add(&patience, firmware_is_late, NULL) == 0)
		timer_set(&patience, KEEP_MS);
	if (chore_start(keep, &value, reason_kept))
		reboot();
}

/* Where nobody can look, as when the disk's driver hangs, the loader has counted all the same. */
static bool can_end(void)
{
	if (has_given_way())
		return false;
	return !images_found()->looked || images_has_other(images_found(), entry.name, entry.good);
}

/* What had to wait until it was known what else there is, or until nobody could be expected to know. */
static void settle(void)
{
	loop_close(&undecided);
	if (!wants_end)
		return;
	wants_end = false;
	if (shutdown_going_on())
		return;
	if (can_end())
		end_trial();
	else if (if_alone)
		if_alone();
}

static void nobody_looks(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (timer_fired(&undecided))
		settle();
}

bool trial_failed(const char *why, void (*otherwise)(void))
{
	if (!is_on_trial() || stage == BLESSING || shutdown_going_on())
		return false;
	if (stage == ENDING || stage == UNKNOWN)
		return stage == ENDING;
	str_copy(why_now, sizeof(why_now), why);
	/* Of the other images nobody knows yet: what is to be done is done when somebody does. */
	if (otherwise || !wants_end)
		if_alone = otherwise;
	if (wants_end)
		return true;
	wants_end = !images_found()->looked && !look_error;
	if (wants_end) {
		if (timer_add(&undecided, nobody_looks, NULL) == 0)
			timer_set(&undecided, LOOK_MS);
		return true;
	}
	if (!can_end())
		return false;
	end_trial();
	return true;
}

static void trial_is_over(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (!timer_fired(&limit))
		return;
	/* Guests that run are worth more than a name: this boot goes on. */
	if (stage == BLESSING || (up && write_error)) {
		timer_set(&limit, WRITE_MS);
		return;
	}
	loop_close(&limit);
	trial_failed(
		up ? "no console takes what it is sent" :
		     "not all critical VMs ran for HOST_BLESS_SECONDS within HOST_TRIAL_SECONDS",
		NULL);
}

void trial_suspend(void)
{
	stage = UNKNOWN;
	wants_end = false;
	loop_close(&undecided);
	loop_close(&running);
	loop_close(&limit);
}

/* --- it is good --- */

/* What the variable tells is over, and not why this image runs in place of a newer one. */
static bool is_past(void)
{
	return entry.counted || !was_another();
}

/* For a child. */
static int bless(const void *arg)
{
	_cleanup_fd_ int esp = -1;
	int error;

	(void)arg;
	if (entry.counted) {
		esp = esp_mount(root, true);
		error = esp < 0 ? esp : bootentry_bless(esp, &entry);
		if (error)
			return error;
		images_look(esp);
	}
	if (is_past())
		keep(&(struct value){ .size = 0 });
	return 0;
}

static int lead_past_loader(const void *arg)
{
	struct sys_partition partition;
	char path[BOOTENTRY_PATH];
	int error = esp_find(root, &partition);

	(void)arg;
	if (error)
		return error;
	if (!str_format(path, sizeof(path), ESP_IMAGES "/%s", entry.good))
		return -ENAMETOOLONG;
	return bootopt_keep(root, &partition, path);
}

static void led_past_loader(int error)
{
	if (error)
		warn(DIAG_BOOT_OPTION, "write a boot option that leads past the boot loader",
		     error == -ENXIO ? "what was booted is not in the firmware's order" :
				       esp_error(error));
}

static const char *bless_error(int error)
{
	switch (error) {
	case -EEXIST:
		return "there are two of its name, or of its partition";
	case -ETIMEDOUT:
		return "its disk does not answer";
	default:
		return esp_error(error);
	}
}

/* A disk that could not be written may be there later. */
static void could_not_bless(int error)
{
	if (!write_error)
		warn(DIAG_BLESS, "keep this image", bless_error(error));
	write_error = error;
	/* Suspended meanwhile, or about to reboot: then it stays so. */
	if (stage != BLESSING)
		return;
	stage = WATCHED;
	if (up)
		timer_set(&running, WRITE_MS);
	else
		loop_close(&running);
}

static void blessed(int error)
{
	is_writing = false;
	if (error) {
		could_not_bless(error);
		return;
	}
	stage = GOOD;
	loop_close(&running);
	loop_close(&limit);
	if (entry.counted)
		log_msg(LOG_LEVEL_INFO, "host",
			"this image is good: its tries are counted no more");
	if (is_past())
		last_version[0] = '\0';
	/* The name comes first: it is what the loader goes by. */
	error = chore_start(lead_past_loader, NULL, led_past_loader);
	if (error)
		led_past_loader(error);
}

static void begin_to_bless(void)
{
	int error;

	stage = BLESSING;
	is_writing = true;
	timer_set(&running, BLESS_MS);
	error = chore_start(bless, NULL, blessed);
	if (error)
		blessed(error);
}

static void has_run_long_enough(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	/* Nothing is begun on a disk that is about to be left. */
	if (!timer_fired(&running) || shutdown_going_on())
		return;
	if (stage == BLESSING)
		could_not_bless(-ETIMEDOUT);
	else if (stage == WATCHED && !console_works())
		timer_set(&running, CONSOLE_MS);
	else if (stage == WATCHED && is_writing)
		timer_set(&running, WRITE_MS); /* a second one would hang beside the first */
	else if (stage == WATCHED)
		begin_to_bless();
}

void trial_judge(bool are_up)
{
	if (are_up == up)
		return;
	up = are_up;
	if (stage != WATCHED)
		return;
	loop_close(&running);
	if (up && timer_add(&running, has_run_long_enough, NULL) == 0)
		timer_set(&running, (uint64_t)host->bless_seconds * 1000 + 1);
}

/* --- what there is to boot --- */

static int look(const void *arg)
{
	_cleanup_fd_ int esp = esp_mount(root, false);
	char path[BOOTENTRY_PATH];
	int error;

	(void)arg;
	if (esp < 0)
		return esp;
	error = images_look(esp);
	if (str_format(path, sizeof(path), ESP_IMAGES "/%s", entry.good))
		addon_look(root, esp, path);
	return error;
}

/*
 * A try that ended without a word of PID 1's, evidence of a panic or a bite: whoever is there now says
 * so.
 */
static void tell_fall_back(void)
{
	learn_why("it ended before it was found to be good");
	if (was_another())
		log_msg(LOG_LEVEL_WARN, "host", "hvinit %s was tried before, and was no good: %s",
			last_version, last_why);
	else if (last_version[0] && is_on_trial())
		log_msg(LOG_LEVEL_WARN, "host", "the try before this one was no good: %s",
			last_why);
}

static void tell_addons(void)
{
	struct diag diag = { 0 };

	addon_findings(&diag);
	for (unsigned i = 0; i < diag.count; i++)
		log_finding(&diag.finding[i]);
}

static void looked(int error)
{
	tell_addons();
	look_error = error;
	if (error)
		warn(DIAG_ESP, "look at what the boot loader can boot", esp_error(error));
	settle();
}

void trial_drivers_loaded(void)
{
	int error;

	tell_fall_back();
	if (!known)
		return;
	error = chore_start(look, NULL, looked);
	if (error)
		looked(error);
}

/* --- how it is --- */

static const char *state_of(const struct image_file *file)
{
	if (!file->counted)
		return "good";
	return file->left || file->done == 0 ? "on trial" : "no good";
}

static bool is_this(const struct image_file *file)
{
	return known &&
	       (strcasecmp(file->name, entry.name) == 0 || strcasecmp(file->name, entry.good) == 0);
}

void trial_status(void (*print)(const char *fmt, ...))
{
	const struct images *images = images_found();

	for (unsigned i = 0; i < images->count; i++) {
		const struct image_file *file = &images->file[i];

		print("image %s: %s", file->version,
		      is_this(file) && file->counted ? "on trial" : state_of(file));
		if (file->counted)
			print(", tries left: %u", file->left);
		print("%s\n", is_this(file) ? "; this one" : "");
	}
	if (write_error && stage != GOOD)
		print("this image could not be kept: %s\n", bless_error(write_error));
	if (last_version[0])
		print("hvinit %s was tried before, and was no good: %s\n", last_version, last_why);
}

static void add_image(struct json *json, const struct image_file *file)
{
	json_object(json, NULL);
	json_text(json, "version", file->version);
	json_text(json, "file", file->name);
	json_string(json, "state", is_this(file) && file->counted ? "on trial" : state_of(file));
	json_count(json, "tries_left", file->counted ? (int64_t)file->left : -1);
	json_bool(json, "booted", is_this(file));
	json_end(json);
}

void trial_json(struct json *json)
{
	const struct images *images = images_found();

	json_array(json, "images");
	for (unsigned i = 0; i < images->count; i++)
		add_image(json, &images->file[i]);
	json_end(json);
	if (!last_version[0]) {
		json_null(json, "fell_back");
		return;
	}
	json_object(json, "fell_back");
	json_text(json, "version", last_version);
	json_text(json, "why", last_why);
	json_end(json);
}
