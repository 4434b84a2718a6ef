/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks, and messages between processes that are not of one family. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>

#include "argv.h"
#include "trespass.h"
#include "util.h"

#define BRIDGE "lan" /* the test's */
#define LOOPBACK "lo"

enum {
	PORT = 4242,
	IPC_KEY = 0x68766974,
};

static const struct sockaddr_un abstract = { AF_UNIX, "\0hvinit-trespass" };

static int stream(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* --- what others have --- */

int others_begin(void)
{
	int fd = stream(AF_UNIX);

	if (bind(fd, (const struct sockaddr *)&abstract, sizeof(abstract)) || listen(fd, 1))
		return -errno;
	if (shmget(IPC_KEY, 1, IPC_CREAT | 0666) < 0 || semget(IPC_KEY, 1, IPC_CREAT | 0666) < 0 ||
	    msgget(IPC_KEY, IPC_CREAT | 0666) < 0)
		return -errno;
	if (daemon(0, 0))
		return -errno;
	for (;;)
		pause();
}

int try_abstract_socket(void)
{
	_cleanup_fd_ int fd = stream(AF_UNIX);

	return outcome(connect(fd, (const struct sockaddr *)&abstract, sizeof(abstract)));
}

int try_shared_memory(void)
{
	return outcome(shmget(IPC_KEY, 1, 0));
}

int try_semaphores(void)
{
	return outcome(semget(IPC_KEY, 1, 0));
}

int try_message_queue(void)
{
	return outcome(msgget(IPC_KEY, 0));
}

/* --- the kernel's own talk --- */

static int listen_to(int protocol, unsigned groups)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	_cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, protocol);

	return outcome(fd < 0 ? fd : bind(fd, (const struct sockaddr *)&address, sizeof(address)));
}

int try_uevents(void)
{
	return listen_to(NETLINK_KOBJECT_UEVENT, 1);
}

int try_routes(void)
{
	return listen_to(NETLINK_ROUTE, 0);
}

/* QEMU has a tap, others make one. */
int try_keep_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = ARGV_FD_NET;

	if (fcntl(fd, F_GETFD) < 0) {
		fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
			return -errno;
	}
	return outcome(ioctl(fd, TUNSETPERSIST, 0));
}

/* To PID 1, for whom the last close of a device would be long; to itself where there is no such line. */
int try_pass_descriptor(void)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = "\n", .iov_len = 1 };
	const struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int pair[2] = { ARGV_FD_SERIAL };

	if (fcntl(pair[0], F_GETFD) < 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &(const int){ STDIN_FILENO }, sizeof(int));
	return outcome(sendmsg(pair[0], &message, MSG_NOSIGNAL));
}

/* --- interfaces --- */

static int ask(const char *name, unsigned long what, short flags)
{
	struct ifreq ifr = { .ifr_flags = flags };
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);
	return outcome(fd < 0 ? fd : ioctl(fd, what, &ifr));
}

int try_see_bridge(void)
{
	return ask(BRIDGE, SIOCGIFINDEX, 0);
}

static int set_up(int up)
{
	return ask(LOOPBACK, SIOCSIFFLAGS, up ? IFF_UP : 0);
}

int try_set_up_loopback(void)
{
	int error = set_up(1);

	set_up(0);
	return error;
}

/* --- sockets --- */

int try_bind_tcp(void)
{
	static const struct sockaddr_in at = { .sin_family = AF_INET };
	_cleanup_fd_ int fd = stream(AF_INET);

	return outcome(fd < 0 ? fd : bind(fd, (const struct sockaddr *)&at, sizeof(at)));
}

int try_bind_tcp6(void)
{
	static const struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
	_cleanup_fd_ int fd = stream(AF_INET6);

	return outcome(fd < 0 ? fd : bind(fd, (const struct sockaddr *)&at, sizeof(at)));
}

/* The machine has no address of its own: what there is to reach is at the loopback. */
static int reach(int type)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(PORT),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_fd_ int listener = stream(AF_INET);
	_cleanup_fd_ int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	set_up(1);
	if (bind(listener, (const struct sockaddr *)&at, sizeof(at)) == 0)
		listen(listener, 1);
	error = outcome(connect(fd, (const struct sockaddr *)&at, sizeof(at)));
	set_up(0);
	return error;
}

int try_connect_tcp(void)
{
	return reach(SOCK_STREAM);
}

int try_connect_udp(void)
{
	return reach(SOCK_DGRAM);
}

int try_raw_socket(void)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	return outcome(fd);
}

int try_packet_socket(void)
{
	_cleanup_fd_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	return outcome(fd);
}
