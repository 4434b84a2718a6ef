/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for QEMU: speaks QMP on the descriptor it has inherited, and dies in every way there is.
 *
 * An option "-on POINT:ORDER;ORDER..." says what it does at a point in place of what QEMU would do. Orders come also at any time, a line each, through the FIFO /ctl/NAME, NAME
 * being the VM's; each point that is reached is a line in the file /ctl/NAME.log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FD_QMP = 10, FD_SERIAL = 11, FD_CTL = 13, LINE = 4096 };

static int qmp = FD_QMP;
static int serial = FD_SERIAL;
static int orders = -1;
static int events = -1; /* the log of points */
static char **words;
static const char *point = ""; /* the last that was reached */
static char id[64]; /* of the command that is answered */
static bool deaf; /* reads no QMP */
static bool runs; /* the guest's CPUs */
static bool floods; /* the serial console, for as long as it lives */
static volatile sig_atomic_t terminated;

static void reach(const char *name);

/* --- what it says --- */

static void put(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	strcat(line, "\n");
	put(qmp, line, strlen(line));
}

static void tell_event(const char *name, const char *reason)
{
	static const char stamp[] = "\"timestamp\":{\"seconds\":1,\"microseconds\":2}";

	if (reason)
		tell("{%s,\"event\":\"%s\",\"data\":{\"guest\":%s,\"reason\":\"%s\"}}", stamp, name,
		     strncmp(reason, "guest", 5) == 0 ? "true" : "false", reason);
	else
		tell("{%s,\"event\":\"%s\"}", stamp, name);
}

static void tell_return(const char *to, const char *status)
{
	if (status)
		tell("{\"return\":{\"status\":\"%s\",\"running\":%s},\"id\":\"%s\"}", status,
		     strcmp(status, "running") == 0 ? "true" : "false", to);
	else
		tell("{\"return\":{},\"id\":\"%s\"}", to);
}

/* --- what QEMU does at each point --- */

static void greet(void)
{
	tell("{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":1,\"major\":11},"
	     "\"package\":\"stand-in\"},\"capabilities\":[\"oob\"]}}");
}

static void answer(void)
{
	tell_return(id, NULL);
}

static void answer_status(void)
{
	tell_return(id, runs ? "running" : "prelaunch");
	if (!runs)
		reach("prelaunch");
}

static void run_guest(void)
{
	runs = true;
	tell_event("RESUME", NULL);
	answer();
	reach("running");
}

static void pause_guest(void)
{
	tell_event("STOP", NULL);
	answer();
}

static void press(void)
{
	answer();
	tell_event("POWERDOWN", NULL);
	tell_event("SHUTDOWN", "guest-shutdown");
	exit(0);
}

static void quit(void)
{
	answer();
	tell_event("SHUTDOWN", "host-qmp-quit");
	exit(0);
}

static void terminate(void)
{
	tell_event("SHUTDOWN", "host-signal");
	exit(0);
}

static void stay(void)
{
}

static const struct point {
	const char *name;
	const char *command; /* that leads there, or NULL */
	void (*usual)(void);
} points[] = {
	{ "start", NULL, greet },
	{ "capabilities", "qmp_capabilities", answer },
	{ "status", "query-status", answer_status },
	{ "prelaunch", NULL, stay },
	{ "cont", "cont", run_guest },
	{ "running", NULL, stay },
	{ "stop", "stop", pause_guest },
	{ "powerdown", "system_powerdown", press },
	{ "quit", "quit", quit },
	{ "term", NULL, terminate },
	{ "command", "", answer }, /* any other */
};

enum { POINTS = sizeof(points) / sizeof(points[0]) };

static void do_usual(const char *name)
{
	for (size_t i = 0; i < POINTS; i++)
		if (strcmp(points[i].name, name) == 0)
			points[i].usual();
}

/* --- orders --- */

static void order_usual(char *arg)
{
	do_usual(arg[0] ? arg : point);
}

static void order_none(char *arg)
{
	(void)arg;
}

static void order_exit(char *arg)
{
	_exit(atoi(arg));
}

static void order_signal(char *arg)
{
	signal(atoi(arg), SIG_DFL);
	raise(atoi(arg));
}

static void order_say(char *arg)
{
	dprintf(STDERR_FILENO, "%s\n", arg);
}

static void order_print(char *arg)
{
	put(serial, arg, strlen(arg));
	put(serial, "\r\n", 2);
}

static void order_event(char *arg)
{
	const char *name = strsep(&arg, ":");

	tell_event(name, arg);
}

static void order_return(char *arg)
{
	const char *to = strsep(&arg, ":");

	tell_return(to, arg);
}

static void order_error(char *arg)
{
	tell("{\"error\":{\"class\":\"GenericError\",\"desc\":\"%s\"},\"id\":\"%s\"}", arg,
	     id[0] ? id : "none");
}

static void order_raw(char *arg)
{
	tell("%s", arg);
}

static void order_half(char *arg)
{
	put(qmp, arg, strlen(arg));
}

static void order_long(char *arg)
{
	for (long left = atol(arg); left > 0; left--)
		put(qmp, "x", 1);
	put(qmp, "\n", 1);
}

static void order_close(char *arg)
{
	int *fd = strcmp(arg, "serial") == 0 ? &serial : &qmp;

	close(*fd);
	*fd = -1;
}

static void order_deaf(char *arg)
{
	deaf = arg[0] != '0';
}

static void order_flood(char *arg)
{
	floods = arg[0] != '0';
}

/* Leaves a process behind that is nobody's: it ends by itself when ARG is "end". */
static void order_orphan(char *arg)
{
	if (fork() != 0)
		return;
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	while (strcmp(arg, "end") != 0)
		pause();
	_exit(7);
}

/* Of a folder that answers nobody: it does not come back. */
static void order_open(char *arg)
{
	close(open(arg, O_RDONLY | O_CLOEXEC));
}

static void order_wait(char *arg)
{
	usleep((useconds_t)atoi(arg) * 1000);
}

static void order_stamp(char *arg)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	dprintf(events, "%s %lld\n", arg, now.tv_sec * 1000000000LL + now.tv_nsec);
}

static void order_note(char *arg)
{
	dprintf(events, "%s\n", arg);
}

static void order_ignore(char *arg)
{
	signal(atoi(arg), SIG_IGN);
}

/* A guest's program asks PID 1: the answer goes to the log up to its NUL, and "answered N". */
static void order_ask(char *arg)
{
	char c = '\n';

	put(FD_CTL, arg, strlen(arg));
	put(FD_CTL, "\n", 1);
	while (read(FD_CTL, &c, 1) == 1 && c)
		dprintf(events, "%c", c);
	if (read(FD_CTL, &c, 1) == 1)
		dprintf(events, "answered %c\n", c);
}

static const struct {
	const char *name;
	void (*run)(char *arg);
} verbs[] = {
	{ "usual", order_usual },   { "none", order_none },	{ "exit", order_exit },
	{ "signal", order_signal }, { "say", order_say },	{ "print", order_print },
	{ "event", order_event },   { "return", order_return }, { "error", order_error },
	{ "raw", order_raw },	    { "half", order_half },	{ "long", order_long },
	{ "close", order_close },   { "deaf", order_deaf },	{ "flood", order_flood },
	{ "orphan", order_orphan }, { "open", order_open },	{ "ignore", order_ignore },
	{ "wait", order_wait },	    { "stamp", order_stamp },	{ "note", order_note },
	{ "ask", order_ask },
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static void obey(const char *text)
{
	char copy[LINE];
	char *rest = copy;
	char *order;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((order = strsep(&rest, ";"))) {
		const char *name = strsep(&order, "=");
		size_t i = 0;

		while (i < VERBS && strcmp(verbs[i].name, name) != 0)
			i++;
		if (i == VERBS)
			dprintf(events, "no such order: %s\n", name);
		else
			verbs[i].run(order ? order : (char[]){ "" });
	}
}

/* What the words say of a point, or what QEMU does. */
static void reach(const char *name)
{
	size_t len = strlen(name);

	point = name;
	dprintf(events, "%s\n", name);
	for (char **word = words; word[0] && word[1]; word++)
		if (strcmp(word[0], "-on") == 0 && strncmp(word[1], name, len) == 0 &&
		    word[1][len] == ':') {
			obey(word[1] + len + 1);
			return;
		}
	do_usual(name);
}

/* --- what it hears --- */

static void take_string(const char *line, const char *key, char *value, size_t size)
{
	const char *at = strstr(line, key);

	value[0] = '\0';
	if (at)
		snprintf(value, size, "%.*s", (int)strcspn(at + strlen(key), "\""),
			 at + strlen(key));
}

static void on_command(const char *line)
{
	char command[64];
	size_t i = 0;

	take_string(line, "\"id\":\"", id, sizeof(id));
	take_string(line, "\"execute\":\"", command, sizeof(command));
	while (i + 1 < POINTS && !(points[i].command && strcmp(points[i].command, command) == 0))
		i++;
	reach(points[i].name);
}

/* Cuts lines out of what fd has; true until its end. */
static bool read_lines(int fd, char *line, size_t *used, void (*on_line)(const char *line))
{
	ssize_t n = read(fd, line + *used, 1);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (line[*used] != '\n' && *used + 2 < LINE) {
		++*used;
		return true;
	}
	line[*used] = '\0';
	*used = 0;
	on_line(line);
	return true;
}

static void read_serial(void)
{
	char data[LINE];
	ssize_t n = read(serial, data, sizeof(data));

	if (n > 0)
		put(serial, data, (size_t)n);
}

static void flood(void)
{
	static const char line[] =
		"the guest says a lot, and none of it is worth a look \033[31m\r\n";
	ssize_t n = send(serial, line, sizeof(line) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)n;
}

static void on_term(int number)
{
	(void)number;
	terminated = 1;
}

_Noreturn static void loop(void)
{
	static char command[LINE];
	static char order[LINE];
	size_t command_used = 0;
	size_t order_used = 0;

	for (;;) {
		struct pollfd fd[] = {
			{ .fd = deaf ? -1 : qmp, .events = POLLIN },
			{ .fd = orders, .events = POLLIN },
			{ .fd = serial, .events = (short)(POLLIN | (floods ? POLLOUT : 0)) },
		};

		/* Only in ppoll() may a signal come, or it could be missed. */
		sigset_t none;

		sigemptyset(&none);
		ppoll(fd, 3, NULL, &none);
		if (terminated) {
			terminated = 0;
			reach("term");
			continue;
		}
		if (fd[0].revents && !read_lines(qmp, command, &command_used, on_command))
			exit(0);
		if (fd[1].revents)
			read_lines(orders, order, &order_used, obey);
		if (fd[2].revents & POLLIN)
			read_serial();
		if (fd[2].revents & POLLOUT)
			flood();
	}
}

static void open_control(char **argv)
{
	const char *name = "";
	char path[256];

	for (char **word = argv; *word; word++)
		if (strncmp(*word, "guest=", 6) == 0)
			name = *word + 6;
	snprintf(path, sizeof(path), "/ctl/%.200s", name);
	orders = open(path, O_RDWR | O_CLOEXEC);
	strcat(path, ".log");
	events = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	sigset_t term;

	(void)argc;
	words = argv + 1;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGTERM, on_term);
	open_control(argv);
	reach("start");
	loop();
}
