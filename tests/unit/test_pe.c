/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of PE files, sound and damaged ones. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pe.h"

enum { PE = 128, COFF = PE + 4, OPTIONAL = COFF + 20, DIRECTORIES = 16, SECTIONS = 3 };
enum { TABLE = OPTIONAL + 112 + 8 * DIRECTORIES, HEADERS = 1024, SIZE = 4096 };
enum { OSREL = HEADERS, INITRD = 2048, INITRD_SIZE = 700, CERTIFICATES = 3072 };

static uint8_t file[SIZE + 2 * PE_HEAD];
static struct pe pe;

static void poke(size_t at, uint32_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		file[at + i] = (uint8_t)(value >> 8 * i);
}

static size_t section_at(unsigned i)
{
	return TABLE + (size_t)i * 40;
}

static void put_section(unsigned i, const char *name, uint32_t at, uint32_t len, uint32_t raw)
{
	memset(file + section_at(i), 0, PE_NAME);
	memcpy(file + section_at(i), name, strlen(name));
	poke(section_at(i) + 8, len, 4);
	poke(section_at(i) + 16, raw, 4);
	poke(section_at(i) + 20, at, 4);
}

static int setup(void **state)
{
	static const char release[] = "ID=hvinit\n";

	(void)state;
	memset(file, 0, sizeof(file));
	memcpy(file, "MZ", 2);
	poke(60, PE, 4);
	memcpy(file + PE, "PE\0", 4);
	poke(COFF, PE_ARM64, 2);
	poke(COFF + 2, SECTIONS, 2);
	poke(COFF + 16, TABLE - OPTIONAL, 2);
	poke(OPTIONAL, 0x20b, 2);
	poke(OPTIONAL + 60, HEADERS, 4);
	poke(OPTIONAL + 108, DIRECTORIES, 4);
	put_section(0, ".osrel", OSREL, sizeof(release) - 1, 512);
	put_section(1, ".initrd", INITRD, INITRD_SIZE, 1024);
	put_section(2, ".bss", 0, 4096, 0);
	memcpy(file + OSREL, release, sizeof(release) - 1);
	return 0;
}

static int parse(size_t size)
{
	return pe_parse(file, size, size, &pe);
}

static void test_sound(void **state)
{
	const struct pe_section *section;
	unsigned count;

	(void)state;
	assert_int_equal(parse(SIZE), 0);
	assert_int_equal(pe.machine, PE_ARM64);
	assert_int_equal(pe.count, SECTIONS);
	section = pe_find(&pe, ".initrd", &count);
	assert_non_null(section);
	assert_int_equal(count, 1);
	assert_int_equal(section->at, INITRD);
	assert_int_equal(section->len, INITRD_SIZE);
	/* Nothing of it is in the file. */
	assert_int_equal(pe_find(&pe, ".bss", &count)->len, 0);
	assert_null(pe_find(&pe, ".init", &count));
	assert_int_equal(count, 0);
	assert_false(pe_is_signed(&pe));
}

static void test_twice(void **state)
{
	unsigned count;

	(void)state;
	put_section(1, ".osrel", INITRD, 5, 1024);
	assert_int_equal(parse(SIZE), 0);
	assert_int_equal(pe_find(&pe, ".osrel", &count)->at, OSREL);
	assert_int_equal(count, 2);
}

/* Eight characters have no NUL behind them. */
static void test_long_name(void **state)
{
	unsigned count;

	(void)state;
	put_section(1, ".dtbauto", INITRD, 5, 1024);
	assert_int_equal(parse(SIZE), 0);
	assert_non_null(pe_find(&pe, ".dtbauto", &count));
}

static void test_certificates(void **state)
{
	(void)state;
	poke(OPTIONAL + 112 + 4 * 8, CERTIFICATES, 4);
	poke(OPTIONAL + 112 + 4 * 8 + 4, 1024, 4);
	assert_int_equal(parse(SIZE), 0);
	assert_true(pe_is_signed(&pe));
	assert_int_equal(pe.certificates.at, CERTIFICATES);
	assert_int_equal(pe.certificates.len, 1024);
	assert_int_equal(parse(SIZE - 1), -ENODATA);
	poke(OPTIONAL + 108, 4, 4); /* there is no such directory */
	assert_int_equal(parse(SIZE), 0);
	assert_false(pe_is_signed(&pe));
}

/* What is wrong in one place. */
static const struct fault {
	const char *title;
	size_t at;
	uint32_t value;
	unsigned size;
	int error;
} faults[] = {
	{ "no MZ", 0, 0, 2, -ENOEXEC },
	{ "no PE", PE, 0, 2, -ENOEXEC },
	{ "PE32", OPTIONAL, 0x10b, 2, -ENOEXEC },
	{ "short optional header", COFF + 16, 100, 2, -ENOEXEC },
	{ "headers in the DOS stub", 60, 32, 4, -EBADMSG },
	{ "headers beyond the end", 60, 0xfffffff0, 4, -ENODATA },
	{ "headers just beyond the end", 60, SIZE - 20, 4, -ENODATA },
	{ "optional header beyond the end", COFF + 16, 0xfff0, 2, -ENODATA },
	{ "sections beyond the end", COFF + 2, 1000, 2, -ENODATA },
	{ "section table behind the headers", COFF + 2, 40, 2, -EBADMSG },
	{ "size of headers too small", OPTIONAL + 60, 100, 4, -EBADMSG },
	{ "size of headers too large", OPTIONAL + 60, 0xffffffff, 4, -ENODATA },
	{ "more directories than there is room", OPTIONAL + 108, 17, 4, -EBADMSG },
	{ "very many directories", OPTIONAL + 108, 0xffffffff, 4, -EBADMSG },
	{ "section in the headers", TABLE + 20, 1000, 4, -EBADMSG },
	{ "section cut off", TABLE + 20, SIZE - 511, 4, -ENODATA },
	{ "section behind the end", TABLE + 20, 0xffffffff, 4, -ENODATA },
	{ "section larger than the file", TABLE + 16, 0xffffffff, 4, -ENODATA },
	{ "certificates in the headers", OPTIONAL + 112 + 36, 8, 4, -EBADMSG },
};

static void test_fault(void **state)
{
	const struct fault *fault = *state;

	setup(NULL);
	poke(fault->at, fault->value, fault->size);
	assert_int_equal(parse(SIZE), fault->error);
	pe_find(&pe, ".osrel", &(unsigned){ 0 });
}

/* A file is larger than what was read of it. */
static void test_head(void **state)
{
	(void)state;
	assert_int_equal(pe_parse(file, PE_HEAD, 1 << 30, &pe), 0);
	put_section(1, ".initrd", 1 << 20, 1 << 28, 1 << 28);
	assert_int_equal(pe_parse(file, PE_HEAD, 1 << 30, &pe), 0);
	assert_int_equal(pe_parse(file, PE_HEAD, 1 << 28, &pe), -ENODATA);
	poke(60, PE_HEAD, 4); /* headers that are not in the head */
	assert_int_equal(pe_parse(file, PE_HEAD, 1 << 30, &pe), -EBADMSG);
	setup(NULL);
	poke(COFF + 2, PE_SECTIONS + 1, 2);
	poke(OPTIONAL + 60, PE_HEAD, 4);
	assert_int_equal(pe_parse(file, PE_HEAD, 1 << 30, &pe), -EBADMSG);
	setup(NULL);
	poke(COFF + 2, 0xffff, 2);
	assert_int_equal(pe_parse(file, PE_HEAD, 1 << 30, &pe), -EBADMSG);
}

static void parse_copy(size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	int error;

	/* Exactly as long as it says: the sanitizer sees a read beyond the end. */
	assert_non_null(copy);
	memcpy(copy, file, len);
	error = pe_parse(copy, len, len, &pe);
	for (unsigned i = 0; error == 0 && i < pe.count; i++)
		if (pe.section[i].len)
			assert_in_range(pe.section[i].at + pe.section[i].len, 1, len);
	free(copy);
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t len = 0; len < SIZE; len++) {
		parse_copy(len);
		if (len < INITRD + 1024)
			assert_int_not_equal(parse(len), 0);
	}
}

static void test_damaged(void **state)
{
	static const uint32_t values[] = { 0, 1, 40, 0x7f, 0xffff, 0x80000000, UINT32_MAX };
	uint32_t seed = 11;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		setup(NULL);
		for (unsigned n = 1 + next_random(&seed) % 3; n > 0; n--)
			poke(next_random(&seed) % (TABLE + 120),
			     values[next_random(&seed) % ARRAY_SIZE(values)],
			     1U << next_random(&seed) % 3);
		parse_copy(SIZE - next_random(&seed) % 64);
	}
}

/* --- files --- */

static int make_file(size_t len)
{
	int fd = memfd_create("pe", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, len), (ssize_t)len);
	return fd;
}

static void test_file(void **state)
{
	_cleanup_fd_ int fd = make_file(SIZE);
	_cleanup_fd_ int empty = make_file(0);
	_cleanup_fd_ int folder = open("/", O_RDONLY | O_CLOEXEC);
	char text[64];
	unsigned count;

	(void)state;
	assert_int_equal(pe_open(fd, &pe), 0);
	assert_int_equal(pe_text(fd, pe_find(&pe, ".osrel", &count), text, sizeof(text)), 10);
	assert_string_equal(text, "ID=hvinit\n");
	assert_int_equal(pe_text(fd, pe_find(&pe, ".osrel", &count), text, 10), -EFBIG);
	assert_int_equal(pe_text(fd, pe_find(&pe, ".initrd", &count), text, 64), -EFBIG);
	/* The file has become shorter since. */
	assert_int_equal(ftruncate(fd, OSREL + 3), 0);
	assert_int_equal(pe_text(fd, pe_find(&pe, ".osrel", &count), text, sizeof(text)), -ENODATA);
	assert_int_equal(pe_open(fd, &pe), -ENODATA);
	assert_int_equal(pe_open(empty, &pe), -ENOEXEC);
	assert_int_equal(pe_open(folder, &pe), -ENOEXEC);
	assert_int_equal(pe_open(-1, &pe), -EBADF);
}

static void test_text(void **state)
{
	_cleanup_fd_ int fd = make_file(SIZE);
	const struct pe_section padded = { .at = OSREL, .len = 20 };
	const struct pe_section inside = { .at = OSREL - 1, .len = 5 };
	char text[64];

	(void)state;
	assert_int_equal(pe_text(fd, &padded, text, sizeof(text)), 10);
	assert_int_equal(pe_text(fd, &inside, text, sizeof(text)), -EILSEQ);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(faults) + 9] = {
		FIXTURE("sound", test_sound, setup, NULL, NULL),
		FIXTURE("a section twice", test_twice, setup, NULL, NULL),
		FIXTURE("name of eight characters", test_long_name, setup, NULL, NULL),
		FIXTURE("certificates", test_certificates, setup, NULL, NULL),
		FIXTURE("head of a large file", test_head, setup, NULL, NULL),
		FIXTURE("cut off", test_cut, setup, NULL, NULL),
		FIXTURE("damaged", test_damaged, setup, NULL, NULL),
		FIXTURE("file", test_file, setup, NULL, NULL),
		FIXTURE("text", test_text, setup, NULL, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		tests[9 + i] = CASE(faults[i].title, test_fault, &faults[i]);
	return cmocka_run_group_tests_name("pe", tests, NULL, NULL);
}
