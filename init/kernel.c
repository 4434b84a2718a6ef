/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a kernel's configuration: "CONFIG_X=y" or "CONFIG_X=m"; all else is off. */
#include "kernel.h"

#include <unistd.h>

#include "lines.h"
#include "sys.h"
#include "util.h"

#define PREFIX "CONFIG_"
#define OWN "usr/lib/hvinit/kernel.config"

const char *kernel_symbol_name(enum kernel_symbol symbol)
{
	static const char *const name[] = {
#define KERNEL(name) #name,
#include "kernel.def"
#undef KERNEL
	};

	return name[symbol];
}

/* Many lines are read at each start of a VM, and most of them differ in the first byte or two. */
static int read_line(void *arg, char *line)
{
	enum kernel_state *state = arg;
	const char *name = line + strlen(PREFIX);

	if (!str_prefix(line, PREFIX))
		return 0;
	for (int i = 0; i < KERNEL_SYMBOLS; i++) {
		const char *known = kernel_symbol_name((enum kernel_symbol)i);
		const char *rest = name;

		while (*known && *known == *rest) {
			known++;
			rest++;
		}
		if (*known || *rest != '=')
			continue;
		state[i] = strcmp(rest, "=y") == 0 ? KERNEL_YES :
			   strcmp(rest, "=m") == 0 ? KERNEL_MODULE :
						     KERNEL_NO;
		break;
	}
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
	if (read_file(root, OWN, state) || !release[0])
		return;
	str_format(path, sizeof(path), "boot/config-%s", release);
	if (read_file(root, path, state))
		return;
	str_format(path, sizeof(path), "usr/lib/modules/%s/config", release);
	read_file(root, path, state);
}

bool kernel_is_own(int root)
{
	return faccessat(root, OWN, F_OK, 0) == 0;
}
