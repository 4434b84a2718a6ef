/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 against the examples of FIPS 180-4 and the lengths around its blocks. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "fakesys.h"
#include "sha256.h"

struct vector {
	const char *text;
	const char *hex;
};

static const struct vector vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void test_vector(void **state)
{
	const struct vector *v = *state;
	char hex[SHA256_HEX];

	sha256_hex(v->text, strlen(v->text), hex);
	assert_string_equal(hex, v->hex);
}

static void test_million(void **state)
{
	static const size_t len = 1000000;
	char *text = malloc(len);
	char hex[SHA256_HEX];

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	sha256_hex(text, len, hex);
	free(text);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The padding needs a block of its own from 56 bytes on. Values made with sha256sum. */
static void test_padding(void **state)
{
	static const struct {
		size_t len;
		const char *hex;
	} edge[] = {
		{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
		{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
		{ 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34" },
		{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
		{ 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0" },
	};
	char text[65];
	char hex[SHA256_HEX];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(edge); i++) {
		sha256_hex(text, edge[i].len, hex);
		assert_string_equal(hex, edge[i].hex);
	}
}

static void test_file(void **state)
{
	int root = fakesys_new();
	char hex[SHA256_HEX];

	(void)state;
	fakesys_file(root, "folder/none", "");
	fakesys_file(root, "folder/abc", "abc");
	assert_int_equal(sha256_file(root, "folder/none", hex), 0);
	assert_string_equal(hex, vectors[0].hex);
	assert_int_equal(sha256_file(root, "folder/abc", hex), 0);
	assert_string_equal(hex, vectors[1].hex);
	assert_int_equal(sha256_file(root, "folder", hex), -EINVAL);
	assert_string_equal(hex, "");
	assert_int_equal(sha256_file(root, "", hex), -ENOENT);
	close(root);
}

/* Pieces of any size give what the whole gives. */
static void test_pieces(void **state)
{
	static char text[1000];
	struct sha256 sha;
	char whole[SHA256_HEX];
	char hex[SHA256_HEX];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	sha256_hex(text, sizeof(text), whole);
	for (size_t piece = 1; piece <= 200; piece++) {
		sha256_begin(&sha);
		for (size_t at = 0; at < sizeof(text); at += piece)
			sha256_add(&sha, text + at,
				   piece < sizeof(text) - at ? piece : sizeof(text) - at);
		sha256_end(&sha, hex);
		assert_string_equal(hex, whole);
	}
}

static void test_typed(void **state)
{
	char hex[SHA256_HEX + 1];

	(void)state;
	sha256_hex("", 0, hex);
	assert_true(sha256_is_hex(hex));
	hex[0] = 'F';
	assert_true(sha256_is_hex(hex));
	hex[0] = 'g';
	assert_false(sha256_is_hex(hex));
	hex[0] = 'a';
	str_copy(hex + 64, 2, "a");
	assert_false(sha256_is_hex(hex));
	hex[63] = '\0';
	assert_false(sha256_is_hex(hex));
	assert_false(sha256_is_hex(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("nothing", test_vector, &vectors[0]),
		CASE("one block", test_vector, &vectors[1]),
		CASE("two blocks", test_vector, &vectors[2]),
		CASE("a million bytes", test_million, NULL),
		CASE("lengths around a block", test_padding, NULL),
		FIXTURE("a file", test_file, NULL, fakesys_teardown, NULL),
		CASE("in pieces", test_pieces, NULL),
		CASE("as typed", test_typed, NULL),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
