/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP as a QEMU sends it that a guest may own: cut anywhere, too long, or nonsense. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "qmp.h"

static struct qmp qmp;
static struct qmp_message last;
static unsigned messages;
static unsigned garbage;
static const char *why;

static void on_message(void *arg, const struct qmp_message *message)
{
	assert_ptr_equal(arg, &qmp);
	last = *message;
	messages++;
}

static void on_garbage(void *arg, const char *reason)
{
	assert_ptr_equal(arg, &qmp);
	why = reason;
	garbage++;
}

static const struct qmp_handler handler = { on_message, on_garbage, &qmp };

static int setup(void **state)
{
	(void)state;
	qmp_init(&qmp);
	memset(&last, 0, sizeof(last));
	messages = garbage = 0;
	return 0;
}

/* From exact memory, so that a read behind the end is found. */
static void feed_bytes(const char *data, size_t len)
{
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, data, len);
	qmp_feed(&qmp, exact, len, &handler);
	free(exact);
}

static void feed(const char *text)
{
	feed_bytes(text, strlen(text));
}

static void feed_line(const char *text)
{
	feed(text);
	feed("\r\n");
}

#define GREETING                                                                           \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 1, \"major\": 11}, " \
	"\"package\": \"Debian 1:11.1\"}, \"capabilities\": [\"oob\"]}}"

static void test_greeting(void **state)
{
	(void)state;
	feed_line(GREETING);
	assert_int_equal(messages, 1);
	assert_int_equal(last.kind, QMP_GREETING);
}

static void test_return(void **state)
{
	(void)state;
	feed_line("{\"return\": {}, \"id\": \"capabilities\"}");
	assert_int_equal(last.kind, QMP_RETURN);
	assert_string_equal(last.id, "capabilities");
	assert_string_equal(last.name, "");
	feed_line("{\"return\": {\"status\": \"prelaunch\", \"running\": false}, \"id\": \"s\"}");
	assert_string_equal(last.name, "prelaunch");
	assert_int_equal(messages, 2);
}

/* An id may come first, and a return may be anything. */
static void test_return_forms(void **state)
{
	(void)state;
	feed_line("{\"id\": \"x\", \"return\": []}");
	assert_int_equal(last.kind, QMP_RETURN);
	assert_string_equal(last.id, "x");
	feed_line("{\"return\": \"text\"}");
	assert_int_equal(last.kind, QMP_RETURN);
	assert_string_equal(last.id, "");
	feed_line("{\"return\": [{\"status\": \"running\"}], \"id\": 7}");
	assert_string_equal(last.name, "");
	assert_string_equal(last.id, "");
}

static void test_error(void **state)
{
	(void)state;
	feed_line("{\"id\": \"cont\", \"error\": {\"class\": \"GenericError\", "
		  "\"desc\": \"Resetting the Virtual Machine is required\"}}");
	assert_int_equal(last.kind, QMP_ERROR);
	assert_string_equal(last.id, "cont");
	assert_string_equal(last.text, "Resetting the Virtual Machine is required");
}

static void test_event(void **state)
{
	(void)state;
	feed_line("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"SHUTDOWN\", "
		  "\"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}");
	assert_int_equal(last.kind, QMP_EVENT);
	assert_string_equal(last.name, "SHUTDOWN");
	assert_string_equal(last.reason, "guest-shutdown");
	feed_line("{\"event\": \"RESUME\"}");
	assert_string_equal(last.name, "RESUME");
	assert_string_equal(last.reason, "");
}

/* A key inside another object, or a value that looks like a key, is not the message's. */
static void test_nested_keys(void **state)
{
	(void)state;
	feed_line(
		"{\"event\": \"X\", \"data\": {\"return\": {}, \"id\": \"no\", \"event\": \"Y\"}}");
	assert_int_equal(last.kind, QMP_EVENT);
	assert_string_equal(last.name, "X");
	assert_string_equal(last.id, "");
	feed_line("{\"id\": \"event\", \"return\": {\"other\": \"status\"}}");
	assert_int_equal(last.kind, QMP_RETURN);
	assert_string_equal(last.id, "event");
	assert_string_equal(last.name, "");
	feed_line("{\"a\": [{\"return\": 1}], \"b\": \"return\"}");
	assert_int_equal(messages, 2);
	assert_int_equal(garbage, 1);
}

static void test_byte_by_byte(void **state)
{
	static const char text[] = GREETING "\r\n{\"return\": {}, \"id\": \"x\"}\n\n";

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		feed_bytes(text + i, 1);
	assert_int_equal(messages, 2);
	assert_int_equal(garbage, 0);
	assert_string_equal(last.id, "x");
}

static void test_many_at_once(void **state)
{
	(void)state;
	feed("{\"event\": \"A\"}\n{\"event\": \"B\"}\r\n{\"event\": \"C\"}\n{\"event\"");
	assert_int_equal(messages, 3);
	assert_string_equal(last.name, "C");
	feed(": \"D\"}\n");
	assert_int_equal(messages, 4);
	assert_string_equal(last.name, "D");
}

static const char *const nonsense[] = {
	"x",
	"{",
	"}",
	"[]",
	"7",
	"\"event\"",
	"null",
	"{}",
	"{\"event\"}",
	"{\"event\": }",
	"{\"event\": \"X\"",
	"{\"event\": \"X}",
	"{\"greeting\": 1}",
	"{\"a\": {\"b\": {\"c\": {",
	"\xff\xfe\x01",
	"{\"event\": \"\\uZZZZ\"}",
};

static void test_nonsense(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		setup(state);
		feed_line(nonsense[i]);
		if (messages != 0 || garbage != 1)
			fail_msg("%s: %u messages, %u garbage", nonsense[i], messages, garbage);
		feed_line("{\"event\": \"A\"}");
		assert_int_equal(messages, 1);
	}
}

static void test_nul(void **state)
{
	static const char text[] = "{\"event\": \"A\0B\"}\n{\"event\": \"C\"}\n";

	(void)state;
	feed_bytes(text, sizeof(text) - 1);
	assert_string_equal(last.name, "C");
}

/* A name that is not a string must not be read as one. */
static void test_wrong_types(void **state)
{
	(void)state;
	feed_line("{\"event\": 7, \"data\": []}");
	assert_string_equal(last.name, "");
	feed_line("{\"error\": \"x\", \"id\": {}}");
	assert_string_equal(last.text, "");
	assert_string_equal(last.id, "");
	feed_line("{\"return\": {\"status\": {\"status\": \"running\"}}}");
	assert_string_equal(last.name, "");
}

static void test_longest_line(void **state)
{
	static char line[QMP_LINE + 1];

	(void)state;
	memset(line, ' ', QMP_LINE);
	memcpy(line, "{\"event\": \"A\"", 13);
	line[QMP_LINE - 1] = '}';
	feed(line);
	feed("\n");
	assert_int_equal(messages, 1);
	assert_int_equal(garbage, 0);
}

static void test_too_long(void **state)
{
	static char line[3 * QMP_LINE];

	(void)state;
	memset(line, ' ', sizeof(line) - 1);
	memcpy(line, "{\"event\": \"A\"}", 14);
	feed(line);
	feed(line);
	assert_int_equal(garbage, 1);
	feed("\n{\"event\": \"B\"}\n");
	assert_int_equal(garbage, 1);
	assert_int_equal(messages, 1);
	assert_string_equal(last.name, "B");
}

static void test_too_many_tokens(void **state)
{
	static char line[4096] = "{\"event\": \"A\", \"data\": [";

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		strcat(line, "1,");
	strcat(line, "1]}");
	feed_line(line);
	assert_int_equal(messages, 0);
	assert_int_equal(garbage, 1);
}

static void test_long_words(void **state)
{
	char line[2048];
	char word[500];

	(void)state;
	memset(word, 'W', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	str_format(line, sizeof(line),
		   "{\"event\": \"%s\", \"id\": \"%s\", \"data\": {\"reason\": \"%s\"}}", word,
		   word, word);
	feed_line(line);
	assert_int_equal(strlen(last.name), QMP_WORD - 1);
	assert_int_equal(strlen(last.id), QMP_WORD - 1);
	assert_int_equal(strlen(last.reason), QMP_WORD - 1);
}

/* A reason is shown on the operator's terminal. */
static void test_control_characters(void **state)
{
	(void)state;
	feed("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"a\033[2Jb\x7f\"}}\n");
	if (messages)
		assert_string_equal(last.reason, "a?[2Jb?");
}

/* Whatever comes, every line is a message or garbage, and words end. */
static void test_damage(void **state)
{
	static const char good[] = "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"x\"}}\n"
				   "{\"return\": {\"status\": \"running\"}, \"id\": \"s\"}\n"
				   "{\"id\": \"c\", \"error\": {\"desc\": \"a \\\"b\\\"\"}}\n";
	uint32_t seed = 7;

	for (unsigned i = 0; i < 20000; i++) {
		char text[sizeof(good) - 1];
		unsigned lines = 0;

		setup(state);
		memcpy(text, good, sizeof(text));
		damage(text, sizeof(text), &seed);
		feed_bytes(text, sizeof(text));
		for (size_t c = 0; c < sizeof(text); c++)
			lines += text[c] == '\n';
		assert_true(messages + garbage <= lines);
		assert_true(strlen(last.text) < sizeof(last.text));
	}
}

static void test_send(void **state)
{
	char text[256];
	int fd[2];
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(qmp_send(fd[0], "query-status", "status"), 0);
	n = read(fd[1], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "{\"execute\":\"query-status\",\"id\":\"status\"}\n");
	close(fd[1]);
	assert_int_equal(qmp_send(fd[0], "quit", "quit"), -EPIPE); /* and no SIGPIPE */
	close(fd[0]);
}

static void test_send_full(void **state)
{
	int fd[2];
	int error = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	for (unsigned i = 0; i < 1000000 && !error; i++)
		error = qmp_send(fd[0], "stop", "stop");
	assert_int_equal(error, -EAGAIN);
	close(fd[0]);
	close(fd[1]);
}

static void test_send_long(void **state)
{
	char command[800];

	(void)state;
	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	assert_int_equal(qmp_send(-1, command, "x"), -EMSGSIZE);
}

/* What is passed beside a command is another number for the same open file. */
static void test_send_descriptor(void **state)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[128] = "";
	struct iovec part = { text, sizeof(text) - 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const int null = open("/dev/null", O_RDONLY);
	struct stat sent;
	struct stat got;
	int copy;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(qmp_send_with(fd[0], "getfd", "{\"fdname\":\"x\"}", "id", null), 0);
	assert_true(recvmsg(fd[1], &message, 0) > 0);
	assert_string_equal(
		text, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"x\"},\"id\":\"id\"}\n");
	assert_int_equal(control.head.cmsg_type, SCM_RIGHTS);
	memcpy(&copy, CMSG_DATA(&control.head), sizeof(copy));
	assert_int_equal(fstat(null, &sent) | fstat(copy, &got), 0);
	assert_int_equal(sent.st_rdev, got.st_rdev);
	close(copy);
	close(null);
	close(fd[0]);
	close(fd[1]);
}

static void test_device(void **state)
{
	(void)state;
	feed("{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"hostdev1\",\"path\":\"/x\"}}\n");
	assert_string_equal(last.device, "hostdev1");
}

#define QMP_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QMP_CASE("greeting", test_greeting),
		QMP_CASE("a descriptor", test_send_descriptor),
		QMP_CASE("an event about a device", test_device),
		QMP_CASE("returns", test_return),
		QMP_CASE("returns of other forms", test_return_forms),
		QMP_CASE("errors", test_error),
		QMP_CASE("events", test_event),
		QMP_CASE("keys that are not the message's own", test_nested_keys),
		QMP_CASE("byte by byte", test_byte_by_byte),
		QMP_CASE("many at once", test_many_at_once),
		QMP_CASE("nonsense", test_nonsense),
		QMP_CASE("NUL bytes", test_nul),
		QMP_CASE("values of the wrong type", test_wrong_types),
		QMP_CASE("the longest line", test_longest_line),
		QMP_CASE("a line that is too long", test_too_long),
		QMP_CASE("more tokens than there is room for", test_too_many_tokens),
		QMP_CASE("words that are too long", test_long_words),
		QMP_CASE("control characters", test_control_characters),
		QMP_CASE("damaged in 20000 ways", test_damage),
		QMP_CASE("commands", test_send),
		QMP_CASE("a QEMU that does not read", test_send_full),
		QMP_CASE("a command that is too long", test_send_long),
	};

	return cmocka_run_group_tests_name("qmp", tests, NULL, NULL);
}
