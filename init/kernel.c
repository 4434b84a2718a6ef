/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a kernel's configuration: "CONFIG_X=y" or "CONFIG_X=m"; all else is off. */
#include "kernel.h"

#include <stdbool.h>

#include "lines.h"
#include "sys.h"
#include "util.h"

#define PREFIX "CONFIG_"

const char *kernel_symbol_name(enum kernel_symbol symbol)
{
	static const char *const name[] = {
#define KERNEL(name) #name,
#include "kernel.def"
#undef KERNEL
	};

	return name[symbol];
}

static int find(const char *name, size_t len)
{
	for (int i = 0; i < KERNEL_SYMBOLS; i++) {
		const char *known = kernel_symbol_name((enum kernel_symbol)i);

		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return i;
	}
	return -1;
}

static int read_line(void *arg, char *line)
{
	enum kernel_state *state = arg;
	const char *name = line + strlen(PREFIX);
	size_t len;
	int symbol;

	if (!str_prefix(line, PREFIX))
		return 0;
	len = strcspn(name, "=");
	symbol = find(name, len);
	if (symbol >= 0 && strcmp(name + len, "=y") == 0)
		state[symbol] = KERNEL_YES;
	else if (symbol >= 0 && strcmp(name + len, "=m") == 0)
		state[symbol] = KERNEL_MODULE;
	return 0;
}

static bool read_file(int root, const char *path, enum kernel_state *state)
{
	enum kernel_state found[KERNEL_SYMBOLS];

	for (int i = 0; i < KERNEL_SYMBOLS; i++)
		found[i] = KERNEL_NO;
	if (lines_read(root, path, '\n', read_line, found))
		return false;
	memcpy(state, found, sizeof(found));
	return true;
}

void kernel_read(int root, const char *release, enum kernel_state state[KERNEL_SYMBOLS])
{
	char path[SYS_NAME * 2];

	memset(state, 0, sizeof(*state) * KERNEL_SYMBOLS);
	if (read_file(root, "usr/lib/hvinit/kernel.config", state) || !release[0])
		return;
	str_format(path, sizeof(path), "boot/config-%s", release);
	if (read_file(root, path, state))
		return;
	str_format(path, sizeof(path), "usr/lib/modules/%s/config", release);
	read_file(root, path, state);
}
