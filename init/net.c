/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges and taps, by the ioctls of bridge-utils and tun: few, stable, and no netlink to parse. */
#include "net.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

#include "manifest.h"
#include "module.h"
#include "sys_host.h"
#include "util.h"
#include "wait.h"

/* Any socket will do to talk of interfaces. */
static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static struct ifreq request(const char *name)
{
	struct ifreq ifr = { 0 };

	str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);
	return ifr;
}

static int set_mtu(int fd, const char *name, int64_t mtu)
{
	struct ifreq ifr = request(name);

	if (mtu == HV_AUTO)
		return 0;
	ifr.ifr_mtu = (int)mtu;
	return ioctl(fd, SIOCSIFMTU, &ifr) ? -errno : 0;
}

static int set_up(int fd, const char *name)
{
	struct ifreq ifr = request(name);

	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}

/* An interface that is on the bridge already is where it should be. */
static int add_to_bridge(int fd, const char *bridge, const char *name)
{
	struct ifreq ifr = request(name);
	int index;

	if (ioctl(fd, SIOCGIFINDEX, &ifr))
		return -errno;
	index = ifr.ifr_ifindex;
	ifr = request(bridge);
	ifr.ifr_ifindex = index;
	return ioctl(fd, SIOCBRADDIF, &ifr) ? -errno : 0;
}

/* Returns 0, or a negative errno with the step in *step. */
static int join(const char *bridge, const char *name, int64_t mtu, const char **step)
{
	_cleanup_fd_ int fd = open_socket();
	int error = fd < 0 ? fd : 0;

	*step = "open a socket";
	if (!error) {
		*step = "set the MTU";
		error = set_mtu(fd, name, mtu);
	}
	if (!error) {
		*step = "put it on the bridge";
		error = add_to_bridge(fd, bridge, name);
	}
	if (!error) {
		*step = "set it up";
		error = set_up(fd, name);
	}
	return error;
}

int net_open_tap(int root, const struct tap *tap, const char **step)
{
	_cleanup_fd_ int fd = sys_tun_open(root);
	struct ifreq ifr = request(tap->name);
	int error;

	*step = "open the tun device";
	if (fd < 0)
		return fd;
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	*step = "make it";
	if (ioctl(fd, TUNSETIFF, &ifr))
		return -errno;
	error = join(tap->bridge, tap->name, tap->mtu, step);
	return error ? error : steal_fd(&fd);
}

int net_set_up(int root, const char *bdf)
{
	_cleanup_fd_ int fd = -1;
	char name[NET_NAME];
	int error = sys_pci_netdev(root, bdf, name, sizeof(name));

	if (error)
		return error == -ENOENT ? 0 : error;
	fd = open_socket();
	return fd < 0 ? fd : set_up(fd, name);
}

/* A bridge that is there already will do, any other interface of its name will not. */
static int add_bridge(int root, int fd, const char *name)
{
	int error = ioctl(fd, SIOCBRADDBR, name) ? -errno : 0;

	return error == -EEXIST && sys_net_is_bridge(root, name) ? 0 : error;
}

static int make_bridge(int root, const struct bridge_config *bridge, const char **step)
{
	_cleanup_fd_ int fd = open_socket();
	int error = fd < 0 ? fd : 0;

	*step = "open a socket";
	if (!error) {
		*step = "make it";
		error = add_bridge(root, fd, bridge->name);
	}
	if (!error) {
		*step = "set the MTU";
		error = set_mtu(fd, bridge->name, bridge->mtu);
	}
	if (!error) {
		*step = "set it up";
		error = set_up(fd, bridge->name);
	}
	return error;
}

struct uplink {
	int root;
	const char *bdf;
	char name[NET_NAME];
	int error;
};

static bool is_there(void *arg)
{
	struct uplink *uplink = arg;

	uplink->error =
		sys_pci_netdev(uplink->root, uplink->bdf, uplink->name, sizeof(uplink->name));
	return uplink->error == 0;
}

static void join_uplink(int root, const struct bridge_config *bridge, unsigned n,
			uint64_t deadline_us, struct diag *diag)
{
	struct uplink uplink = { .root = root, .bdf = bridge->uplink_bdf };
	const char *step = "find its network interface";
	char symbol[DIAG_SUBJECT];
	int error;

	str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_UPLINK_BDF", n);
	error = wait_until(is_there, &uplink, deadline_us) ? 0 : uplink.error;
	if (!error)
		error = join(bridge->name, uplink.name, bridge->mtu, &step);
	if (error)
		diag_add(diag, DIAG_HOST, DIAG_BRIDGE_MAKE, symbol, "join %s to %s: %s: %s",
			 bridge->uplink_bdf, bridge->name, step, strerror(-error));
}

/* What is no module may be built in; if it is not, the next step tells. */
static void load(int root, const char *module, struct diag *diag)
{
	int error = module_load(root, module);

	if (error && error != -ENOENT)
		diag_add(diag, DIAG_HOST, DIAG_BRIDGE_MAKE, "HOST_BRIDGE0_NAME", "load %s: %s",
			 module, strerror(-error));
}

void net_make_bridges(int root, const struct config *config, uint64_t deadline_us,
		      struct diag *diag)
{
	if (!manifest_bridge_used(&config->host.bridge[0]))
		return;
	load(root, "bridge", diag);
	load(root, "tun", diag);
	for (unsigned n = 0; n < HV_BRIDGE_SLOTS; n++) {
		const struct bridge_config *bridge = &config->host.bridge[n];
		char symbol[DIAG_SUBJECT];
		const char *step;
		int error;

		if (!manifest_bridge_used(bridge))
			continue;
		str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_NAME", n);
		error = make_bridge(root, bridge, &step);
		if (error)
			diag_add(diag, DIAG_HOST, DIAG_BRIDGE_MAKE, symbol, "bridge %s: %s: %s",
				 bridge->name, step, strerror(-error));
		else if (bridge->uplink_bdf[0])
			join_uplink(root, bridge, n, deadline_us, diag);
	}
}
