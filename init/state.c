/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the state partition by its name in the partition table, whatever disk it is on. */
#include "state.h"

#include <errno.h>

#include "module.h"
#include "sys_host.h"
#include "util.h"
#include "wait.h"

struct search {
	int root;
	const char *label;
	char node[SYS_NAME];
	int error;
};

static bool is_there(void *arg)
{
	struct search *search = arg;

	search->error =
		sys_partition(search->root, search->label, search->node, sizeof(search->node));
	return search->error != -ENOENT;
}

static void tell(struct diag *diag, const struct search *search, const char *step, const char *why)
{
	diag_add(diag, DIAG_HOST, DIAG_STATE_MOUNT, "HOST_STATE_PARTLABEL", "%s \"%s\": %s", step,
		 search->label, why);
}

void state_mount(int root, const struct config *config, uint64_t deadline_us, struct diag *diag)
{
	struct search search = { .root = root, .label = config->host.state_partlabel };
	int error;

	if (!search.label[0])
		return;
	wait_until(is_there, &search, deadline_us);
	if (search.error) {
		tell(diag, &search, "find the partition",
		     search.error == -EEXIST ? "there are two of that name" :
					       strerror(-search.error));
		return;
	}
	/* What is no module may be built in; if it is not, mount() tells. */
	error = module_load(root, "ext4");
	if (error && error != -ENOENT)
		tell(diag, &search, "load ext4 for", strerror(-error));
	error = sys_state_mount(search.node);
	if (error)
		tell(diag, &search, "mount", strerror(-error));
}
