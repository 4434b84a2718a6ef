/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a QEMU that a guest has taken over can send: in whatever pieces it comes, it means the same,
 * and no word of it could steer a terminal.
 */
#include "fuzz.h"

#include "qmp.h"

/* All that the handler was told of, one after the other. */
struct told {
	uint64_t hash;
	size_t count;
};

static void add(struct told *told, const void *data, size_t len)
{
	const unsigned char *byte = data;

	/* FNV-1a */
	for (size_t i = 0; i < len; i++)
		told->hash = (told->hash ^ byte[i]) * UINT64_C(0x100000001b3);
	told->count++;
}

static void check_word(const char *word, size_t size)
{
	PROMISE(memchr(word, '\0', size), "a word ends");
	for (; *word; word++)
		PROMISE((unsigned char)*word >= ' ' && *word != 0x7f, "safe for a terminal");
}

static void on_message(void *arg, const struct qmp_message *message)
{
	PROMISE(message->kind <= QMP_EVENT, "one of four kinds");
	check_word(message->id, sizeof(message->id));
	check_word(message->name, sizeof(message->name));
	check_word(message->reason, sizeof(message->reason));
	check_word(message->text, sizeof(message->text));
	add(arg, message, sizeof(*message));
}

static void on_garbage(void *arg, const char *why)
{
	add(arg, why, strlen(why));
}

static struct told read_all(const char *data, size_t size, size_t piece)
{
	static struct qmp qmp;
	struct told told = { 0 };
	const struct qmp_handler handler = { on_message, on_garbage, &told };

	qmp_init(&qmp);
	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		char *copy = malloc(len);

		/* So that a byte read too much is noticed. */
		memcpy(copy, data + at, len);
		qmp_feed(&qmp, copy, len, &handler);
		free(copy);
	}
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct told whole = read_all(text, size, size ? size : 1);
	struct told pieces = read_all(text, size, size > 64 ? 61 : 1);

	PROMISE(whole.hash == pieces.hash && whole.count == pieces.count, "pieces do not matter");
	return 0;
}
