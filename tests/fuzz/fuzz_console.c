/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be typed at the console, with guests, commands and messages in between: the prompt comes
 * back, and noise on the line ends no guest and no machine. Bytes that no keyboard sends stand for
 * what happens beside the typing; see happen().
 */
#include "fuzz.h"

#include <stdbool.h>
#include <sys/types.h>

#include "command.h"
#include "console.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "shutdown.h"
#include "symbols.h"
#include "term.h"
#include "vm.h"

enum { CHILD = 1234, ESCAPE = 0x1d, GIVE_UP = 0x03 };

static struct config config;
static struct term *terminal;
static struct source *output; /* of the child */
static bool has_child;
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
	terminal = term;
	return 0;
}

void term_write(struct term *term, const char *data, size_t len)
{
	(void)term;
	for (size_t i = 0; i < len && !on_screen; i++) {
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
	output = source;
	return 0;
}

void loop_want(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
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

/* A line may have been typed ahead of the command before it. */
static bool was_typed(struct whole *whole)
{
	return edited || (whole->lines > 0 && whole->lines--);
}

void vm_safe(void)
{
}

void log_set_level(int level)
{
	PROMISE(level >= 0 && level <= 7, "a level that there is");
}

void shutdown_begin(enum shutdown_how how)
{
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
	PROMISE(slot == 0, "a VM that there is");
	PROMISE(event <= VM_EV_RESET, "a command");
	PROMISE(event != VM_EV_KILL || was_typed(&kill_word),
		"a guest is killed when that was typed in full");
	return event == VM_EV_START ? "it is started already" : NULL;
}

const char *vm_attach(unsigned slot, unsigned hostdev)
{
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
	PROMISE(!has_child, "one child at a time");
	has_child = true;
	return CHILD;
}

int __wrap_kill(pid_t pid, int number)
{
	(void)number;
	PROMISE(has_child && pid == CHILD, "only the child is killed");
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
	terminal->input(terminal->arg, &c, 1);
}

static void end_child(void)
{
	if (!has_child)
		return;
	has_child = false;
	/* Its end of the pipe is closed: what there is to read is the end. */
	if (output && output->fd >= 0)
		output->ready(output->arg, 0);
	console_reaped(CHILD, 0);
}

static void happen(unsigned char what)
{
	switch (what) {
	case 0xff:
		end_child();
		break;
	case 0xfe:
		console_line("a line");
		break;
	case 0xfd:
		ring_write(&ring, "\033[2Ja guest", 11);
		console_guest(0);
		break;
	case 0xfc:
		console_guest_ended(0);
		break;
	default:
		type((char)what);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	edited = false;
	poweroff.fits = poweroff.lines = reboot_word.fits = reboot_word.lines = 0;
	kill_word.fits = kill_word.lines = 0;
	on_screen = false;
	command_init(&config);
	console_init(&config);
	console_add(0, "/dev/console", 0);
	for (size_t i = 0; i < size; i++)
		happen(data[i]);
	/* Whatever that was: away from a guest, out of a key's escape sequence, and a fresh line. */
	while (has_child)
		end_child();
	type(ESCAPE);
	type('x');
	type('x');
	type(GIVE_UP);
	while (has_child)
		end_child();
	looked = false;
	for (const char *c = "status\r"; *c; c++)
		type(*c);
	PROMISE(looked, "the prompt comes back");
	return 0;
}
