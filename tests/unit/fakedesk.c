/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fakedesk.h. */
#include "fakedesk.h"

#include "update.h"

struct config config;

/* --- the rooms around it --- */

struct term *terms[SCREENS];
char screens[SCREENS][SCREEN];
unsigned terminals;
char *screen = screens[0];
size_t shown;
bool lent;

struct vm_view vms[2];
char commands[256];
const char *refusal;
char guest_got[256];
bool guest_is_deaf;
struct ring guest_ring;
struct ring words_ring;
struct ring host_ring;
int shutdowns;
struct ring events;
struct source *child_output;
uint32_t child_wanted;
bool behind;

static unsigned number_of(const struct term *term)
{
	unsigned n = 0;

	while (n < terminals && terms[n] != term)
		n++;
	assert_true(n < terminals);
	return n;
}

/* A screen is a string, which the NUL before the digit ends. */
static char digit[SCREENS];

char answered(unsigned terminal)
{
	return digit[terminal];
}

int term_init(struct term *term, int fd, unsigned baud)
{
	(void)baud;
	assert_int_equal(fd, DESK_FD);
	terms[terminals++] = term;
	term->tty.fd = fd;
	return 0;
}

void term_write(struct term *term, const char *data, size_t len)
{
	unsigned number = number_of(term);
	char *to = screens[number];
	size_t used = strlen(to);

	assert_true(used + len < SCREEN);
	if (len == 2 && data[0] == '\0')
		digit[number] = data[1];
	memcpy(to + used, data, len);
	to[used + len] = '\0';
	shown = strlen(screen);
}

void term_text(struct term *term, const char *data, size_t len)
{
	term_write(term, data, len);
}

void term_puts(struct term *term, const char *text)
{
	term_write(term, text, strlen(text));
}

bool term_is_behind(const struct term *term)
{
	(void)term;
	return behind;
}

size_t term_pending(const struct term *term)
{
	(void)term;
	return behind ? TERM_OUT : 0;
}

void room(void)
{
	terms[0]->room(terms[0]->arg);
}

void term_lend(struct term *term)
{
	(void)term;
	lent = true;
}

void term_take_back(struct term *term, int fd)
{
	(void)term;
	assert_int_equal(fd, -1); /* as sys_tty_open() says here */
	lent = false;
}

void term_await(struct term *term)
{
	term->awaited = true;
}

void term_pause(struct term *term, bool paused)
{
	term->paused = paused;
}

int loop_add(struct source *source, int fd, uint32_t wanted, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)wanted;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	child_output = source;
	return 0;
}

void loop_want(struct source *source, uint32_t wanted)
{
	(void)source;
	child_wanted = wanted;
}

void loop_pause(const struct source *source)
{
	assert_ptr_equal(source, child_output);
	child_wanted = 0;
}

void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

void run_out(void)
{
	timer->ready(timer->arg, 1);
}

int vm_find(const char *name)
{
	for (int i = 0; i < 2; i++)
		if (strcmp(vms[i].name, name) == 0)
			return i;
	return -1;
}

bool vm_exists(unsigned slot)
{
	return slot < 2;
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	size_t used = strlen(commands);
	static const char *const names[] = {
		[VM_EV_START] = "start",     [VM_EV_STOP] = "stop",   [VM_EV_KILL] = "kill",
		[VM_EV_RESTART] = "restart", [VM_EV_PAUSE] = "pause", [VM_EV_RESUME] = "resume",
		[VM_EV_RESET] = "reset",
	};

	str_format(commands + used, sizeof(commands) - used, "%s %u;", names[event], slot);
	return refusal;
}

static void note_plug(const char *what, unsigned slot, unsigned hostdev)
{
	size_t used = strlen(commands);

	str_format(commands + used, sizeof(commands) - used, "%s %u %u;", what, slot, hostdev);
}

const char *vm_attach(unsigned slot, unsigned hostdev)
{
	note_plug("attach", slot, hostdev);
	return refusal;
}

const char *vm_detach(unsigned slot, unsigned hostdev)
{
	note_plug("detach", slot, hostdev);
	return refusal;
}

unsigned vm_active(void)
{
	return 1;
}

struct vm_view vm_look(unsigned slot)
{
	return vms[slot];
}

bool vm_type(unsigned slot, const char *data, size_t len)
{
	size_t used = strlen(guest_got);

	assert_int_equal(slot, 0);
	if (guest_is_deaf)
		return false;
	str_format(guest_got + used, sizeof(guest_got) - used, "%.*s", (int)len, data);
	return true;
}

const struct ring *vm_console(unsigned slot)
{
	(void)slot;
	return &guest_ring;
}

const struct ring *vm_words(unsigned slot)
{
	(void)slot;
	return &words_ring;
}

const struct ring *log_ring(void)
{
	return &host_ring;
}

void machine_status(void (*print)(const char *fmt, ...))
{
	print("watchdog: fake, %d s\n", 60);
}

void shutdown_begin(enum shutdown_how how)
{
	shutdowns |= 1 << how;
}

bool shutdown_going_on(void)
{
	return shutdowns;
}

int sys_close_range(unsigned first, unsigned last)
{
	assert_true(first == STDERR_FILENO + 1 || first == 0);
	(void)last;
	return 0;
}

void sys_unblock_signals(void)
{
}

int sys_tty_open(const char *path)
{
	assert_string_equal(path, "/dev/ttyAMA0");
	return -1; /* a shell's child then ends at once */
}

const struct ring *event_ring(void)
{
	return &events;
}

void event_greeting(char *line, size_t size)
{
	str_copy(line, size, "hello\n");
}

bool status_json(const struct config *all, unsigned slot)
{
	(void)all;
	printf("the status of %u, for programs\n", slot);
	return true;
}

bool metrics_print(const struct config *all)
{
	(void)all;
	puts("figures");
	return false;
}

unsigned safes;

void vm_safe(void)
{
	safes++;
}

void log_set_level(int level)
{
	(void)level;
}

int sys_kernel_release(char *buf, size_t size)
{
	return str_copy(buf, size, "7.3") ? 0 : -1;
}

bool show_devices(const struct config *all, const struct facts *facts, bool json)
{
	(void)all;
	assert_null(facts);
	puts(json ? "the devices, for programs" : "the devices");
	return true;
}

bool show_plan(const struct config *all, const struct facts *facts, bool json)
{
	(void)all;
	assert_null(facts);
	puts(json ? "the plan, for programs" : "the plan");
	return true;
}

bool show_argv(const struct config *all, unsigned slot, const struct facts *facts, bool json)
{
	(void)all;
	assert_null(facts);
	printf("the argv of %u%s\n", slot, json ? ", for programs" : "");
	return true;
}

bool show_check(const struct config *all, bool json)
{
	(void)all;
	if (!json)
		abort();
	puts("the check, for programs");
	return true;
}

bool show_manifest(void)
{
	sleep(60);
	return true;
}

bool show_record(enum show_record what)
{
	printf("recorded: %d\n", (int)what);
	return true;
}

bool update_run(const struct config *all, const struct update_request *request)
{
	(void)all;
	printf("updated: %s, %s, %d\n", request->path, request->sha256, request->force);
	return !request->force;
}

bool show_explain(const char *what)
{
	printf("explained: %s\n", what);
	return true;
}

/* --- helpers --- */

void type_bytes(const char *data, size_t len)
{
	terms[0]->input(terms[0]->arg, data, len);
}

void type(const char *text)
{
	type_bytes(text, strlen(text));
}

void key(char c)
{
	type_bytes(&c, 1);
}

void clear(void)
{
	shown = 0;
	for (unsigned i = 0; i < SCREENS; i++)
		screens[i][0] = '\0';
}

void assert_shows(const char *part)
{
	if (!strstr(screen, part))
		fail_msg("\"%s\" is not on the screen:\n%s", part, screen);
}

void assert_shows_not(const char *part)
{
	if (strstr(screen, part))
		fail_msg("\"%s\" is on the screen:\n%s", part, screen);
}

void assert_prompt(void)
{
	static const char prompt[] = "hvinit> ";
	const size_t len = sizeof(prompt) - 1;

	if (shown < len || strcmp(screen + shown - len, prompt) != 0)
		fail_msg("no prompt at the end:\n%s", screen);
}

/* Lets the command's child end, and reads all that it printed. */
void finish_child(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	assert_true(pid > 0);
	assert_true(console_reaped(pid, status));
	while (child_output && child_output->fd >= 0)
		child_output->ready(child_output->arg, 1);
}

void guest_prints(const char *text)
{
	ring_write(&guest_ring, text, strlen(text));
	console_more(&guest_ring);
}

void type_at(unsigned terminal, const char *text)
{
	terms[terminal]->input(terms[terminal]->arg, text, strlen(text));
}

void desk_open(void)
{
	clear();
	terminals = 0;
	console_init(&config);
	assert_int_equal(console_add(DESK_FD, "/dev/ttyAMA0", 0), 0);
	console_ready();
}

int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	vms[0] = (struct vm_view){ .name = "demo", .state = "running", .why = "", .pid = 77 };
	vms[1] = (struct vm_view){ .name = "other", .state = "failed", .why = "no device" };
	commands[0] = guest_got[0] = '\0';
	refusal = NULL;
	guest_is_deaf = false;
	shutdowns = 0;
	child_output = NULL;
	standins_reset();
	command_init(&config);
	desk_open();
	assert_prompt();
	clear();
	return 0;
}

int group_setup(void **state)
{
	(void)state;
	return ring_init(&guest_ring, 4096) || ring_init(&words_ring, 4096) ||
	       ring_init(&host_ring, 4096) || ring_init(&events, 4096);
}
