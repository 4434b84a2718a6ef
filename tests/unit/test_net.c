/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges and taps: which requests the kernel gets, and what becomes of each that it refuses. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

#include "fakesys.h"
#include "manifest.h"
#include "module.h"
#include "net.h"
#include "sys_host.h"

static struct config config;
static struct diag diag;
static int root = -1;
static char calls[1024];
static unsigned long refused; /* request that fails, with EPERM unless refusal is set */
static int refusal;
static int module_error;

PRINTF_LIKE(1, 2)
static void note(const char *fmt, ...)
{
	size_t used = strlen(calls);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(calls + used, sizeof(calls) - used, fmt, ap);
	va_end(ap);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_module_load(int dir, const char *name);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	struct ifreq *ifr = arg;

	assert_true(fd >= 0);
	if (request == refused) {
		errno = refusal;
		return -1;
	}
	switch (request) {
	case SIOCBRADDBR:
		note("bridge %s;", (const char *)arg);
		break;
	case TUNSETIFF:
		assert_int_equal(ifr->ifr_flags, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
		note("tap %s;", ifr->ifr_name);
		break;
	case SIOCSIFMTU:
		note("mtu %s %d;", ifr->ifr_name, ifr->ifr_mtu);
		break;
	case SIOCGIFINDEX:
		ifr->ifr_ifindex = 40 + ifr->ifr_name[0];
		break;
	case SIOCBRADDIF:
		note("add %c to %s;", ifr->ifr_ifindex - 40, ifr->ifr_name);
		break;
	case SIOCGIFFLAGS:
		ifr->ifr_flags = IFF_MULTICAST;
		break;
	case SIOCSIFFLAGS:
		assert_int_equal(ifr->ifr_flags, IFF_MULTICAST | IFF_UP);
		note("up %s;", ifr->ifr_name);
		break;
	default:
		fail_msg("request 0x%lx", request);
	}
	return 0;
}

int __wrap_module_load(int dir, const char *name)
{
	assert_int_equal(dir, root);
	note("load %s;", name);
	return -module_error;
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	calls[0] = '\0';
	refused = 0;
	refusal = EPERM;
	module_error = 0;
	root = fakesys_new();
	fakesys_file(root, "dev/net/tun", "");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void bridge(unsigned n, const char *name, const char *uplink, int64_t mtu)
{
	struct bridge_config *b = &config.host.bridge[n];

	str_copy(b->name, sizeof(b->name), name);
	str_copy(b->uplink_bdf, sizeof(b->uplink_bdf), uplink);
	b->mtu = mtu;
}

/* --- taps --- */

static void test_tap(void **state)
{
	const struct tap tap = { "vm0net1", "lan", 9000 };
	const char *step;
	int fd = net_open_tap(root, &tap, &step);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close(fd);
	assert_string_equal(calls, "tap vm0net1;mtu vm0net1 9000;add v to lan;up vm0net1;");
}

static void test_tap_without_mtu(void **state)
{
	const struct tap tap = { "vm0net0", "lan", HV_AUTO };
	const char *step;
	int fd = net_open_tap(root, &tap, &step);

	(void)state;
	close(fd);
	assert_string_equal(calls, "tap vm0net0;add v to lan;up vm0net0;");
}

static void test_tap_refused(void **state)
{
	static const struct {
		unsigned long request;
		const char *step;
	} steps[] = {
		{ TUNSETIFF, "make it" },
		{ SIOCSIFMTU, "set the MTU" },
		{ SIOCGIFINDEX, "put it on the bridge" },
		{ SIOCBRADDIF, "put it on the bridge" },
		{ SIOCGIFFLAGS, "set it up" },
		{ SIOCSIFFLAGS, "set it up" },
	};
	const struct tap tap = { "vm0net0", "lan", 1400 };
	const char *step;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		refused = steps[i].request;
		assert_int_equal(net_open_tap(root, &tap, &step), -EPERM);
		assert_string_equal(step, steps[i].step);
	}
	fakesys_remove(root, "dev/net/tun");
	assert_int_equal(net_open_tap(root, &tap, &step), -ENOENT);
	assert_string_equal(step, "open the tun device");
}

/* --- what is there already --- */

static void test_set_up(void **state)
{
	(void)state;
	assert_int_equal(net_set_up(root, "0000:05:00.0"), 0); /* no network card */
	assert_string_equal(calls, "");
	fakesys_file(root, "sys/bus/pci/devices/0000:05:00.0/net/eth3/mtu", "");
	assert_int_equal(net_set_up(root, "0000:05:00.0"), 0);
	assert_string_equal(calls, "up eth3;");
	refused = SIOCSIFFLAGS;
	assert_int_equal(net_set_up(root, "0000:05:00.0"), -EPERM);
	fakesys_file(root, "sys/bus/pci/devices/0000:06:00.0/net/longer-than-any/mtu", "");
	fakesys_file(root, "sys/bus/pci/devices/0000:06:00.0/net/a-name-that-has-17/mtu", "");
	assert_int_equal(net_set_up(root, "0000:06:00.0"), -ENAMETOOLONG);
}

/* --- bridges --- */

static void test_no_bridge(void **state)
{
	(void)state;
	net_make_bridges(root, &config, 0, &diag);
	assert_no_finding(&diag);
	assert_string_equal(calls, "");
}

static void test_bridges(void **state)
{
	(void)state;
	bridge(0, "lan", "0000:05:00.0", 9000);
	bridge(1, "own", "", HV_AUTO);
	fakesys_file(root, "sys/bus/pci/devices/0000:05:00.0/net/eth1/mtu", "");
	fakesys_file(root, "sys/bus/pci/devices/0000:05:00.0/net/enp5/mtu", "");
	net_make_bridges(root, &config, 0, &diag);
	assert_no_finding(&diag);
	assert_string_equal(calls, "load bridge;load tun;bridge lan;mtu lan 9000;up lan;"
				   "mtu enp5 9000;add e to lan;up enp5;bridge own;up own;");
}

/* A network card of virtio's has its interface one folder further down. */
static void test_virtio_uplink(void **state)
{
	(void)state;
	bridge(0, "lan", "0000:05:00.0", HV_AUTO);
	fakesys_file(root, "sys/bus/pci/devices/0000:05:00.0/virtio3/net/eth0/mtu", "");
	net_make_bridges(root, &config, 0, &diag);
	assert_no_finding(&diag);
	assert_non_null(strstr(calls, "add e to lan;up eth0;"));
}

static void test_no_uplink(void **state)
{
	(void)state;
	bridge(0, "lan", "0000:05:00.0", HV_AUTO);
	bridge(1, "own", "", HV_AUTO);
	net_make_bridges(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_BRIDGE_MAKE, "HOST_BRIDGE0_UPLINK_BDF",
		       "join 0000:05:00.0 to lan: find its network interface: No such file");
	assert_non_null(strstr(calls, "up own;")); /* the others are made all the same */
}

static void test_uplink_refused(void **state)
{
	(void)state;
	bridge(0, "lan", "0000:05:00.0", HV_AUTO);
	fakesys_file(root, "sys/bus/pci/devices/0000:05:00.0/net/eth0/mtu", "");
	refused = SIOCBRADDIF;
	refusal = EOPNOTSUPP;
	net_make_bridges(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_BRIDGE_MAKE, "HOST_BRIDGE0_UPLINK_BDF",
		       "put it on the bridge: Operation not supported");
}

static void test_bridge_refused(void **state)
{
	(void)state;
	bridge(0, "lan", "0000:05:00.0", 100);
	refused = SIOCSIFMTU;
	net_make_bridges(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_BRIDGE_MAKE, "HOST_BRIDGE0_NAME",
		       "bridge lan: set the MTU: Operation not permitted");
}

static void test_bridge_is_there(void **state)
{
	(void)state;
	bridge(0, "lan", "", HV_AUTO);
	refused = SIOCBRADDBR;
	refusal = EEXIST;
	fakesys_file(root, "sys/class/net/lan/bridge/bridge_id", "");
	net_make_bridges(root, &config, 0, &diag);
	assert_no_finding(&diag);
	refusal = EPERM;
	net_make_bridges(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_BRIDGE_MAKE, "HOST_BRIDGE0_NAME", "make it: Operation not");
	memset(&diag, 0, sizeof(diag));
	refusal = EEXIST;
	bridge(0, "eth0", "", HV_AUTO);
	net_make_bridges(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_BRIDGE_MAKE, "HOST_BRIDGE0_NAME", "make it: File exists");
}

static void test_modules(void **state)
{
	(void)state;
	bridge(0, "lan", "", HV_AUTO);
	module_error = ENOENT; /* built in */
	net_make_bridges(root, &config, 0, &diag);
	assert_no_finding(&diag);
	module_error = ENOEXEC;
	net_make_bridges(root, &config, 0, &diag);
	assert_int_equal(diag.count, 2);
	assert_non_null(strstr(diag.finding[0].text, "load bridge: Exec format"));
}

#define NET_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_CASE("a tap", test_tap),
		NET_CASE("a tap without an MTU", test_tap_without_mtu),
		NET_CASE("a tap that is refused", test_tap_refused),
		NET_CASE("an interface is set up", test_set_up),
		NET_CASE("no bridge", test_no_bridge),
		NET_CASE("bridges", test_bridges),
		NET_CASE("an uplink of virtio's", test_virtio_uplink),
		NET_CASE("an uplink that does not come", test_no_uplink),
		NET_CASE("an uplink that is refused", test_uplink_refused),
		NET_CASE("a bridge that is refused", test_bridge_refused),
		NET_CASE("a bridge that is there", test_bridge_is_there),
		NET_CASE("modules", test_modules),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
