/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines at the edges of the buffer and of the file. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "fakesys.h"
#include "lines.h"

struct seen {
	unsigned count;
	unsigned stop; /* at this line; 0: never */
	char last[LINES_MAX + 1];
	size_t sum;
};

static int see(void *arg, char *line)
{
	struct seen *seen = arg;

	str_copy(seen->last, sizeof(seen->last), line);
	seen->sum += strlen(line);
	return ++seen->count == seen->stop ? 42 : 0;
}

static int read_text(const char *text, size_t len, char end, struct seen *seen)
{
	int root = fakesys_new();
	int result;
	int fd;

	fakesys_file(root, "file", "");
	fd = openat(root, "file", O_WRONLY);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	result = lines_read(root, "file", end, see, seen);
	close(root);
	return result;
}

static void test_lines(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(read_text("one\n\nthree", 10, '\n', &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.last, "three");
	seen = (struct seen){ 0 };
	assert_int_equal(read_text("one\n", 4, '\n', &seen), 0);
	assert_int_equal(seen.count, 1);
	seen = (struct seen){ 0 };
	assert_int_equal(read_text("a=1\0b=2\0", 8, '\0', &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.last, "b=2");
	seen = (struct seen){ 0 };
	assert_int_equal(read_text("", 0, '\n', &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void test_stop(void **state)
{
	struct seen seen = { .stop = 2 };

	(void)state;
	assert_int_equal(read_text("one\ntwo\nthree\n", 14, '\n', &seen), 42);
	assert_int_equal(seen.count, 2);
	seen = (struct seen){ .stop = 1 };
	assert_int_equal(read_text("one", 3, '\n', &seen), 42);
}

static void test_unreadable(void **state)
{
	struct seen seen = { 0 };
	int root = fakesys_new();

	(void)state;
	assert_int_equal(lines_read(root, "nothing", '\n', see, &seen), -ENOENT);
	assert_int_equal(lines_read(root, "dev", '\n', see, &seen), -EISDIR);
	assert_int_equal(seen.count, 0);
	close(root);
}

/* A line of LINES_MAX - 1 bytes fits; one byte more and it is left out, its neighbours are not. */
static void test_long(void **state)
{
	static char text[4 * LINES_MAX];
	struct seen seen;

	(void)state;
	for (size_t len = LINES_MAX - 2; len < 2 * LINES_MAX + 2; len++) {
		size_t used = 0;

		seen = (struct seen){ 0 };
		memcpy(text, "ab\n", 3);
		memset(text + 3, 'x', len);
		used = 3 + len;
		memcpy(text + used, "\ncd\n", 4);
		assert_int_equal(read_text(text, used + 4, '\n', &seen), 0);
		assert_int_equal(seen.count, len < LINES_MAX ? 3 : 2);
		assert_int_equal(seen.sum, len < LINES_MAX ? len + 4 : 4);
		assert_string_equal(seen.last, "cd");
		len += len > LINES_MAX + 2 && len < 2 * LINES_MAX - 8 ? 500 : 0;
	}
	seen = (struct seen){ 0 };
	assert_int_equal(read_text(text, LINES_MAX + 20, '\n', &seen), 0);
	assert_int_equal(seen.count, 1); /* the file ends in the long line */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("lines", test_lines, NULL),
		CASE("stopping", test_stop, NULL),
		CASE("unreadable", test_unreadable, NULL),
		CASE("long lines", test_long, NULL),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, fakesys_teardown);
}
