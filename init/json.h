/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON (RFC 8259) for programs that read what hvinit says. Nothing is kept but where in the
 * nesting the writer is, so that it can say as much as it likes.
 */
#ifndef HVINIT_JSON_H
#define HVINIT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH = 12 };

/*
 * The largest integer that every reader of JSON holds exactly (RFC 8259, section 6). Numbers are
 * never written as strings: what hvinit counts in bytes lies in a physical address space, which
 * has 52 bits at most.
 */
#define JSON_NUMBER_MAX ((INT64_C(1) << 53) - 1)

/* Zero but for out at first. The stream stays the caller's. */
struct json {
	FILE *out;
	unsigned depth;
	bool array[JSON_DEPTH]; /* what is open: an array, else an object */
	bool filled[JSON_DEPTH]; /* it has a member already */
	bool broken; /* the caller nested too deep or closed too much: nothing more is written */
};

/*
 * Each writes a member: key is its name inside an object, NULL inside an array and for the
 * outermost value. Strings are UTF-8; a byte that is not, is written as U+FFFD.
 */
void json_object(struct json *json, const char *key); /* until json_end() */
void json_array(struct json *json, const char *key); /* until json_end() */
void json_end(struct json *json);
void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, int64_t number); /* ±JSON_NUMBER_MAX */
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_text(struct json *json, const char *key, const char *text); /* "": null */
void json_count(struct json *json, const char *key, int64_t number); /* below 0: null */

/*
 * A text as a JSON string, quotes included, in a buffer of size bytes; false when it does not fit.
 */
bool json_quote(const char *text, char *quoted, size_t size);

/* Ends the text. False when something is still open, was closed twice, or could not be written. */
bool json_finish(struct json *json);

#endif
