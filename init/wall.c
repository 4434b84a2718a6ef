/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of walls. */
#include "wall.h"

#include "util.h"

static const struct {
	const char *name;
	enum kernel_symbol symbol;
} walls[] = {
#define WALL(id, name, symbol) { name, KERNEL_##symbol },
#include "wall.def"
#undef WALL
};

const char *wall_name(enum wall wall)
{
	return walls[wall].name;
}

enum kernel_symbol wall_symbol(enum wall wall)
{
	return walls[wall].symbol;
}

const char *wall_names(wall_set set, char text[WALL_NAMES])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < WALLS; i++)
		if (set & 1U << i) {
			str_format(text + used, WALL_NAMES - used, "%s%s", used ? ", " : "",
				   walls[i].name);
			used = strlen(text);
		}
	return text;
}
