/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program's end of PID 1's socket. PID 1 is the test itself: it has answered as soon as somebody
 * is connected, and looks afterwards at what it was asked.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "command.h"
#include "ctl.h"

static char dir[] = "/tmp/hvinit-ctl-XXXXXX";
static char path[64];
static int listener = -1;

/* What PID 1 does. */
static const char *answer;
static size_t answer_len;
static bool hangs_up; /* before it is asked */

static size_t piece; /* most that one read() gives; 0: all there is */
static unsigned interruptions; /* reads that a signal ends */

static char out[256];
static char err[256];
static char asked[1024]; /* what PID 1 has read */
static int other = -1; /* its end */

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
ssize_t __wrap_read(int fd, void *data, size_t size);
ssize_t __real_read(int fd, void *data, size_t size);

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int error = __real_connect(fd, to, len);

	if (error)
		return error;
	other = accept(listener, NULL, NULL);
	assert_true(other >= 0);
	assert_int_equal(write(other, answer, answer_len), answer_len);
	shutdown(other, SHUT_WR);
	if (hangs_up)
		shutdown(other, SHUT_RD);
	return 0;
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	return __real_read(fd, data, piece && piece < size ? piece : size);
}

static void slurp(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

static void put_back(int kept, int fd)
{
	dup2(kept, fd);
	close(kept);
}

/* Asks at a path, with the streams in out and err. */
static int ask_at(const char *at, char *const words[])
{
	const int streams[] = { memfd_create("out", 0), memfd_create("err", 0) };
	const int kept[] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	ssize_t n = 0;
	int status;

	fflush(NULL);
	dup2(streams[0], STDOUT_FILENO);
	dup2(streams[1], STDERR_FILENO);
	status = ctl_ask(at, words);
	fflush(NULL);
	put_back(kept[0], STDOUT_FILENO);
	put_back(kept[1], STDERR_FILENO);
	slurp(streams[0], out, sizeof(out));
	slurp(streams[1], err, sizeof(err));
	piece = 0;
	if (other >= 0)
		n = __real_read(other, asked, sizeof(asked) - 1);
	asked[n > 0 ? n : 0] = '\0';
	close_fdp(&other);
	other = -1;
	return status;
}

static int ask(void)
{
	static char *const words[] = { "status", "demo", NULL };

	return ask_at(path, words);
}

static void will_answer(const char *data, size_t len)
{
	answer = data;
	answer_len = len;
}

#define WILL_ANSWER(text) will_answer(text, sizeof(text) - 1)

static int setup(void **state)
{
	(void)state;
	hangs_up = false;
	piece = interruptions = 0;
	WILL_ANSWER("running\n\0000");
	return 0;
}

static int group_setup(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	str_format(path, sizeof(path), "%s/ctl", dir);
	str_copy(to.sun_path, sizeof(to.sun_path), path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(listener, (const struct sockaddr *)&to, sizeof(to)) || listen(listener, 1);
}

static int group_teardown(void **state)
{
	(void)state;
	close(listener);
	unlink(path);
	return rmdir(dir);
}

/* --- what is answered --- */

static void test_answer(void **state)
{
	(void)state;
	assert_int_equal(ask(), COMMAND_DONE);
	assert_string_equal(asked, "status demo\n");
	assert_string_equal(out, "running\n");
	assert_string_equal(err, "");
}

static void test_exit_codes(void **state)
{
	(void)state;
	WILL_ANSWER("hvinit: demo: it is not running\n\0001");
	assert_int_equal(ask(), COMMAND_REFUSED);
	assert_string_equal(out, "hvinit: demo: it is not running\n");
	WILL_ANSWER("hvinit: usage: stop VM\n\0002");
	assert_int_equal(ask(), COMMAND_USAGE);
	assert_string_equal(out, "hvinit: usage: stop VM\n");
	/* A command that has nothing to say. */
	WILL_ANSWER("\0000");
	assert_int_equal(ask(), COMMAND_DONE);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
}

/* Wherever the kernel cuts it, and so between the NUL and its digit, too. */
static void test_pieces(void **state)
{
	(void)state;
	WILL_ANSWER("one\ntwo\n\0001");
	for (size_t n = 1; n <= answer_len; n++) {
		piece = n;
		assert_int_equal(ask(), COMMAND_REFUSED);
		assert_string_equal(out, "one\ntwo\n");
	}
}

static void test_interrupted(void **state)
{
	(void)state;
	piece = 1;
	interruptions = 3;
	assert_int_equal(ask(), COMMAND_DONE);
	assert_string_equal(out, "running\n");
}

/* PID 1 has gone on to something else, as when it ends the machine: how it went nobody knows. */
static void test_no_end(void **state)
{
	static const char *const cut[] = { "run", "" };
	char want[128];

	(void)state;
	str_format(want, sizeof(want), "hvinit: ctl: %s: the answer has no end\n", path);
	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		will_answer(cut[i], strlen(cut[i]));
		assert_int_equal(ask(), COMMAND_REFUSED);
		assert_string_equal(out, cut[i]);
		assert_string_equal(err, want);
	}
	/* The digit alone is missing. */
	WILL_ANSWER("run\0");
	assert_int_equal(ask(), COMMAND_REFUSED);
	assert_string_equal(out, "run");
	assert_string_equal(err, want);
}

/* Of too many programs at once one is told so before it has asked: that must not kill it. */
static void test_turned_away(void **state)
{
	(void)state;
	hangs_up = true;
	WILL_ANSWER("hvinit: ctl: too many programs at once\n\0001");
	assert_int_equal(ask(), COMMAND_REFUSED);
	assert_string_equal(out, "hvinit: ctl: too many programs at once\n");
	assert_string_equal(err, "");
}

/* --- what does not come so far --- */

static void test_nobody_there(void **state)
{
	static char *const words[] = { "status", NULL };
	char missing[64];
	char want[128];

	(void)state;
	str_format(missing, sizeof(missing), "%s/none", dir);
	str_format(want, sizeof(want), "hvinit: ctl: %s: No such file or directory\n", missing);
	assert_int_equal(ask_at(missing, words), COMMAND_REFUSED);
	assert_string_equal(out, "");
	assert_string_equal(err, want);
}

/* What another PID 1 has left behind, or one that has ended. */
static void test_nobody_listens(void **state)
{
	static char *const words[] = { "status", NULL };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	str_format(to.sun_path, sizeof(to.sun_path), "%s/deaf", dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(ask_at(to.sun_path, words), COMMAND_REFUSED);
	assert_non_null(strstr(err, "/deaf: Connection refused\n"));
	close(fd);
	unlink(to.sun_path);
}

/* It must not be cut, and whatever failed before has nothing to do with it. */
static void test_long_path(void **state)
{
	static char *const words[] = { "status", NULL };
	char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (int before = 0; before < 2; before++) {
		errno = before ? ENOENT : 0;
		assert_int_equal(ask_at(longest, words), COMMAND_REFUSED);
		assert_non_null(strstr(err, "x: File name too long\n"));
	}
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(ask_at(longest, words), COMMAND_REFUSED);
	assert_non_null(strstr(err, "x: No such file or directory\n"));
}

/* As many characters as PID 1 takes in a line, and one more; with blanks and without. */
static void test_long_words(void **state)
{
	enum { MOST = 510 };
	char word[MOST + 2];
	char *const one[] = { word, NULL };
	char *const two[] = { "set", word, NULL };

	(void)state;
	memset(word, 'x', sizeof(word));
	word[MOST] = '\0';
	assert_int_equal(ask_at(path, one), COMMAND_DONE);
	assert_int_equal(strlen(asked), MOST + 1);
	assert_int_equal(asked[MOST], '\n');
	word[MOST] = 'x';
	word[MOST + 1] = '\0';
	assert_int_equal(ask_at(path, one), COMMAND_USAGE);
	assert_string_equal(err, "hvinit: ctl: more than 510 characters\n");
	assert_string_equal(asked, "");
	word[MOST - 4] = '\0';
	assert_int_equal(ask_at(path, two), COMMAND_DONE);
	assert_int_equal(strlen(asked), MOST + 1);
	assert_true(str_prefix(asked, "set x"));
	word[MOST - 4] = 'x';
	word[MOST - 3] = '\0';
	assert_int_equal(ask_at(path, two), COMMAND_USAGE);
	assert_string_equal(asked, "");
}

#define CTL_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_CASE("an answer", test_answer),
		CTL_CASE("how a command went", test_exit_codes),
		CTL_CASE("an answer in pieces", test_pieces),
		CTL_CASE("a signal comes between", test_interrupted),
		CTL_CASE("an answer without an end", test_no_end),
		CTL_CASE("turned away before it has asked", test_turned_away),
		CTL_CASE("nobody is there", test_nobody_there),
		CTL_CASE("nobody listens", test_nobody_listens),
		CTL_CASE("a path that is too long", test_long_path),
		CTL_CASE("words that are too long", test_long_words),
	};

	return cmocka_run_group_tests_name("ctl", tests, group_setup, group_teardown);
}
