/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer's text, byte for byte, and what it refuses. */
#include "unit.h"

#include <stdlib.h>

#include "json.h"

static char *text;
static size_t size;
static struct json json;

static int setup(void **state)
{
	(void)state;
	json = (struct json){ .out = open_memstream(&text, &size) };
	return json.out ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fclose(json.out);
	free(text);
	return 0;
}

static void assert_text(const char *want)
{
	fflush(json.out);
	assert_string_equal(text, want);
}

static void test_all(void **state)
{
	(void)state;
	json_object(&json, NULL);
	json_string(&json, "name", "demo");
	json_array(&json, "words");
	json_string(&json, NULL, "-M");
	json_number(&json, NULL, -7);
	json_end(&json);
	json_array(&json, "none");
	json_end(&json);
	json_object(&json, "inner");
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_null(&json, "unknown");
	json_text(&json, "text", "t");
	json_text(&json, "no text", "");
	json_count(&json, "count", 0);
	json_count(&json, "no count", -1);
	json_end(&json);
	json_end(&json);
	assert_true(json_finish(&json));
	assert_text("{\n"
		    "  \"name\": \"demo\",\n"
		    "  \"words\": [\n"
		    "    \"-M\",\n"
		    "    -7\n"
		    "  ],\n"
		    "  \"none\": [],\n"
		    "  \"inner\": {\n"
		    "    \"yes\": true,\n"
		    "    \"no\": false,\n"
		    "    \"unknown\": null,\n"
		    "    \"text\": \"t\",\n"
		    "    \"no text\": null,\n"
		    "    \"count\": 0,\n"
		    "    \"no count\": null\n"
		    "  }\n"
		    "}\n");
}

static void test_one_value(void **state)
{
	(void)state;
	json_number(&json, NULL, 1);
	assert_true(json_finish(&json));
	assert_text("1\n");
}

static void test_empty_object(void **state)
{
	(void)state;
	json_object(&json, NULL);
	json_end(&json);
	assert_true(json_finish(&json));
	assert_text("{}\n");
}

struct string {
	const char *text;
	const char *json;
};

static const struct string strings[] = {
	{ "", "\"\"\n" },
	{ "a b~", "\"a b~\"\n" },
	{ "\"\\/", "\"\\\"\\\\/\"\n" },
	{ "\n\t\x1b\x7f", "\"\\u000a\\u0009\\u001b\\u007f\"\n" },
	{ "\u2500 \u00e9 \U0001f600", "\"\u2500 \u00e9 \U0001f600\"\n" },
	{ "\xc2\x9b", "\"\\u009b\"\n" },
	{ "\u00a0", "\"\u00a0\"\n" },
	{ "\x80", "\"\\ufffd\"\n" },
	{ "\xc1\x81", "\"\\ufffd\\ufffd\"\n" },
	{ "\xe2\x94", "\"\\ufffd\\ufffd\"\n" },
	{ "\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"\n" },
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n" },
	{ "\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n" },
	{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n" },
	{ "\xf5z", "\"\\ufffdz\"\n" },
};

static void test_strings(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		json_string(&json, NULL, strings[i].text);
		assert_true(json_finish(&json));
		assert_text(strings[i].json);
		teardown(state);
		setup(state);
	}
}

/* Without the newline that ends a whole text. */
static void test_quote(void **state)
{
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		assert_true(json_quote(strings[i].text, quoted, sizeof(quoted)));
		str_copy(quoted + strlen(quoted), 2, "\n");
		assert_string_equal(quoted, strings[i].json);
	}
}

/* From exact memory, so that a byte beyond it is seen. */
static bool quote_in(const char *string, size_t room, const char *want)
{
	char *quoted = malloc(room ? room : 1);
	bool fits;

	assert_non_null(quoted);
	fits = json_quote(string, quoted, room);
	if (fits)
		assert_string_equal(quoted, want);
	free(quoted);
	return fits;
}

static void test_quote_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		char want[64];
		size_t exact;

		str_copy(want, sizeof(want), strings[i].json);
		want[strcspn(want, "\n")] = '\0';
		exact = strlen(want) + 1;
		assert_true(quote_in(strings[i].text, exact, want));
		assert_false(quote_in(strings[i].text, exact - 1, want));
	}
}

/* Hardly any room, or none. */
static void test_quote_small(void **state)
{
	(void)state;
	for (size_t room = 0; room < 3; room++) {
		assert_false(quote_in("", room, ""));
		assert_false(quote_in("a", room, ""));
	}
	assert_true(quote_in("", 3, "\"\""));
	assert_false(quote_in("a", 3, ""));
	assert_false(quote_in("\x80", 3, ""));
	assert_true(quote_in("a", 4, "\"a\""));
}

static void test_numbers(void **state)
{
	(void)state;
	json_array(&json, NULL);
	json_number(&json, NULL, JSON_NUMBER_MAX);
	json_number(&json, NULL, INT64_MAX);
	json_number(&json, NULL, INT64_MIN);
	json_end(&json);
	assert_true(json_finish(&json));
	assert_text("[\n  9007199254740991,\n  9007199254740991,\n  -9007199254740991\n]\n");
}

static void test_depth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JSON_DEPTH; i++)
		json_array(&json, NULL);
	assert_false(json.broken);
	json_array(&json, NULL);
	assert_true(json.broken);
	assert_false(json_finish(&json));
}

/* What a caller can get wrong. */
static void no_value(void)
{
}

static void unclosed(void)
{
	json_object(&json, NULL);
}

static void closed_twice(void)
{
	json_object(&json, NULL);
	json_end(&json);
	json_end(&json);
}

static void two_values(void)
{
	json_number(&json, NULL, 1);
	json_number(&json, NULL, 2);
}

static void two_objects(void)
{
	json_object(&json, NULL);
	json_end(&json);
	json_object(&json, NULL);
	json_end(&json);
}

static void key_in_array(void)
{
	json_array(&json, NULL);
	json_number(&json, "one", 1);
	json_end(&json);
}

static void no_key(void)
{
	json_object(&json, NULL);
	json_number(&json, NULL, 1);
	json_end(&json);
}

static void test_misuse(void **state)
{
	static void (*const wrong[])(void) = {
		no_value, unclosed, closed_twice, two_values, two_objects, key_in_array, no_key,
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		wrong[i]();
		assert_false(json_finish(&json));
		teardown(state);
		setup(state);
	}
}

static void test_full_disk(void **state)
{
	struct json full = { .out = fopen("/dev/full", "w") };

	(void)state;
	assert_non_null(full.out);
	setvbuf(full.out, NULL, _IONBF, 0);
	json_null(&full, NULL);
	assert_false(json_finish(&full));
	fclose(full.out);
}

#define JSON_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_CASE("every kind of value", test_all),
		JSON_CASE("one value alone", test_one_value),
		JSON_CASE("an empty object", test_empty_object),
		JSON_CASE("strings", test_strings),
		CASE("a string alone", test_quote, NULL),
		CASE("a string alone, with just enough room", test_quote_exact, NULL),
		CASE("a string alone, with hardly any room", test_quote_small, NULL),
		JSON_CASE("numbers beyond what readers hold", test_numbers),
		JSON_CASE("too deep", test_depth),
		JSON_CASE("misuse", test_misuse),
		JSON_CASE("a full disk", test_full_disk),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
