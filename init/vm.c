/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor of VMs. Everything that can happen to a VM is an event; what it means depends on
 * the state; the table at the end of this file holds every pair of them.
 */
#include "vm.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>

#include "console.h"
#include "launch.h"
#include "log.h"
#include "loop.h"
#include "manifest.h"
#include "qmp.h"
#include "shutdown.h"
#include "text.h"
#include "util.h"

enum {
	WHY = 200,
	ECHO_LINE = 160,
	READ_SIZE = 4096,
	WORDS_BYTES = 16 * 1024,
	QUIT_MS = 10 * 1000, /* from "quit" to SIGKILL */
	/*
	 * Until QEMU answers it pins the guest's memory, page by page: 24 GiB of 4 KiB pages have
	 * been seen to take 210 s. The limit is five times as generous, so that it tells a hang
	 * from a slow machine.
	 */
	READY_BASE_MS = 60 * 1000,
	READY_MS_PER_MIB = 45,
};

/* How far a stop has gone. */
enum stop_step { STOP_NONE, STOP_POWERDOWN, STOP_QUIT, STOP_KILL };

struct vm {
	const struct vm_config *config; /* NULL: the slot has no VM */
	unsigned slot;
	enum vm_state state;
	uint64_t since; /* CLOCK_BOOTTIME in ms */
	char why[WHY];
	unsigned starts;
	unsigned devices;
	unsigned vsmmus;

	/* Of this start only. */
	pid_t pid; /* 0: no process */
	enum stop_step stop;
	bool stop_wanted; /* the end was asked for, by whatever step */
	bool late;
	bool ran; /* the guest's CPUs have run */
	bool faulty; /* fault is the first finding that ended it */
	int status; /* as waitpid() gave it */
	char reason[QMP_WORD]; /* QEMU's own, from its SHUTDOWN event */
	struct finding fault;
	const char *refusal; /* why the table did nothing, until the command returns */

	struct source qmp;
	struct source serial;
	struct source words;
	struct source report;
	struct source timer;
	struct qmp reader;
	struct ring console;
	struct ring words_kept;
	uint64_t words_from; /* where this start's words begin */
	struct text_filter echo_filter;
	size_t echo_used;
	char echo[ECHO_LINE];
};

static const struct config *config;
static struct vm vms[HV_VM_SLOTS];

typedef void action(struct vm *vm);

static const char *const state_name[VM_STATES] = {
	[VM_INVALID] = "invalid",     [VM_STOPPED] = "stopped", [VM_STARTING] = "starting",
	[VM_PRELAUNCH] = "prelaunch", [VM_RUNNING] = "running", [VM_PAUSED] = "paused",
	[VM_STOPPING] = "stopping",   [VM_FAILED] = "failed",
};

static void handle(struct vm *vm, enum vm_event event);

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return now_us() / 1000;
}

static void enter(struct vm *vm, enum vm_state state, const char *why)
{
	vm->state = state;
	vm->since = now_ms();
	str_copy(vm->why, sizeof(vm->why), why);
	log_msg(state == VM_FAILED || state == VM_INVALID ? LOG_LEVEL_ERR : LOG_LEVEL_INFO,
		vm->config->name, "%s%s%s", state_name[state], why[0] ? ": " : "", why);
}

/* Keeps the first fault: those after it are its consequences. */
static void fault(struct vm *vm, const struct finding *finding)
{
	log_finding(finding);
	if (vm->faulty || diag_code_severity(finding->code) != DIAG_FAIL)
		return;
	vm->faulty = true;
	vm->fault = *finding;
}

PRINTF_LIKE(3, 4)
static void fault_text(struct vm *vm, enum diag_code code, const char *fmt, ...)
{
	struct diag one = { 0 };
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(&one, (int)vm->slot, code, vm->config->name, "%s", text);
	fault(vm, &one.finding[0]);
}

/* --- what comes in from a launcher or QEMU --- */

static void on_message(void *arg, const struct qmp_message *m)
{
	struct vm *vm = arg;

	if (m->kind == QMP_GREETING) {
		/* Not readiness: the greeting also comes before devices are refused. */
		qmp_send(vm->qmp.fd, "qmp_capabilities", "capabilities");
	} else if (m->kind == QMP_RETURN && strcmp(m->id, "capabilities") == 0) {
		qmp_send(vm->qmp.fd, "query-status", "status");
	} else if (m->kind == QMP_RETURN && strcmp(m->id, "status") == 0) {
		handle(vm, VM_EV_READY);
	} else if (m->kind == QMP_ERROR) {
		log_msg(LOG_LEVEL_WARN, vm->config->name, "QEMU refused \"%s\": %s", m->id,
			m->text);
	} else if (m->kind == QMP_EVENT && strcmp(m->name, "RESUME") == 0) {
		handle(vm, VM_EV_RESUMED);
	} else if (m->kind == QMP_EVENT && strcmp(m->name, "STOP") == 0) {
		handle(vm, VM_EV_PAUSED);
	} else if (m->kind == QMP_EVENT && strcmp(m->name, "SHUTDOWN") == 0) {
		str_copy(vm->reason, sizeof(vm->reason), m->reason);
	}
}

static void on_garbage(void *arg, const char *why)
{
	struct vm *vm = arg;

	fault_text(vm, DIAG_QMP_BAD, "read QMP: a line was skipped: %s", why);
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

	if (!read_some(&vm->qmp, data, sizeof(data), &len))
		return false;
	qmp_feed(&vm->reader, data, len, &handler);
	return true;
}

static void end_echo_line(struct vm *vm)
{
	char line[ECHO_LINE + sizeof(vm->config->name) + 32];
	uint64_t now = now_us();

	str_format(line, sizeof(line), "[%5lu.%06lu] %s| %.*s", (unsigned long)(now / 1000000),
		   (unsigned long)(now % 1000000), vm->config->name, (int)vm->echo_used, vm->echo);
	vm->echo_used = 0;
	console_line(line);
}

/* The guest's lines on the host's console: whole ones, and nothing that could steer a terminal. */
static void echo(struct vm *vm, const char *data, size_t len)
{
	char clean[READ_SIZE];
	size_t n = text_filter(&vm->echo_filter, data, len, clean);

	for (size_t i = 0; i < n; i++) {
		if (clean[i] == '\n' || vm->echo_used == sizeof(vm->echo))
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
	if (!console_guest(vm->slot, data, len) && vm->config->console_echo)
		echo(vm, data, len);
	return true;
}

static bool read_words(struct vm *vm)
{
	struct text_filter filter = { 0 };
	char data[READ_SIZE];
	size_t len;

	if (!read_some(&vm->words, data, sizeof(data), &len))
		return false;
	ring_write(&vm->words_kept, data, text_filter(&filter, data, len, data));
	return true;
}

static bool read_report(struct vm *vm)
{
	struct launch_report report;

	if (vm->report.fd < 0)
		return false;
	if (launch_read(vm->report.fd, &report) != 1) {
		loop_close(&vm->report);
		return false;
	}
	if (report.event == LAUNCH_FINDING) {
		fault(vm, &report.finding);
	} else {
		vm->devices = report.devices;
		vm->vsmmus = report.vsmmus;
		handle(vm, VM_EV_EXEC);
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

static void timer_ready(void *arg, uint32_t events)
{
	struct vm *vm = arg;

	(void)events;
	if (timer_fired(&vm->timer))
		handle(vm, VM_EV_TIMEOUT);
}

/* --- what the table's cells do --- */

static void ignore(struct vm *vm)
{
	(void)vm;
}

static void refuse_invalid(struct vm *vm)
{
	vm->refusal = "its manifest has faults; see 'check'";
}

static void refuse_stopped(struct vm *vm)
{
	vm->refusal = "it is not running";
}

static void refuse_started(struct vm *vm)
{
	vm->refusal = "it is started already";
}

static void refuse_stopping(struct vm *vm)
{
	vm->refusal = "it is being stopped; start it again when it has ended";
}

static void begin(struct vm *vm)
{
	vm->stop = STOP_NONE;
	vm->stop_wanted = false;
	vm->late = false;
	vm->ran = false;
	vm->faulty = false;
	vm->reason[0] = '\0';
	vm->words_from = vm->words_kept.total;
	vm->echo_used = 0;
	vm->echo_filter = (struct text_filter){ 0 };
	qmp_init(&vm->reader);
	vm->starts++;
}

static void start(struct vm *vm)
{
	struct launch launch;
	int error;

	if (shutdown_going_on()) {
		vm->refusal = "the machine is going down";
		return;
	}
	begin(vm);
	enter(vm, VM_STARTING, "");
	error = launch_vm(config, vm->slot, &launch);
	if (error) {
		fault_text(vm, DIAG_LAUNCH_FAIL, "start a launcher: %s", strerror(-error));
		enter(vm, VM_FAILED, vm->fault.text);
		return;
	}
	vm->pid = launch.pid;
	loop_add(&vm->qmp, launch.qmp, EPOLLIN, qmp_ready, vm);
	loop_add(&vm->serial, launch.serial, EPOLLIN, serial_ready, vm);
	loop_add(&vm->words, launch.words, EPOLLIN, words_ready, vm);
	loop_add(&vm->report, launch.report, EPOLLIN, report_ready, vm);
	timer_set(&vm->timer, READY_BASE_MS + READY_MS_PER_MIB * (uint64_t)vm->config->memory_mib);
}

static void tell_exec(struct vm *vm)
{
	log_msg(LOG_LEVEL_INFO, vm->config->name, "exec QEMU: pid %d, %u devices, %u vSMMUs",
		(int)vm->pid, vm->devices, vm->vsmmus);
}

static void let_run(struct vm *vm)
{
	enter(vm, VM_PRELAUNCH, "");
	qmp_send(vm->qmp.fd, "cont", "cont");
}

static void run(struct vm *vm)
{
	timer_set(&vm->timer, 0);
	vm->ran = true;
	enter(vm, VM_RUNNING, "");
}

static void pause_vm(struct vm *vm)
{
	enter(vm, VM_PAUSED, "");
}

static void stop_kill(struct vm *vm)
{
	vm->stop = STOP_KILL;
	timer_set(&vm->timer, 0);
	kill(vm->pid, SIGKILL);
}

static void stop_quit(struct vm *vm)
{
	vm->stop = STOP_QUIT;
	timer_set(&vm->timer, QUIT_MS);
	if (qmp_send(vm->qmp.fd, "quit", "quit"))
		stop_kill(vm);
}

/* The guest decides what its power button means, so this is only the first step. */
static void stop(struct vm *vm)
{
	vm->stop_wanted = true;
	enter(vm, VM_STOPPING, "power button");
	vm->stop = STOP_POWERDOWN;
	timer_set(&vm->timer, (uint64_t)vm->config->stop_timeout * 1000);
	if (qmp_send(vm->qmp.fd, "system_powerdown", "powerdown"))
		stop_kill(vm);
}

/* A paused guest cannot obey a power button. */
static void stop_paused(struct vm *vm)
{
	vm->stop_wanted = true;
	enter(vm, VM_STOPPING, "quit");
	stop_quit(vm);
}

/* Nothing runs in the guest yet that could be lost. */
static void stop_early(struct vm *vm)
{
	vm->stop_wanted = true;
	enter(vm, VM_STOPPING, "killed while it was starting");
	stop_kill(vm);
}

static void stop_now(struct vm *vm)
{
	vm->stop_wanted = true;
	enter(vm, VM_STOPPING, "killed by the operator");
	stop_kill(vm);
}

static void late(struct vm *vm)
{
	fault_text(vm, DIAG_QMP_LATE, "wait for QEMU: no answer in %lu s",
		   (unsigned long)((now_ms() - vm->since) / 1000));
	vm->late = true;
	stop_kill(vm);
}

static void stop_harder(struct vm *vm)
{
	if (vm->stop == STOP_POWERDOWN) {
		log_msg(LOG_LEVEL_WARN, vm->config->name,
			"the guest did not obey the power button within %lu s: quit",
			(unsigned long)vm->config->stop_timeout);
		stop_quit(vm);
	} else {
		log_msg(LOG_LEVEL_WARN, vm->config->name, "QEMU did not quit: kill");
		stop_kill(vm);
	}
}

/* The last line in text that is not empty; cuts text there. */
static const char *last_line(char *text)
{
	size_t end = strlen(text);
	char *newline;

	while (end > 0 && text[end - 1] == '\n')
		text[--end] = '\0';
	newline = strrchr(text, '\n');
	return newline ? newline + 1 : text;
}

/* QEMU's words beside our code: an operator should not have to know QEMU's sources. */
static void judge_words(struct vm *vm)
{
	char tail[2048];
	uint64_t at = vm->words_from;
	const char *line;
	bool nesting;
	size_t n;

	if (vm->words_kept.total - at > sizeof(tail) - 1)
		at = vm->words_kept.total - (sizeof(tail) - 1);
	n = ring_read(&vm->words_kept, &at, tail, sizeof(tail) - 1);
	tail[n] = '\0';
	nesting = strstr(tail, "IOMMU_VIOMMU_ALLOC failed");
	line = last_line(tail);
	if (nesting)
		fault_text(vm, DIAG_NO_NESTING, "QEMU: %.240s", line);
	else if (line[0])
		fault_text(vm, DIAG_QEMU_REFUSED, "QEMU: %.240s", line);
	else
		fault_text(vm, DIAG_QEMU_DIED, "QEMU exited with status %d",
			   WEXITSTATUS(vm->status));
}

/* Tells how it ended, and whether anybody wanted that. */
static void judge(struct vm *vm)
{
	char why[WHY] = "";

	if (vm->faulty && !vm->stop_wanted) {
		enter(vm, VM_FAILED, vm->fault.text);
	} else if (WIFSIGNALED(vm->status) && !vm->stop_wanted) {
		fault_text(vm, DIAG_QEMU_DIED, "QEMU was killed by signal %d (%s)",
			   WTERMSIG(vm->status), strsignal(WTERMSIG(vm->status)));
		enter(vm, VM_FAILED, vm->fault.text);
	} else if (WIFEXITED(vm->status) && WEXITSTATUS(vm->status) && !vm->stop_wanted) {
		judge_words(vm);
		enter(vm, VM_FAILED, vm->fault.text);
	} else if (vm->stop == STOP_KILL) {
		enter(vm, VM_STOPPED, "killed");
	} else if (vm->reason[0]) {
		str_format(why, sizeof(why), "%s", vm->reason);
		enter(vm, VM_STOPPED, why);
	} else {
		enter(vm, VM_STOPPED, "QEMU ended");
	}
}

static void on_last_vm(const struct vm *vm)
{
	/* A VM that cannot even start must not send the machine into a reboot loop. */
	if (!vm->ran || vm_active() || shutdown_going_on())
		return;
	if (config->host.on_last_vm == HOST_ON_LAST_VM_POWEROFF)
		shutdown_begin(SHUTDOWN_POWEROFF);
	else if (config->host.on_last_vm == HOST_ON_LAST_VM_REBOOT)
		shutdown_begin(SHUTDOWN_REBOOT);
}

static void ended(struct vm *vm)
{
	timer_set(&vm->timer, 0);
	loop_close(&vm->qmp);
	loop_close(&vm->serial);
	loop_close(&vm->words);
	loop_close(&vm->report);
	vm->pid = 0;
	if (vm->echo_used)
		end_echo_line(vm);
	judge(vm);
	console_guest_ended(vm->slot);
	on_last_vm(vm);
	shutdown_proceed();
}

/* A row for each state, a column for each event; the compiler refuses an initializer too many. */
static action *const table[VM_STATES][VM_EVENTS] = {
	/* clang-format off */
	/*		  START            STOP            KILL            EXEC       READY    RESUMED  PAUSED    TIMEOUT      ENDED */
	[VM_INVALID]   = { refuse_invalid,  refuse_stopped, refuse_stopped, ignore,    ignore,  ignore,  ignore,   ignore,      ignore },
	[VM_STOPPED]   = { start,           refuse_stopped, refuse_stopped, ignore,    ignore,  ignore,  ignore,   ignore,      ignore },
	[VM_STARTING]  = { refuse_started,  stop_early,     stop_now,       tell_exec, let_run, ignore,  ignore,   late,        ended },
	[VM_PRELAUNCH] = { refuse_started,  stop_early,     stop_now,       ignore,    ignore,  run,     ignore,   late,        ended },
	[VM_RUNNING]   = { refuse_started,  stop,           stop_now,       ignore,    ignore,  ignore,  pause_vm, ignore,      ended },
	[VM_PAUSED]    = { refuse_started,  stop_paused,    stop_now,       ignore,    ignore,  run,     ignore,   ignore,      ended },
	[VM_STOPPING]  = { refuse_stopping, ignore,         stop_now,       ignore,    ignore,  ignore,  ignore,   stop_harder, ended },
	[VM_FAILED]    = { start,           refuse_stopped, refuse_stopped, ignore,    ignore,  ignore,  ignore,   ignore,      ignore },
	/* clang-format on */
};

static void handle(struct vm *vm, enum vm_event event)
{
	table[vm->state][event](vm);
}

/* --- for the other rooms --- */

int vm_init(const struct config *all, const struct diag *diag)
{
	int error = 0;

	config = all;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = &vms[slot];

		vm->slot = slot;
		vm->qmp.fd = vm->serial.fd = vm->words.fd = vm->report.fd = vm->timer.fd = -1;
		if (!manifest_vm_used(&all->vm[slot]))
			continue;
		vm->config = &all->vm[slot];
		if (!error)
			error = ring_init(&vm->console, (size_t)vm->config->console_kib * 1024);
		if (!error)
			error = ring_init(&vm->words_kept, WORDS_BYTES);
		if (!error)
			error = timer_add(&vm->timer, timer_ready, vm);
		if (diag_failures(diag, (int)slot))
			enter(vm, VM_INVALID, "its manifest has faults");
		else
			vm->state = VM_STOPPED;
		vm->since = now_ms();
	}
	return error;
}

int vm_find(const char *name)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vms[slot].config && strcmp(vms[slot].config->name, name) == 0)
			return (int)slot;
	return -1;
}

bool vm_exists(unsigned slot)
{
	return slot < HV_VM_SLOTS && vms[slot].config;
}

void vm_autostart(void)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot) && vms[slot].config->autostart)
			handle(&vms[slot], VM_EV_START);
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	struct vm *vm = &vms[slot];

	vm->refusal = NULL;
	handle(vm, event);
	return vm->refusal;
}

bool vm_reaped(pid_t pid, int status)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = &vms[slot];

		if (vm->pid != pid || !vm->config)
			continue;
		vm->status = status;
		/* Its last words may still be in the pipes, and they say why it ended. */
		while (read_report(vm) || read_qmp(vm) || read_words(vm) || read_serial(vm))
			;
		handle(vm, VM_EV_ENDED);
		return true;
	}
	return false;
}

unsigned vm_active(void)
{
	unsigned n = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		n += vms[slot].pid != 0;
	return n;
}

struct vm_view vm_look(unsigned slot)
{
	const struct vm *vm = &vms[slot];

	return (struct vm_view){
		.name = vm->config->name,
		.state = state_name[vm->state],
		.why = vm->why,
		.pid = vm->pid,
		.since_s = (now_ms() - vm->since) / 1000,
		.starts = vm->starts,
		.devices = vm->devices,
		.vsmmus = vm->vsmmus,
	};
}

bool vm_type(unsigned slot, const char *data, size_t len)
{
	/* A guest that does not read its console must not hold up ours. */
	return vms[slot].serial.fd >= 0 && write(vms[slot].serial.fd, data, len) == (ssize_t)len;
}

const struct ring *vm_console(unsigned slot)
{
	return &vms[slot].console;
}

const struct ring *vm_words(unsigned slot)
{
	return &vms[slot].words_kept;
}
