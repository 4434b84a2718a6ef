/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys are those of readline's and most shells' emacs mode; sequences are ECMA-48's and VT100's. */
#include "edit.h"

#include <string.h>

#include "util.h"

enum {
	CTRL_A = 0x01,
	CTRL_B = 0x02,
	CTRL_C = 0x03,
	CTRL_D = 0x04,
	CTRL_E = 0x05,
	CTRL_F = 0x06,
	BACKSPACE = 0x08,
	TAB = 0x09,
	CTRL_K = 0x0b,
	CTRL_L = 0x0c,
	CTRL_N = 0x0e,
	CTRL_P = 0x10,
	CTRL_U = 0x15,
	CTRL_W = 0x17,
	ESCAPE = 0x1b,
	DELETE = 0x7f,
	/* Numbers before '~'. */
	KEY_HOME = 1,
	KEY_DELETE = 3,
	KEY_END = 4,
	NUMBER_MOST = 1000,
	/* How far the line moves when the cursor leaves what is shown. */
	SCROLL = 20,
};

/* --- the screen --- */

static void put(const struct edit *edit, const char *data, size_t len)
{
	if (len)
		edit->put(edit->arg, data, len);
}

static void put_times(const struct edit *edit, char c, size_t times)
{
	char same[EDIT_COLUMNS];

	memset(same, c, sizeof(same));
	for (size_t n; times > 0; times -= n) {
		n = times < sizeof(same) ? times : sizeof(same);
		put(edit, same, n);
	}
}

static void bell(const struct edit *edit)
{
	put(edit, "\a", 1);
}

/* Characters of the line for which there is room; the last column stays free, or the cursor wraps. */
static size_t room(const struct edit *edit)
{
	size_t prompt = strlen(edit->prompt);

	return prompt + 1 < EDIT_COLUMNS ? EDIT_COLUMNS - 1 - prompt : 1;
}

static size_t visible(const struct edit *edit)
{
	size_t n = edit->used - edit->from;

	if (edit->secret)
		return 0;
	return n < room(edit) ? n : room(edit);
}

/* Moves the part that is shown so that the cursor is in it. True when it had to be moved. */
static bool scroll(struct edit *edit)
{
	size_t from = edit->from;

	if (edit->at < edit->from)
		edit->from = edit->at > SCROLL ? edit->at - SCROLL : 0;
	else if (edit->at > edit->from + room(edit))
		edit->from = edit->at - room(edit) + SCROLL;
	if (edit->from > edit->used)
		edit->from = edit->used;
	return edit->from != from;
}

/* The cursor is behind the last visible character. */
static void put_cursor(const struct edit *edit)
{
	if (!edit->secret)
		put_times(edit, '\b', edit->from + visible(edit) - edit->at);
}

void edit_show(struct edit *edit)
{
	scroll(edit);
	put(edit, edit->prompt, strlen(edit->prompt));
	put(edit, edit->line + edit->from, visible(edit));
	edit->shown = strlen(edit->prompt) + visible(edit);
	put_cursor(edit);
}

void edit_wipe(struct edit *edit)
{
	put(edit, "\r", 1);
	put_times(edit, ' ', edit->shown);
	put(edit, "\r", 1);
	edit->shown = 0;
}

/* Shows the line anew from the cursor's old place on; less was shown when it has become longer. */
static void update(struct edit *edit, size_t old_at, size_t changed)
{
	size_t prompt = strlen(edit->prompt);
	size_t before = edit->shown;
	size_t now;

	if (edit->secret)
		return;
	if (scroll(edit) || changed < edit->from || old_at < edit->from) {
		edit_wipe(edit);
		edit_show(edit);
		return;
	}
	if (changed < old_at)
		put_times(edit, '\b', old_at - changed);
	else
		put(edit, edit->line + old_at, changed - old_at);
	now = prompt + visible(edit);
	put(edit, edit->line + changed, edit->from + visible(edit) - changed);
	if (before > now) {
		put_times(edit, ' ', before - now);
		put_times(edit, '\b', before - now);
	}
	edit->shown = now;
	put_cursor(edit);
}

/* --- the line --- */

static void move_to(struct edit *edit, size_t at)
{
	size_t old = edit->at;

	if (at > edit->used || at == old)
		return;
	edit->at = at;
	if (edit->secret)
		return;
	if (scroll(edit)) {
		edit_wipe(edit);
		edit_show(edit);
	} else if (at < old) {
		put_times(edit, '\b', old - at);
	} else {
		put(edit, edit->line + old, at - old);
	}
}

/* Takes out what is between from and to. */
static void cut(struct edit *edit, size_t from, size_t to)
{
	size_t old = edit->at;

	if (from >= to) {
		bell(edit);
		return;
	}
	memmove(edit->line + from, edit->line + to, edit->used - to);
	edit->used -= to - from;
	edit->at = from;
	update(edit, old, from);
}

static void insert(struct edit *edit, const char *text, size_t len)
{
	size_t old = edit->at;

	if (len == 0 || edit->used + len >= EDIT_LINE) {
		bell(edit);
		return;
	}
	memmove(edit->line + old + len, edit->line + old, edit->used - old);
	memcpy(edit->line + old, text, len);
	edit->used += len;
	edit->at += len;
	update(edit, old, old);
}

void edit_before(const struct edit *edit, char text[EDIT_LINE])
{
	memcpy(text, edit->line, edit->at);
	text[edit->at] = '\0';
}

void edit_insert(struct edit *edit, const char *text)
{
	size_t len = strlen(text);

	if (len > EDIT_LINE - 1 - edit->used)
		len = EDIT_LINE - 1 - edit->used;
	insert(edit, text, len);
}

static void replace(struct edit *edit, const char *text, size_t len)
{
	edit_wipe(edit);
	memcpy(edit->line, text, len);
	edit->used = edit->at = len;
	edit->from = 0;
	edit_show(edit);
}

static size_t word_before(const struct edit *edit)
{
	size_t n = edit->at;

	while (n > 0 && edit->line[n - 1] == ' ')
		n--;
	while (n > 0 && edit->line[n - 1] != ' ')
		n--;
	return n;
}

/* --- the past --- */

/* Whether a password's hash stands in it, as crypt(5) writes them. */
static bool has_hash(const char *line)
{
	return strstr(line, "$5$") || strstr(line, "$6$");
}

/* Each line once in a row, none that is empty, and none that others must not see. */
static void remember(struct edit_past *past, const char *line)
{
	if (!line[0] || has_hash(line) || (past->count && strcmp(past->line[0], line) == 0))
		return;
	memmove(past->line[1], past->line[0], sizeof(past->line) - sizeof(past->line[0]));
	str_copy(past->line[0], sizeof(past->line[0]), line);
	if (past->count < EDIT_PAST)
		past->count++;
}

static void go_back(struct edit *edit, unsigned back)
{
	const char *line = edit->mine;

	if (!edit->past || edit->secret || back > edit->past->count) {
		bell(edit);
		return;
	}
	if (edit->back == 0) {
		memcpy(edit->mine, edit->line, edit->used);
		edit->mine[edit->used] = '\0';
	}
	edit->back = back;
	if (back > 0)
		line = edit->past->line[back - 1];
	replace(edit, line, strlen(line));
}

/* --- keys --- */

void edit_init(struct edit *edit)
{
	edit->used = edit->at = edit->from = edit->shown = 0;
	edit->back = 0;
	edit->state = EDIT_PLAIN;
}

char *edit_take(struct edit *edit)
{
	edit->line[edit->used] = '\0';
	if (edit->past && !edit->secret)
		remember(edit->past, edit->line);
	edit_init(edit);
	return edit->line;
}

static enum edit_wish abort_line(struct edit *edit)
{
	put(edit, "^C", 2);
	edit_init(edit);
	return EDIT_ABORT;
}

static enum edit_wish end_or_delete(struct edit *edit)
{
	if (edit->used == 0)
		return EDIT_END;
	cut(edit, edit->at, edit->at < edit->used ? edit->at + 1 : edit->at);
	return EDIT_NOTHING;
}

static void finish_sequence(struct edit *edit, char last)
{
	switch (last) {
	case 'A':
		go_back(edit, edit->back + 1);
		break;
	case 'B':
		go_back(edit, edit->back ? edit->back - 1 : EDIT_PAST + 1);
		break;
	case 'C':
		move_to(edit, edit->at + 1);
		break;
	case 'D':
		move_to(edit, edit->at - 1);
		break;
	case 'H':
		move_to(edit, 0);
		break;
	case 'F':
		move_to(edit, edit->used);
		break;
	case '~':
		if (edit->number == KEY_HOME)
			move_to(edit, 0);
		else if (edit->number == KEY_END)
			move_to(edit, edit->used);
		else if (edit->number == KEY_DELETE && edit->at < edit->used)
			cut(edit, edit->at, edit->at + 1);
		break;
	default:
		break;
	}
}

/* False: the byte is no part of a sequence. */
static bool in_sequence(struct edit *edit, char key)
{
	switch (edit->state) {
	case EDIT_ESCAPE:
		edit->state = key == '[' || key == 'O' ? EDIT_SEQUENCE : EDIT_PLAIN;
		edit->number = 0;
		return (unsigned char)key >= ' ' || key == ESCAPE;
	case EDIT_SEQUENCE:
		/* ECMA-48: parameters, intermediate bytes, one final byte. */
		if (key >= '0' && key <= '9') {
			if (edit->number < NUMBER_MOST)
				edit->number = edit->number * 10 + (unsigned)(key - '0');
			return true;
		}
		if (key >= ' ' && key <= '?')
			return true;
		edit->state = EDIT_PLAIN;
		if (key < '@' || key > '~')
			return false;
		finish_sequence(edit, key);
		return true;
	case EDIT_PLAIN:
	default:
		return false;
	}
}

static void control(struct edit *edit, char key)
{
	switch (key) {
	case BACKSPACE:
	case DELETE:
		cut(edit, edit->at ? edit->at - 1 : 0, edit->at);
		break;
	case CTRL_A:
		move_to(edit, 0);
		break;
	case CTRL_B:
		move_to(edit, edit->at - 1);
		break;
	case CTRL_E:
		move_to(edit, edit->used);
		break;
	case CTRL_F:
		move_to(edit, edit->at + 1);
		break;
	case CTRL_K:
		cut(edit, edit->at, edit->used);
		break;
	case CTRL_L:
		edit_wipe(edit);
		edit_show(edit);
		break;
	case CTRL_N:
		finish_sequence(edit, 'B');
		break;
	case CTRL_P:
		finish_sequence(edit, 'A');
		break;
	case CTRL_U:
		cut(edit, 0, edit->at);
		break;
	case CTRL_W:
		cut(edit, word_before(edit), edit->at);
		break;
	default:
		bell(edit);
	}
}

enum edit_wish edit_key(struct edit *edit, char key)
{
	bool after_return = edit->after_return;

	edit->after_return = false;
	if (in_sequence(edit, key))
		return EDIT_NOTHING;
	switch (key) {
	case '\n':
		return after_return ? EDIT_NOTHING : EDIT_ENTER;
	case '\r':
		edit->after_return = true;
		return EDIT_ENTER;
	case TAB:
		return EDIT_COMPLETE;
	case CTRL_C:
		return abort_line(edit);
	case CTRL_D:
		return end_or_delete(edit);
	case ESCAPE:
		edit->state = EDIT_ESCAPE;
		return EDIT_NOTHING;
	default:
		/* What is not shown need not be ASCII: a password is bytes. */
		if ((key >= ' ' && key < DELETE) || (edit->secret && (unsigned char)key > DELETE))
			insert(edit, &key, 1);
		else
			control(edit, key);
		return EDIT_NOTHING;
	}
}
