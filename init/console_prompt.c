/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prompt has the terminal: lines, and what a word can become. */
#include <string.h>

#include "command.h"
#include "console_private.h"
#include "util.h"

static void enter_line(struct console *console)
{
	char text[EDIT_LINE];

	str_copy(text, sizeof(text), edit_take(&console->edit));
	term_puts(&console->term, "\n");
	console_run(console, text);
}

/* The words that the one before the cursor can become. */
struct choice {
	struct term *term;
	size_t count;
	size_t widest;
	size_t column; /* where the next one is printed */
	char common[EDIT_LINE]; /* what all of them begin with */
};

static void count_word(void *arg, const char *word)
{
	struct choice *choice = arg;
	size_t n = 0;

	if (strlen(word) > choice->widest)
		choice->widest = strlen(word);
	if (choice->count++ == 0) {
		str_copy(choice->common, sizeof(choice->common), word);
		return;
	}
	while (choice->common[n] && choice->common[n] == word[n])
		n++;
	choice->common[n] = '\0';
}

static void print_word(void *arg, const char *word)
{
	struct choice *choice = arg;
	size_t width = choice->widest + 2;
	char text[EDIT_LINE];

	if (choice->column && choice->column + width >= EDIT_COLUMNS) {
		term_puts(choice->term, "\n");
		choice->column = 0;
	}
	str_format(text, sizeof(text), "%-*s", (int)width, word);
	term_puts(choice->term, text);
	choice->column += width;
}

/* Puts in what is sure; when nothing is, shows what there is to choose from. */
static void complete(struct console *console)
{
	struct choice choice = { .term = &console->term };
	struct edit *edit = &console->edit;
	char text[EDIT_LINE];
	size_t typed = 0;
	size_t len;

	edit_before(edit, text);
	for (len = strlen(text); len > typed && text[len - 1 - typed] != ' ';)
		typed++;
	command_complete(text, count_word, &choice);
	len = strlen(choice.common);
	if (choice.count == 0) {
		term_puts(choice.term, "\a");
	} else if (choice.count == 1 && choice.common[len - 1] != '=') {
		str_copy(choice.common + len, sizeof(choice.common) - len, " ");
		edit_insert(edit, choice.common + typed);
	} else if (len > typed) {
		edit_insert(edit, choice.common + typed);
	} else {
		term_puts(choice.term, "\n");
		command_complete(text, print_word, &choice);
		term_puts(choice.term, "\n");
		edit_show(edit);
	}
}

/* Ctrl-D, as at any other prompt. */
static void end_session(struct console *console)
{
	struct console *before = console_current;

	console_current = console;
	if (console_config()->host.console_password[0]) {
		term_puts(&console->term, "\n");
		console_lock();
	} else {
		term_puts(&console->term, "\a");
	}
	console_current = before;
}

size_t console_type_prompt(struct console *console, const char *data, size_t len)
{
	(void)len;
	switch (edit_key(&console->edit, *data)) {
	case EDIT_ENTER:
		enter_line(console);
		break;
	case EDIT_COMPLETE:
		complete(console);
		break;
	case EDIT_ABORT:
		term_puts(&console->term, "\n");
		edit_show(&console->edit);
		break;
	case EDIT_END:
		end_session(console);
		break;
	case EDIT_NOTHING:
		break;
	}
	return 1;
}
