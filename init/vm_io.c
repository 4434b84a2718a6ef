/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes in from a launcher and from QEMU: reports, QMP, the guest's console, last words. */
#include <errno.h>
#include <sys/epoll.h>

#include "console.h"
#include "log.h"
#include "refusal.h"
#include "sys_cgroup.h"
#include "util.h"
#include "vm_private.h"

enum { READ_SIZE = 4096, GARBAGE_TOLD = 8, RESET_TOLD_MS = 1000 };

static void on_return(struct vm *vm, const struct qmp_message *m)
{
	if (vm_plug_answer(vm, m))
		return;
	if (strcmp(m->id, "capabilities") == 0) {
		qmp_send(vm->qmp.fd, "query-status", "status");
	} else if (strcmp(m->id, "status") == 0 && strcmp(m->name, "prelaunch") == 0) {
		vm_handle(vm, VM_EV_READY);
	} else if (strcmp(m->id, "pulse") == 0) {
		vm_pulse_answered(vm);
	} else if (strcmp(m->id, "paused") == 0 && vm->state == VM_PAUSED &&
		   strcmp(m->name, "paused") != 0 && strcmp(m->name, vm->why) != 0) {
		/* Not by us: "io-error", "guest-panicked" and the like. */
		vm_enter(vm, VM_PAUSED, m->name);
	}
}

static void on_error(struct vm *vm, const struct qmp_message *m)
{
	if (vm_plug_answer(vm, m))
		return;
	if (!vm->ran)
		vm_fault_text(vm, DIAG_QEMU_REFUSED, "command \"%s\": QEMU: %s", m->id, m->text);
	else
		log_msg(LOG_LEVEL_WARN, vm->config->name, "QEMU refused \"%s\": %s", m->id,
			m->text);
	vm_handle(vm, VM_EV_REFUSED);
}

/* A guest can do this as often as it likes: once a second is enough to read. */
static void note_reset(struct vm *vm, const char *reason)
{
	uint64_t now = vm_now_ms();

	vm->bitten = vm->panicked = false;
	if (strcmp(reason, "guest-reset") != 0)
		return;
	vm->history.resets++;
	if (vm->reset_told && now < vm->reset_told + RESET_TOLD_MS)
		return;
	vm->reset_told = now;
	log_msg(LOG_LEVEL_INFO, vm->config->name, "the guest has reset itself");
}

/* Each of these once, until the guest is reset or started anew: a guest must not fill the log. */
static void note_once(struct vm *vm, bool *noted, const char *what)
{
	if (!*noted)
		log_msg(LOG_LEVEL_WARN, vm->config->name, "%s", what);
	*noted = true;
}

static void on_event(struct vm *vm, const struct qmp_message *m)
{
	if (strcmp(m->name, "RESUME") == 0)
		vm_handle(vm, VM_EV_RESUMED);
	else if (strcmp(m->name, "STOP") == 0)
		vm_handle(vm, VM_EV_PAUSED);
	else if (strcmp(m->name, "SHUTDOWN") == 0)
		str_copy(vm->reason, sizeof(vm->reason), m->reason);
	else if (strcmp(m->name, "RESET") == 0)
		note_reset(vm, m->reason);
	else if (strcmp(m->name, "GUEST_PANICKED") == 0)
		note_once(vm, &vm->panicked, "the guest's kernel has panicked");
	else if (strcmp(m->name, "WATCHDOG") == 0)
		note_once(vm, &vm->bitten, "the guest's watchdog has bitten");
	else if (strcmp(m->name, "BLOCK_IO_ERROR") == 0)
		note_once(vm, &vm->io_failed, "a disk has failed to read or write");
	else if (m->device[0])
		vm_plug_event(vm, m);
}

/*
 * A guest that owns its QEMU could keep PID 1 busy, and fill the log. What is too much is not looked
 * at; QEMU by itself limits what a guest can make it say.
 */
static bool is_too_much(struct vm *vm)
{
	uint64_t now = vm_now_ms();
	uint64_t more = (now - vm->counted) * VM_MESSAGES_A_S / 1000;

	if (more) {
		vm->messages = more < VM_MESSAGES - vm->messages ? vm->messages + (unsigned)more :
								   VM_MESSAGES;
		vm->counted = now;
	}
	if (vm->messages) {
		vm->messages--;
		return false;
	}
	if (!vm->too_many)
		vm_fault_text(vm, DIAG_QMP_BAD,
			      "read QMP: messages were skipped: more than %d at once", VM_MESSAGES);
	vm->too_many = true;
	return true;
}

static void on_message(void *arg, const struct qmp_message *m)
{
	struct vm *vm = arg;

	if (is_too_much(vm))
		return;
	switch (m->kind) {
	case QMP_GREETING:
		/* Not readiness: the greeting also comes before devices are refused. */
		qmp_send(vm->qmp.fd, "qmp_capabilities", "capabilities");
		break;
	case QMP_RETURN:
		on_return(vm, m);
		break;
	case QMP_ERROR:
		on_error(vm, m);
		break;
	case QMP_EVENT:
		on_event(vm, m);
		break;
	}
}

static void on_garbage(void *arg, const char *why)
{
	struct vm *vm = arg;

	/* A guest that owns QEMU could fill the logs with them. */
	if (++vm->garbage > GARBAGE_TOLD)
		return;
	vm_fault_text(vm, DIAG_QMP_BAD, "read QMP: a line was skipped: %s", why);
}

/* Reads once; closes the source at its end. False when there was nothing to read. */
static bool read_some(struct source *source, char *data, size_t size, size_t *len)
{
	ssize_t n;

	*len = 0;
	if (source->fd < 0)
		return false;
	n = read(source->fd, data, size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		loop_close(source);
		return false;
	}
	*len = (size_t)n;
	return true;
}

static bool read_qmp(struct vm *vm)
{
	const struct qmp_handler handler = { on_message, on_garbage, vm };
	char data[READ_SIZE];
	size_t len;

	if (vm->qmp.fd < 0)
		return false;
	if (!read_some(&vm->qmp, data, sizeof(data), &len)) {
		if (vm->qmp.fd < 0)
			vm_handle(vm, VM_EV_LOST);
		return false;
	}
	qmp_feed(&vm->reader, data, len, &handler);
	return true;
}

static void end_echo_line(struct vm *vm)
{
	char line[VM_ECHO_LINE + sizeof(vm->config->name) + 32];
	char stamp[32];

	log_stamp(stamp, sizeof(stamp));
	str_format(line, sizeof(line), "%s %s| %.*s", stamp, vm->config->name, (int)vm->echo_used,
		   vm->echo);
	vm->echo_used = 0;
	console_echo(vm->slot, line);
}

/* The guest's lines on the host's console: whole ones, and nothing that could steer a terminal. */
static void echo(struct vm *vm, const char *data, size_t len)
{
	char clean[READ_SIZE + TEXT_HELD];
	size_t n = text_filter(&vm->echo_filter, data, len, clean);

	for (size_t i = 0; i < n; i++) {
		bool ends = clean[i] == '\n' || vm->echo_used == sizeof(vm->echo);

		if (ends && vm->echo_used)
			end_echo_line(vm);
		if (clean[i] != '\n')
			vm->echo[vm->echo_used++] = clean[i];
	}
}

static bool read_serial(struct vm *vm)
{
	char data[READ_SIZE];
	size_t len;

	if (!read_some(&vm->serial, data, sizeof(data), &len))
		return false;
	ring_write(&vm->console, data, len);
	console_more(&vm->console);
	if (vm->config->console_echo)
		echo(vm, data, len);
	return true;
}

/* QEMU runs on after some of what it says; what a failure says is judged when it has ended. */
static void heed_line(struct vm *vm, const char *line)
{
	enum diag_code code = refusal_code(line);
	char quoted[VM_WHY];

	if (code == DIAG_CODES || diag_code_severity(code) != DIAG_WARN || vm->warned[code])
		return;
	vm->warned[code] = true;
	refusal_quote(line, quoted, sizeof(quoted));
	vm_fault_text(vm, code, "QEMU: %s", quoted);
}

/* Looks at the whole lines that have come since the last time. */
static void heed_words(struct vm *vm)
{
	char text[READ_SIZE + 1];
	char *newline;
	char *line;

	for (;;) {
		uint64_t at = vm->words_heeded;
		size_t got = ring_read(&vm->words_kept, &at, text, sizeof(text) - 1);
		size_t n = got;

		text[got] = '\0';
		newline = strrchr(text, '\n');
		if (newline)
			n = (size_t)(newline + 1 - text);
		else if (got < sizeof(text) - 1)
			return;
		/* A line too long for text is looked at in parts. */
		vm->words_heeded = at - got + n;
		text[n] = '\0';
		for (char *rest = text; (line = strsep(&rest, "\n"));)
			heed_line(vm, line);
	}
}

static bool read_words(struct vm *vm)
{
	char clean[READ_SIZE + TEXT_HELD];
	char data[READ_SIZE];
	size_t len;

	if (!read_some(&vm->words, data, sizeof(data), &len))
		return false;
	ring_write(&vm->words_kept, clean, text_filter(&vm->words_filter, data, len, clean));
	heed_words(vm);
	return true;
}

static bool read_report(struct vm *vm)
{
	struct launch_report report;
	int error;

	if (vm->report.fd < 0)
		return false;
	error = launch_read(vm->report.fd, &report);
	if (error != 1) {
		if (error < 0)
			loop_close(&vm->report);
		return false;
	}
	vm_device(vm, &report);
	if (report.event == LAUNCH_FINDING) {
		vm_fault(vm, &report.finding);
	} else if (report.event == LAUNCH_LISTENER) {
		if (report.listener < 0)
			log_msg(LOG_LEVEL_WARN, vm->config->name,
				"take what tells of denied calls: no descriptor is left");
		vm_denial_watch(vm, report.listener);
	} else if (report.event == LAUNCH_EXEC) {
		vm->devices = report.devices;
		vm->vsmmus = report.vsmmus;
		vm->confined = report.confined;
		vm_handle(vm, VM_EV_EXEC);
	}
	return true;
}

static void qmp_ready(void *arg, uint32_t events)
{
	(void)events;
	read_qmp(arg);
}

static void serial_ready(void *arg, uint32_t events)
{
	(void)events;
	read_serial(arg);
}

static void words_ready(void *arg, uint32_t events)
{
	(void)events;
	read_words(arg);
}

static void report_ready(void *arg, uint32_t events)
{
	(void)events;
	read_report(arg);
}

static void cgroup_ready(void *arg, uint32_t events)
{
	struct vm *vm = arg;

	(void)events;
	/* Reading it is also what ends this event. */
	if (!sys_cgroup_populated(vm->cgroup.fd))
		vm_handle(vm, VM_EV_EMPTY);
}

/* A guest can live without. */
static void open_port(const struct vm *vm, int fd)
{
	int error = console_add_guest(vm->slot, fd);

	if (error)
		log_msg(LOG_LEVEL_WARN, vm->config->name, "serve the port of CTL: %s",
			strerror(-error));
}

void vm_io_open(struct vm *vm, const struct launch *launch)
{
	qmp_init(&vm->reader);
	vm->echo_used = 0;
	vm->echo_filter = (struct text_filter){ 0 };
	vm->words_filter = (struct text_filter){ 0 };
	vm->words_from = vm->words_kept.total;
	vm->words_heeded = vm->words_from;
	memset(vm->warned, 0, sizeof(vm->warned));
	loop_add(&vm->qmp, launch->qmp, EPOLLIN, qmp_ready, vm);
	loop_add(&vm->serial, launch->serial, EPOLLIN, serial_ready, vm);
	if (launch->ctl >= 0)
		open_port(vm, launch->ctl);
	loop_add(&vm->words, launch->words, EPOLLIN, words_ready, vm);
	loop_add(&vm->report, launch->report, EPOLLIN, report_ready, vm);
	if (launch->cgroup >= 0)
		loop_add(&vm->cgroup, launch->cgroup, EPOLLPRI, cgroup_ready, vm);
}

void vm_io_drain(struct vm *vm)
{
	while (read_report(vm) || read_qmp(vm) || read_words(vm) || read_serial(vm))
		;
	if (vm->echo_used)
		end_echo_line(vm);
}

void vm_io_close(struct vm *vm)
{
	loop_close(&vm->qmp);
	loop_close(&vm->serial);
	console_lose_guest(vm->slot);
	loop_close(&vm->words);
	vm_denial_end(vm);
	loop_close(&vm->report);
}
