/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader trusts nothing: a guest that owns QEMU can send what it likes. */
#include "qmp.h"

#include <errno.h>
#include <sys/socket.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "pass.h"
#include "util.h"

enum { TOKENS = 96, COMMAND = 768 };

struct json {
	const char *text;
	const jsmntok_t *token;
	int count;
};

static bool is_string(const struct json *json, int at, const char *text)
{
	const jsmntok_t *t = &json->token[at];
	size_t len = (size_t)(t->end - t->start);

	return t->type == JSMN_STRING && strlen(text) == len &&
	       memcmp(json->text + t->start, text, len) == 0;
}

/* The value of a key of the object at token object, or -1. */
static int find(const struct json *json, int object, const char *key)
{
	if (object < 0 || json->token[object].type != JSMN_OBJECT)
		return -1;
	for (int i = object + 1; i + 1 < json->count; i++)
		if (json->token[i].parent == object && json->token[i].size == 1 &&
		    is_string(json, i, key))
			return i + 1;
	return -1;
}

static void copy_string(const struct json *json, int at, char *word, size_t size)
{
	const jsmntok_t *t;
	size_t len;

	word[0] = '\0';
	if (at < 0 || json->token[at].type != JSMN_STRING)
		return;
	t = &json->token[at];
	len = (size_t)(t->end - t->start);
	if (len >= size)
		len = size - 1;
	memcpy(word, json->text + t->start, len);
	word[len] = '\0';
	/* It will be printed on a terminal. */
	for (char *c = word; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static bool parse(const char *text, size_t len, struct qmp_message *message)
{
	jsmntok_t token[TOKENS];
	struct json json = { .text = text, .token = token };
	jsmn_parser parser;
	int at;

	memset(message, 0, sizeof(*message));
	jsmn_init(&parser);
	json.count = jsmn_parse(&parser, text, len, token, TOKENS);
	if (json.count < 1 || token[0].type != JSMN_OBJECT)
		return false;
	copy_string(&json, find(&json, 0, "id"), message->id, sizeof(message->id));
	if ((at = find(&json, 0, "event")) >= 0) {
		int data = find(&json, 0, "data");

		message->kind = QMP_EVENT;
		copy_string(&json, at, message->name, sizeof(message->name));
		copy_string(&json, find(&json, data, "reason"), message->reason,
			    sizeof(message->reason));
		copy_string(&json, find(&json, data, "device"), message->device,
			    sizeof(message->device));
	} else if ((at = find(&json, 0, "return")) >= 0) {
		message->kind = QMP_RETURN;
		copy_string(&json, find(&json, at, "status"), message->name, sizeof(message->name));
	} else if ((at = find(&json, 0, "error")) >= 0) {
		message->kind = QMP_ERROR;
		copy_string(&json, find(&json, at, "desc"), message->text, sizeof(message->text));
	} else if (find(&json, 0, "QMP") >= 0) {
		message->kind = QMP_GREETING;
	} else {
		return false;
	}
	return true;
}

void qmp_init(struct qmp *qmp)
{
	qmp->used = 0;
	qmp->skipping = false;
}

static void end_line(struct qmp *qmp, const struct qmp_handler *handler)
{
	struct qmp_message message;
	size_t len = qmp->used;

	qmp->used = 0;
	if (qmp->skipping) {
		qmp->skipping = false;
		return;
	}
	while (len > 0 && qmp->line[len - 1] == '\r')
		len--;
	if (len == 0)
		return;
	if (parse(qmp->line, len, &message))
		handler->message(handler->arg, &message);
	else
		handler->garbage(handler->arg, "it is no QMP message");
}

void qmp_feed(struct qmp *qmp, const char *data, size_t len, const struct qmp_handler *handler)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			end_line(qmp, handler);
		} else if (qmp->used < sizeof(qmp->line)) {
			qmp->line[qmp->used++] = data[i];
		} else if (!qmp->skipping) {
			qmp->skipping = true;
			handler->garbage(handler->arg, "it is too long");
		}
	}
}

/* A command is one message, so that those of a child and of PID 1 cannot get into each other. */
static int send_text(int fd, const char *text, int passed)
{
	size_t len = strlen(text);
	ssize_t n = pass_send(fd, text, len, passed, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EAGAIN;
}

int qmp_send_with(int fd, const char *command, const char *arguments, const char *id, int passed)
{
	char text[COMMAND];

	if (!str_format(text, sizeof(text), "{\"execute\":\"%s\"%s%s,\"id\":\"%s\"}\n", command,
			arguments[0] ? ",\"arguments\":" : "", arguments, id))
		return -EMSGSIZE;
	return send_text(fd, text, passed);
}

int qmp_send(int fd, const char *command, const char *id)
{
	return qmp_send_with(fd, command, "", id, -1);
}
