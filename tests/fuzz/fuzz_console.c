/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be typed at the console, with guests, commands and messages in between: the prompt comes
 * back, and noise on the line ends no guest and no machine. What a guest's programs send changes
 * nothing, and before the password nothing is done. Bytes that no keyboard sends stand for what happens
 * beside the typing; see happen().
 */
#include "fuzz.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "command.h"
#include "console.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "metrics.h"
#include "shutdown.h"
#include "status.h"
#include "symbols.h"
#include "term.h"
#include "vm.h"

enum { CHILD = 1234, SESSIONS = 2, ESCAPE = 0x1d, GIVE_UP = 0x03, WRONG = 1 << 8 };

static struct config config;
/* The terminal, and the socket of a guest's programs: each has a child, and a timer. */
static struct term *terms[SESSIONS];
static unsigned sessions;
static unsigned acting; /* whose bytes these are */
static struct child {
	bool lives;
	struct source *output;
} children[SESSIONS];
static struct source *timers[SESSIONS];
static bool locked; /* there is a password, and nobody knows it */
static bool on_screen; /* a guest's bytes may be on the screen */
static bool looked; /* "status" has shown the VM */
static bool edited; /* by keys that can bring an earlier line back, or letters into another order */

/* A word that must be typed in full, and in how many lines that has been done. */
struct whole {
	const char *word;
	size_t fits; /* letters of it in this line, in their order */
	unsigned lines;
};

static struct whole poweroff = { .word = "poweroff" };
static struct whole reboot_word = { .word = "reboot" };
static struct whole kill_word = { .word = "kill" };
static char kept[4096];
static struct ring ring = { .data = kept, .size = sizeof(kept) };

/* --- the rooms around it --- */

int term_init(struct term *term, int fd, unsigned baud)
{
	(void)baud;
	(void)fd;
	terms[sessions++] = term;
	return 0;
}

void term_write(struct term *term, const char *data, size_t len)
{
	for (size_t i = 0; i < len && !on_screen && term == terms[0]; i++) {
		unsigned char c = (unsigned char)data[i];

		PROMISE(c >= ' ' ? c != 0x7f : strchr("\r\n\t\b\a\017\033", c) && c,
			"only the console's own control characters");
	}
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
	return false;
}

size_t term_pending(const struct term *term)
{
	(void)term;
	return 0;
}

void term_await(struct term *term)
{
	(void)term;
}

void term_pause(struct term *term, bool paused)
{
	term->paused = paused;
}

int timer_add(struct source *source, void (*ready)(void *, uint32_t), void *arg)
{
	*source = (struct source){ INT_MAX, ready, arg };
	return 0;
}

void timer_set(const struct source *source, uint64_t ms)
{
	(void)ms;
	timers[acting] = (struct source *)source;
}

bool timer_fired(const struct source *source)
{
	(void)source;
	return true;
}

void term_lend(struct term *term)
{
	(void)term;
}

void term_take_back(struct term *term, int fd)
{
	(void)fd;
	(void)term;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)events;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	children[acting].output = source;
	return 0;
}

void loop_want(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
}

void loop_pause(const struct source *source)
{
	(void)source;
}

void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

const struct ring *log_ring(void)
{
	return &ring;
}

static void promise_allowed(void)
{
	PROMISE(acting == 0, "a guest changes nothing");
	PROMISE(!locked, "there is a password before it");
}

/* A line may have been typed ahead of the command before it. */
static bool was_typed(struct whole *whole)
{
	return edited || (whole->lines > 0 && whole->lines--);
}

void vm_safe(void)
{
	promise_allowed();
}

void log_set_level(int level)
{
	promise_allowed();
	PROMISE(level >= 0 && level <= 7, "a level that there is");
}

bool shutdown_going_on(void)
{
	return false;
}

void shutdown_begin(enum shutdown_how how)
{
	promise_allowed();
	PROMISE(was_typed(how == SHUTDOWN_REBOOT ? &reboot_word : &poweroff),
		"the machine ends when its end was typed in full");
}

bool vm_exists(unsigned slot)
{
	return slot == 0;
}

int vm_find(const char *name)
{
	return strcmp(name, "vm") == 0 ? 0 : -1;
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	promise_allowed();
	PROMISE(slot == 0, "a VM that there is");
	PROMISE(event <= VM_EV_RESET, "a command");
	PROMISE(event != VM_EV_KILL || was_typed(&kill_word),
		"a guest is killed when that was typed in full");
	return event == VM_EV_START ? "it is started already" : NULL;
}

const char *vm_attach(unsigned slot, unsigned hostdev)
{
	promise_allowed();
	PROMISE(slot == 0 && hostdev <= HV_HOSTDEV_SLOTS, "a VM that there is, and a number");
	return "it has that device";
}

const char *vm_detach(unsigned slot, unsigned hostdev)
{
	return vm_attach(slot, hostdev);
}

void machine_status(void (*print)(const char *fmt, ...))
{
	print("watchdog: none\n");
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	(void)level;
	(void)subject;
	(void)fmt;
}

bool status_json(const struct config *all, unsigned slot)
{
	(void)all;
	return slot <= HV_VM_SLOTS;
}

bool metrics_print(const struct config *all)
{
	(void)all;
	return true;
}

unsigned vm_active(void)
{
	return 1;
}

struct vm_view vm_look(unsigned slot)
{
	PROMISE(slot == 0, "a VM that there is");
	looked = true;
	return (struct vm_view){ .name = "vm", .state = "running", .why = "", .pid = 5 };
}

bool vm_type(unsigned slot, const char *data, size_t len)
{
	promise_allowed();
	PROMISE(slot == 0 && len > 0 && !memchr(data, ESCAPE, len), "for the guest");
	return data[0] != '!';
}

const struct ring *vm_console(unsigned slot)
{
	PROMISE(slot == 0, "a VM that there is");
	on_screen = true;
	return &ring;
}

const struct ring *vm_words(unsigned slot)
{
	return vm_console(slot);
}

pid_t __wrap_fork(void);
int __wrap_kill(pid_t pid, int number);

pid_t __wrap_fork(void)
{
	PROMISE(!children[acting].lives, "one child at a time");
	children[acting].lives = true;
	return CHILD + (pid_t)acting;
}

int __wrap_kill(pid_t pid, int number)
{
	(void)number;
	PROMISE(pid >= CHILD && pid < CHILD + SESSIONS && children[pid - CHILD].lives,
		"only a child is killed");
	return 0;
}

/* --- what is typed, and what happens --- */

/* The letters of a word must at least have been typed in this order; what was erased is not known. */
static void follow(struct whole *whole, char c)
{
	if (c == '\r' || c == '\n') {
		whole->lines += whole->fits == strlen(whole->word);
		whole->fits = 0;
	} else if (c && whole->word[whole->fits] == c) {
		whole->fits++;
	}
}

static void type(char c)
{
	follow(&poweroff, c);
	follow(&reboot_word, c);
	follow(&kill_word, c);
	edited |= (unsigned char)c < ' ' && !strchr("\r\n\b", c);
	terms[0]->input(terms[0]->arg, &c, 1);
}

/* What comes too early stays with the kernel. */
static void send(char c)
{
	acting = 1;
	if (!terms[1]->paused)
		terms[1]->input(terms[1]->arg, &c, 1);
	acting = 0;
}

static void end_child(unsigned session)
{
	struct source *output = children[session].output;

	if (!children[session].lives)
		return;
	acting = session;
	children[session].lives = false;
	/* Its end of the pipe is closed: what there is to read is the end. */
	if (output && output->fd >= 0)
		output->ready(output->arg, 0);
	console_reaped(CHILD + (pid_t)session, locked && session == 0 ? WRONG : 0);
	acting = 0;
}

static void run_out(unsigned session)
{
	const struct source *timer = timers[session];

	acting = session;
	timers[session] = NULL;
	if (timer)
		timer->ready(timer->arg, 1);
	acting = 0;
}

static void happen(unsigned char what)
{
	switch (what) {
	case 0xff:
		end_child(0);
		break;
	case 0xfb:
		end_child(1);
		break;
	case 0xfa:
		run_out(0);
		break;
	case 0xf9:
		run_out(1);
		break;
	case 0xfe:
		console_line("a line");
		break;
	case 0xfd:
		ring_write(&ring, "\033[2Ja guest", 11);
		console_more(&ring);
		break;
	case 0xfc:
		console_guest_ended(0);
		break;
	default:
		type((char)what);
	}
}

static void begin(void)
{
	memset(children, 0, sizeof(children));
	memset(timers, 0, sizeof(timers));
	sessions = acting = 0;
	str_copy(config.host.console_password, sizeof(config.host.console_password),
		 locked ? "$6$salt$hash" : "");
	command_init(&config);
	console_init(&config);
	console_add(0, "/dev/console", 0);
	console_ready();
	console_add_guest(0, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { LOCKED = 0xf7, GUEST = 0xf8 };
	bool guest = false;

	edited = false;
	poweroff.fits = poweroff.lines = reboot_word.fits = reboot_word.lines = 0;
	kill_word.fits = kill_word.lines = 0;
	on_screen = false;
	locked = size && data[0] == LOCKED;
	begin();
	/* What a guest sends stands between two such bytes. */
	for (size_t i = 0; i < size; i++) {
		if (data[i] == GUEST)
			guest = !guest;
		else if (guest)
			send((char)data[i]);
		else
			happen(data[i]);
	}
	if (locked)
		return 0;
	/* Whatever that was: away from a guest, out of a key's escape sequence, and a fresh line. */
	while (children[0].lives)
		end_child(0);
	type(ESCAPE);
	type('x');
	type('x');
	type(GIVE_UP);
	while (children[0].lives)
		end_child(0);
	looked = false;
	for (const char *c = "status\r"; *c; c++)
		type(*c);
	PROMISE(looked, "the prompt comes back");
	return 0;
}
