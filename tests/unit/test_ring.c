/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs of fixed size: what is kept, what is lost, what a reader in the middle sees. */
#include "unit.h"

#include <sys/mman.h>

#include "ring.h"

static struct ring ring;

static int setup(void **state)
{
	(void)state;
	return ring_init(&ring, 8);
}

static int teardown(void **state)
{
	(void)state;
	return munmap(ring.data, ring.size);
}

static void assert_holds(uint64_t from, const char *text)
{
	char buf[32];
	size_t n = ring_read(&ring, &from, buf, sizeof(buf) - 1);

	buf[n] = '\0';
	assert_string_equal(buf, text);
	assert_int_equal(from, ring.total);
	assert_int_equal(ring_read(&ring, &from, buf, sizeof(buf)), 0);
}

static void test_empty(void **state)
{
	(void)state;
	assert_holds(0, "");
}

static void test_newest(void **state)
{
	(void)state;
	ring_write(&ring, "abcde", 5);
	assert_holds(0, "abcde");
	ring_write(&ring, "fghij", 5);
	assert_holds(0, "cdefghij");
	assert_holds(9, "j");
}

static void test_exact(void **state)
{
	(void)state;
	ring_write(&ring, "01234567", 8);
	assert_holds(0, "01234567");
	ring_write(&ring, "8", 1);
	assert_holds(0, "12345678");
}

static void test_larger_than_it(void **state)
{
	(void)state;
	ring_write(&ring, "abc", 3);
	ring_write(&ring, "0123456789ABCDEFGHIJ", 20);
	assert_int_equal(ring.total, 23);
	assert_holds(0, "CDEFGHIJ");
}

static void test_small_reads(void **state)
{
	char buf[3];
	uint64_t at = 0;

	(void)state;
	ring_write(&ring, "0123456789", 10);
	assert_int_equal(ring_read(&ring, &at, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "234", 3);
	assert_int_equal(ring_read(&ring, &at, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "567", 3);
	ring_write(&ring, "abcdefg", 7);
	assert_int_equal(ring_read(&ring, &at, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "9ab", 3);
}

static void test_without_memory(void **state)
{
	struct ring none = { 0 };
	uint64_t at = 0;
	char c;

	(void)state;
	ring_write(&none, "abc", 3);
	assert_int_equal(ring_read(&none, &at, &c, 1), 0);
}

#define RING_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_CASE("empty", test_empty),
		RING_CASE("the newest bytes stay", test_newest),
		RING_CASE("exactly full", test_exact),
		RING_CASE("a write larger than the ring", test_larger_than_it),
		RING_CASE("a reader is overtaken", test_small_reads),
		CASE("a ring without memory keeps nothing", test_without_memory, NULL),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
